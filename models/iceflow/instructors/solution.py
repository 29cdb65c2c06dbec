"""The solution of an instructor, and the geometry of the ice for all of them."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d

from glacier_qgis.models.iceflow.emulators.fields import slopes

KILOMETRE = 1000.0
"""m, in the unit of sliding coefficients."""


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


def walled(thickness: Tensor, surface: Tensor) -> Tensor:
    """Return the surface with rock above the ice lowered to the ice, (rows, columns).

    Valley walls must not count as slopes of the ice: a cell without ice that is higher than the
    adjacent ice gets the mean surface of that ice.
    """
    ice = (thickness > 0).to(surface)
    level = torch.where(ice > 0, surface, 0.0)
    share, total = (_around(field) for field in (ice, level))
    beside = total / share.clamp(min=1 / 9)
    return torch.where((ice == 0) & (share > 0), torch.minimum(surface, beside), surface)


def ice_slopes(thickness: Tensor, surface: Tensor, cell_size: float) -> Tensor:
    """Return ∂s/∂x and ∂s/∂y of the ice, (2, rows, columns)."""
    return torch.stack(slopes(walled(thickness, surface), cell_size))


def _around(field: Tensor) -> Tensor:
    """Return the mean over 3 × 3 cells, zero beyond the border."""
    return avg_pool2d(field[None, None], 3, stride=1, padding=1)[0, 0]
