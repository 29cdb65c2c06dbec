"""Mass conservation, ∂h/∂t + ∇·(ū h) = SMB, on a regular grid.

First-order explicit upwind finite volumes (Jouvet et al. 2022): velocities are averaged to the
edges of the cells, and the thickness that an edge carries is that of the cell it comes from.
Beyond the border there is no ice. Grids are north-up, u eastwards, v northwards.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import pad


class Fluxes(NamedTuple):
    """Ice flux through the edges of the cells, m² a⁻¹.

    Attributes:
        east: eastwards through west and east edges: (rows, columns + 1).
        north: northwards through north and south edges: (rows + 1, columns).
    """

    east: Tensor
    north: Tensor


class Step(NamedTuple):
    """The state after a time step and what went in and out, in m summed over cells.

    thickness.sum() = before.sum() + balance − lost + added, to rounding.

    Attributes:
        thickness: h in m.
        balance: what the surface mass balance put on or took off.
        lost: what flowed over the border of the domain.
        added: what had to be put in where more flowed out than there was.
    """

    thickness: Tensor
    balance: Tensor
    lost: Tensor
    added: Tensor


@dataclass(frozen=True)
class Budget:
    """Where the ice of a run came from and went, km³."""

    initial: float
    final: float
    balance: float
    lost: float
    added: float

    @property
    def residual(self) -> float:
        """What the bookkeeping cannot explain: rounding."""
        return self.final - self.initial - self.balance + self.lost - self.added


def upwind_fluxes(thickness: Tensor, u: Tensor, v: Tensor) -> Fluxes:
    """Return the fluxes of ice `thickness` (m) moving with `u` and `v` (m a⁻¹)."""
    u_edge = torch.cat([u[:, :1], 0.5 * (u[:, :-1] + u[:, 1:]), u[:, -1:]], dim=1)
    v_edge = torch.cat([v[:1], 0.5 * (v[:-1] + v[1:]), v[-1:]], dim=0)
    across = pad(thickness, (1, 1))
    along = pad(thickness, (0, 0, 1, 1))
    return Fluxes(
        u_edge * torch.where(u_edge > 0, across[:, :-1], across[:, 1:]),
        v_edge * torch.where(v_edge > 0, along[1:], along[:-1]),
    )


def divergence(fluxes: Fluxes, cell_size: float) -> Tensor:
    """Return ∇·(ū h) in m a⁻¹."""
    east, north = fluxes
    return (east[:, 1:] - east[:, :-1] + north[:-1] - north[1:]) / cell_size


def outflow(fluxes: Fluxes) -> Tensor:
    """Return what leaves over the four borders, m² a⁻¹ summed over edges."""
    east, north = fluxes
    gains = east[:, -1] - east[:, 0], north[0] - north[-1]
    return gains[0].sum(dtype=wide(east)) + gains[1].sum(dtype=wide(east))


def advance(
    thickness: Tensor, u: Tensor, v: Tensor, balance: Tensor, dt: Tensor, cell_size: float
) -> Step:
    """Take one time step.

    Args:
        thickness: h in m.
        u: depth-averaged eastward velocity, m a⁻¹.
        v: depth-averaged northward velocity, m a⁻¹.
        balance: surface mass balance, m a⁻¹.
        dt: time step in a, a tensor without dimensions.
        cell_size: in m.
    """
    fluxes = upwind_fluxes(thickness, u, v)
    moved = thickness - dt * divergence(fluxes, cell_size)
    new = (moved + dt * balance).clamp(min=0)
    gap = (-moved).clamp(min=0)
    kind = wide(thickness)
    return Step(
        thickness=new,
        balance=(new - moved - gap).sum(dtype=kind),
        lost=outflow(fluxes) * dt / cell_size,
        added=gap.sum(dtype=kind),
    )


def stable_step(u: Tensor, v: Tensor, cell_size: float, cfl: float, longest: float) -> Tensor:
    """Return Δt = C Δx / max(|u|, |v|) in a, at most `longest`, without leaving the device."""
    fastest = torch.maximum(u.abs().max(), v.abs().max())
    return (cfl * cell_size / fastest).clamp(max=longest)


def wide(field: Tensor) -> torch.dtype:
    """The type to sum in: double precision where the device has it."""
    return torch.float32 if field.device.type == "mps" else torch.float64
