"""Time steps of emulated ice that spreads by diffusion, on cells that are large for it."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from glacier_qgis.models.iceflow.dynamics.simulation import Limit, Simulation
from glacier_qgis.models.iceflow.emulators.card import FlowParameters
from glacier_qgis.models.iceflow.instructors.shallow_ice import diffusivity
from glacier_qgis.models.iceflow.velocity.catalogue import OWN
from glacier_qgis.models.iceflow.velocity.emulator import Emulator
from glacier_qgis.models.iceflow.velocity.flow import EmulatedFlow
from glacier_qgis.models.iceflow.velocity.ice_model import EmulatedIce
from glacier_qgis.models.iceflow.velocity.spreading import spreading_step

CELL, RATE, SLIDING, YEARS = 2000.0, 78.0, 6.0, 15.0


def cap() -> tuple[Tensor, Tensor]:
    """Return bed and thickness of an ice cap on hills, m."""
    axis = torch.arange(36.0) - 17.5
    radius = torch.hypot(axis[:, None], axis) / 14
    bed = 150 * torch.sin(0.9 * axis)[:, None] * torch.cos(0.7 * axis) + 400 * (1 - radius)
    return bed, 700 * (1 - radius.square()).clamp(min=0).sqrt()


@pytest.fixture(scope="module")
def ice() -> EmulatedIce:
    emulator = Emulator.read(OWN / "blatter_pattyn")
    flow = EmulatedFlow(emulator, FlowParameters(CELL, RATE, SLIDING), cap()[0])
    return EmulatedIce(emulator, flow)


def after(ice: EmulatedIce, limit: Limit | None, cfl: float = 0.3) -> Simulation:
    simulation = Simulation(
        *cap(),
        ice.flow,
        lambda surface, _: torch.zeros_like(surface),
        cell_size=CELL,
        cfl=cfl,
        limit=limit,
    )
    while simulation.time < YEARS:
        simulation.step(YEARS)
    return simulation


def test_the_limit_of_diffusion_keeps_coarse_cells_right(ice: EmulatedIce) -> None:
    free, limited = after(ice, None), after(ice, ice.longest_step)
    fine = after(ice, lambda *state: 0.2 * ice.longest_step(*state), cfl=0.06)

    def error(run: Simulation) -> float:
        return float((run.thickness - fine.thickness).square().mean().sqrt())

    assert free.steps < limited.steps < fine.steps
    assert error(limited) < 0.3 * error(free)
    assert error(limited) < 1.5


def test_it_is_that_of_shallow_ice_or_of_the_flux_whichever_is_longer() -> None:
    """On thin ice, where stresses of the neighbours do not matter."""
    bed, thickness = cap()
    thin = thickness / 20
    shape = thin, bed + thin
    parameters = FlowParameters(CELL, RATE, 0.0)
    most = float(diffusivity(*shape, CELL, RATE, 0.0).max())
    fast, slow = (torch.full_like(bed, speed) for speed in (1e9, 0.0))
    assert spreading_step(*shape, fast, parameters) == pytest.approx(
        0.25 * CELL**2 / most, rel=0.01
    )
    assert spreading_step(*shape, slow, parameters) == math.inf
    assert spreading_step(0 * thin, bed, fast, parameters) == math.inf
    softer = FlowParameters(CELL, torch.full_like(bed, 2 * RATE), 0.0)
    assert spreading_step(*shape, fast, softer) == pytest.approx(
        0.5 * spreading_step(*shape, fast, parameters)
    )
