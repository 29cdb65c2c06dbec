"""What stresses and friction make of a velocity: `Glaciers.balanced` as loops, for two points."""

from __future__ import annotations

import numpy as np

from glacier_qgis.models.compute.arrays import Float32Array
from glacier_qgis.models.iceflow.emulators.pyramid import membrane, two_modes
from glacier_qgis.models.iceflow.emulators.pyramid.loops.compiling import (
    BLOCK,
    ROW,
    compiled,
    inverse_cube_root,
)
from glacier_qgis.models.iceflow.emulators.pyramid.loops.corners import (
    OWN,
    UNKNOWNS,
    changes_at,
    collect,
    give,
    load,
    load_corners,
    pairs,
    shares,
)
from glacier_qgis.models.iceflow.emulators.pyramid.loops.linear import HALF, QUARTER, Grid

ELEMENTS = 7
UPRIGHT, LEAN_X, LEAN_Y, WIDE_X, WIDE_Y, HARDNESS, FRICTION = range(OWN, OWN + 7)
GIVEN = OWN + ELEMENTS
VISCOSITY, DRAG, SIZE = GIVEN + 16, GIVEN + 19, GIVEN + 22

_points, _ = np.polynomial.legendre.leggauss(two_modes.POINTS)
LOW, HIGH = (_points + 1) / 2
P0, P1 = (np.float32(1 - (1 - z) ** two_modes.POWER) for z in (LOW, HIGH))
"""Profile of the deformation at both points."""
S0, S1 = (np.float32(two_modes.POWER * (1 - z) ** (two_modes.POWER - 1)) for z in (LOW, HIGH))
"""Its slope."""
Z0, Z1 = np.float32(LOW), np.float32(HIGH)
STRAIN, SLIDING = np.float32(two_modes.SLOWEST_STRAIN), np.float32(two_modes.SLOWEST_SLIDING)
SIDE, CROSS = np.float32(two_modes.SIDE / 4), np.float32(two_modes.CROSS)
WARP, TWICE = np.float32(membrane.WARP), np.float32(2)
MEANS = np.float32(1), np.float32(two_modes.MEAN)
"""Of sliding and of the deformation over the depth."""


@compiled
def balance(grid: Grid, moving: Float32Array, elements: Float32Array, weight: Float32Array) -> None:
    """Work out stiffness, drag and the forces that a velocity leaves.

    Args:
        grid: of the ice; stiffness, drag and forces are written.
        moving: the velocity, (4, columns).
        elements: what is known of them, see `ground.Ground`, (7, columns).
        weight: of the driving stress, without the mean of the deformation, (2, columns).
    """
    cells = grid.south.size - 2
    block = np.zeros(SIZE * ROW, np.float32)
    for first in range(0, cells, BLOCK):
        count = min(BLOCK, cells - first)
        load_corners(block, moving, grid.south, first, count + 2)
        load(block, OWN, elements, first, count + 1)
        _give_forces(block, count + 1)
        collect(block, GIVEN, grid.forces, grid.below, first + 1, count)
        pairs(block, DRAG, grid.left[:3], first + 1, count)
        for index in range(3):
            stiffness, own = grid.stiffness[index, first:], block[(VISCOSITY + index) * ROW :]
            for k in range(count + 1):
                stiffness[k] = own[k] * QUARTER
    for unknown in range(UNKNOWNS):
        forces, below, free = grid.forces[unknown], grid.below[unknown], grid.free[unknown % 2]
        own, share = weight[unknown // 2], MEANS[unknown % 2]
        for k in range(1, cells + 1):
            forces[k] = -(own[k] * share + forces[k] + below[grid.north[k]]) * free[k]
    for index in range(3):
        sums, drag = grid.left[index], grid.drag[index]
        for k in range(1, cells + 1):
            drag[k] = (sums[k] + sums[grid.north[k]]) * QUARTER


@compiled
def _give_forces(block: Float32Array, count: int) -> None:
    """Write what each element gives to its corners: forces, viscosity, drag."""
    for k in range(count):
        u_east, u_north, u_warp, u = changes_at(block, 0, k)
        p_east, p_north, p_warp, p = changes_at(block, 1, k)
        v_east, v_north, v_warp, v = changes_at(block, 2, k)
        q_east, q_north, q_warp, q = changes_at(block, 3, k)
        u, p, v, q = u * QUARTER, p * QUARTER, v * QUARTER, q * QUARTER
        upright = block[UPRIGHT * ROW + k]
        lean_x, lean_y = block[LEAN_X * ROW + k], block[LEAN_Y * ROW + k]
        wide_x, wide_y = block[WIDE_X * ROW + k], block[WIDE_Y * ROW + k]
        # Strains: of sliding, of deformation, and of what leans and widens, at both points.
        low_x, low_y, low_xy = lean_x * p, lean_y * q, lean_y * p + lean_x * q
        more_x, more_y, more_xy = wide_x * p, wide_y * q, wide_y * p + wide_x * q
        shear, twist = u_north + v_east, p_north + q_east
        x0 = HALF * (u_east + P0 * p_east) - S0 * (low_x + Z0 * more_x)
        y0 = HALF * (v_north + P0 * q_north) - S0 * (low_y + Z0 * more_y)
        xy0 = HALF * (shear + P0 * twist) - S0 * (low_xy + Z0 * more_xy)
        x1 = HALF * (u_east + P1 * p_east) - S1 * (low_x + Z1 * more_x)
        y1 = HALF * (v_north + P1 * q_north) - S1 * (low_y + Z1 * more_y)
        xy1 = HALF * (shear + P1 * twist) - S1 * (low_xy + Z1 * more_xy)
        tx0, ty0, txy0 = x0 + HALF * y0, HALF * x0 + y0, QUARTER * xy0
        tx1, ty1, txy1 = x1 + HALF * y1, HALF * x1 + y1, QUARTER * xy1
        bent, hard = (p * p + q * q) * upright, block[HARDNESS * ROW + k]
        square0 = x0 * tx0 + xy0 * txy0 + y0 * ty0 + S0 * S0 * bent + STRAIN
        square1 = x1 * tx1 + xy1 * txy1 + y1 * ty1 + S1 * S1 * bent + STRAIN
        eta0 = inverse_cube_root(square0) * hard
        eta1 = inverse_cube_root(square1) * hard
        slow = inverse_cube_root(u * u + v * v + SLIDING) * block[FRICTION * ROW + k]
        own, both, other = eta0 + eta1, P0 * eta0 + P1 * eta1, P0 * P0 * eta0 + P1 * P1 * eta1
        s0, s1 = S0 * S0 * eta0, S1 * S1 * eta1
        steep, steep1, steep2 = s0 + s1, Z0 * s0 + Z1 * s1, Z0 * Z0 * s0 + Z1 * Z1 * s1
        stiff = steep * upright
        # Stresses.
        tx0, ty0, txy0 = tx0 * eta0, ty0 * eta0, txy0 * eta0
        tx1, ty1, txy1 = tx1 * eta1, ty1 * eta1, txy1 * eta1
        xx, yy, xy = HALF * (tx0 + tx1), HALF * (ty0 + ty1), HALF * (txy0 + txy1)
        bent_xx, bent_yy = HALF * (P0 * tx0 + P1 * tx1), HALF * (P0 * ty0 + P1 * ty1)
        bent_xy = HALF * (P0 * txy0 + P1 * txy1)
        lean_xx, lean_yy, lean_xy = S0 * tx0 + S1 * tx1, S0 * ty0 + S1 * ty1, S0 * txy0 + S1 * txy1
        tx0, ty0, txy0 = S0 * Z0 * tx0, S0 * Z0 * ty0, S0 * Z0 * txy0
        wide_xx, wide_yy, wide_xy = tx0 + S1 * Z1 * tx1, ty0 + S1 * Z1 * ty1, txy0 + S1 * Z1 * txy1
        up_x = lean_x * lean_xx + lean_y * lean_xy + wide_x * wide_xx + wide_y * wide_xy
        up_y = lean_y * lean_yy + lean_x * lean_xy + wide_y * wide_yy + wide_x * wide_xy
        # Forces.
        place, side, bending = GIVEN * ROW + k, SIDE * slow, SIDE * stiff
        give(
            block,
            place,
            shares(
                xx + side * u_east,
                xy + side * u_north,
                (own * u_warp + both * p_warp) * WARP + CROSS * slow * u_warp,
                slow * u * QUARTER,
            ),
        )
        give(
            block,
            place + 4 * ROW,
            shares(
                bent_xx + bending * p_east,
                bent_xy + bending * p_north,
                (both * u_warp + other * p_warp) * WARP + CROSS * stiff * p_warp,
                (stiff * p - up_x) * QUARTER,
            ),
        )
        give(
            block,
            place + 8 * ROW,
            shares(
                xy + side * v_east,
                yy + side * v_north,
                (own * v_warp + both * q_warp) * WARP + CROSS * slow * v_warp,
                slow * v * QUARTER,
            ),
        )
        give(
            block,
            place + 12 * ROW,
            shares(
                bent_xy + bending * q_east,
                bent_yy + bending * q_north,
                (both * v_warp + other * q_warp) * WARP + CROSS * stiff * q_warp,
                (stiff * q - up_y) * QUARTER,
            ),
        )
        place = VISCOSITY * ROW + k
        block[place], block[place + ROW], block[place + 2 * ROW] = own, both, other
        # Stiffness against shear between bed and surface, where the bed or the surface leans.
        lean, wide, mixed = lean_x * lean_x, wide_x * wide_x, TWICE * lean_x * wide_x
        lean_n, wide_n, mixed_n = lean_y * lean_y, wide_y * wide_y, TWICE * lean_y * wide_y
        tilt = lean * steep + mixed * steep1 + wide * steep2
        tilt_n = lean_n * steep + mixed_n * steep1 + wide_n * steep2
        place = DRAG * ROW + k
        block[place] = slow
        block[place + ROW] = tilt + QUARTER * tilt_n + stiff
        block[place + 2 * ROW] = tilt_n + QUARTER * tilt + stiff
