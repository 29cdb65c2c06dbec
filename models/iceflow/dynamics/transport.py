"""Advection of ice: fluxes through the edges of the cells of a regular grid.

Velocities are averaged to the edges (Jouvet et al. 2022, doi 10.1017/jog.2021.120). There is no ice
beyond the border, so ice may leave the domain but not enter it. Grids are north-up, u is eastward,
v northward.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import pad

TransportOrder = Literal["first order", "second order"]


class Fluxes(NamedTuple):
    """Values at the edges of the cells.

    Attributes:
        east: eastwards through west and east edges: (rows, columns + 1).
        north: northwards through north and south edges: (rows + 1, columns).
    """

    east: Tensor
    north: Tensor


Transport = Callable[[Tensor, Fluxes, Tensor, float], Fluxes]
"""Thickness (m), edge velocity (m a⁻¹), time step (a), cell size (m) to ice flux (m² a⁻¹)."""


def edge_velocity(u: Tensor, v: Tensor) -> Fluxes:
    """Return velocities (m a⁻¹) at the edges from those in the cells."""
    return Fluxes(
        torch.cat([u[:, :1], 0.5 * (u[:, :-1] + u[:, 1:]), u[:, -1:]], dim=1),
        torch.cat([v[:1], 0.5 * (v[:-1] + v[1:]), v[-1:]], dim=0),
    )


def divergence(fluxes: Fluxes, cell_size: float) -> Tensor:
    """Return ∇·(ū h) in m a⁻¹."""
    east, north = fluxes
    return ((east[:, 1:] - east[:, :-1]) + (north[:-1] - north[1:])) / cell_size


def upwind(thickness: Tensor, velocity: Fluxes, dt: Tensor, cell_size: float) -> Fluxes:
    """Return first-order upwind fluxes."""
    across, along = pad(thickness, (1, 1)), pad(thickness, (0, 0, 1, 1))
    return Fluxes(
        velocity.east * torch.where(velocity.east > 0, across[:, :-1], across[:, 1:]),
        velocity.north * torch.where(velocity.north > 0, along[1:], along[:-1]),
    )


def limited(thickness: Tensor, velocity: Fluxes, dt: Tensor, cell_size: float) -> Fluxes:
    """Return second-order fluxes that create no new extremes.

    Thickness is linear within a cell with van Leer's slope (1977, J. Comput. Phys. 23, 276-299),
    and the flux is the mean of those before and after the step, as in Heun's method (Shu and Osher
    1988, J. Comput. Phys. 77, 439-471). No cell loses more than it has.
    """
    before = _linear(thickness, velocity)
    moved = (thickness - dt * divergence(before, cell_size)).clamp(min=0)
    after = _linear(moved, velocity)
    mean = Fluxes(0.5 * (before.east + after.east), 0.5 * (before.north + after.north))
    return _affordable(mean, thickness, dt / cell_size)


TRANSPORTS: dict[TransportOrder, Transport] = {"first order": upwind, "second order": limited}


def _linear(thickness: Tensor, velocity: Fluxes) -> Fluxes:
    """Return the fluxes of ice whose thickness is linear within each cell."""
    return Fluxes(
        _linear_rows(thickness, velocity.east), -_linear_rows(thickness.mT, -velocity.north.mT).mT
    )


def _linear_rows(thickness: Tensor, velocity: Tensor) -> Tensor:
    """Return fluxes along rows, towards higher columns; velocity at columns + 1 edges."""
    half = 0.5 * _van_leer(thickness)
    return velocity * torch.where(
        velocity > 0, pad(thickness + half, (1, 0)), pad(thickness - half, (0, 1))
    )


def _van_leer(thickness: Tensor) -> Tensor:
    """Return the change across each cell along rows: harmonic mean of both sides, 0 at extremes."""
    change = pad(thickness.diff(dim=1), (1, 1))
    left, right = change[:, :-1], change[:, 1:]
    product = (left * right).clamp(min=0)
    return torch.where(product > 0, 2 * product / (left + right), 0.0)


def _affordable(fluxes: Fluxes, thickness: Tensor, ratio: Tensor) -> Fluxes:
    """Scale down fluxes out of cells with too little ice (Smolarkiewicz 1989, Mon. Wea. Rev. 117).

    `ratio` is the time step over the cell size, a m⁻¹.
    """
    east, north = fluxes
    gone = (
        (east[:, 1:].clamp(min=0) - east[:, :-1].clamp(max=0))
        + (north[:-1].clamp(min=0) - north[1:].clamp(max=0))
    ) * ratio
    share = torch.where(gone > thickness, thickness / gone, 1.0)
    across, along = pad(share, (1, 1), value=1.0), pad(share, (0, 0, 1, 1), value=1.0)
    return Fluxes(
        east * torch.where(east > 0, across[:, :-1], across[:, 1:]),
        north * torch.where(north > 0, along[1:], along[:-1]),
    )
