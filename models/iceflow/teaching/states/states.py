"""States of glaciers for training: ice of all sizes on all kinds of ground."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.ndimage import distance_transform_edt, gaussian_filter, zoom

from glacier_qgis.models.iceflow.teaching.states.growth import Climate, grow
from glacier_qgis.models.iceflow.teaching.states.valleys import Terrain, landscape, noise, rough

Array = npt.NDArray[np.float64]
Ground = Callable[[np.random.Generator, int, float], Array]
"""From cells along each side and their size (m) to a landscape without ice, m."""

FINEST, COARSEST = 25.0, 2000.0
"""Cell sizes, m."""
TYPICAL_SOFTNESS = 78.0
"""A of temperate ice, MPa⁻³ a⁻¹."""
MOST_SLIDING = 70.0
"""c, km MPa⁻³ a⁻¹."""
LEAST_COVER = 0.06
"""Share of the grid under ice, below which a state is not worth its solution."""
THICKEST = 18.0
"""Largest thickness of the training data, in cells."""
WIDEST_WINDOW = 96
"""Cells of a real terrain that a landscape spans at most."""
THINNEST_ICE = 1.0
"""m; thinner ice is removed."""


MOST_TRIES = 200
"""Tries at a glacier, or at a place on a terrain."""


class NoGlacierError(ValueError):
    """Ground on which no glacier is useful for training."""


class Ice(NamedTuple):
    """A (MPa⁻³ a⁻¹) and c (km MPa⁻³ a⁻¹) that ice grows with."""

    softness: float
    slip: float


@dataclass(frozen=True)
class State:
    """A glacier on a square grid; fields are north-up, (rows, columns).

    Attributes:
        cell_size: Δ in m.
        thickness: h in m.
        surface: s in m.
        rate_factor: A in MPa⁻³ a⁻¹.
        sliding: c in km MPa⁻³ a⁻¹.
    """

    cell_size: float
    thickness: Array
    surface: Array
    rate_factor: Array
    sliding: Array

    @property
    def cover(self) -> float:
        """Share of the grid under ice."""
        return float((self.thickness > 0).mean())


def valley_ground(rng: np.random.Generator, cells: int, cell_size: float) -> Array:
    """Return a landscape that the plugin makes; see `Ground`."""
    return landscape(rng, cells, cell_size, Terrain.random(rng, cell_size))


def terrain_ground(heights: Array, cell_size: float, widest: int = WIDEST_WINDOW) -> Ground:
    """Return where landscapes come from: windows of a real one, at a scale of their own.

    Args:
        heights: of the terrain, m; NaN where it must not be taken from.
        cell_size: of the terrain, m.
        widest: cells of the terrain that a landscape spans at most.
    """

    def ground(rng: np.random.Generator, cells: int, wanted: float) -> Array:
        """See `Ground`. Heights are scaled with lengths, where those are changed much."""
        side = int(np.clip(np.ceil(cells * wanted / cell_size), 24, min(widest, *heights.shape)))
        window = _terrain_window(rng, heights, side)
        finer = zoom(window, (cells + 0.5) / side, order=3, mode="nearest")[:cells, :cells]
        turned = np.rot90(finer, int(rng.integers(4)))
        relief = (cells * wanted / (side * cell_size)) ** 0.7
        above: Array = np.ascontiguousarray(turned - turned.min()) * relief
        return above

    return ground


def _terrain_window(rng: np.random.Generator, heights: Array, side: int) -> Array:
    for _ in range(MOST_TRIES):
        row, column = (int(rng.integers(size - side + 1)) for size in heights.shape)
        window = heights[row : row + side, column : column + side]
        if np.isfinite(window).all():
            return window
    raise NoGlacierError(
        f"no window of {side} × {side} cells of the terrain is without gaps: fill them, or give a "
        "larger raster"
    )


def random_state(
    rng: np.random.Generator,
    cells: int,
    ground: Ground = valley_ground,
    cell_size: float = 0.0,
    *,
    shallow: bool = False,
) -> State:
    """Return a glacier that is useful for training.

    Args:
        rng: where chance comes from.
        cells: along each side.
        ground: where landscapes come from.
        cell_size: in m; 0 draws one.
        shallow: whether the bed stays where shallow ice grew; else it is mostly lowered.

    Raises:
        NoGlacierError: No glacier of a useful size was found on the ground.
    """
    for _ in range(MOST_TRIES):
        size = cell_size or _cell_size(rng)
        state = _attempt(rng, cells, ground, size, shallow=shallow)
        deepest = state.thickness.max() / state.cell_size
        if state.cover >= LEAST_COVER and deepest <= THICKEST:
            return state
    raise NoGlacierError(
        f"no glacier in {MOST_TRIES} tries covers {LEAST_COVER:.0%} of the ground and is less than "
        f"{THICKEST:g} cells thick: give ground with more relief, or larger cells"
    )


def _cell_size(rng: np.random.Generator) -> float:
    """Draw one: more between 50 and 300 m, where most glaciers are modelled."""
    low, high = (50.0, 300.0) if rng.random() < 0.4 else (FINEST, COARSEST)
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


def _attempt(
    rng: np.random.Generator, cells: int, ground: Ground, cell_size: float, *, shallow: bool
) -> State:
    factor = int(rng.choice([1, 2, 4, 8], p=_zooms(cell_size)))
    bed = ground(rng, max(-(-cells // factor) + 8, 48), cell_size * factor)
    softness = TYPICAL_SOFTNESS
    if rng.random() < 0.5:
        softness = float(np.exp(rng.uniform(np.log(8), np.log(250))))
    ice = Ice(softness, _slip(rng))
    climate = _climate(rng, bed)
    thickness = _grown(rng, bed, climate, cell_size * factor, ice)
    bed, thickness = _refined(rng, bed, thickness, factor, cell_size)
    part = _window(rng, thickness > 0, cells)
    bed, thickness = bed[part], thickness[part]
    steps = int(rng.integers(20, 200))
    thickness = grow(bed, thickness, climate, 20.0, cell_size, *ice, most_steps=steps)
    thickness = np.where(thickness < THINNEST_ICE, 0.0, thickness)
    state = State(
        cell_size,
        thickness,
        bed + thickness,
        np.full_like(thickness, ice.softness),
        np.full_like(thickness, ice.slip),
    )
    return varied(rng, state if shallow else deepened(rng, state))


def _zooms(cell_size: float) -> tuple[float, float, float, float]:
    """Return how likely ice is grown on cells one, two, four or eight times as large."""
    if cell_size < 60:
        return (0.1, 0.25, 0.35, 0.3)
    return (0.25, 0.45, 0.3, 0.0) if cell_size < 300 else (0.7, 0.3, 0.0, 0.0)


def _slip(rng: np.random.Generator) -> float:
    """Draw c: often none, else of any size up to the most."""
    if rng.random() < 0.2:
        return 0.0
    if rng.random() < 0.5:
        return float(rng.uniform(0, 1.1 * MOST_SLIDING))
    return float(np.exp(rng.uniform(np.log(0.3), np.log(1.1 * MOST_SLIDING))))


def _climate(rng: np.random.Generator, bed: Array) -> Climate:
    """Return one in which ice covers the tops, the valleys or now and then all of the ground."""
    low, high = np.quantile(bed, [0.02, 0.99])
    relief = high - low
    place = rng.uniform(0.35, 0.95) if rng.random() < 0.85 else rng.uniform(-0.1, 0.4)
    gradient = rng.uniform(3, 14) / relief
    return Climate(
        low + relief * place,
        ablation=float(np.clip(gradient, 0.003, 0.04)),
        accumulation=float(np.clip(gradient * rng.uniform(0.3, 0.9), 0.001, 0.03)),
        most=rng.uniform(0.4, 3.5),
    )


def _grown(
    rng: np.random.Generator, bed: Array, climate: Climate, cell_size: float, ice: Ice
) -> Array:
    """Return thickness after growth, and often after some years of another climate."""
    thickness = grow(bed, np.zeros_like(bed), climate, rng.uniform(40, 400), cell_size, *ice)
    if rng.random() < 0.6:
        moved = replace(climate, line=climate.line + rng.uniform(-0.15, 0.3) * np.ptp(bed))
        thickness = grow(bed, thickness, moved, rng.uniform(5, 80), cell_size, *ice)
    return thickness


def _refined(
    rng: np.random.Generator, bed: Array, thickness: Array, factor: int, cell_size: float
) -> tuple[Array, Array]:
    """Return bed and thickness on finer cells with a rougher bed under a surface that stays.

    The surface continues smoothly beyond the margin, where the finer ground cuts it.
    """
    covered = thickness > THINNEST_ICE
    level = bed + thickness
    if covered.any():
        nearest = distance_transform_edt(~covered, return_distances=False, return_indices=True)
        beyond = gaussian_filter(level[tuple(nearest)], 1.0, mode="nearest")
        level = np.where(covered, level, beyond)
    most = thickness
    if factor > 1:
        bed, level = (zoom(field, factor, order=3, mode="nearest") for field in (bed, level))
        most = zoom(thickness, factor, order=1, mode="nearest")
    shape = (bed.shape[0], bed.shape[1])
    height = np.hypot(*np.gradient(bed, cell_size)).mean() * cell_size
    bumps = np.exp(rng.uniform(np.log(0.01), np.log(1.0))) * height
    bed = bed + bumps * rough(rng, shape, rng.uniform(0.5, 1.2))
    if rng.random() < 0.5:
        waves = np.exp(rng.uniform(np.log(1e-3), np.log(0.06))) * height
        level = level + waves * noise(rng, shape, rng.uniform(0.5, 3.0))
    finer = np.minimum(level - bed, 1.5 * most)
    return bed, np.where(most > THINNEST_ICE, np.maximum(finer, 0.0), 0.0)


def _window(
    rng: np.random.Generator, ice: npt.NDArray[np.bool_], cells: int
) -> tuple[slice, slice]:
    """Return a window around a random cell of ice."""
    places = np.argwhere(ice)
    most = np.asarray(ice.shape) - cells
    corner = np.zeros(2, dtype=int)
    if len(places):
        middle = places[rng.integers(len(places))]
        away = rng.integers(-cells // 3, cells // 3 + 1, 2)
        corner = np.clip(middle - cells // 2 + away, 0, most)
    return slice(corner[0], corner[0] + cells), slice(corner[1], corner[1] + cells)


def deepened(rng: np.random.Generator, state: State) -> State:
    """Return the state on a lower bed, with the same surface.

    Shallow ice knows no drag of the sides, and so leaves less ice in valleys than there is.
    """
    if rng.random() < 0.2:
        return state
    shape = (state.thickness.shape[0], state.thickness.shape[1])
    length = np.exp(rng.uniform(np.log(2), np.log(15)))
    spread = rng.uniform(0.0, 0.5) * noise(rng, shape, length)
    factor = np.exp(rng.uniform(np.log(0.9), np.log(3.5)) + spread)
    thickness = state.thickness * factor
    most = rng.uniform(0.5, 1.0) * THICKEST * state.cell_size
    thickness = most * np.tanh(thickness / most)
    rise = np.hypot(*np.gradient(state.surface, state.cell_size)).mean() * state.cell_size
    bumps = np.exp(rng.uniform(np.log(1e-3), np.log(0.2))) * rise
    bumps = bumps * noise(rng, shape, rng.uniform(0.4, 2.0))
    bumps = np.where(thickness > THINNEST_ICE, np.maximum(bumps, -0.5 * thickness), 0.0)
    return replace(state, thickness=thickness + bumps, surface=state.surface + bumps)


def varied(rng: np.random.Generator, state: State) -> State:
    """Return the state with a sliding coefficient, and at times a rate factor, that vary."""
    shape = (state.thickness.shape[0], state.thickness.shape[1])
    slip, softness = state.sliding, state.rate_factor
    if rng.random() < 0.45:
        length = np.exp(rng.uniform(np.log(1.5), np.log(20)))
        slip = slip * np.exp(rng.uniform(0.3, 1.5) * noise(rng, shape, length))
        slip = np.minimum(slip, 1.5 * MOST_SLIDING)
        if rng.random() < 0.35:
            frozen = noise(rng, shape, np.exp(rng.uniform(np.log(2), np.log(20))))
            slip = np.where(frozen > rng.uniform(-0.5, 1.0), 0.0, slip)
    if rng.random() < 0.15:
        length = np.exp(rng.uniform(np.log(5), np.log(20)))
        softness = softness * np.exp(rng.uniform(0.1, 0.6) * noise(rng, shape, length))
    return replace(state, sliding=slip, rate_factor=softness)
