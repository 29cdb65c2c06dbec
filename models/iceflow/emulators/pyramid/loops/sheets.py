"""The cells with ice of each resolution, and how values get from one to another: `Level` as loops.

A side of an even number of cells is halved in pairs. Of an odd number, a cell of an odd place lies
in two coarse cells, half in each; see `networks.halving`.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from glacier_qgis.models.compute.arrays import Float32Array, Mask
from glacier_qgis.models.iceflow.emulators.pyramid.loops.compiling import (
    Int32Array,
    compiled,
    inlined,
)

Places = npt.NDArray[np.int64]
HALF, QUARTER, ONE, ZERO = (np.float32(value) for value in (0.5, 0.25, 1, 0))
KERNEL = 5
"""Side of the convolutions that are compiled; a compiler must know it."""
REACH = KERNEL // 2


class Sheet(NamedTuple):
    """The cells with ice at one resolution.

    Attributes:
        rows: of the grid.
        columns: of the grid.
        places: of the cells in the flattened grid, (cells,).
        row: of each cell, (cells,).
        column: of each cell, (cells,).
        order: places in the list, on the flattened grid; -1 where there is no ice.
    """

    rows: int
    columns: int
    places: Places
    row: Int32Array
    column: Int32Array
    order: Int32Array


@compiled
def sheet_of(ice: Mask) -> Sheet:
    """Return where there is ice, (rows, columns)."""
    rows, columns = ice.shape
    places, order = np.empty(ice.size, np.int64), np.full(ice.size, -1, np.int32)
    down, right = np.empty(ice.size, np.int32), np.empty(ice.size, np.int32)
    count = 0
    for row in range(rows):
        for column in range(columns):
            if ice[row, column]:
                places[count], down[count], right[count] = row * columns + column, row, column
                order[places[count]] = count
                count += 1
    return Sheet(rows, columns, places[:count].copy(), down[:count], right[:count], order)


@inlined
def second(place: int, size: int) -> int:
    """Return the second coarse cell that a cell lies in; the first is that of half its place."""
    return (place + size % 2) // 2


@compiled
def coarser(fine: Sheet) -> Sheet:
    """Return the cells of half the resolution with any ice."""
    ice = np.zeros(((fine.rows + 1) // 2, (fine.columns + 1) // 2), np.bool_)
    for cell in range(fine.places.size):
        row, column = fine.row[cell], fine.column[cell]
        for i in range(row // 2, second(row, fine.rows) + 1):
            for j in range(column // 2, second(column, fine.columns) + 1):
                ice[i, j] = True
    return sheet_of(ice)


@compiled
def halve(values: Float32Array, fine: Sheet, coarse: Sheet) -> Float32Array:
    """Return means over 2 × 2 cells: (cells, n) to (coarse cells, n)."""
    found = np.zeros((coarse.places.size, values.shape[1]), np.float32)
    for cell in range(fine.places.size):
        row, column = fine.row[cell], fine.column[cell]
        last_row, last_column = second(row, fine.rows), second(column, fine.columns)
        weight = QUARTER * (HALF if last_row > row // 2 else ONE)
        weight *= HALF if last_column > column // 2 else ONE
        given = values[cell]
        for i in range(row // 2, last_row + 1):
            for j in range(column // 2, last_column + 1):
                own = found[coarse.order[i * coarse.columns + j]]
                for index in range(given.size):
                    own[index] += weight * given[index]
    return found


@compiled
def double(values: Float32Array, coarse: Sheet, fine: Sheet) -> Float32Array:
    """Return what `networks.halving.doubled` does: (coarse cells, n) to (cells, n)."""
    found = np.empty((fine.places.size, values.shape[1]), np.float32)
    for cell in range(fine.places.size):
        row, column = fine.row[cell], fine.column[cell]
        i, j = row // 2 * coarse.columns, column // 2
        last_i = second(row, fine.rows) * coarse.columns
        last_j = second(column, fine.columns)
        nw, ne = values[coarse.order[i + j]], values[coarse.order[i + last_j]]
        sw, se = values[coarse.order[last_i + j]], values[coarse.order[last_i + last_j]]
        own = found[cell]
        for index in range(own.size):
            own[index] = (nw[index] + ne[index] + sw[index] + se[index]) * QUARTER
    return found


@compiled
def spread(
    values: Float32Array,
    sheet: Sheet,
    weight: Float32Array,
    grid: Float32Array,
    found: Float32Array,
) -> None:
    """Convolve each of n values with its own kernel.

    Args:
        values: (cells, n).
        sheet: their cells.
        weight: (places of a kernel × n,), row by row.
        grid: zeros, flat, with `REACH` rows and columns more on each side than the sheet.
        found: the result, (cells, n).
    """
    size, wide = values.shape[1], sheet.columns + 2 * REACH
    down, next_row = wide * size, KERNEL * size
    for cell in range(sheet.places.size):
        row, column = sheet.row[cell], sheet.column[cell]
        here, own = grid[((row + REACH) * wide + column + REACH) * size :], values[cell]
        for index in range(size):
            here[index] = own[index]
    second, third = weight[next_row:], weight[2 * next_row :]
    fourth, fifth = weight[3 * next_row :], weight[4 * next_row :]
    for cell in range(sheet.places.size):
        row, column = sheet.row[cell], sheet.column[cell]
        north, own = grid[(row * wide + column) * size :], found[cell]
        upper, middle, lower = north[down:], north[2 * down :], north[3 * down :]
        south = north[4 * down :]
        for index in range(size):
            total = ZERO
            for side in range(KERNEL):
                k = side * size + index
                total += weight[k] * north[k] + second[k] * upper[k] + third[k] * middle[k]
                total += fourth[k] * lower[k] + fifth[k] * south[k]
            own[index] = total


@inlined
def nearness(place: int, size: int) -> tuple[np.float32, np.float32, np.float32]:
    """Return weights of three coarse cells in the mean over a cell and its two neighbours.

    The first of them is that of half the place before.
    """
    if size % 2 == 0:
        return (ONE, ONE + ONE, ZERO) if place % 2 == 0 else (ONE + ONE, ONE, ZERO)
    if place % 2 == 1:
        return ONE + HALF, ONE + HALF, ZERO
    borders = (HALF if place == 0 else ZERO) + (HALF if place == size - 1 else ZERO)
    return HALF, ONE + ONE - borders, HALF


@compiled
def choose(
    found: Float32Array,
    flow: Float32Array,
    coarse: Sheet,
    fine: Sheet,
    shallow: Float32Array,
    gate: Float32Array,
    read: Float32Array,
) -> None:
    """Work out a flow (3, cells), see `Level.chosen`."""
    faster, turn_x, turn_y = read[1], read[-2], read[-1]
    for cell in range(fine.places.size):
        row, column = fine.row[cell], fine.column[cell]
        tall, wide = nearness(row, fine.rows), nearness(column, fine.columns)
        speed, x, y, total = ZERO, ZERO, ZERO, ZERO
        for down in range(3):
            i = (row - 1) // 2 + down
            if tall[down] == 0 or i < 0 or i >= coarse.rows:
                continue
            for right in range(3):
                j = (column - 1) // 2 + right
                if wide[right] == 0 or j < 0 or j >= coarse.columns:
                    continue
                there = coarse.order[i * coarse.columns + j]
                if there >= 0:
                    weight = tall[down] * wide[right]
                    speed += weight * flow[0, there]
                    x += weight * flow[1, there]
                    y += weight * flow[2, there]
                    total += weight
        own = gate[cell]
        other = (ONE - own) / total
        found[0, cell] = speed * other + shallow[0, cell] * own + faster[cell]
        found[1, cell] = x * other + shallow[1, cell] * own + turn_x[cell]
        found[2, cell] = y * other + shallow[2, cell] * own + turn_y[cell]
