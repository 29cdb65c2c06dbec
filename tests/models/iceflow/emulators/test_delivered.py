"""The emulator that comes with the program, beside its instructor and the published ones."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from glacier_qgis.models.iceflow.dynamics.simulation import Simulation
from glacier_qgis.models.iceflow.emulators.card import FlowParameters
from glacier_qgis.models.iceflow.emulators.pyramid.core import PyramidCore
from glacier_qgis.models.iceflow.instructors.higher_order import higher_order
from glacier_qgis.models.iceflow.instructors.shallow_ice import shallow_ice
from glacier_qgis.models.iceflow.jobs.simulate import SimulateGlacier
from glacier_qgis.models.iceflow.velocity.catalogue import OWN, installed_emulators
from glacier_qgis.models.iceflow.velocity.emulator import Emulator
from glacier_qgis.models.iceflow.velocity.flow import EmulatedFlow
from kit.engine.jobs import run_job
from kit.engine.listener import Listener
from kit.iceflow.small_valley import Inputs, tongue, valley

NAME = "blatter_pattyn"
CELL, RATE = 100.0, 78.0


@pytest.fixture(scope="module")
def delivered() -> Emulator:
    return Emulator.read(OWN / NAME)


def state() -> tuple[Tensor, Tensor]:
    """Return thickness and surface of ice in a valley, m."""
    ground, ice = valley(), tongue()
    return torch.from_numpy(ice), torch.from_numpy(ground + ice)


def mean_flow(emulator: Emulator, c: float) -> Tensor:
    fields = emulator.velocity(*state(), FlowParameters(CELL, RATE, c))
    return torch.stack([fields["ubar"], fields["vbar"]])


def error(found: Tensor, true: Tensor) -> float:
    return float((found - true).abs().sum() / true.abs().sum())


def test_it_is_there_without_a_download(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GLACIER_DATA", raising=False)
    assert installed_emulators()[NAME] == OWN / NAME
    files = sorted(path.name for path in (OWN / NAME).iterdir())
    assert files == ["card.json", "weights.safetensors"]
    assert sum(path.stat().st_size for path in (OWN / NAME).iterdir()) < 4e6


@pytest.mark.parametrize("c", [0.0, 12.0, 70.0])
def test_it_is_nearer_to_its_instructor_than_shallow_ice_and_f15(
    delivered: Emulator, read_emulator: Callable[[str], Emulator], c: float
) -> None:
    true = higher_order(*state(), CELL, RATE, c).mean
    own = error(mean_flow(delivered, c), true)
    shallow = shallow_ice(*state(), CELL, RATE, c).mean
    assert own < 0.35
    assert own < 0.5 * error(shallow, true)
    assert own < error(mean_flow(read_emulator("f15_cfsflow_GJ_22_a/100"), c), true)


def test_a_dome_stays_round(delivered: Emulator) -> None:
    """It flattens on a plain; steps are short, as long ones make waves out of rounding."""
    axis = (torch.arange(49.0) - 24) * 200
    radius = torch.hypot(axis[:, None], axis) / 4000
    thickness = 300 * (1 - radius.square()).clamp(min=0)
    flow = EmulatedFlow(delivered, FlowParameters(200.0, RATE, 5.0))
    run = Simulation(
        torch.zeros_like(thickness),
        thickness,
        flow,
        lambda surface, _: torch.zeros_like(surface),
        cell_size=200.0,
        cfl=0.3,
        max_step=0.2,
    )
    while run.time < 10:
        run.step(10.0)
    dome = run.thickness
    assert float(dome.max()) < 290
    for turned in (dome.T, dome.flip(0), dome.flip(1), torch.rot90(dome, 1)):
        torch.testing.assert_close(dome, turned, rtol=0, atol=0.3)


def test_sliding_may_be_a_field(delivered: Emulator) -> None:
    """Where ice is frozen to its bed it is slower, and so is the ice beside it."""
    assert isinstance(delivered.core, PyramidCore)
    thickness, surface = (field[None] for field in state())
    slip = torch.full_like(thickness[0], 25.0)
    free = delivered.core.moving(thickness, surface, CELL, RATE, slip)[0]
    slip[20:30] = 0
    held = delivered.core.moving(thickness, surface, CELL, RATE, slip)[0]
    ice = thickness[0] > 20
    speed = [torch.hypot(field[2], field[3]) for field in (free, held)]

    def ratio(rows: slice) -> float:
        before, after = (field[rows][ice[rows]].mean() for field in speed)
        return float(after / before)

    assert float(held[:2, 20:30].abs().max()) == 0
    assert ratio(slice(20, 30)) < 0.7
    assert ratio(slice(31, 33)) < 0.95


def test_a_glacier_evolves_with_it(
    valley_files: Inputs, tmp_path: Path, listener: Listener
) -> None:
    result = run_job(
        SimulateGlacier(
            **valley_files, ela=3000, end=30, emulator=NAME, sliding=6, thickness=tmp_path / "h.tif"
        ),
        listener,
    )
    assert result["ABOUT"]["MODEL"] == NAME
    assert np.isfinite(result["VOLUME"])
    assert result["VOLUME"] > 0
    assert result["ADDED_BY_CLIPPING"] < 0.02 * result["VOLUME"]
    assert 5 < result["MAX_SPEED"] < 500
