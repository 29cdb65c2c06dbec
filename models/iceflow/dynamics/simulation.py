"""Time evolution of one glacier, or of several on the same ground."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from glacier_qgis.models.compute.arrays import Float32Array
from glacier_qgis.models.compute.precision import widest
from glacier_qgis.models.compute.workers import threads_an_operation
from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.engine.units import CUBIC_KILOMETRE, SQUARE_KILOMETRE
from glacier_qgis.models.iceflow.dynamics.conservation import (
    NO_ICE,
    Budget,
    Step,
    advance,
    stable_step,
)
from glacier_qgis.models.iceflow.dynamics.transport import Transport, upwind
from glacier_qgis.models.iceflow.dynamics.waves import Waves
from glacier_qgis.models.iceflow.velocity.flow import CarriedFlow, Flow, NoFlowFoundError

Balance = Callable[[Tensor, float], Tensor]
"""Surface (m) and time (a) to surface mass balance (m a⁻¹), north-up."""
Limit = Callable[[Tensor, Tensor, Tensor, Tensor], float]
"""Thickness and surface (m), eastward and northward velocity (m a⁻¹) to the longest stable time
step (a), beside that of the CFL number."""

MAX_STEP = 10.0
"""Longest time step, a, so that the mass balance follows the surface also where ice is slow."""
MAX_FORCED_STEP = 1.0
"""Longest time step, a, if the mass balance changes from year to year."""
SPEED_LIMIT = 50_000.0
"""Speed beyond which a run is unstable, m a⁻¹: three times that of the fastest outlet glacier."""
MOST_HALVINGS = 4
"""How often a step is halved that leads to a state without flow."""
SAME_TIME = 1e-9
"""Tolerance of times, a."""
ICE = 1.0
"""Least thickness of glacier area, m."""


@dataclass(frozen=True)
class Snapshot:
    """The state of a glacier at a saved time; fields are north-up, (row, column).

    Attributes:
        time: in a.
        thickness: h in m.
        surface: s in m.
        u: depth-averaged eastward velocity, m a⁻¹.
        v: depth-averaged northward velocity, m a⁻¹.
        balance: surface mass balance, m a⁻¹.
        volume: in km³.
        area: of cells with at least 1 m of ice, km².
        mean_speed: over that area, m a⁻¹; 0 without ice.
        budget: mass budget since the start.
        steps: number of time steps since the start.
        waves: whether there are numerical oscillations.
        memory: what the model of ice flow has become, if it changes with the run.
    """

    time: float
    thickness: Float32Array
    surface: Float32Array
    u: Float32Array
    v: Float32Array
    balance: Float32Array
    volume: float
    area: float
    mean_speed: float
    budget: Budget = NO_ICE
    steps: int = 0
    waves: bool = False
    memory: str = ""

    @property
    def speed(self) -> Float32Array:
        """Magnitude of the depth-averaged velocity, m a⁻¹."""
        return np.hypot(self.u, self.v)


def measures(
    thickness: Float32Array, u: Float32Array, v: Float32Array, cell_size: float
) -> tuple[float, float, float]:
    """Return volume (km³), area (km²) and mean speed (m a⁻¹) of ice as in :class:`Snapshot`."""
    ice = thickness >= ICE
    speed = np.hypot(u[ice], v[ice], dtype=np.float64)
    return (
        float(thickness.sum(dtype=np.float64)) * cell_size**2 / CUBIC_KILOMETRE,
        int(ice.sum()) * cell_size**2 / SQUARE_KILOMETRE,
        float(speed.mean()) if len(speed) else 0.0,
    )


class _Departure(NamedTuple):
    """Where a step began, and how long it was (a), to take a shorter one instead."""

    time: float
    thickness: Tensor
    velocity: tuple[Tensor, Tensor]
    balance: Tensor
    totals: Tensor
    dt: float


class Simulation:
    """The state of a glacier and the step that changes it.

    Attributes:
        time: in a.
        steps: number of steps.
        thickness: h in m.
        velocity: u and v (m a⁻¹) of the present state, once computed.
    """

    def __init__(
        self,
        bed: Tensor,
        thickness: Tensor,
        flow: Flow,
        balance: Balance,
        *,
        cell_size: float,
        cfl: float,
        start: float = 0.0,
        max_step: float = MAX_STEP,
        transport: Transport = upwind,
        limit: Limit | None = None,
        earlier: Snapshot | None = None,
    ) -> None:
        """Begin with `thickness` on `bed` (m, north-up) at time `start` (a).

        A run resumed from an `earlier` state continues its budget and number of steps.
        """
        self.time = start
        self.steps = earlier.steps if earlier else 0
        self.thickness = thickness
        self.velocity: tuple[Tensor, Tensor] | None = None
        self.flow = flow
        self._bed = bed
        self._balance = balance
        self._cell_size = cell_size
        self._cfl = cfl
        self._max_step = max_step
        self._transport = transport
        self._limit = limit
        self._earlier = earlier.budget if earlier else Budget.starting(self._volume())
        self._totals = torch.zeros(3, dtype=widest(bed.device), device=bed.device)
        self._waves = Waves()
        self._departure: _Departure | None = None
        self._halvings = 0

    @property
    def surface(self) -> Tensor:
        """Surface elevation s, m."""
        return self._bed + self.thickness

    @threads_an_operation(1)
    @torch.inference_mode()
    def step(self, until: float) -> None:
        """Take one stable time step that does not go past `until` (a).

        Raises:
            EngineError: The velocities are not physical.
        """
        u, v = velocity = self._current_velocity()
        begin, before, totals = self.time, self.thickness, self._totals
        balance = self._balance(self.surface, begin)
        longest = min(self._max_step, until - begin)
        if self._limit is not None:
            longest = min(longest, self._limit(before, self.surface, u, v))
        dt = stable_step(u, v, self._cell_size, self._cfl, longest)
        taken = self._advance(velocity, balance, dt)
        self._waves.see(taken.divergence, taken.thickness >= ICE)
        self._count(float(dt), longest, until)
        self._departure = _Departure(begin, before, velocity, balance, totals, float(dt))

    def _advance(self, velocity: tuple[Tensor, Tensor], balance: Tensor, dt: Tensor) -> Step:
        """Change thickness and account by a time step."""
        taken = advance(self.thickness, *velocity, balance, dt, self._cell_size, self._transport)
        self.thickness = taken.thickness
        self.velocity = None
        self._totals = self._totals + torch.stack([taken.balance, taken.lost, taken.added])
        return taken

    def _take_half(self) -> bool:
        """Take half of the last step in its place; False if it was halved too often."""
        last = self._departure
        if last is None or self._halvings == MOST_HALVINGS:
            return False
        self._halvings += 1
        self.thickness, self._totals = last.thickness, last.totals
        half = last.dt / 2
        self._advance(last.velocity, last.balance, last.balance.new_tensor(half))
        self.time = last.time + half
        self._departure = last._replace(dt=half)
        return True

    def _count(self, dt: float, longest: float, until: float) -> None:
        """Advance time by `dt`, exactly to `until` if the step was limited by it."""
        slowest = self._cfl * self._cell_size / SPEED_LIMIT
        if not (math.isfinite(dt) and dt >= min(slowest, longest) * (1 - 1e-6)):
            raise EngineError(
                f"The ice flow became unstable in year {self.time:g} after {self.steps} steps "
                f"(speed above {SPEED_LIMIT:g} m/a or not a number). Lower CFL (it is "
                f"{self._cfl:g}), check the bed for spikes, or choose another RESOLUTION."
            )
        self.steps += 1
        arrives = longest == until - self.time and math.isclose(dt, longest, rel_tol=1e-6)
        self.time = until if arrives else self.time + dt
        if arrives and isinstance(self.flow, CarriedFlow):
            self.flow.begin()  # as a run that resumes here

    @torch.inference_mode()
    def snapshot(self) -> Snapshot:
        """Return the present state."""
        u, v = map(_array, self._current_velocity())
        surface, thickness = self.surface, _array(self.thickness)
        return Snapshot(
            self.time,
            thickness,
            _array(surface),
            u,
            v,
            _array(self._balance(surface, self.time)),
            *measures(thickness, u, v, self._cell_size),
            budget=self.budget(),
            steps=self.steps,
            waves=self._waves.found,
        )

    def budget(self) -> Budget:
        """Return the mass budget since the start."""
        terms = (self._totals.cpu() * (self._cell_size**2 / CUBIC_KILOMETRE)).tolist()
        return self._earlier.after(self._volume(), *terms)

    def _current_velocity(self) -> tuple[Tensor, Tensor]:
        while self.velocity is None:
            try:
                self.velocity = self.flow(self.thickness, self.surface)
            except NoFlowFoundError as error:
                if not self._take_half():
                    raise NoFlowFoundError(f"Year {self.time:.10g}: {error}") from error
        self._halvings = 0
        return self.velocity

    @threads_an_operation(1)
    @torch.inference_mode()
    def move(self) -> None:
        """Find the velocity, if it is not known.

        Where there is none, the last step is halved, so that the time may be earlier than before.

        Raises:
            NoFlowFoundError: There is none after the shortest step either.
        """
        self._current_velocity()

    def _volume(self) -> float:
        """In km³."""
        total = float(self.thickness.sum(dtype=widest(self.thickness.device)))
        return total * self._cell_size**2 / CUBIC_KILOMETRE


def _array(field: Tensor) -> Float32Array:
    return field.cpu().numpy().astype(np.float32)
