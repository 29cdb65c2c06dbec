"""Patches of echograms: cut, mirrored, and torn where labels are partial."""

from __future__ import annotations

import numpy as np
import torch

from glacier_qgis.models.radar.layers.codes import LAYER, NO_LAYER, SURFACE, UNLABELLED
from glacier_qgis.models.radar.layers.labels import labels_of
from glacier_qgis.models.training.echograms.patches import sampler

SIZE = 64


def echogram(*, complete: bool) -> tuple[np.ndarray, np.ndarray]:
    """One bright layer of two is labelled; two traces are missing."""
    inputs = np.random.default_rng(0).normal(0, 0.05, (3, SIZE, SIZE)).astype(np.float32)
    inputs[0, [20, 44]] = 0.9
    inputs[2] = 1
    inputs[:, :, 30:32] = 0
    lines = [np.full(SIZE, 20.0)]
    nowhere = np.full(SIZE, np.nan)
    return inputs, labels_of(lines, np.full(SIZE, 5.0), nowhere, SIZE, complete=complete)


def patches(*, complete: bool) -> tuple[torch.Tensor, torch.Tensor]:
    drawn = echogram(complete=complete)
    draw = sampler(lambda _: drawn, 1, 60, SIZE)
    return draw(torch.Generator().manual_seed(1))


def test_a_complete_echogram_is_never_torn() -> None:
    images, codes = patches(complete=True)
    assert (images[:, 0, 20, :28] > 0.5).all()
    assert (codes == LAYER).sum(dim=(1, 2)).min() == SIZE - 2


def test_a_torn_patch_has_no_layer_and_the_same_speckle() -> None:
    images, codes = patches(complete=False)
    torn = (codes == LAYER).sum(dim=(1, 2)) == 0
    assert 5 < int(torn.sum()) < 25
    for image, code in zip(images[torn], codes[torn], strict=True):
        assert set(code.unique().tolist()) == {UNLABELLED, NO_LAYER}
        assert (code[:, 30:34].eq(UNLABELLED).all(dim=0)).any()  # missing traces stay unknown
        bright = image[0] > 0.5
        assert int(bright.sum()) == 2 * (SIZE - 2)  # of each trace, both layers are there ...
        assert bright.sum(dim=1).max() < SIZE / 3  # ... and nowhere in a row
        assert torch.equal(code[5] == UNLABELLED, torch.ones(SIZE, dtype=torch.bool))
    whole = codes[~torn]
    assert (whole == SURFACE).any()
    assert (whole[:, 44] == UNLABELLED).all()
