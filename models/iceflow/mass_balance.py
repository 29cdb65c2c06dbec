"""Surface mass balance, in metres of ice per year."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

OUTSIDE_MASK = -10.0
"""Mass balance where the user wants no ice, m a⁻¹: melts whatever flows there."""


@dataclass(frozen=True)
class ElaBalance:
    """Mass balance that grows linearly with height above the equilibrium-line altitude.

    Jouvet et al. (2022): min(β_acc (z − z_ELA), a_max) above the line, β_abl (z − z_ELA) below.

    Attributes:
        ela: equilibrium-line altitude z_ELA, m.
        ablation_gradient: β_abl, a⁻¹.
        accumulation_gradient: β_acc, a⁻¹.
        max_accumulation: a_max, m a⁻¹.
        mask: True where ice may be, north-up; None for everywhere.
    """

    ela: float
    ablation_gradient: float
    accumulation_gradient: float
    max_accumulation: float
    mask: Tensor | None = None

    def __call__(self, surface: Tensor, time: float) -> Tensor:
        """Return the mass balance in m a⁻¹ at the heights `surface` (m); it is constant in time."""
        height = surface - self.ela
        balance = torch.where(
            height < 0,
            self.ablation_gradient * height,
            (self.accumulation_gradient * height).clamp(max=self.max_accumulation),
        )
        return balance if self.mask is None else torch.where(self.mask, balance, OUTSIDE_MASK)
