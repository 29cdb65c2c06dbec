"""One glacier twice: moved by an emulator, and by the instructor that the emulator stands for.

This is the comparison of Figures 12 to 14 of Jouvet et al. (2022, doi 10.1017/jog.2021.120), for
every caller: benchmarks, the evaluation of an emulator, notebooks.
"""

from __future__ import annotations

import time as clock
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from torch import Tensor

from glacier_qgis.models.engine.events import Reporter, Silent
from glacier_qgis.models.iceflow.dynamics.running import run
from glacier_qgis.models.iceflow.dynamics.simulation import (
    ICE,
    MAX_STEP,
    Balance,
    Simulation,
    Snapshot,
)
from glacier_qgis.models.iceflow.dynamics.transport import Transport, upwind
from glacier_qgis.models.iceflow.velocity.ice_model import IceModel


class Moment(NamedTuple):
    """Both glaciers at one time.

    Attributes:
        emulated: moved by the emulator.
        instructed: moved by the instructor.
        seconds: that each took since the last moment, the emulated one first.
    """

    emulated: Snapshot
    instructed: Snapshot
    seconds: tuple[float, float]

    @property
    def rmse(self) -> float:
        """Root mean square difference of the thickness, m, where either has ice."""
        pair = np.stack([self.emulated.thickness, self.instructed.thickness]).astype(np.float64)
        ice = (pair >= ICE).any(axis=0)
        return float(np.sqrt(np.mean((pair[0] - pair[1])[ice] ** 2))) if ice.any() else 0.0

    @property
    def row(self) -> dict[str, float]:
        """What a table says: year, volumes (km³), areas (km²), RMSE (m), speeds (m a⁻¹)."""
        return {
            "year": self.emulated.time,
            "volume": self.emulated.volume,
            "volume of the instructor": self.instructed.volume,
            "area": self.emulated.area,
            "area of the instructor": self.instructed.area,
            "thickness RMSE": self.rmse,
            "mean speed": self.emulated.mean_speed,
            "mean speed of the instructor": self.instructed.mean_speed,
        }


def transient(
    emulated: IceModel,
    instructed: IceModel,
    bed: Tensor,
    thickness: Tensor,
    balance: Balance,
    times: Sequence[float],
    *,
    cell_size: float,
    cfl: float = 0.3,
    max_step: float = MAX_STEP,
    transport: Transport = upwind,
    reporter: Reporter | None = None,
) -> Iterator[Moment]:
    """Yield both glaciers at the times to save, from the same state under the same climate.

    Both have the transport and the time step of a simulation, each with the limit of its own model.

    Args:
        emulated: the emulator on the grid of `bed`.
        instructed: the instructor on the same grid, with the same A and c.
        bed: in m, (rows, columns), north-up.
        thickness: at the first time, m.
        balance: surface mass balance.
        times: to save, a; the first is that of the start.
        cell_size: in m.
        cfl: Courant number.
        max_step: longest time step, a.
        transport: of the ice.
        reporter: receives progress.

    Raises:
        NoFlowFoundError: The instructor did not converge.
    """
    reporter = reporter or Silent()
    parts = []
    for model in (emulated, instructed):
        simulation = Simulation(
            bed.to(model.device),
            thickness.to(model.device),
            model.flow,
            balance,
            cell_size=cell_size,
            cfl=cfl,
            start=times[0],
            max_step=max_step,
            transport=transport,
            limit=model.longest_step,
        )
        parts.append(run(simulation, times, Silent()))
    for count, year in enumerate(times, 1):
        found, seconds = [], []
        for part in parts:
            begin = clock.perf_counter()
            found.append(next(part))
            seconds.append(clock.perf_counter() - begin)
        reporter.progress(count / len(times), f"Comparing with the instructor: year {year:g}")
        yield Moment(found[0], found[1], (seconds[0], seconds[1]))
