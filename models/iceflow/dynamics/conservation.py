"""Mass conservation, ∂h/∂t + ∇·(ū h) = SMB, on a regular grid, with its mass budget.

Explicit finite volumes (Jouvet et al. 2022, doi 10.1017/jog.2021.120); for the
advection see :mod:`~glacier_qgis.models.iceflow.dynamics.transport`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from glacier_qgis.models.compute.precision import widest
from glacier_qgis.models.iceflow.dynamics.transport import (
    Fluxes,
    Transport,
    divergence,
    edge_velocity,
    upwind,
)


class Step(NamedTuple):
    """The state after a time step, and its mass budget in m summed over cells.

    thickness.sum() = before.sum() + balance − lost + added, to rounding.

    Attributes:
        thickness: h in m.
        balance: added or removed by the surface mass balance.
        lost: lost across the border of the domain.
        added: added where more ice left a cell than it had.
        divergence: ∇·(ū h), m a⁻¹.
    """

    thickness: Tensor
    balance: Tensor
    lost: Tensor
    added: Tensor
    divergence: Tensor


@dataclass(frozen=True)
class Budget:
    """Mass budget of a run, km³."""

    initial: float
    final: float
    balance: float
    lost: float
    added: float

    @classmethod
    def starting(cls, volume: float) -> Budget:
        """Return the budget of a run that starts with `volume` (km³)."""
        return cls(volume, volume, 0.0, 0.0, 0.0)

    def after(self, volume: float, balance: float, lost: float, added: float) -> Budget:
        """Return the budget with further gains and losses, up to a new `volume` (all km³)."""
        return Budget(
            self.initial, volume, self.balance + balance, self.lost + lost, self.added + added
        )

    @property
    def residual(self) -> float:
        """The residual: rounding errors."""
        return self.final - self.initial - self.balance + self.lost - self.added


NO_ICE = Budget.starting(0.0)


def outflow(fluxes: Fluxes) -> Tensor:
    """Return the flux across the four borders, m² a⁻¹ summed over edges."""
    east, north = fluxes
    gains = east[:, -1] - east[:, 0], north[0] - north[-1]
    return gains[0].sum(dtype=widest(east.device)) + gains[1].sum(dtype=widest(east.device))


def advance(
    thickness: Tensor,
    u: Tensor,
    v: Tensor,
    balance: Tensor,
    dt: Tensor,
    cell_size: float,
    transport: Transport = upwind,
) -> Step:
    """Take one time step.

    Args:
        thickness: h in m.
        u: depth-averaged eastward velocity, m a⁻¹.
        v: depth-averaged northward velocity, m a⁻¹.
        balance: surface mass balance, m a⁻¹.
        dt: time step in a, a tensor without dimensions.
        cell_size: in m.
        transport: the advection scheme.
    """
    fluxes = transport(thickness, edge_velocity(u, v), dt, cell_size)
    spread = divergence(fluxes, cell_size)
    moved = thickness - dt * spread
    new = (moved + dt * balance).clamp(min=0)
    gap = (-moved).clamp(min=0)
    kind = widest(thickness.device)
    return Step(
        thickness=new,
        balance=(new - moved - gap).sum(dtype=kind),
        lost=outflow(fluxes) * dt / cell_size,
        added=gap.sum(dtype=kind),
        divergence=spread,
    )


def stable_step(u: Tensor, v: Tensor, cell_size: float, cfl: float, longest: float) -> Tensor:
    """Return Δt = C Δx / max(|u|, |v|) in a, at most `longest`, without leaving the device."""
    fastest = torch.maximum(u.abs().max(), v.abs().max())
    return (cfl * cell_size / fastest).clamp(max=longest)
