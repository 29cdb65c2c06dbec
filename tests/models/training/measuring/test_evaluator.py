"""A network is measured as the algorithms use it."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from glacier_qgis.models.training.data.samples import LabelledScene
from glacier_qgis.models.training.measuring.evaluator import Evaluator
from glacier_qgis.models.zones.codes import CLASS_NAMES, GLACIER, OCEAN

SIZE, CELL = 48, 60.0


class KnowsThePlace(nn.Module):
    """Ocean in the western half of every scene, glacier in the eastern one, whatever it shows."""

    def forward(self, image: Tensor) -> Tensor:
        """Return logits of `image`."""
        count, _, height, width = image.shape
        logits = torch.zeros(count, len(CLASS_NAMES), height, width)
        codes = [*CLASS_NAMES]
        logits[:, codes.index(OCEAN), :, : width // 2] = 5
        logits[:, codes.index(GLACIER), :, width // 2 :] = 5
        return logits


def test_one_that_knows_a_place_as_it_lies_is_not_shown_it_upside_down() -> None:
    west = np.broadcast_to(np.arange(SIZE) < SIZE // 2, (SIZE, SIZE))
    zones = np.where(west, OCEAN, GLACIER).astype(np.uint8)
    scene = LabelledScene(
        "scene", "here", "", np.full_like(zones, 9), zones, zones == 0, (CELL, CELL)
    )
    network, device = KnowsThePlace(), torch.device("cpu")
    (turned,) = Evaluator(network, device, CELL).answers([scene])
    (answer,) = Evaluator(network, device, CELL, oriented=True).answers([scene])
    assert (answer.zones == zones).all()
    assert not (turned.zones == zones).all()
