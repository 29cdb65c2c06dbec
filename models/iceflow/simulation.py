"""A glacier through time."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.engine.events import Reporter
from glacier_qgis.models.iceflow.flow import Flow
from glacier_qgis.models.iceflow.mass_conservation import Budget, advance, stable_step, wide
from glacier_qgis.models.iceflow.transport import Transport, upwind

Balance = Callable[[Tensor, float], Tensor]
"""Surface (m) and time (a) to surface mass balance (m a⁻¹), north-up."""
Array = npt.NDArray[np.float32]

MAX_STEP = 10.0
"""Longest time step, a: also slow ice must see its mass balance change with height."""
MAX_FORCED_STEP = 1.0
"""Longest time step, a, where the mass balance changes from year to year."""
SPEED_LIMIT = 50_000.0
"""m a⁻¹: three times the fastest outlet glacier; beyond it a run has become unstable."""
ICE = 1.0
"""Cells with less than this thickness, m, do not count as glacier area."""
_CUBIC_KILOMETRE = 1e9
_SQUARE_KILOMETRE = 1e6


@dataclass(frozen=True)
class Snapshot:
    """The glacier at a saved time; fields are north-up, (row, column).

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
    """

    time: float
    thickness: Array
    surface: Array
    u: Array
    v: Array
    balance: Array
    volume: float
    area: float
    mean_speed: float

    @property
    def speed(self) -> Array:
        """Magnitude of the depth-averaged velocity, m a⁻¹."""
        return np.hypot(self.u, self.v)


class Simulation:
    """The state of a glacier and the step that changes it.

    Attributes:
        time: in a.
        steps: how many were taken.
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
    ) -> None:
        """Begin with `thickness` on `bed` (m, north-up) at time `start` (a)."""
        self.time = start
        self.steps = 0
        self._bed = bed
        self._thickness = thickness
        self._flow = flow
        self._balance = balance
        self._cell_size = cell_size
        self._cfl = cfl
        self._max_step = max_step
        self._transport = transport
        self._initial = self._volume(thickness)
        self._totals = torch.zeros(3, dtype=wide(bed), device=bed.device)
        self._velocity: tuple[Tensor, Tensor] | None = None

    @torch.inference_mode()
    def step(self, until: float) -> None:
        """Take one stable time step that does not go past `until` (a).

        Raises:
            EngineError: The velocities are not those of ice any more.
        """
        u, v = self._current_velocity()
        balance = self._balance(self._surface(), self.time)
        longest = min(self._max_step, until - self.time)
        dt = stable_step(u, v, self._cell_size, self._cfl, longest)
        taken = advance(self._thickness, u, v, balance, dt, self._cell_size, self._transport)
        self._thickness = taken.thickness
        self._velocity = None
        self._totals += torch.stack([taken.balance, taken.lost, taken.added])
        self._count(float(dt), longest, until)

    def _count(self, dt: float, longest: float, until: float) -> None:
        """Move the clock by `dt`, exactly to `until` where the step was trimmed to it."""
        slowest = self._cfl * self._cell_size / SPEED_LIMIT
        if not (math.isfinite(dt) and dt >= min(slowest, longest) * (1 - 1e-6)):
            raise EngineError(
                f"The ice flow became unstable in year {self.time:g} after {self.steps} steps "
                f"(speed above {SPEED_LIMIT:g} m/a or not a number). Lower CFL (it is "
                f"{self._cfl:g}), check the bed for spikes, or choose a RESOLUTION nearer to the "
                "emulator's."
            )
        self.steps += 1
        arrives = longest == until - self.time and math.isclose(dt, longest, rel_tol=1e-6)
        self.time = until if arrives else self.time + dt

    @torch.inference_mode()
    def snapshot(self) -> Snapshot:
        """Return the present state."""
        u, v = self._current_velocity()
        surface = self._surface()
        ice = self._thickness >= ICE
        speed = torch.hypot(u, v)[ice]
        return Snapshot(
            time=self.time,
            thickness=_array(self._thickness),
            surface=_array(surface),
            u=_array(u),
            v=_array(v),
            balance=_array(self._balance(surface, self.time)),
            volume=self._volume(self._thickness),
            area=int(ice.sum()) * self._cell_size**2 / _SQUARE_KILOMETRE,
            mean_speed=float(speed.mean()) if len(speed) else 0.0,
        )

    def budget(self) -> Budget:
        """Return where the ice came from and went since the start."""
        balance, lost, added = (
            float(total) * self._cell_size**2 / _CUBIC_KILOMETRE for total in self._totals.cpu()
        )
        return Budget(self._initial, self._volume(self._thickness), balance, lost, added)

    def _current_velocity(self) -> tuple[Tensor, Tensor]:
        if self._velocity is None:
            self._velocity = self._flow(self._thickness, self._surface())
        return self._velocity

    def _surface(self) -> Tensor:
        return self._bed + self._thickness

    def _volume(self, thickness: Tensor) -> float:
        """In km³."""
        total = float(thickness.sum(dtype=wide(thickness)))
        return total * self._cell_size**2 / _CUBIC_KILOMETRE


def save_times(start: float, end: float, interval: float) -> list[float]:
    """Return start, every `interval` after it, and end (a)."""
    count = math.ceil((end - start) / interval - 1e-9)
    return [start + index * interval for index in range(count)] + [end]


def run(simulation: Simulation, times: list[float], reporter: Reporter) -> Iterator[Snapshot]:
    """Take the simulation through `times`, which begin at its present; yield a snapshot at each."""
    begin, end = times[0], times[-1]
    for time in times:
        while simulation.time < time:
            simulation.step(time)
            reporter.progress(
                (simulation.time - begin) / (end - begin), f"Year {simulation.time:.1f} of {end:g}"
            )
        yield simulation.snapshot()


def _array(field: Tensor) -> Array:
    return field.cpu().numpy().astype(np.float32)
