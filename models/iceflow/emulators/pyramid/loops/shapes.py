"""The shape of ice as a network and the balance of forces see it: `pyramid.shape_of` as loops."""

from __future__ import annotations

import numpy as np

from glacier_qgis.models.compute.arrays import Float32Array
from glacier_qgis.models.iceflow.emulators.pyramid.loops.compiling import compiled

ZERO, ONE, NINE = (np.float32(value) for value in (0, 1, 9))


@compiled
def shape_of(
    thickness: Float32Array, surface: Float32Array, cell_size: np.float32, thinnest: np.float32
) -> Float32Array:
    """Return h/Δ, s/Δ, slopes eastwards and northwards, and bend, (5, rows, columns).

    The last three are those of cells with ice alone, zero elsewhere.

    Args:
        thickness: h in m, (rows, columns).
        surface: s in m.
        cell_size: Δ in m.
        thinnest: thickness in m from which on ice counts.
    """
    rows, columns = thickness.shape
    found = np.zeros((5, rows, columns), np.float32)
    ice, level = found[0], found[1]
    for i in range(rows):
        for j in range(columns):
            if thickness[i, j] > thinnest:
                ice[i, j] = thickness[i, j] / cell_size
    _lower(ice, surface, level, cell_size)
    for i in range(rows):
        for j in range(columns):
            if ice[i, j] > ZERO:
                found[2, i, j], found[3, i, j], found[4, i, j] = _changes(level, i, j)
    return found


@compiled
def _lower(
    ice: Float32Array, surface: Float32Array, level: Float32Array, cell_size: np.float32
) -> None:
    """Work out s/Δ, with rock above the ice lowered to the mean surface of the ice beside it."""
    rows, columns = ice.shape
    counts, sums = np.zeros(columns + 2, np.float32), np.zeros(columns + 2, np.float32)
    for i in range(rows):
        counts[1:-1], sums[1:-1] = ZERO, ZERO
        for row in range(max(i - 1, 0), min(i + 2, rows)):
            there, heights = ice[row], surface[row]
            for j in range(columns):
                counts[j + 1] += ONE if there[j] > ZERO else ZERO
                sums[j + 1] += heights[j] if there[j] > ZERO else ZERO
        there, heights, found = ice[i], surface[i], level[i]
        for j in range(columns):
            count = counts[j] + counts[j + 1] + counts[j + 2]
            beside = (sums[j] + sums[j + 1] + sums[j + 2]) / max(count, ONE)
            lowered = min(heights[j], beside) if count > ZERO else heights[j]
            found[j] = (heights[j] if there[j] > ZERO else lowered) / cell_size


@compiled
def _changes(level: Float32Array, i: int, j: int) -> tuple[np.float32, np.float32, np.float32]:
    """Return the slopes, and the mean over 3 × 3 cells above the cell itself.

    Beyond the border, it has the slope of the last two cells; for the mean it is level.
    """
    rows, columns = level.shape
    up, down, left, right = (
        max(i - 1, 0),
        min(i + 1, rows - 1),
        max(j - 1, 0),
        min(j + 1, columns - 1),
    )
    own = level[i, j]
    east = (level[i, right] - level[i, left]) / np.float32(max(right - left, 1))
    north = (level[up, j] - level[down, j]) / np.float32(max(down - up, 1))
    total = (level[up, left] - own) + (level[up, j] - own) + (level[up, right] - own)
    total += (level[i, left] - own) + (level[i, right] - own)
    total += (level[down, left] - own) + (level[down, j] - own) + (level[down, right] - own)
    return east, north, total / NINE
