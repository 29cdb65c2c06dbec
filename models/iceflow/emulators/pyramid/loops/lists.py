"""Lists of cells and elements as `Mesh` has them, and how to get from one level to another."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from glacier_qgis.models.compute.arrays import Float32Array, Mask
from glacier_qgis.models.iceflow.emulators.pyramid.loops.compiling import Columns, compiled

Places = npt.NDArray[np.int64]
NEAR = np.float32(0.75)
"""Weight of the nearer of two coarse cells."""


class Lists(NamedTuple):
    """The cells of one level; those after the columns of `compiling`.

    Attributes:
        rows: of the grid.
        columns: of the grid.
        places: of the cells in the flattened grid, (cells,).
        starts: which of them are the north-western one of an element with ice, (cells,).
        order: columns in the list, on the flattened grid; 0 beyond the list.
        south: column of the cell to the south, (cells + 2,).
        north: column of the cell to the north, (cells + 2,).
    """

    rows: int
    columns: int
    places: Places
    starts: Mask
    order: Columns
    south: Columns
    north: Columns


class Ways(NamedTuple):
    """Which columns of one level make those of another: places (n, cells + 2), weights (n,).

    Attributes:
        cells: of finer cells that make coarse ones.
        cell_weights: theirs.
        elements: of finer elements that make coarse ones.
        element_weights: theirs.
        back: of coarse cells that make finer ones.
        back_weights: theirs.
    """

    cells: Columns
    cell_weights: Float32Array
    elements: Columns
    element_weights: Float32Array
    back: Columns
    back_weights: Float32Array


def finest(ice: Mask, inside: Mask) -> Lists:
    """Return the lists of elements with ice, all of whose corners are in the grid of a glacier.

    Args:
        ice: where there is any, (rows, columns).
        inside: which cells are in the grid.
    """
    rows, columns = ice.shape
    return _lists(rows, columns, *_listed(_between(ice, inside)))


def _lists(rows: int, columns: int, places: Places, starts: Mask) -> Lists:
    return Lists(rows, columns, places, starts, *_neighbours(rows, columns, places))


def coarser(fine: Lists) -> Lists:
    """Return the lists with half the resolution, as `Mesh.coarse` does."""
    rows, columns = (fine.rows + 1) // 2, (fine.columns + 1) // 2
    return _lists(rows, columns, *_coarse_places(fine, rows, columns))


def ways(fine: Lists, coarse: Lists) -> Ways:
    """Return how to get from one level to the next and back."""
    odd = fine.rows % 2 == 1, fine.columns % 2 == 1
    wide, narrow = np.array([0.25, 0.5, 0.25], np.float32), np.array([0.5, 0.5], np.float32)
    of_cells = [wide if one else narrow for one in odd]
    of_elements = [narrow if one else wide for one in odd]
    near = [np.float32(0.5) if one else NEAR for one in odd]
    back = [np.array([one, 1 - one], np.float32) for one in near]
    return Ways(
        _down(fine, coarse, len(of_cells[0]), len(of_cells[1]), cells=True),
        np.outer(*of_cells).ravel(),
        _down(fine, coarse, len(of_elements[0]), len(of_elements[1]), cells=False),
        np.outer(*of_elements).ravel(),
        _back(fine, coarse),
        np.outer(*back).ravel(),
    )


@compiled
def _neighbours(rows: int, columns: int, places: Places) -> tuple[Columns, ...]:
    """Return the order, and the columns of the cells to the south and to the north."""
    order = np.zeros(rows * columns, np.uint32)
    for cell in range(places.size):
        order[places[cell]] = cell + 1
    south, north = np.zeros(places.size + 2, np.uint32), np.zeros(places.size + 2, np.uint32)
    for cell in range(places.size):
        place = places[cell]
        if place + columns < rows * columns:
            south[cell + 1] = order[place + columns]
        if place >= columns:
            north[cell + 1] = order[place - columns]
    return order, south, north


@compiled
def _coarse_places(fine: Lists, rows: int, columns: int) -> tuple[Places, Mask]:
    """Return the places of the cells of coarse elements, and which of them begin one."""
    exists = np.zeros((rows + 1, columns + 1), np.bool_)  # one row and column of none before
    for cell in range(fine.places.size):
        if fine.starts[cell]:
            row, column = fine.places[cell] // fine.columns, fine.places[cell] % fine.columns
            # With an even number of cells, elements between pairs are in two coarse ones.
            more_rows = fine.rows % 2 == 0 and row % 2 == 0
            more_columns = fine.columns % 2 == 0 and column % 2 == 0
            for up in range(2 if more_rows else 1):
                for left in range(2 if more_columns else 1):
                    i, j = row // 2 - up, column // 2 - left
                    if 0 <= i < rows - 1 and 0 <= j < columns - 1:
                        exists[i + 1, j + 1] = True
    return _listed(exists)


@compiled
def _between(ice: Mask, inside: Mask) -> Mask:
    """Return which elements there are: one row and column of none, then from the north-west."""
    rows, columns = ice.shape
    exists = np.zeros((rows + 1, columns + 1), np.bool_)
    for i in range(rows - 1):
        for j in range(columns - 1):
            near = ice[i, j] or ice[i, j + 1] or ice[i + 1, j] or ice[i + 1, j + 1]
            whole = inside[i, j] and inside[i, j + 1] and inside[i + 1, j] and inside[i + 1, j + 1]
            exists[i + 1, j + 1] = near and whole
    return exists


@compiled
def _listed(exists: Mask) -> tuple[Places, Mask]:
    """Return the places of the corners of elements, and which are the north-western one."""
    rows, columns = exists.shape[0] - 1, exists.shape[1] - 1
    places, starts = np.empty(rows * columns, np.int64), np.empty(rows * columns, np.bool_)
    count = 0
    for i in range(rows):
        for j in range(columns):
            own = exists[i + 1, j + 1]
            if own or exists[i, j + 1] or exists[i + 1, j] or exists[i, j]:
                places[count], starts[count] = i * columns + j, own
                count += 1
    return places[:count].copy(), starts[:count].copy()


@compiled
def _down(fine: Lists, coarse: Lists, tall: int, wide: int, cells: bool) -> Columns:
    """Return the columns of the finer cells, or elements, that make a coarse one."""
    found = np.zeros((tall * wide, coarse.places.size + 2), np.uint32)
    above, before = tall % 2 if cells else 0, wide % 2 if cells else 0
    last = 0 if cells else 1
    for cell in range(coarse.places.size):
        row, column = coarse.places[cell] // coarse.columns, coarse.places[cell] % coarse.columns
        if row >= coarse.rows - last or column >= coarse.columns - last:
            continue
        for down in range(tall):
            for right in range(wide):
                i, j = 2 * row + down - above, 2 * column + right - before
                if 0 <= i < fine.rows - last and 0 <= j < fine.columns - last:
                    found[down * wide + right, cell + 1] = fine.order[i * fine.columns + j]
    return found


@compiled
def _back(fine: Lists, coarse: Lists) -> Columns:
    """Return the columns of the coarse cells around a fine one: the nearer come first."""
    found = np.zeros((4, fine.places.size + 2), np.uint32)
    for cell in range(fine.places.size):
        row, column = fine.places[cell] // fine.columns, fine.places[cell] % fine.columns
        i, j = row // 2, column // 2
        other_i = _other(row, fine.rows, coarse.rows)
        other_j = _other(column, fine.columns, coarse.columns)
        found[0, cell + 1] = coarse.order[i * coarse.columns + j]
        found[1, cell + 1] = coarse.order[i * coarse.columns + other_j]
        found[2, cell + 1] = coarse.order[other_i * coarse.columns + j]
        found[3, cell + 1] = coarse.order[other_i * coarse.columns + other_j]
    return found


@compiled
def _other(place: int, fine: int, coarse: int) -> int:
    """Return the second coarse cell that a cell lies between."""
    if fine % 2 == 1:
        return (place + 1) // 2
    return min(max(place // 2 - 1 + 2 * (place % 2), 0), coarse - 1)


@compiled
def pick(listed: Float32Array, rasters: Float32Array, places: Places) -> None:
    """Fill lists with the values of the cells on a flattened grid."""
    for index in range(len(listed)):
        own, raster = listed[index, 1:], rasters[index]
        for cell in range(places.size):
            own[cell] = raster[np.uint64(places[cell])]


@compiled
def lay(rasters: Float32Array, listed: Float32Array, places: Places) -> None:
    """Write the values of the cells on a flattened grid."""
    for index in range(len(listed)):
        own, raster = listed[index, 1:], rasters[index]
        for cell in range(places.size):
            raster[np.uint64(places[cell])] = own[cell]
