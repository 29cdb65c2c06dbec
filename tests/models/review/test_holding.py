"""What holds the knowledge of a model: labels by the model before, and weights half-way to it."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from glacier_qgis.models.review.retraining.holding import half_way, with_teacher
from glacier_qgis.models.training.data.samples import OPEN, UNLABELLED
from glacier_qgis.models.training.views.sampling import Batch
from glacier_qgis.models.zones.codes import GLACIER, OCEAN, ROCK


class HalfSure(nn.Module):
    """Certain of ocean on the left of cells of two, undecided on the right."""

    def forward(self, images: Tensor) -> Tensor:
        logits = torch.zeros(len(images), 4, images.shape[2] // 2, images.shape[3] // 2)
        logits[:, OCEAN - 1, :, : logits.shape[-1] // 2] = 10.0
        return logits


def test_only_open_cells_get_the_zones_of_which_it_is_certain() -> None:
    zones = torch.full((2, 4, 8), OPEN)
    zones[:, 0] = GLACIER
    zones[:, 1] = UNLABELLED
    zones[:, 2, ::3] = ROCK

    def batches(_: torch.Generator) -> Batch:
        return torch.ones(2, 2, 4, 8), zones.clone()

    images, taught = with_teacher(batches, HalfSure())(torch.Generator())
    assert images.shape == (2, 2, 4, 8)
    was_open = zones == OPEN
    assert torch.equal(taught[~was_open], zones[~was_open])
    assert (taught[..., :4][was_open[..., :4]] == OCEAN).all()
    assert (taught[..., 4:][was_open[..., 4:]] == OPEN).all()


def test_half_way_is_the_mean_of_both_networks() -> None:
    before = {"weight": torch.tensor([1.0, -3.0]), "batches": torch.tensor(7)}
    after = {"weight": torch.tensor([2.0, 5.0]), "batches": torch.tensor(9)}
    between = half_way(before, after)
    torch.testing.assert_close(between["weight"], torch.tensor([1.5, 1.0]))
    assert between["batches"] == 9
    torch.testing.assert_close(half_way(after, after)["weight"], after["weight"])
