"""The published reference run of the Aletsch glacier."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import netCDF4
import numpy as np
import pytest
import torch
from torch import Tensor

from glacier_qgis.models.iceflow.dynamics.running import run, save_times
from glacier_qgis.models.iceflow.dynamics.simulation import Simulation
from glacier_qgis.models.iceflow.emulators.card import FlowParameters
from glacier_qgis.models.iceflow.velocity.emulator import Emulator
from glacier_qgis.models.iceflow.velocity.flow import EmulatedFlow

if TYPE_CHECKING:
    from kit.engine.listener import Listener


CELL = 100.0
REFERENCE_STEPS = 465


def read_north_up(path: Path, name: str) -> Tensor:
    with netCDF4.Dataset(path) as file:
        assert file["y"][0] < file["y"][-1]
        return torch.from_numpy(np.asarray(file[name][::-1], dtype=np.float32).copy())


@pytest.fixture
def reference_glacier(iceflow_data: Path) -> Callable[[float], Simulation]:
    """Return a function from the CFL number to the Aletsch glacier in year 100."""
    geology = iceflow_data / "aletsch_golden" / "geology.nc"
    surface, thickness, mask = (
        read_north_up(geology, name) for name in ("usurf", "thk", "icemask")
    )
    emulator = Emulator.read(iceflow_data / "emulators" / "f15_cfsflow_GJ_22_a" / "100")

    def balance(s: Tensor, time: float) -> Tensor:
        height = s - 2000
        rate = (height * torch.where(height < 0, 0.006, 0.009)).clamp(-100, 2)
        return torch.where(mask > 0.5, rate, -10.0)

    def begin(cfl: float) -> Simulation:
        flow = EmulatedFlow(emulator, FlowParameters(CELL, 78.0, 0.0))
        return Simulation(
            surface - thickness, thickness, flow, balance, cell_size=CELL, cfl=cfl, start=100.0
        )

    return begin


@pytest.mark.slow
def test_the_golden_run_is_reproduced(
    iceflow_data: Path, reference_glacier: Callable[[float], Simulation], listener: Listener
) -> None:
    simulation = reference_glacier(0.3)
    states = list(run(simulation, save_times(100, 200, 10), listener))[1:]
    with netCDF4.Dataset(iceflow_data / "aletsch_golden" / "ts_reference.nc") as file:
        times, volumes, areas = (np.asarray(file[name][:]) for name in ("time", "vol", "area"))
    np.testing.assert_array_equal([state.time for state in states], times)
    np.testing.assert_allclose([state.volume for state in states], volumes, rtol=0, atol=1e-3)
    np.testing.assert_allclose([state.area for state in states], areas, rtol=0, atol=0.05)
    assert abs(simulation.steps - REFERENCE_STEPS) <= 1
    assert abs(simulation.budget().residual) < 1e-5
    assert not states[-1].waves


def test_steps_that_are_too_long_raise_waves_on_the_reference_glacier(
    reference_glacier: Callable[[float], Simulation], listener: Listener
) -> None:
    *_, usual = run(reference_glacier(0.3), [100.0, 104.0], listener)
    *_, hasty = run(reference_glacier(1.0), [100.0, 110.0], listener)
    assert not usual.waves
    assert hasty.waves
