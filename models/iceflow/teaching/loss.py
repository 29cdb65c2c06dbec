"""How far an emulator is from its instructor."""

from __future__ import annotations

import torch
from torch import Tensor

from glacier_qgis.models.iceflow.velocity.errors import length

SLOW = 5.0
"""Speed, m a⁻¹, below which errors count less and less."""
PARTS = (0.25, 1.0, 0.25)
"""What the bed, the mean over depth and the surface count."""


def relative_loss(found: Tensor, true: Tensor, glacier: Tensor, glaciers: int) -> Tensor:
    """Return the mean relative error, half of it cell by cell, half glacier by glacier.

    Args:
        found: m a⁻¹, (3, 2, cells).
        true: the instructor's, the same.
        glacier: which one each cell belongs to, (cells,).
        glaciers: how many there are.
    """
    error, size = length(found - true), length(true)
    by_cell = (error / (size + SLOW)).mean(1)
    sums = error.new_zeros(2, len(error), glaciers)
    sums.index_add_(2, glacier, torch.stack([error, size]))
    by_glacier = (sums[0] / (sums[1] + SLOW)).mean(1)
    weights = found.new_tensor(PARTS)
    return ((by_cell + by_glacier) * weights).sum() / (2 * weights.sum())
