"""Training on the energy of the ice, which needs no solved states.

Blatter-Pattyn flow has the least energy J, so J of a prediction is a loss on any state. To weigh
glaciers of all sizes and speeds alike, J is divided by that of a rough guess of the flow. Energies
differ little near the minimum: judge a network by velocities.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from glacier_qgis.models.iceflow.instructors.column import as_modes, column
from glacier_qgis.models.iceflow.instructors.margin import Margin
from glacier_qgis.models.iceflow.instructors.newton import minimise
from glacier_qgis.models.iceflow.instructors.problem import Problem
from glacier_qgis.models.iceflow.teaching.states.solved import Solved

MODES = 3
"""Vertical modes: the velocities at the bed, averaged and at the surface are as many numbers."""
FEW_MODES, ROUGH = 2, 0.1
"""Vertical modes and residual of the guess, which is a few steps of the solver from rest."""
TRACE = 1e-12
"""Energy, without dimension, of ice that is at rest."""


@dataclass(frozen=True)
class Unsolved:
    """A state whose flow need not be known.

    Attributes:
        problem: its energy.
        margin: the nodes beside its ice.
        slips: where the ice may slide, (rows, columns).
        unit: of energy, -J of a rough guess of the flow.
    """

    problem: Problem
    margin: Margin
    slips: Tensor
    unit: float

    @classmethod
    def of(cls, state: Solved) -> Unsolved:
        """Return it for a glacier, solved or not."""
        fields = (
            state.thickness.double(),
            state.surface.double(),
            state.cell_size,
            state.rate_factor.double(),
            state.sliding.double(),
        )
        problem = Problem.of(*fields, MODES)
        few = replace(problem.energy, column=column(FEW_MODES, state.thickness.device))
        guess = float(few.value(minimise(few, ROUGH).velocity))
        return cls(problem, Margin.of(problem), state.sliding > 0, unit=max(-guess, TRACE))

    def energy(self, velocity: Tensor) -> Tensor:
        """Return J in units of :attr:`unit`: 0 at rest, and about -1 for the flow, which has least.

        Args:
            velocity: at the bed, averaged over depth and at the surface, eastwards and northwards,
                m a⁻¹, (3, 2, rows, columns), north-up.
        """
        return self.problem.energy.value(self.modes(velocity)) / self.unit

    def modes(self, velocity: Tensor) -> Tensor:
        """Return the modes of a velocity, (6, rows, columns), on the grid of the energy.

        Nodes beside the ice have the least energy that they can have
        (:mod:`~glacier_qgis.models.iceflow.instructors.margin`).
        """
        base = torch.where(self.slips, velocity[0].double(), 0.0)
        levels = torch.cat([base[None], velocity[1:].double()])
        energy = self.problem.energy
        modes = as_modes(levels, energy.column).flatten(0, 1)
        inside = torch.where(self.margin.ice, self.problem.inward(modes), 0.0) * energy.unknown
        return inside + self.margin.settled(inside.detach())
