"""A finished inversion."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from glacier_qgis.models.compute.arrays import Float64Array, Mask
from glacier_qgis.models.iceflow.inversion.cost import VELOCITY_MODEL_ERROR, Problem
from glacier_qgis.models.iceflow.inversion.ensemble import Spread, spread
from glacier_qgis.models.iceflow.inversion.fit import Model, most_likely
from glacier_qgis.models.iceflow.inversion.flow import Correction, corrected, spreading
from glacier_qgis.models.iceflow.inversion.judging import modelled
from glacier_qgis.models.iceflow.inversion.observed import Observed
from glacier_qgis.models.iceflow.inversion.place import blurred


@dataclass(frozen=True)
class Inversion:
    """What was found; fields are (rows, columns), north-up.

    Attributes:
        cell_size: Δ, m.
        ice: where there is ice.
        thickness: h, m; 0 outside.
        sliding: c, km MPa⁻³ a⁻¹.
        rate_factor: A, MPa⁻³ a⁻¹.
        speed: at the surface, m a⁻¹.
        modelled: what the result predicts of each kind of observation.
        observed: what was known.
        misfits: in units of errors, by what is compared; NaN elsewhere.
        mean_balance: mean surface mass balance, m a⁻¹.
        turnover: mean magnitude of the balance that flow carries away, m a⁻¹.
        imbalance: mean magnitude of ∇·(ū h) minus that balance, averaged over a valley's width.
        model: name of the model of flow.
        spread: of an ensemble; None if none was run.
        unknown: the unknowns.
        correction: of shallow ice.
    """

    cell_size: float
    ice: Mask
    thickness: Float64Array
    sliding: Float64Array
    rate_factor: float
    speed: Float64Array
    modelled: dict[str, Float64Array]
    observed: Observed
    misfits: dict[str, Float64Array]
    mean_balance: float
    turnover: float
    imbalance: float
    model: str
    spread: Spread | None
    unknown: Float64Array
    correction: Correction

    @property
    def volume(self) -> float:
        """In m³."""
        return float(self.thickness.sum()) * self.cell_size**2


def invert(
    problem: Problem,
    model: Model | None,
    name: str,
    mean_balance: float,
    members: int,
    seed: int,
    progress: Callable[[float], None],
) -> Inversion:
    """Return the most likely thickness and sliding, and the spread of an ensemble.

    Args:
        problem: the inversion.
        model: of flow; None for shallow ice.
        name: of the model.
        mean_balance: mean surface mass balance, m a⁻¹.
        members: of the ensemble; 0 for none.
        seed: of the ensemble's random numbers.
        progress: receives the completed fraction.
    """
    place, share = problem.place, 0.5 if members else 1.0
    unknown, correction = most_likely(problem, model, lambda part: progress(share * part))
    with torch.no_grad():
        state = problem.state(torch.from_numpy(unknown))
        speeds = corrected(place, correction, state.thickness, state.sliding, state.rate_factor)
        left = spreading(place, correction, state.thickness, speeds.mean) - problem.observed.balance
        predicted = modelled(problem, state, correction)
        flux = problem.demand.misfits(state.thickness * speeds.mean)
    misfits = {"flux": _scattered(place.ice, flux)}
    for kind in problem.observed.kinds:
        samples = getattr(problem.observed, kind)
        error = VELOCITY_MODEL_ERROR if kind == "velocity" else 0.0
        misfits[kind] = _scattered(samples.where, samples.misfits(predicted[kind], error))
    ice = place.ice.numpy()
    width = max(place.half_width / place.cell_size, 1.0)
    around = None
    if members:
        around = spread(
            problem, correction, unknown, members, seed, lambda part: progress(0.5 + 0.5 * part)
        )
    return Inversion(
        place.cell_size,
        ice,
        state.thickness.numpy(),
        np.where(ice, state.sliding.numpy(), np.nan),
        float(state.rate_factor),
        speeds.surface.numpy(),
        {kind: field.numpy() for kind, field in predicted.items()},
        problem.observed,
        misfits,
        mean_balance,
        float(problem.observed.balance[place.ice].abs().mean()),
        float(np.abs(blurred(left.numpy(), ice, width)[ice]).mean()),
        name,
        around,
        unknown,
        correction,
    )


def _scattered(where: Tensor, values: Tensor) -> Float64Array:
    field = torch.full(where.shape, torch.nan, dtype=torch.float64)
    field[where] = values.double()
    return np.asarray(field.numpy())
