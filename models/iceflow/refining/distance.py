"""How far an emulator is from the solution of a state."""

from __future__ import annotations

from typing import NamedTuple

import torch

from glacier_qgis.models.iceflow.emulators.card import OUTPUTS
from glacier_qgis.models.iceflow.instructors.higher_order import higher_order
from glacier_qgis.models.iceflow.instructors.solution import Solution
from glacier_qgis.models.iceflow.refining.forces import MODES, Forces
from glacier_qgis.models.iceflow.velocity.emulator import Emulator
from glacier_qgis.models.iceflow.velocity.errors import relative_errors

TOLERANCE = 1e-3
"""Residual of the solution."""
MOST_SOLVED = 30_000
"""Cells with ice up to which a state is solved for comparison: about half a minute."""


class Distance(NamedTuple):
    """An emulator beside the solution.

    Attributes:
        imbalance: norm of the forces out of balance over that of the driving stress.
        mean: Eq. 7 of Jouvet et al. (2022), per cent; NaN where the state was not solved or
            nothing moves by 10 m a⁻¹.
        total: sum of errors over sum of speeds, per cent; NaN where the state was not solved.
        energy: J, in the units of the problem: of two emulators the one with less is closer.
        share: J in per cent of the solution's; NaN where the state was not solved.
    """

    imbalance: float
    mean: float
    total: float
    energy: float
    share: float


def solved(forces: Forces) -> Solution | None:
    """Return the Blatter-Pattyn solution of a state; None if it is too large or was not found."""
    if int(forces.problem.ice.sum()) > MOST_SOLVED:
        return None
    found = higher_order(
        forces.thickness, forces.surface, *forces.parameters, modes=MODES, tolerance=TOLERANCE
    )
    return found if found.residual <= TOLERANCE else None


@torch.no_grad()
def distance(emulator: Emulator, forces: Forces, solution: Solution | None) -> Distance:
    """Return how far the emulator is from the solution of the state of `forces`."""
    fields = emulator.differentiable(forces.thickness, forces.surface, forces.parameters, OUTPUTS)
    modes = forces.modes(fields)
    imbalance, energy = forces.imbalance(modes), forces.energy(modes)
    if solution is None:
        return Distance(imbalance, torch.nan, torch.nan, energy, torch.nan)
    ice = forces.problem.ice
    found = torch.stack([fields["ubar"], fields["vbar"]])[:, ice].double()
    relative, sums = relative_errors(found, solution.mean[:, ice])
    mean, total = relative.mean(), sums[0] / sums[1]
    least = torch.nan if solution.modes is None else forces.energy_of(solution.modes)
    share = 100 * energy / least
    return Distance(imbalance, 100 * float(mean), 100 * float(total), energy, share)
