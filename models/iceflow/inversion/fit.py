"""The most likely state, by L-BFGS."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import torch
from scipy.optimize import minimize
from torch import Tensor

from glacier_qgis.models.compute.arrays import Float64Array
from glacier_qgis.models.iceflow.inversion.cost import Problem, State
from glacier_qgis.models.iceflow.inversion.flow import Correction, shallow
from glacier_qgis.models.iceflow.inversion.place import Place, blurred

Model = Callable[[State], tuple[Tensor, Tensor]]
"""Returns the depth-averaged and the surface velocity, each (2, rows, columns), m a⁻¹."""

OUTER = 4
"""How often the better model is asked."""
STEPS, MORE_STEPS = 150, 50
"""Most steps of the first descent, and of each that follows a new correction."""
LEAST_FACTOR, MOST_FACTOR = 0.02, 8.0
SMOOTHING = 1.5


def descend(
    problem: Problem,
    correction: Correction,
    start: Float64Array,
    noise: Mapping[str, Tensor] | None = None,
    steps: int = STEPS,
) -> Float64Array:
    """Return the unknowns of least cost, beginning at `start`.

    Args:
        problem: the inversion.
        correction: of the speeds.
        start: unknowns to begin with.
        noise: added to residuals, by term: a random realisation instead of the most likely state.
        steps: at most so many.
    """

    def value(unknown: Float64Array) -> tuple[float, Float64Array]:
        at = torch.from_numpy(unknown).requires_grad_()
        residuals = problem.residuals(at, correction)
        parts = [
            part - noise[name] if noise and name in noise else part
            for name, part in residuals.items()
        ]
        cost = torch.stack([part.square().sum() / 2 for part in parts]).sum()
        (gradient,) = torch.autograd.grad(cost, at)
        return float(cost.detach()), gradient.numpy()

    found = minimize(
        value,
        start,
        jac=True,
        method="L-BFGS-B",
        options={"maxiter": steps, "maxcor": 30, "ftol": 1e-7, "gtol": 1e-4},
    )
    return np.asarray(found.x)


def ask(problem: Problem, state: State, model: Model) -> Correction:
    """Return what turns shallow ice into a better model at a state."""
    place = problem.place
    plain = shallow(place, state.thickness, state.sliding, state.rate_factor)
    mean, top = model(state)
    heading = torch.stack([_blurred(place, part) for part in mean])
    length = heading.norm(dim=0)
    heading = torch.where(length > 0, heading / length.clamp(min=1e-12), place.heading)
    factors = [
        _factor(place, better.norm(dim=0), speed)
        for better, speed in zip((mean, top), plain, strict=True)
    ]
    return Correction(factors[0], factors[1], heading)


def _factor(place: Place, better: Tensor, plain: Tensor) -> Tensor:
    ratio = _blurred(place, better) / _blurred(place, plain).clamp(min=1e-9)
    return torch.where(place.ice, ratio.clamp(LEAST_FACTOR, MOST_FACTOR), 1.0)


def _blurred(place: Place, field: Tensor) -> Tensor:
    return torch.from_numpy(blurred(field.double().numpy(), place.ice.numpy(), SMOOTHING))


def most_likely(
    problem: Problem, model: Model | None, progress: Callable[[float], None]
) -> tuple[Float64Array, Correction]:
    """Return the unknowns of least cost, and the correction that they hold with.

    Args:
        problem: the inversion.
        model: of flow; None for shallow ice.
        progress: receives the completed fraction.
    """
    correction = Correction.none(problem.place)
    found = descend(problem, correction, np.zeros(problem.count))
    for done in range(OUTER):
        progress((1 + done) / (1 + OUTER))
        if model is None:
            break
        with torch.no_grad():
            state = problem.state(torch.from_numpy(found))
            correction = ask(problem, state, model)
        found = descend(problem, correction, found, steps=MORE_STEPS)
    progress(1.0)
    return found, correction
