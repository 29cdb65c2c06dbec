"""From the corners of elements to their middle, and from elements to the cells at their corners.

A block has rows of `ROW` numbers: first some fields in the cells of a stretch of the list, such as
the unknowns U₀, U₁, V₀ and V₁, then the same in those to the south of them. Element k lies between
columns k and k + 1. What elements give to their corners has four rows for each field: north-west,
north-east, south-west, south-east.
"""

from __future__ import annotations

import numpy as np

from glacier_qgis.models.compute.arrays import Float32Array
from glacier_qgis.models.iceflow.emulators.pyramid.loops.compiling import (
    ROW,
    Columns,
    compiled,
    inlined,
)

UNKNOWNS, CORNERS = 4, 4
OWN = 2 * UNKNOWNS
"""Row of a block after those of the unknowns."""

Four = tuple[np.float32, np.float32, np.float32, np.float32]


@compiled
def load_corners(
    block: Float32Array, values: Float32Array, south: Columns, first: int, count: int
) -> None:
    """Fill two rows of a block for each of `values`: those of a stretch, and those to the south.

    Args:
        block: flat.
        values: of cells, (n, columns).
        south: of each column the one to the south.
        first: column to begin with.
        count: of columns.
    """
    for index in range(len(values)):
        here, everywhere, below = values[index, first:], values[index], south[first:]
        own, other = block[index * ROW :], block[(len(values) + index) * ROW :]
        for k in range(count):
            own[k] = here[k]
        for k in range(count):
            other[k] = everywhere[below[k]]


@compiled
def load(block: Float32Array, row: int, values: Float32Array, first: int, count: int) -> None:
    """Fill as many rows of a block as there are of `values`, from column `first`."""
    for index in range(len(values)):
        here, own = values[index, first:], block[(row + index) * ROW :]
        for k in range(count):
            own[k] = here[k]


@inlined
def changes(
    north_west: np.float32, north_east: np.float32, south_west: np.float32, south_east: np.float32
) -> Four:
    """Return how an unknown changes in an element, from its corners.

    Twice the mean change to the east and to the north, the warp, and the sum of the corners; see
    `mesh.Changes`.
    """
    upper, lower = north_east - north_west, south_east - south_west
    north, south = north_east + north_west, south_east + south_west
    return upper + lower, north - south, upper - lower, north + south


@inlined
def changes_at(block: Float32Array, unknown: int, k: int) -> Four:
    """Return `changes` of one of the unknowns of a block in element k."""
    north, south = unknown * ROW + k, (UNKNOWNS + unknown) * ROW + k
    return changes(block[north], block[north + 1], block[south], block[south + 1])


@inlined
def shares(east: np.float32, north: np.float32, warp: np.float32, middle: np.float32) -> Four:
    """Return what an element gives to its corners, as `Mesh.gathered` does; `middle` to each."""
    upper, lower = middle + north, middle - north
    upper_side, lower_side = east + warp, east - warp
    return upper - upper_side, upper + upper_side, lower - lower_side, lower + lower_side


@inlined
def give(block: Float32Array, place: int, four: Four) -> None:
    """Write what an element gives to its corners for one field, from `shares`."""
    block[place], block[place + ROW], block[place + 2 * ROW], block[place + 3 * ROW] = four


@compiled
def collect(
    block: Float32Array,
    row: int,
    above: Float32Array,
    below: Float32Array,
    first: int,
    count: int,
) -> None:
    """Add what elements give to the cells in their north, and to those in their south.

    Args:
        block: flat.
        row: of the block, with what they give.
        above: the sums for the cells themselves, (n, columns).
        below: the sums for the cells to the south of each, (n, columns).
        first: column of the stretch's first cell.
        count: of cells.
    """
    for index in range(len(above)):
        own, south = above[index, first:], below[index, first:]
        place = (row + CORNERS * index) * ROW
        north_west, north_east = block[place + 1 :], block[place + ROW :]
        south_west, south_east = block[place + 2 * ROW + 1 :], block[place + 3 * ROW :]
        for k in range(count):
            own[k] = north_west[k] + north_east[k]
        for k in range(count):
            south[k] = south_west[k] + south_east[k]


@compiled
def pairs(block: Float32Array, row: int, sums: Float32Array, first: int, count: int) -> None:
    """Add the values of neighbouring elements, one row of the block for each of `sums`."""
    for index in range(len(sums)):
        own, elements = sums[index, first:], block[(row + index) * ROW :]
        for k in range(count):
            own[k] = elements[k + 1] + elements[k]
