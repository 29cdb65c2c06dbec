"""Newton's method on the energy of the ice, to a stated residual.

Plain Newton steps overshoot where the ice hardly deforms. Here the direction of the stress is an
additional unknown (Rudi, Shih and Stadler 2020, doi 10.1029/2020GC009059): the first step, from
rest, is a Picard step, and later steps approach Newton's method as the stress converges. The energy
is convex, and each step is shortened until the energy decreases.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from glacier_qgis.models.iceflow.instructors.energy import Energy
from glacier_qgis.models.iceflow.instructors.matrix import newton_matrix
from glacier_qgis.models.iceflow.instructors.sparse import Couplings
from glacier_qgis.models.iceflow.instructors.state import Linearisation

MOST_STEPS = 60
HALVINGS = 20
ENOUGH = 1e-4
"""Share of the expected decrease that a step must reach (Armijo)."""
ROUNDING = 1e-12
"""Relative accuracy of the energy."""


@dataclass(frozen=True)
class Minimum:
    """The velocity that minimises the energy.

    Attributes:
        velocity: of each mode, in units of U, (2 modes, rows, columns).
        residual: norm of the energy's gradient over that of the driving stress.
        steps: number of steps.
        worst: row and column of the node with the largest gradient.
    """

    velocity: Tensor
    residual: float
    steps: int
    worst: tuple[int, int]


def minimise(
    energy: Energy,
    tolerance: float,
    start: Tensor | None = None,
    *,
    fixed: Tensor | None = None,
) -> Minimum:
    """Return the minimum of the energy; its `residual` tells whether it converged.

    Args:
        energy: of the glacier.
        tolerance: the residual to reach.
        start: velocity to begin with, zero beyond its modes and where nothing moves; from rest by
            default.
        fixed: velocity of the nodes that are not unknown, zero elsewhere; at rest by default. It
            takes a `start`.
    """
    unknown = energy.unknown
    couplings = Couplings(energy.elements.nodes, energy.elements.shape)
    scale = float((energy.load * unknown).norm())
    if start is None:
        state = Linearisation.at_rest(energy)
    else:
        begin = _extended(start, energy) * unknown
        state = Linearisation.near(energy, begin if fixed is None else begin + fixed)
    gradient = energy.gradient(state.velocity) * unknown
    residual, steps = float(gradient.norm()) / scale if scale > 0 else 0.0, 0
    while residual > tolerance and steps < MOST_STEPS:
        matrix = newton_matrix(energy, couplings, state)
        change = couplings.solve(matrix, -gradient, unknown)
        share = _share(energy, state.velocity, change, gradient)
        if share == 0:
            break
        state = state.after(energy, share * change)
        gradient = energy.gradient(state.velocity) * unknown
        residual, steps = float(gradient.norm()) / scale, steps + 1
    return Minimum(state.velocity, residual, steps, _largest(gradient))


def _largest(gradient: Tensor) -> tuple[int, int]:
    row, column = divmod(int(gradient.square().sum(dim=0).argmax()), gradient.shape[-1])
    return row, column


def _extended(velocity: Tensor, energy: Energy) -> Tensor:
    more = torch.zeros_like(energy.load[len(velocity) :])
    return torch.cat([velocity, more])


def _share(energy: Energy, velocity: Tensor, change: Tensor, gradient: Tensor) -> float:
    """Return the step length that lowers the energy enough: 1, a half, …, or 0 if none does."""
    before = energy.value(velocity)
    fall = float((gradient * change).sum())
    for halving in range(HALVINGS):
        share = 0.5**halving
        after = energy.value(velocity + share * change)
        if after <= before + ENOUGH * share * fall + ROUNDING * before.abs():
            return share
    return 0.0
