"""Landscapes of valleys and ridges, made without end.

Rain on a grid with random resistance runs to the border along the cheapest paths, which join to
a drainage tree. Every cell then stands above the one that it drains to by the slope of steady
erosion, S ~ Q^(−θ) with Q the area drained (Flint 1974, doi 10.1029/WR010i005p00969), up to the
steepest slope of hillsides. Smoothing widens the valley floors, as glaciers do.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.ndimage import gaussian_filter
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import dijkstra

Array = npt.NDArray[np.float64]

NEIGHBOURS = ((0, 1), (1, 0), (1, 1), (1, -1))


@dataclass(frozen=True)
class Terrain:
    """What a landscape looks like.

    Attributes:
        steepest: slope of hillsides.
        concavity: θ, how quickly valleys flatten downstream.
        hillside: cells that a hillside drains before it becomes a valley.
        resistance: spread of the logarithm of the resistance that steers the rivers.
        grain: length of the pattern of resistance, cells.
        widening: width of the smoothing that makes valleys U-shaped, cells.
    """

    steepest: float
    concavity: float
    hillside: float
    resistance: float
    grain: float
    widening: float

    @classmethod
    def random(cls, rng: np.random.Generator, cell_size: float) -> Terrain:
        """Return one that is likely at that size of cells (m): coarse cells average slopes out."""
        flat = min(1.0, (150 / cell_size) ** 0.7)
        return cls(
            steepest=rng.uniform(0.35, 1.0) * flat,
            concavity=rng.uniform(0.25, 0.5),
            hillside=np.exp(rng.uniform(0, np.log(30))),
            resistance=rng.uniform(0.3, 1.2),
            grain=rng.uniform(2.0, 8.0),
            widening=rng.uniform(0.6, 3.5),
        )


def landscape(rng: np.random.Generator, cells: int, cell_size: float, terrain: Terrain) -> Array:
    """Return elevations in m above the lowest point, (cells, cells).

    Args:
        rng: where chance comes from.
        cells: along each side.
        cell_size: in m.
        terrain: what it looks like.
    """
    cost = np.exp(terrain.resistance * noise(rng, (cells, cells), terrain.grain))
    cost *= np.exp(0.3 * rng.standard_normal((cells, cells)))
    order, below = _drainage(cost, _outlets(rng, cells))
    heights = _eroded(order, below, terrain, cells) * cell_size
    wide = gaussian_filter(heights, terrain.widening, mode="nearest")
    share = rng.uniform(0.6, 1.0)
    mixed: Array = share * wide + (1 - share) * gaussian_filter(heights, 0.7, mode="nearest")
    above: Array = mixed - mixed.min()
    return above


def noise(rng: np.random.Generator, shape: tuple[int, int], length: float) -> Array:
    """Return a smooth random field with mean 0 and standard deviation 1; `length` in cells."""
    field = gaussian_filter(rng.standard_normal(shape), length, mode="wrap")
    spread = field.std()
    scaled: Array = (field - field.mean()) / spread
    return scaled


def rough(rng: np.random.Generator, shape: tuple[int, int], power: float) -> Array:
    """Return a self-affine random field, standard deviation 1, amplitude ~ wavelength^`power`."""
    frequency = np.hypot(np.fft.fftfreq(shape[0])[:, None], np.fft.rfftfreq(shape[1])[None])
    frequency[0, 0] = np.inf
    spectrum = np.fft.rfft2(rng.standard_normal(shape)) * frequency ** -(1 + power)
    field = np.fft.irfft2(spectrum, s=shape)
    scaled: Array = (field - field.mean()) / field.std()
    return scaled


def _outlets(rng: np.random.Generator, cells: int) -> npt.NDArray[np.intp]:
    """Return a few cells on one to four sides of the border, where all water leaves."""
    index = np.arange(cells * cells).reshape(cells, cells)
    sides = [index[0], index[-1], index[:, 0], index[:, -1]]
    chosen = rng.permutation(4)[: rng.integers(1, 5)]
    return np.concatenate([rng.choice(sides[side], rng.integers(1, 4)) for side in chosen])


def _drainage(
    cost: Array, outlets: npt.NDArray[np.intp]
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """Return all cells from the outlets upstream, and the cell that each one drains to."""
    rows, columns = cost.shape
    index = np.arange(cost.size).reshape(cost.shape)
    one, two, price = [], [], []
    for down, right in NEIGHBOURS:
        left = slice(max(-right, 0), columns - max(right, 0))
        moved = slice(max(right, 0), columns - max(-right, 0))
        here, there = index[: rows - down, left], index[down:, moved]
        one.append(here.ravel())
        two.append(there.ravel())
        mean = (cost.ravel()[here] + cost.ravel()[there]) / 2
        price.append((mean * np.hypot(down, right)).ravel())
    graph = coo_matrix(
        (np.concatenate(price), (np.concatenate(one), np.concatenate(two))),
        shape=(cost.size, cost.size),
    ).tocsr()
    distance, before, _ = dijkstra(
        graph, directed=False, indices=outlets, min_only=True, return_predecessors=True
    )
    return np.argsort(distance, kind="stable"), before


def _eroded(
    order: npt.NDArray[np.intp], below: npt.NDArray[np.intp], terrain: Terrain, cells: int
) -> Array:
    """Return heights in cells: area is summed downstream, height upstream."""
    area = [1.0] * len(order)
    parents, upstream = below.tolist(), order.tolist()
    for cell in reversed(upstream):
        if parents[cell] >= 0:
            area[parents[cell]] += area[cell]
    drained = np.maximum(np.asarray(area) / terrain.hillside, 1.0)
    slopes = (terrain.steepest * drained**-terrain.concavity).tolist()
    heights = [0.0] * len(order)
    for cell in upstream:
        if parents[cell] >= 0:
            heights[cell] = heights[parents[cell]] + slopes[cell]
    return np.asarray(heights).reshape(cells, cells)
