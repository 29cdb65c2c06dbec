"""Glaciers grown on a landscape by shallow ice, quickly and roughly.

An emulator is trained on the flow of the solved state, however the state arose. So shallow ice on
coarse cells is good enough, if the range of states is wide: growing and shrinking, thin and thick,
frozen and sliding.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from glacier_qgis.models.iceflow.physics import GLEN, KILOMETRE, WEIGHT

Array = npt.NDArray[np.float64]

STABLE = 0.2
"""Share of Δ²/D that a time step may have (explicit diffusion in two dimensions: a quarter)."""
LONGEST = 5.0
"""Time step, a."""
MOST_STEPS = 2500
STEEPEST = 1.0
"""Slope of the surface that counts as the steepest."""


@dataclass(frozen=True)
class Climate:
    """A mass balance that depends on height.

    Attributes:
        line: equilibrium-line altitude, m.
        ablation: gradient below it, a⁻¹.
        accumulation: gradient above it, a⁻¹.
        most: accumulation nowhere exceeds this, m a⁻¹.
    """

    line: float
    ablation: float
    accumulation: float
    most: float

    def balance(self, surface: Array) -> Array:
        """Return the mass balance at heights in m, m a⁻¹."""
        above = surface - self.line
        gain: Array = np.where(above < 0, self.ablation, self.accumulation) * above
        return np.minimum(gain, self.most)


def grow(
    bed: Array,
    thickness: Array,
    climate: Climate,
    years: float,
    cell_size: float,
    rate_factor: float,
    sliding: float,
    most_steps: int = MOST_STEPS,
) -> Array:
    """Return the thickness in m after some years of shallow-ice flow, (rows, columns).

    Args:
        bed: elevation in m.
        thickness: at the start, m.
        climate: of all years.
        years: how many.
        cell_size: in m.
        rate_factor: A in MPa⁻³ a⁻¹.
        sliding: c in km MPa⁻³ a⁻¹.
        most_steps: after which it ends, however little time has passed.
    """
    time, h = 0.0, thickness.copy()
    for _ in range(most_steps):
        if time >= years:
            break
        surface = bed + h
        fluxes, fastest = [], 0.0
        for axis in (0, 1):
            flux, diffusivity = _flux(h, surface, axis, cell_size, rate_factor, sliding)
            fluxes.append(flux)
            fastest = max(fastest, diffusivity)
        step = min(STABLE * cell_size**2 / max(fastest, 1e-9), LONGEST, years - time)
        out = np.diff(fluxes[0], axis=0) + np.diff(fluxes[1], axis=1)
        h = np.maximum(h + step * (climate.balance(surface) - out / cell_size), 0.0)
        time += step
    return h


def _flux(
    h: Array, surface: Array, axis: int, cell_size: float, rate_factor: float, sliding: float
) -> tuple[Array, float]:
    """Return the flux through edges along an axis, m² a⁻¹, none at the border, and the largest D.

    Ice does not flow out of a cell that has none: the edge takes the thickness of the higher side.
    """
    low, high = (slice(None, -1), slice(1, None))
    if axis == 1:
        before, after = (slice(None), low), (slice(None), high)
    else:
        before, after = (low, slice(None)), (high, slice(None))
    fall = (surface[after] - surface[before]) / cell_size
    cross = np.gradient(surface, cell_size, axis=1 - axis)
    cross = (cross[after] + cross[before]) / 2
    mean = (h[after] + h[before]) / 2
    upstream = np.where(fall > 0, h[after], h[before])
    edge = np.minimum(mean, upstream)
    squared = np.minimum(fall**2 + cross**2, STEEPEST**2)
    softness = 2 * rate_factor / (GLEN + 2) * edge + sliding * KILOMETRE
    diffusivity = softness * edge * (WEIGHT * edge) ** GLEN * squared
    pads = [(0, 0), (0, 0)]
    pads[axis] = (1, 1)
    return np.pad(-diffusivity * fall, pads), float(diffusivity.max())
