"""The balance of forces of one state, for the velocities that an emulator predicts.

Velocities at the bed, averaged and at the surface are three numbers per direction; so are the first
three modes of :mod:`~glacier_qgis.models.iceflow.instructors.column`. Each column of ice that an
emulator predicts is a column of the energy.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d

from glacier_qgis.models.iceflow.emulators.card import FlowParameters
from glacier_qgis.models.iceflow.instructors.problem import Problem

MODES = 3


class Forces:
    """The energy of one state, and its gradient: the forces out of balance.

    Attributes:
        thickness: h in m, (rows, columns), north-up; there is ice somewhere.
        surface: s in m.
        parameters: cell size and coefficients.
        problem: the energy.
    """

    def __init__(self, thickness: Tensor, surface: Tensor, parameters: FlowParameters) -> None:
        self.thickness, self.surface, self.parameters = thickness, surface, parameters
        self.problem = Problem.of(thickness, surface, *parameters, modes=MODES)

    @cached_property
    def _unknown(self) -> Tensor:
        return self.problem.energy.unknown

    @cached_property
    def _slides(self) -> Tensor:
        """Where ice may slide, (rows, columns)."""
        return self.problem.outward(self._unknown[:1].double())[0] > 0

    @cached_property
    def _shapes(self) -> Tensor:
        """From (mean, surface) above the bed to the amplitude of both modes that deform, (2, 2)."""
        column = self.problem.energy.column
        inverse: Tensor = torch.linalg.inv(torch.stack([column.means[1:], column.surface[1:]]))
        return inverse

    def modes(self, fields: Mapping[str, Tensor]) -> Tensor:
        """Return the unknowns of the energy; gradients flow to the fields.

        Cells beside the ice belong to its margin, where they move as the ice next to them.

        Args:
            fields: velocities by name, m a⁻¹, (rows, columns).
        """
        base, mean, top = (
            torch.stack([fields[f"u{level}"], fields[f"v{level}"]]).double()
            for level in ("velbase", "bar", "velsurf")
        )
        base = torch.where(self._slides, base, 0.0)
        above = torch.stack([mean - base, top - base])
        deforming = torch.einsum("kl,lcyx->kcyx", self._shapes, above)
        moving = torch.cat([base[None], deforming]).flatten(0, 1)
        return self.problem.inward(self._with_margin(moving)) * self._unknown

    def _with_margin(self, moving: Tensor) -> Tensor:
        ice = self.problem.ice
        share = avg_pool2d(ice.double()[None, None], 3, 1, 1)[0, 0]
        inside = torch.where(ice, moving, 0.0)
        beside = avg_pool2d(inside[None], 3, 1, 1)[0] / share.clamp(min=1 / 9)
        return torch.where(ice, moving, beside)

    def energy(self, modes: Tensor) -> float:
        """Return J, in the units of the problem; lowest at the solution."""
        return float(self.problem.energy.value(modes))

    def gradient(self, modes: Tensor) -> Tensor:
        """Return ∂J/∂modes."""
        return self.problem.energy.gradient(modes) * self._unknown

    def imbalance(self, modes: Tensor) -> float:
        """Return the norm of the forces out of balance over that of the driving stress."""
        load = self.problem.energy.load * self._unknown
        scale = float(load.norm())
        return float(self.gradient(modes).norm()) / scale if scale else 0.0
