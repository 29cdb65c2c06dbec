"""Mass balance by elevation above the equilibrium line."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from glacier_qgis.models.iceflow.balance.model import Varying


@dataclass(frozen=True)
class ElaBalance:
    """Mass balance that increases linearly with elevation above the equilibrium-line altitude.

    Jouvet et al. (2022), doi 10.1017/jog.2021.120: min(β_acc (z − z_ELA), a_max) above the line,
    β_abl (z − z_ELA) below. Each of the four parameters may be a number or a field, and may change
    with time.

    Attributes:
        ela: Equilibrium-line altitude z_ELA, m.
        ablation_gradient: β_abl, a⁻¹.
        accumulation_gradient: β_acc, a⁻¹.
        max_accumulation: a_max, m of ice a⁻¹.
    """

    ela: Varying
    ablation_gradient: Varying
    accumulation_gradient: Varying
    max_accumulation: Varying

    @property
    def steady(self) -> bool:
        """Whether all parameters are constant."""
        return all(
            parameter.steady
            for parameter in (
                self.ela,
                self.ablation_gradient,
                self.accumulation_gradient,
                self.max_accumulation,
            )
        )

    def __call__(self, surface: Tensor, time: float) -> Tensor:
        """Return the mass balance in m of ice a⁻¹ at the elevations `surface` (m)."""
        height = surface - self.ela(time)
        gain = self.accumulation_gradient(time) * height
        return torch.where(
            height < 0,
            self.ablation_gradient(time) * height,
            gain.clamp(max=self.max_accumulation(time)),
        )
