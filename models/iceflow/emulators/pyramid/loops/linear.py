"""The linear stresses on one level, and the parts of a multigrid cycle: `membrane` as loops."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from glacier_qgis.models.compute.arrays import Float32Array
from glacier_qgis.models.iceflow.emulators.pyramid import membrane
from glacier_qgis.models.iceflow.emulators.pyramid.loops.compiling import (
    BLOCK,
    ROW,
    Columns,
    compiled,
    rows_of,
)
from glacier_qgis.models.iceflow.emulators.pyramid.loops.corners import (
    CORNERS,
    OWN,
    UNKNOWNS,
    changes_at,
    collect,
    give,
    load,
    load_corners,
    shares,
)
from glacier_qgis.models.iceflow.emulators.pyramid.loops.lists import Lists

HALF, QUARTER, ZERO = np.float32(0.5), np.float32(0.25), np.float32(0)
WARP, DIAGONAL = np.float32(4 * membrane.WARP), np.float32(4 * membrane.DIAGONAL)
DAMPING, TRACE = np.float32(membrane.DAMPING), np.float32(membrane.TRACE)
REGULAR = np.float32(membrane.REGULAR)
STIFFNESS = 3
GIVEN = OWN + STIFFNESS
SIZE = GIVEN + CORNERS * UNKNOWNS


class Grid(NamedTuple):
    """The unknowns and the matrix of one level; (n, columns) each, see `membrane.Matrix`.

    Attributes:
        south: column of the cell to the south.
        north: column of the cell to the north.
        free: where ice may slide, and where it may deform, (2, …).
        stiffness: of elements, (3, …).
        drag: of U₀ and V₀, of U₁, and of V₁, (3, …).
        inverse: (4, …).
        coupling: of U₀ and U₁, and of V₀ and V₁, (2, …).
        forces: (4, …).
        velocity: (4, …).
        left: forces that the velocity leaves, or sums on the way to them, (4, …).
        below: sums on the way, see `corners.collect`, (4, …).
    """

    south: Columns
    north: Columns
    free: Float32Array
    stiffness: Float32Array
    drag: Float32Array
    inverse: Float32Array
    coupling: Float32Array
    forces: Float32Array
    velocity: Float32Array
    left: Float32Array
    below: Float32Array


def grid_of(lists: Lists) -> Grid:
    """Return that of some lists, with nothing in it."""
    sizes = (2, 3, 3, 4, 2, 4, 4, 4, 4)
    rows = (rows_of(size, len(lists.places)) for size in sizes)
    return Grid(lists.south, lists.north, *rows)


@compiled
def invert(grid: Grid) -> None:
    """Work out the inverse of each cell's own matrix from stiffness and drag."""
    end = grid.south.size - 1
    for index in range(STIFFNESS):
        one, pairs, sums = grid.stiffness[index], grid.left[index], grid.below[index]
        for k in range(1, end):
            pairs[k] = one[k] + one[k - 1]
        for k in range(1, end):
            sums[k] = (pairs[k] + pairs[grid.north[k]]) * DIAGONAL
    first, mixed, second = grid.below[0], grid.below[1], grid.below[2]
    slides, deforms = grid.free[0], grid.free[1]
    for direction in range(2):
        slow, steep = grid.drag[0], grid.drag[1 + direction]
        sliding, bending = grid.inverse[2 * direction], grid.inverse[2 * direction + 1]
        coupling = grid.coupling[direction]
        for k in range(1, end):
            both = mixed[k] * slides[k]
            a, b = max(slow[k] + first[k], TRACE), max(steep[k] + second[k], TRACE)
            size = a * b
            share = DAMPING / max(size - both * both, REGULAR * size)
            sliding[k], bending[k] = b * share * slides[k], a * share * deforms[k]
            coupling[k] = both * share


@compiled
def leave(grid: Grid) -> None:
    """Work out the forces that the velocity leaves where ice is free to move."""
    cells = grid.south.size - 2
    block = np.zeros(SIZE * ROW, np.float32)
    for first in range(0, cells, BLOCK):
        count = min(BLOCK, cells - first)
        load_corners(block, grid.velocity, grid.south, first, count + 2)
        load(block, OWN, grid.stiffness, first, count + 1)
        _give_stresses(block, count + 1)
        collect(block, GIVEN, grid.left, grid.below, first + 1, count)
    for unknown in range(UNKNOWNS):
        left, below, forces = grid.left[unknown], grid.below[unknown], grid.forces[unknown]
        drag, moving = grid.drag[(0, 1, 0, 2)[unknown]], grid.velocity[unknown]
        free = grid.free[unknown % 2]
        for k in range(1, cells + 1):
            inner = left[k] + below[grid.north[k]]
            left[k] = (forces[k] - drag[k] * moving[k] - inner) * free[k]


@compiled
def _give_stresses(block: Float32Array, count: int) -> None:
    """Write what each element gives to its corners."""
    for k in range(count):
        u_east, u_north, u_warp, _ = changes_at(block, 0, k)
        p_east, p_north, p_warp, _ = changes_at(block, 1, k)
        v_east, v_north, v_warp, _ = changes_at(block, 2, k)
        q_east, q_north, q_warp, _ = changes_at(block, 3, k)
        own, both = block[OWN * ROW + k], block[(OWN + 1) * ROW + k]
        other = block[(OWN + 2) * ROW + k]
        xx, yy, xy = u_east + HALF * v_north, v_north + HALF * u_east, (u_north + v_east) * QUARTER
        bent_xx, bent_yy = p_east + HALF * q_north, q_north + HALF * p_east
        bent_xy = (p_north + q_east) * QUARTER
        shear, twist = own * xy + both * bent_xy, both * xy + other * bent_xy
        u_warp, p_warp = own * u_warp + both * p_warp, both * u_warp + other * p_warp
        v_warp, q_warp = own * v_warp + both * q_warp, both * v_warp + other * q_warp
        place = GIVEN * ROW + k
        give(block, place, shares(own * xx + both * bent_xx, shear, u_warp * WARP, ZERO))
        give(
            block, place + 4 * ROW, shares(both * xx + other * bent_xx, twist, p_warp * WARP, ZERO)
        )
        give(block, place + 8 * ROW, shares(shear, own * yy + both * bent_yy, v_warp * WARP, ZERO))
        give(
            block, place + 12 * ROW, shares(twist, both * yy + other * bent_yy, q_warp * WARP, ZERO)
        )


@compiled
def begin(grid: Grid) -> None:
    """Take the velocity of one sweep of Jacobi's method from rest against all forces."""
    for unknown in range(UNKNOWNS):
        own, coupling = grid.inverse[unknown], grid.coupling[unknown // 2]
        force, turned = grid.forces[unknown], grid.forces[unknown ^ 1]
        moving = grid.velocity[unknown]
        for k in range(1, grid.south.size - 1):
            moving[k] = own[k] * force[k] - coupling[k] * turned[k]


@compiled
def sweep(grid: Grid) -> None:
    """Add one sweep of Jacobi's method against the forces that are left."""
    for unknown in range(UNKNOWNS):
        own, coupling = grid.inverse[unknown], grid.coupling[unknown // 2]
        force, turned = grid.left[unknown], grid.left[unknown ^ 1]
        moving = grid.velocity[unknown]
        for k in range(1, grid.south.size - 1):
            moving[k] += own[k] * force[k] - coupling[k] * turned[k]


def relax(grid: Grid) -> None:
    """Add one sweep of Jacobi's method against the forces that the velocity leaves."""
    leave(grid)
    sweep(grid)


@compiled
def gather(
    found: Float32Array,
    values: Float32Array,
    places: Columns,
    weights: Float32Array,
    scale: np.float32,
) -> None:
    """Sum values of another level at `places` with their weights, see `Ways`."""
    for index in range(len(found)):
        own, other = found[index], values[index]
        for way in range(len(weights)):
            weight, there = weights[way] * scale, places[way]
            if way == 0:
                for k in range(there.size):
                    own[k] = weight * other[there[k]]
            else:
                for k in range(there.size):
                    own[k] += weight * other[there[k]]


@compiled
def rise(fine: Grid, coarse: Grid, places: Columns, weights: Float32Array) -> None:
    """Add the velocity of a coarser level, interpolated, where ice is free to move."""
    first, second, third, fourth = places[0], places[1], places[2], places[3]
    nearest, beside, below, across = weights[0], weights[1], weights[2], weights[3]
    for unknown in range(UNKNOWNS):
        own, other, free = fine.velocity[unknown], coarse.velocity[unknown], fine.free[unknown % 2]
        for k in range(first.size):
            near = nearest * other[first[k]] + beside * other[second[k]]
            far = below * other[third[k]] + across * other[fourth[k]]
            own[k] += (near + far) * free[k]


@compiled
def hold(fields: Float32Array, free: Float32Array) -> None:
    """Set to zero what is not free."""
    for index in range(len(fields)):
        own, may = fields[index], free[index % len(free)]
        for k in range(own.size):
            own[k] *= may[k]


@compiled
def advance(fields: Float32Array, change: Float32Array, pace: np.float32) -> None:
    """Add a change times a factor."""
    for index in range(len(fields)):
        own, other = fields[index], change[index]
        for k in range(own.size):
            own[k] += other[k] * pace
