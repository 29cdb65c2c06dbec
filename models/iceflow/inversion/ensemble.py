"""How far states lie apart that what is known allows.

Randomised maximum a posteriori: each member fits observations with random errors, beginning with a
random first guess (Bardsley et al. 2014, doi 10.1137/140964023).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from glacier_qgis.models.compute.arrays import Float64Array
from glacier_qgis.models.iceflow.inversion.cost import Problem
from glacier_qgis.models.iceflow.inversion.fit import descend
from glacier_qgis.models.iceflow.inversion.flow import Correction

STEPS = 40


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
    with torch.no_grad():
        known = loose.residuals(torch.from_numpy(found), correction)
    heights = []
    for member in range(members):
        noise = {name: normal(part.shape, random) for name, part in known.items()}
        turnover = float(torch.randn((), generator=random)) * problem.observed.balance_error
        demand = loose.demand
        noise["flux"] = noise["flux"] + turnover * math.sqrt(demand.independent) / demand.errors
        state = loose.state(torch.from_numpy(descend(loose, correction, found, noise, STEPS)))
        heights.append(state.thickness.numpy())
        progress((member + 1) / members)
    every = np.stack(heights)
    volumes = every.sum(axis=(1, 2))
    return Spread(every.std(axis=0, ddof=1), float(volumes.std(ddof=1) / volumes.mean()), members)


def normal(shape: torch.Size, random: torch.Generator) -> Tensor:
    """Return standard normal numbers."""
    return torch.randn(shape, generator=random, dtype=torch.float64)
