"""Random patches of echograms, half of them mirrored along the track.

Where labels are partial, nothing far from a line is known to be none, and a network takes the
speckle of empty ice for layers. Some patches of such echograms are therefore torn: their traces are
shifted in depth, each by its own amount. No layer survives that, whatever was labelled, and the
speckle stays as it is.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from glacier_qgis.models.compute.arrays import Float32Array
from glacier_qgis.models.radar.layers.codes import BED, NO_LAYER, SURFACE, UNLABELLED
from glacier_qgis.models.radar.layers.labels import Codes
from glacier_qgis.models.training.views.sampling import Batch, Batches

Inputs = npt.NDArray[np.float16] | Float32Array
TORN = 4
"""One patch with partial labels in so many is torn."""
SHIFT = 16
"""Largest shift of a trace, samples: beyond the width of a layer."""
Draw = Callable[[int], tuple[Inputs, Codes]]
"""From an index to the input (3, rows, traces) and the labels (rows, traces) of an echogram."""


def sampler(echogram: Draw, count: int, batch: int, size: int) -> Batches:
    """Return a function that draws batches.

    Args:
        echogram: Returns one of the echograms.
        count: Number of echograms.
        batch: Patches per batch.
        size: Rows and traces of a patch.
    """

    def draw(generator: torch.Generator) -> Batch:
        picked = [_pick(generator, count) for _ in range(batch)]
        patches = [_patch(*echogram(index), size, generator) for index in picked]
        images, codes = zip(*patches, strict=True)
        return torch.stack(images), torch.stack(codes)

    return draw


def _pick(generator: torch.Generator, count: int) -> int:
    return int(torch.randint(max(count, 1), (), generator=generator))


def _patch(
    inputs: Inputs, codes: Codes, size: int, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Cut a patch; beyond a small echogram it is empty and unlabelled."""
    rows, traces = codes.shape
    top, left = _pick(generator, rows - size + 1), _pick(generator, traces - size + 1)
    part = np.s_[top : top + size, left : left + size]
    image: Float32Array = np.zeros((len(inputs), size, size), np.float32)
    label = np.full((size, size), UNLABELLED, np.int64)
    height, width = codes[part].shape
    image[:, :height, :width] = inputs[(slice(None), *part)]
    label[:height, :width] = codes[part]
    void = image[-1] == 0
    label[void] = UNLABELLED
    if (label[~void] == UNLABELLED).any() and not _pick(generator, TORN):
        image[0] = _torn(image[0], generator)
        outer = np.isin(label, (SURFACE, BED))
        label = np.where(void | outer, UNLABELLED, NO_LAYER)
    turned = slice(None, None, -1 if _pick(generator, 2) else 1)
    return torch.from_numpy(image[..., turned].copy()), torch.from_numpy(label[..., turned].copy())


def _torn(contrast: Float32Array, generator: torch.Generator) -> Float32Array:
    """Shift each trace in depth by its own amount, (rows, traces)."""
    rows, traces = contrast.shape
    shifts = torch.randint(-SHIFT, SHIFT + 1, (traces,), generator=generator).numpy()
    at = (np.arange(rows)[:, None] + shifts) % rows
    return np.take_along_axis(contrast, at, axis=0)
