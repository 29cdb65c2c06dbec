"""Training on the energy of the ice, which needs no solved states.

Blatter-Pattyn flow has the least energy J, so J of a prediction is a loss on any state. To weigh
glaciers of all sizes and speeds alike, J is divided by that of shallow ice with the best factor on
its speed. Energies differ little near the minimum: judge a network by velocities.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d

from glacier_qgis.models.iceflow.instructors.column import Column
from glacier_qgis.models.iceflow.instructors.problem import Problem
from glacier_qgis.models.iceflow.instructors.shallow_ice import shallow_ice
from glacier_qgis.models.iceflow.teaching.states.solved import Solved

MODES = 3
"""Vertical modes: the velocities at the bed, averaged and at the surface are as many numbers."""
BEST = 27 / 256
"""Of P⁴/D³, the -J of a flow with the best factor on its speed: the least of f^(4/3) D - f P, where
n = 3 and m = 3, with the power of gravity P and J = D - P."""
TRACE = 1e-12
"""Energy, without dimension, of ice that is at rest."""


@dataclass(frozen=True)
class Unsolved:
    """A state whose flow need not be known.

    Attributes:
        problem: its energy.
        slips: where the ice may slide, (rows, columns).
        unit: of energy, -J of shallow ice.
    """

    problem: Problem
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
        unsolved = cls(Problem.of(*fields, MODES), state.sliding > 0, unit=1.0)
        shallow = shallow_ice(*fields)
        modes = unsolved.modes(torch.stack([shallow.base, shallow.mean, shallow.surface]))
        energy = unsolved.problem.energy
        power = -float((energy.load * modes).sum())
        spent = float(energy.value(modes)) + power
        unit = BEST * power**4 / max(spent, TRACE) ** 3
        return replace(unsolved, unit=max(unit, TRACE))

    def energy(self, velocity: Tensor) -> Tensor:
        """Return J in units of :attr:`unit`: -1 for the best shallow ice, less for better flow.

        Args:
            velocity: at the bed, averaged over depth and at the surface, eastwards and northwards,
                m a⁻¹, (3, 2, rows, columns), north-up.
        """
        return self.problem.energy.value(self.modes(velocity)) / self.unit

    def modes(self, velocity: Tensor) -> Tensor:
        """Return the modes of a velocity, (6, rows, columns), on the grid of the energy.

        Beyond the margin, where the instructor's elements end, ice goes on to slide as it does
        inside, and does not deform. The least energy is then that of some 0.95 times the flow
        where ice slides, and that of the flow where it does not.
        """
        ice = self.problem.ice
        base = torch.where(ice & ~self.slips, 0.0, velocity[0].double())
        inside = ice.double()
        share, total = (
            avg_pool2d(field, 3, stride=1, padding=1) for field in (inside[None], base * inside)
        )
        base = torch.where(ice, base, total / share.clamp(min=1 / 9))
        levels = torch.where(ice, velocity[1:].double(), base)
        energy = self.problem.energy
        modes = as_modes(torch.cat([base[None], levels]), energy.column)
        return self.problem.inward(modes) * energy.unknown


def as_modes(velocity: Tensor, column: Column) -> Tensor:
    """Return the three modes, (6, rows, columns), with these velocities at bed, mean, surface."""
    base, *above = velocity.unbind()
    ends = torch.stack([column.means[1:], column.surface[1:]]).to(velocity)
    deforming = torch.stack(above) - base
    others = torch.einsum("kl,lcyx->kcyx", torch.linalg.inv(ends), deforming)
    return torch.cat([base[None], others]).flatten(0, 1)
