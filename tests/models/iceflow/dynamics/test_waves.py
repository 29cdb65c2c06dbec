"""Waves of the numbers, not of the ice: found where there are some, and only there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import torch
from torch import Tensor

from glacier_qgis.models.iceflow.dynamics.running import run
from glacier_qgis.models.iceflow.dynamics.simulation import Simulation, Snapshot
from glacier_qgis.models.iceflow.dynamics.waves import FEW, LASTING, Waves

if TYPE_CHECKING:
    from kit.engine.listener import Listener

CELL, SLOPE = 100.0, 0.1
GAMMA = 2 * 1e-16 * (910 * 9.81) ** 3 / 5


def shallow_ice_flow(thickness: Tensor, surface: Tensor) -> tuple[Tensor, Tensor]:
    south, east = torch.gradient(surface, spacing=CELL, dim=(-2, -1))
    factor = -GAMMA * thickness**4 * (south**2 + east**2)
    return factor * east, factor * -south


def slab_with_bumps(max_step: float, steps: int, listener: Listener) -> Snapshot:
    """Let a slab on a plane flow whose surface diffuses with D = 3 ū h / tan α."""
    place = torch.arange(80, dtype=torch.float64) * CELL
    bed = (3000 - SLOPE * place).expand(40, -1).clone()
    generator = torch.Generator().manual_seed(2)
    ice = 120 + torch.rand(bed.shape, generator=generator, dtype=torch.float64)

    def balance(surface: Tensor, time: float) -> Tensor:
        return torch.full_like(surface, 1.0 if int(time * 10) % 2 else -1.0)

    simulation = Simulation(
        bed, ice, shallow_ice_flow, balance, cell_size=CELL, cfl=0.3, max_step=max_step
    )
    *_, last = run(simulation, [0.0, steps * max_step], listener)
    return last


def test_steps_that_speed_allows_and_diffusion_does_not_raise_waves(listener: Listener) -> None:
    speed = GAMMA * 120**4 * SLOPE**3
    limit = CELL**2 / (4 * 3 * speed * 120 / SLOPE)
    assert 20 * limit < 0.3 * CELL / speed
    assert slab_with_bumps(20 * limit, 60, listener).waves
    assert not slab_with_bumps(0.5 * limit, 60, listener).waves


@pytest.mark.parametrize(("cells", "steps", "found"), [(30, 40, True), (FEW, 40, False)])
def test_waves_must_be_in_several_cells(cells: int, steps: int, found: bool) -> None:
    waves, ice = Waves(), torch.ones(20, 20, dtype=torch.bool)
    for index in range(steps):
        spread = torch.zeros(400)
        spread[:cells] = 5.0 * (-1) ** index
        waves.see(spread.reshape(20, 20), ice)
    assert waves.found == found


def test_what_settles_is_no_wave() -> None:
    waves, ice = Waves(), torch.ones(20, 20, dtype=torch.bool)
    for index in range(50):
        waves.see(torch.full((20, 20), 8.0 * (-0.7) ** index + 3 * index), ice)
    assert not waves.found
    for index in range(LASTING + 3):
        waves.see(torch.full((20, 20), 3.0 * (-1) ** index), ice)
    assert waves.found
