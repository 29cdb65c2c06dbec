"""How far states lie apart that what is known allows.

Randomised maximum a posteriori: each member fits observations with random errors, beginning with a
random first guess (Bardsley et al. 2014, doi 10.1137/140964023).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from glacier_qgis.models.compute.arrays import Float64Array
from glacier_qgis.models.iceflow.inversion.cost import Problem
from glacier_qgis.models.iceflow.inversion.field import SmoothField
from glacier_qgis.models.iceflow.inversion.fit import descend
from glacier_qgis.models.iceflow.inversion.flow import Correction
from glacier_qgis.models.iceflow.inversion.routing import balanced

STEPS = 200
"""Most steps of a member; with fewer, the spread is too small on fine grids."""
BALANCE_LENGTH = 2.0
"""Correlation length of the error of a mass balance, in half widths of the valleys."""


@dataclass(frozen=True)
class Spread:
    """Standard deviations over an ensemble.

    Attributes:
        thickness: of the thickness, m, (rows, columns).
        volume: of the volume, as a share of its mean.
        members: number of members.
    """

    thickness: Float64Array
    volume: float
    members: int


def spread(
    problem: Problem,
    correction: Correction,
    found: Float64Array,
    members: int,
    seed: int,
    progress: Callable[[float], None],
) -> Spread:
    """Return how far the members of an ensemble lie apart.

    Args:
        problem: the inversion.
        correction: of the speeds.
        found: the most likely unknowns.
        members: how many; at least 2.
        seed: of random numbers.
        progress: receives the completed fraction.
    """
    random = torch.Generator().manual_seed(seed)
    loose = replace(problem, loose=True)
    start = np.zeros(loose.count)
    start[: len(found)] = found
    heights = []
    for member in range(members):
        drawn = replace(
            loose, observed=replace(loose.observed, balance=drawn_balance(loose, random))
        )
        with torch.no_grad():
            known = drawn.residuals(torch.from_numpy(start), correction)
        noise = {name: normal(part.shape, random) for name, part in known.items()}
        first = start + noise["prior"].numpy()
        state = drawn.state(torch.from_numpy(descend(drawn, correction, first, noise, STEPS)))
        heights.append(state.thickness.numpy())
        progress((member + 1) / members)
    every = np.stack(heights)
    volumes = every.sum(axis=(1, 2))
    return Spread(every.std(axis=0, ddof=1), float(volumes.std(ddof=1) / volumes.mean()), members)


def drawn_balance(problem: Problem, random: torch.Generator) -> Tensor:
    """Return a random mass balance for the flow, m a⁻¹, of zero sum over each glacier.

    Its gradient is wrong by a factor, and by a smooth pattern: the surface does not change evenly
    in a glacier that is out of balance.
    """
    place, usual, error = problem.place, problem.observed.balance, problem.observed.balance_error
    turnover = float(usual[place.ice].abs().mean())
    pattern = SmoothField(place, error * turnover, BALANCE_LENGTH * place.half_width)
    factor = (error * normal(torch.Size(()), random)).exp()
    cells = torch.Size((int(place.ice.sum()),))
    drawn = factor * usual + pattern(normal(cells, random))
    return torch.from_numpy(balanced(drawn.numpy(), place.ice.numpy()))


def normal(shape: torch.Size, random: torch.Generator) -> Tensor:
    """Return standard normal numbers."""
    return torch.randn(shape, generator=random, dtype=torch.float64)
