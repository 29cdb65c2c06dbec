"""Surface mass balance, in m of ice a⁻¹: the interface of its models."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from glacier_qgis.models.iceflow.physics import ICE_DENSITY

OUTSIDE_MASK = -10.0
"""Mass balance outside the ice mask, m a⁻¹; removes ice that flows there."""
WATER_DENSITY = 1000.0
"""kg m⁻³."""
ICE_PER_WATER = WATER_DENSITY / ICE_DENSITY
"""Metres of ice with the mass of one metre of water."""


class Varying(Protocol):
    """A number or a field that may change with time."""

    @property
    def steady(self) -> bool:
        """Whether it is constant."""

    def plus(self, offset: float) -> Varying:
        """Return it with `offset` added at all times."""

    def __call__(self, time: float) -> float | Tensor:
        """Return it at a time (a): a number, or a field of shape (rows, columns), north-up."""


class MassBalance(Protocol):
    """A model of surface mass balance."""

    @property
    def steady(self) -> bool:
        """Whether it depends only on the surface, not on time."""

    def __call__(self, surface: Tensor, time: float) -> Tensor:
        """Return the balance in m of ice a⁻¹ on a surface (m, north-up) at a time (a)."""


@dataclass(frozen=True)
class Masked:
    """A mass balance that removes ice outside a mask.

    Attributes:
        balance: Mass balance inside.
        mask: True where ice is allowed, north-up.
    """

    balance: MassBalance
    mask: Tensor

    @property
    def steady(self) -> bool:
        """See :class:`MassBalance`."""
        return self.balance.steady

    def __call__(self, surface: Tensor, time: float) -> Tensor:
        """See :class:`MassBalance`."""
        return torch.where(self.mask, self.balance(surface, time), OUTSIDE_MASK)


class Held:
    """A costly mass balance that is recomputed only once per interval of time.

    Intervals are counted from `start`, so that a run resumed at one of them continues as if it had
    not been interrupted.
    """

    def __init__(self, balance: MassBalance, interval: float, start: float) -> None:
        """Compute `balance` once per `interval` (a) after `start` (a); 0 for every time step."""
        self._balance = balance
        self._interval = interval
        self._start = start
        self._held: tuple[float, Tensor] | None = None

    @property
    def steady(self) -> bool:
        """See :class:`MassBalance`."""
        return self._balance.steady

    def __call__(self, surface: Tensor, time: float) -> Tensor:
        """See :class:`MassBalance`; the surface is that of the interval's first call."""
        key = time
        if self._interval > 0:
            key = math.floor((time - self._start) / self._interval + 1e-9)
        if self._held is None or self._held[0] != key:
            self._held = key, self._balance(surface, time)
        return self._held[1]
