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

from glacier_qgis.models.iceflow.emulators.card import FlowParameters
from glacier_qgis.models.iceflow.instructors.column import as_modes
from glacier_qgis.models.iceflow.instructors.margin import Margin
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
        self._margin = Margin.of(self.problem)
        self._beside: Tensor | None = None

    @cached_property
    def _unknown(self) -> Tensor:
        return self.problem.energy.unknown

    @cached_property
    def _slides(self) -> Tensor:
        """Where ice may slide, (rows, columns)."""
        return self.problem.outward(self._unknown[:1].double())[0] > 0

    def modes(self, fields: Mapping[str, Tensor]) -> Tensor:
        """Return the unknowns of the energy; gradients flow to the fields.

        Nodes beside the ice have the least energy that they can have
        (:mod:`~glacier_qgis.models.iceflow.instructors.margin`), so they do not change the
        gradient.

        Args:
            fields: velocities by name, m a⁻¹, (rows, columns).
        """
        levels = torch.stack(
            [
                torch.stack([fields[f"u{level}"], fields[f"v{level}"]]).double()
                for level in ("velbase", "bar", "velsurf")
            ]
        )
        base = torch.where(self._slides, levels[:1], 0.0)
        moving = as_modes(torch.cat([base, levels[1:]]), self.problem.energy.column).flatten(0, 1)
        inside = torch.where(self._margin.ice, self.problem.inward(moving), 0.0) * self._unknown
        self._beside = self._margin.settled(inside.detach(), self._beside)
        return inside + self._beside

    def energy(self, modes: Tensor) -> float:
        """Return J, in the units of the problem; lowest at the solution."""
        return float(self.problem.energy.value(modes))

    def energy_of(self, solution: Tensor) -> float:
        """Return J of the modes of a solution on the grid, m a⁻¹."""
        return self.energy(self.problem.inward(solution))

    def gradient(self, modes: Tensor) -> Tensor:
        """Return ∂J/∂modes."""
        return self.problem.energy.gradient(modes) * self._unknown

    def imbalance(self, modes: Tensor) -> float:
        """Return the norm of the forces out of balance over that of the driving stress."""
        load = self.problem.energy.load * self._unknown
        scale = float(load.norm())
        return float(self.gradient(modes).norm()) / scale if scale else 0.0
