"""What the observations are worth, and how smooth the thickness should be."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from glacier_qgis.models.compute.arrays import Float64Array
from glacier_qgis.models.iceflow.inversion.cost import (
    VELOCITY_MODEL_ERROR,
    Problem,
    State,
)
from glacier_qgis.models.iceflow.inversion.fit import descend
from glacier_qgis.models.iceflow.inversion.flow import Correction, corrected
from glacier_qgis.models.iceflow.inversion.observed import Samples

BLOCK = 4.0
"""Edge of the blocks in which thickness is held out, in typical thicknesses."""
FACTORS = (1 / 16, 1 / 4, 1.0, 4.0, 16.0)
"""Factors of the smoothness that are tried."""
STEPS, MORE_STEPS = 80, 30
"""Most steps without an observation, and from there with another smoothness."""
CONTRADICTION = 2.5
"""Root-mean-square misfit in errors from which observations contradict each other."""
GAIN = 0.02
"""Share by which the error of held-out points must fall for a suggestion."""


@dataclass(frozen=True)
class Agreement:
    """How well a state agrees with the observations of a kind.

    Attributes:
        kind: of the observations.
        count: cells with one.
        unit: of `mean_error` and `bias`.
        mean_error: mean absolute difference.
        bias: mean of model minus observation.
        in_errors: root mean square in units of errors.
    """

    kind: str
    count: int
    unit: str
    mean_error: float
    bias: float
    in_errors: float


@dataclass(frozen=True)
class Worth:
    """What the observations of a kind were worth.

    Attributes:
        kind: of the observations.
        used: agreement with them where they are used.
        held_out: agreement with them where they are not.
        change: mean absolute change of the thickness without them, m.
    """

    kind: str
    used: Agreement
    held_out: Agreement
    change: float


@dataclass(frozen=True)
class Trial:
    """An inversion with another smoothness.

    Attributes:
        factor: of the weight of smoothness.
        misfit: sum of the squared residuals of what is observed.
        roughness: that of the unknowns.
        held_out: mean absolute error of held-out thickness, m; NaN without points.
    """

    factor: float
    misfit: float
    roughness: float
    held_out: float


@dataclass(frozen=True)
class _HeldOut:
    """The agreement with samples that were left out, and the unknowns found without each half."""

    agreement: Agreement
    unknowns: list[Float64Array]


def modelled(problem: Problem, state: State, correction: Correction) -> dict[str, Tensor]:
    """Return what a state predicts of each kind of observation, (rows, columns)."""
    coefficients = state.thickness, state.sliding, state.rate_factor
    speeds = corrected(problem.place, correction, *coefficients)
    return {"velocity": speeds.surface, "thickness": state.thickness}


def agreement(kind: str, samples: Samples, field: Tensor) -> Agreement:
    """Return how well a field agrees with samples."""
    apart = field[samples.where] - samples.values
    model_error = VELOCITY_MODEL_ERROR if kind == "velocity" else 0.0
    misfits = samples.misfits(field, model_error)
    return Agreement(
        kind,
        len(samples),
        "m/a" if kind == "velocity" else "m",
        float(apart.abs().mean()),
        float(apart.mean()),
        float(misfits.square().mean().sqrt()),
    )


def worths(
    problem: Problem,
    correction: Correction,
    found: Float64Array,
    progress: Callable[[float], None],
) -> list[Worth]:
    """Return what each kind of observation was worth: fitted without it, and compared with it.

    Thickness is held out block by block, half of it at a time.
    """
    best = problem.state(torch.from_numpy(found))
    rows = []
    kinds = problem.observed.kinds
    for done, kind in enumerate(kinds, 1):
        samples: Samples = getattr(problem.observed, kind)
        used = agreement(kind, samples, modelled(problem, best, correction)[kind])
        without = replace(problem, observed=problem.observed.without(kind))
        start = np.zeros(without.count)
        start[: min(without.count, len(found))] = found[: without.count]
        other = without.state(torch.from_numpy(descend(without, correction, start, steps=STEPS)))
        held_out = agreement(kind, samples, modelled(without, other, correction)[kind])
        if kind == "thickness" and (parts := halves(problem, samples)):
            held_out = _held_out(problem, correction, samples, parts).agreement
        change = (other.thickness - best.thickness)[problem.place.ice].abs().mean()
        rows.append(Worth(kind, used, held_out, float(change)))
        progress(done / len(kinds))
    return rows


def halves(problem: Problem, samples: Samples) -> list[Tensor]:
    """Return which samples belong to each half of a chessboard; none if one half is empty."""
    place = problem.place
    edge = max(round(BLOCK * place.typical / place.cell_size), 2)
    row, column = samples.where.nonzero(as_tuple=True)
    black = (row // edge + column // edge) % 2 == 0
    return [black, ~black] if black.any() and not black.all() else []


def smoothness(
    problem: Problem,
    correction: Correction,
    found: Float64Array,
    progress: Callable[[float], None],
) -> list[Trial]:
    """Return inversions with other weights of smoothness."""
    samples = problem.observed.thickness
    starts: list[Float64Array] = []
    parts = halves(problem, samples) if samples is not None else []
    trials = []
    for done, factor in enumerate(FACTORS, 1):
        weights = replace(problem.weights, smoothness=problem.weights.smoothness * factor)
        tried = replace(problem, weights=weights)
        scale = np.ones(problem.count)
        scale[problem.shape_part] = math.sqrt(factor)
        unknown = descend(tried, correction, scale * found, steps=MORE_STEPS)
        with torch.no_grad():
            residuals = tried.residuals(torch.from_numpy(unknown), correction)
        squares = {name: float(part.square().sum()) for name, part in residuals.items()}
        error = math.nan
        if samples is not None and parts:
            held = _held_out(tried, correction, samples, parts, [scale * start for start in starts])
            error = held.agreement.mean_error
            starts = starts or [unknowns / scale for unknowns in held.unknowns]
        trials.append(
            Trial(
                factor,
                sum(value for name, value in squares.items() if name != "prior"),
                squares["prior"] / factor,
                error,
            )
        )
        progress(done / len(FACTORS))
    return trials


def suggested(trials: Sequence[Trial]) -> Trial:
    """Return the trial to prefer: of least error on what was held out, or the L-curve's corner."""
    usual = next(trial for trial in trials if trial.factor == 1)
    if not math.isnan(usual.held_out):
        best = min(trials, key=lambda trial: trial.held_out)
        return best if best.held_out < (1 - GAIN) * usual.held_out else usual
    x = np.log([max(trial.misfit, 1e-9) for trial in trials])
    y = np.log([max(trial.roughness, 1e-9) for trial in trials])
    x, y = ((v - v.min()) / max(np.ptp(v), 1e-9) for v in (x, y))
    return trials[int(np.argmin(np.hypot(x, y)))]


def _held_out(
    problem: Problem,
    correction: Correction,
    samples: Samples,
    parts: Sequence[Tensor],
    starts: Sequence[Float64Array] = (),
) -> _HeldOut:
    """Leave out one half of the samples after the other.

    Args:
        problem: the inversion.
        correction: of the speeds.
        samples: of thickness.
        parts: which of them belong to each half.
        starts: unknowns to begin with, by half; from the first guess by default.
    """
    field = torch.zeros(problem.place.ice.shape, dtype=torch.float64)
    unknowns = []
    for index, kept in enumerate(parts):
        observed = replace(problem.observed, thickness=samples.only(kept))
        half = replace(problem, observed=observed)
        start = starts[index] if starts else np.zeros(half.count)
        steps = MORE_STEPS if starts else STEPS
        unknowns.append(descend(half, correction, start, steps=steps))
        thickness = half.state(torch.from_numpy(unknowns[-1])).thickness
        others = samples.only(~kept).where
        field[others] = thickness[others]
    return _HeldOut(agreement("thickness", samples, field), unknowns)


def doubtful(found: Sequence[Agreement]) -> list[str]:
    """Return a sentence for each kind of observation that contradicts the others."""
    return [
        f"The {one.kind} is off by {one.in_errors:.1f} times its errors (root mean square; mean "
        f"absolute difference {one.mean_error:.3g} {one.unit}, bias {one.bias:+.3g} {one.unit}): "
        "it contradicts the other observations, or its errors are larger than stated."
        for one in found
        if one.in_errors > CONTRADICTION
    ]
