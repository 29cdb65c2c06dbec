"""What the shape of the ice says of elements and cells: `Glaciers.of` as loops."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch

from glacier_qgis.models.compute.arrays import Float32Array
from glacier_qgis.models.iceflow.emulators.pyramid import two_modes
from glacier_qgis.models.iceflow.emulators.pyramid.loops.balance import ELEMENTS
from glacier_qgis.models.iceflow.emulators.pyramid.loops.compiling import (
    BLOCK,
    ROW,
    compiled,
    inverse_cube_root,
    rows_of,
)
from glacier_qgis.models.iceflow.emulators.pyramid.loops.corners import (
    changes,
    collect,
    load,
    load_corners,
    shares,
)
from glacier_qgis.models.iceflow.emulators.pyramid.loops.lists import Lists

FIELDS = 5
"""Of cells: thickness, surface, stiffness of the ice, friction, and where ice slides."""
EXISTS = 2 * FIELDS
FACTORS = EXISTS + 1
FOUND = FACTORS + 2
GIVEN = FOUND + ELEMENTS
SIZE = GIVEN + 8
HALF, QUARTER, ONE, ZERO = (np.float32(value) for value in (0.5, 0.25, 1, 0))
SLIPPERY, THIN = np.float32(two_modes.SLIPPERY), np.float32(two_modes.THIN)
SIDE, CROSS = np.float32(two_modes.SIDE), np.float32(two_modes.CROSS)


class Ground(NamedTuple):
    """What does not change from step to step.

    Attributes:
        elements: 1/(4 h²); slope of the bed, then of the thickness, over h, each eastwards and
            northwards; (A/A₀)^(-1/3) h; friction, (7, columns).
        weight: of the driving stress, eastwards and northwards, (2, columns).
        slides: where ice does, (columns,).
    """

    elements: Float32Array
    weight: Float32Array
    slides: Float32Array


def ground_of(lists: Lists, shape: Float32Array, stiffer: Float32Array) -> Ground:
    """Return it.

    Args:
        lists: of the cells.
        shape: h/Δ, s/Δ, A/A₀ and c/(A₀ Δ), (4, cells of the grid).
        stiffer: logarithms of factors of viscosity and friction, (2, cells of the grid).
    """
    cells = len(lists.places)
    fields, exists, logarithms = rows_of(FIELDS, cells), rows_of(1, cells), rows_of(2, cells)
    elements, weight, below = rows_of(ELEMENTS, cells), rows_of(2, cells), rows_of(2, cells)
    factors = rows_of(2, cells)
    _pick(lists, shape, stiffer, fields, exists, logarithms)
    _mean(lists, logarithms, factors)
    torch.from_numpy(factors).exp_()
    _work_out(lists, fields, exists, factors, elements, weight, below)
    return Ground(elements, weight, fields[4])


@compiled
def _pick(
    lists: Lists,
    shape: Float32Array,
    stiffer: Float32Array,
    fields: Float32Array,
    exists: Float32Array,
    logarithms: Float32Array,
) -> None:
    """Fill the lists of cells; `exists` is that of the element to the south-east of each."""
    for cell in range(lists.places.size):
        place = lists.places[cell]
        slip = shape[3, place]
        fields[0, cell + 1], fields[1, cell + 1] = shape[0, place], shape[1, place]
        fields[2, cell + 1] = inverse_cube_root(max(shape[2, place], SLIPPERY))
        fields[3, cell + 1] = inverse_cube_root(max(slip, SLIPPERY)) if slip > SLIPPERY else ZERO
        fields[4, cell + 1] = ONE if slip > SLIPPERY else ZERO
        exists[0, cell + 1] = ONE if lists.starts[cell] else ZERO
        logarithms[0, cell + 1] = stiffer[0, place]
        logarithms[1, cell + 1] = stiffer[1, place]


@compiled
def _mean(lists: Lists, values: Float32Array, means: Float32Array) -> None:
    """Work out the mean over the corners of elements."""
    for index in range(len(values)):
        own, mean = values[index], means[index]
        for k in range(lists.south.size - 1):
            north = own[k] + own[k + 1]
            mean[k] = (north + own[lists.south[k]] + own[lists.south[k + 1]]) * QUARTER


@compiled
def _work_out(
    lists: Lists,
    fields: Float32Array,
    exists: Float32Array,
    factors: Float32Array,
    elements: Float32Array,
    weight: Float32Array,
    below: Float32Array,
) -> None:
    """Fill the lists of elements, and the weight in cells; `below` is for sums on the way."""
    cells = lists.places.size
    block = np.zeros(SIZE * ROW, np.float32)
    for first in range(0, cells, BLOCK):
        count = min(BLOCK, cells - first)
        load_corners(block, fields, lists.south, first, count + 2)
        load(block, EXISTS, exists, first, count + 1)
        load(block, FACTORS, factors, first, count + 1)
        _find(block, count + 1)
        collect(block, GIVEN, weight, below, first + 1, count)
        for index in range(len(elements)):
            own, found = elements[index, first:], block[(FOUND + index) * ROW :]
            for k in range(count + 1):
                own[k] = found[k]
    for index in range(len(weight)):
        own, south = weight[index], below[index]
        for k in range(1, cells + 1):
            own[k] += south[lists.north[k]]


@compiled
def _find(block: Float32Array, count: int) -> None:
    """Work out what each element is, and the weight that it gives to its corners."""
    for k in range(count):
        h_east, h_north, h_warp, h = changes(
            block[k], block[k + 1], block[5 * ROW + k], block[5 * ROW + k + 1]
        )
        s_east, s_north, s_warp, _ = changes(
            block[ROW + k], block[ROW + k + 1], block[6 * ROW + k], block[6 * ROW + k + 1]
        )
        stiff = block[2 * ROW + k] + block[2 * ROW + k + 1]
        stiff += block[7 * ROW + k] + block[7 * ROW + k + 1]
        rough = block[3 * ROW + k] + block[3 * ROW + k + 1]
        rough += block[8 * ROW + k] + block[8 * ROW + k + 1]
        slides = block[4 * ROW + k] + block[4 * ROW + k + 1]
        slides += block[9 * ROW + k] + block[9 * ROW + k + 1]
        exists, h = block[EXISTS * ROW + k], h * QUARTER
        wide_x, wide_y, slope_x, slope_y = (
            h_east * HALF,
            h_north * HALF,
            s_east * HALF,
            s_north * HALF,
        )
        both = CROSS * h_warp * s_warp
        # The weight: the integral of h times the slope of the surface, both bilinear.
        half, place = exists * HALF, GIVEN * ROW + k
        nw, ne, sw, se = shares(
            (slope_x * wide_x * SIDE + both) * half,
            (h * s_warp + slope_x * wide_y) * SIDE * half,
            (wide_x * s_warp + h_warp * slope_x) * exists * CROSS,
            (h * slope_x + s_warp * wide_y * SIDE) * exists * QUARTER,
        )
        block[place], block[place + ROW] = nw, ne
        block[place + 2 * ROW], block[place + 3 * ROW] = sw, se
        nw, ne, sw, se = shares(
            (h * s_warp + slope_y * wide_x) * SIDE * half,
            (slope_y * wide_y * SIDE + both) * half,
            (wide_y * s_warp + h_warp * slope_y) * exists * CROSS,
            (h * slope_y + s_warp * wide_x * SIDE) * exists * QUARTER,
        )
        block[place + 4 * ROW], block[place + 5 * ROW] = nw, ne
        block[place + 6 * ROW], block[place + 7 * ROW] = sw, se
        h = max(h, THIN)
        over = ONE / h
        place = FOUND * ROW + k
        block[place] = QUARTER * over * over
        block[place + ROW], block[place + 2 * ROW] = (
            (slope_x - wide_x) * over,
            (slope_y - wide_y) * over,
        )
        block[place + 3 * ROW], block[place + 4 * ROW] = wide_x * over, wide_y * over
        block[place + 5 * ROW] = stiff * QUARTER * h * exists * block[FACTORS * ROW + k]
        grip = rough / max(slides, ONE) * exists
        block[place + 6 * ROW] = grip * block[(FACTORS + 1) * ROW + k]
