"""How far velocities are from those that they should be."""

from __future__ import annotations

import torch
from torch import Tensor

FAST_ENOUGH = 10.0
"""Speed, m a⁻¹, from which Eq. 7 of Jouvet et al. (2022) counts."""


def length(velocity: Tensor) -> Tensor:
    """Return |u| + |v|: (…, 2, cells) to (…, cells)."""
    return velocity.abs().sum(-2)


def relative_errors(found: Tensor, true: Tensor) -> tuple[Tensor, Tensor]:
    """Return the error over the speed of each cell that is fast enough, and of all of them.

    The mean of the first is Eq. 7 of Jouvet et al. (2022); the second is the sum of errors and
    the sum of speeds, (2,).

    Args:
        found: m a⁻¹, (2, cells).
        true: the instructor's.
    """
    error, size = length(found - true), length(true)
    fast = size > FAST_ENOUGH
    return error[fast] / size[fast], torch.stack([error.sum(), size.sum()])
