"""The solution of an instructor, and the slopes of the ice for all of them."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from glacier_qgis.models.iceflow.emulators.fields import slopes, walled


@dataclass(frozen=True)
class Solution:
    """Velocity in m a⁻¹, each (2, rows, columns): eastwards and northwards; zero without ice.

    Attributes:
        mean: over the depth.
        base: at the bed.
        surface: at the surface.
        residual: norm of the imbalance of forces over that of the driving stress; 0 if the model is
            a formula.
        steps: of Newton's method.
        worst: row and column of the cell with the largest imbalance; None where there is none.
        modes: velocity of each vertical mode, also of cells beside the ice, m a⁻¹, (2 modes, rows,
            columns): what a solver can begin with; None where the model is a formula.
    """

    mean: Tensor
    base: Tensor
    surface: Tensor
    residual: float = 0.0
    steps: int = 0
    worst: tuple[int, int] | None = None
    modes: Tensor | None = None


def ice_slopes(thickness: Tensor, surface: Tensor, cell_size: float) -> Tensor:
    """Return ∂s/∂x and ∂s/∂y of the ice, (2, rows, columns)."""
    return torch.stack(slopes(walled(thickness, surface), cell_size))
