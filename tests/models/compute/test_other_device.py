"""The code of graphics cards, on a device that is none: see `kit.other_device`.

No operation mixes devices, none needs double precision where there is none, and results are those
of the CPU.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from affine import Affine
from pyproj import CRS
from torch import Tensor, nn

from glacier_qgis.models.compute import device as choice
from glacier_qgis.models.compute.arrays import Float32Array
from glacier_qgis.models.compute.device import choose_device
from glacier_qgis.models.compute.precision import full_float32
from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.engine.events import Silent
from glacier_qgis.models.engine.outputs import Outputs
from glacier_qgis.models.fronts.segmentation.predictor import Predictor
from glacier_qgis.models.iceflow.dynamics.running import run
from glacier_qgis.models.iceflow.dynamics.simulation import Simulation, Snapshot
from glacier_qgis.models.iceflow.emulators.card import FlowParameters
from glacier_qgis.models.iceflow.instructors.instructor import (
    INSTRUCTORS,
    Instructor,
    InstructorName,
)
from glacier_qgis.models.iceflow.jobs import evaluate_emulator, training_states
from glacier_qgis.models.iceflow.jobs.evaluate_emulator import EvaluateEmulator
from glacier_qgis.models.iceflow.jobs.train_emulator import TrainEmulator
from glacier_qgis.models.iceflow.refining import distance
from glacier_qgis.models.iceflow.refining.refined_ice import RefinedIce, Schedule
from glacier_qgis.models.iceflow.teaching import course
from glacier_qgis.models.iceflow.teaching.measuring import Case
from glacier_qgis.models.iceflow.teaching.states.solved import Solved
from glacier_qgis.models.iceflow.velocity.catalogue import OWN
from glacier_qgis.models.iceflow.velocity.emulator import Emulator
from glacier_qgis.models.iceflow.velocity.flow import EmulatedFlow
from glacier_qgis.models.iceflow.velocity.ice_model import EmulatedIce, IceModel, InstructedIce
from glacier_qgis.models.iceflow.velocity.instructed import InstructedFlow
from glacier_qgis.models.networks.hed import HED
from glacier_qgis.models.networks.unet import UNet
from glacier_qgis.models.radar.layers.predict import LayerNetwork
from glacier_qgis.models.raster.grid import Grid
from glacier_qgis.models.training.fitting import fit
from glacier_qgis.models.training.fitting.fit import Fit
from glacier_qgis.models.training.fitting.fit import Schedule as Steps
from glacier_qgis.models.zones.codes import GLACIER, NO_DATA, OCEAN, ROCK
from kit.iceflow.small_valley import tongue, valley
from kit.other_device import CPU, other_device

CELL = 100.0
BED, ICE = (torch.from_numpy(field(32, 12)[20:].astype("f4")) for field in (valley, tongue))
SLIDING = torch.full(ICE.shape, 6.0)


@pytest.fixture(params=[True, False], ids=["double precision", "single precision"])
def other(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Iterator[torch.device]:
    with other_device(monkeypatch, double=request.param) as device:
        yield device


@pytest.fixture
def capable(monkeypatch: pytest.MonkeyPatch) -> Iterator[torch.device]:
    with other_device(monkeypatch) as device:
        yield device


def emulated(device: torch.device, *, averaged: bool = False) -> EmulatedIce:
    emulator = Emulator.read(OWN / "blatter_pattyn", device=device, averaged=averaged)
    parameters = FlowParameters(CELL, 78.0, SLIDING.to(device))
    return EmulatedIce(emulator, EmulatedFlow(emulator, parameters, BED.to(device)))


def instructed(device: torch.device, name: InstructorName) -> InstructedIce:
    sliding = SLIDING.double().to(device)
    instructor = Instructor(name, CELL, 78.0, sliding, modes=2, tolerance=1e-3)
    return InstructedIce(InstructedFlow(instructor, lambda row, column: ""), device)


def balance(surface: Tensor, time: float) -> Tensor:
    return (0.005 * (surface - 3000)).clamp(max=1)


def evolved(ice: IceModel, years: float) -> Snapshot:
    simulation = Simulation(
        BED.to(ice.device),
        ICE.to(ice.device),
        ice.flow,
        balance,
        cell_size=CELL,
        cfl=0.3,
        limit=ice.longest_step,
    )
    return [*run(simulation, [0.0, years], Silent())][-1]


def test_a_glacier_evolves_with_the_emulator_and_loses_no_mass(other: torch.device) -> None:
    """The steps towards the balance of forces are tensors' there, and Numba's loops on a CPU."""
    there, here = (evolved(emulated(device).in_time(), 1.0) for device in (other, CPU))
    assert there.thickness == pytest.approx(here.thickness, abs=1e-3)
    assert there.u == pytest.approx(here.u, abs=1e-3)
    assert there.budget.residual == pytest.approx(0, abs=1e-6)
    assert there.steps == here.steps > 1


def test_an_average_over_orientations_is_the_same(capable: torch.device) -> None:
    def speed(device: torch.device) -> Float32Array:
        ice = emulated(device, averaged=True)
        found = ice.speeds(["surface_velocity"], ICE.numpy(), (BED + ICE).numpy())
        return found["surface_velocity"]

    assert speed(capable) == pytest.approx(speed(CPU), abs=1e-3)


@pytest.mark.parametrize("name", INSTRUCTORS)
def test_instructors_find_the_same(name: InstructorName, capable: torch.device) -> None:
    there, here = (evolved(instructed(device, name), 0.02) for device in (capable, CPU))
    assert there.u == pytest.approx(here.u, abs=1e-5)


def test_an_emulator_is_refined(capable: torch.device, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(distance, "MOST_SOLVED", 0)  # without the solution to compare with

    def outcome(device: torch.device) -> tuple[float, float]:
        refined = RefinedIce(emulated(device), Schedule(5, 1, 0.0), Silent())
        refined(ICE.to(device), (BED + ICE).to(device))
        (found,) = refined.outcomes
        return found.before, found.after

    assert outcome(capable) == pytest.approx(outcome(CPU), rel=1e-3)


def test_an_emulator_evolves_beside_its_instructor_with_fields_of_coefficients(
    capable: torch.device, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(evaluate_emulator, "STEPS", 1)
    fields = torch.full(ICE.shape, 78.0), SLIDING * torch.rand(ICE.shape)
    state = Solved(CELL, ICE, BED + ICE, *fields, torch.zeros(3, 2, *ICE.shape), 0.0)
    asked = EvaluateEmulator.model_construct(years=0.02, instructor="SIA")
    emulator = Emulator.read(OWN / "blatter_pattyn", device=capable)
    grid = Grid(Affine.scale(CELL, -CELL), CRS.from_epsg(32632), *ICE.shape)
    moments = asked._transient(emulator, [Case("made", state)], grid, Silent())
    assert moments[-1].emulated.time == pytest.approx(0.02)
    assert 0 < moments[-1].rmse < 10


@pytest.fixture
def optimiser(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make steps of single operations: the fused one has a list of devices that it knows."""
    usual = torch.optim.AdamW

    def plain(weights: Any, *, fused: bool, **more: Any) -> torch.optim.Optimizer:  # noqa: ANN401
        return usual(weights, **more)

    monkeypatch.setattr(torch.optim, "AdamW", plain)


def trained(folder: Path, loss: str) -> dict[str, Any]:
    instructor = "SIA" if loss == "L1" else "Blatter-Pattyn"
    more = {
        "instructor": instructor,
        "valleys": 2,
        "states": 1,
        "batch_size": 1,
        "patch": 16,
        "epochs": 1,
        "loss": loss,
    }
    with Outputs("0123abcd") as outputs:
        job = TrainEmulator.model_validate({**more, "output": folder / "mine.zip"})
        return job.run(Silent(), outputs)


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training_states, "SIDE", 16)
    monkeypatch.setattr(course, "LEAST_PATCHES", 2)
    monkeypatch.setattr(course, "LEAST_ENERGIES", 2)


@pytest.mark.usefixtures("optimiser", "short")
def test_an_emulator_is_trained(other: torch.device, tmp_path: Path) -> None:
    found = trained(tmp_path, "L1")
    assert found["EPOCHS_TRAINED"] == 1
    assert np.isfinite(found["L1"])


@pytest.mark.usefixtures("optimiser", "short")
def test_an_emulator_is_trained_on_the_energy(capable: torch.device, tmp_path: Path) -> None:
    assert trained(tmp_path, "energy")["EPOCHS_TRAINED"] == 1


def test_layers_have_the_same_probabilities(other: torch.device) -> None:
    torch.manual_seed(1)
    network = HED(bands=3, width=4, levels=2)
    image = np.random.default_rng(2).normal(size=(3, 37, 50)).astype("f4")

    def found(device: torch.device) -> Float32Array:
        return LayerNetwork(network.eval().to(device), network.stride, device).predict(image)

    here = found(CPU)
    assert found(other) == pytest.approx(here, abs=1e-6)


def test_tiles_have_the_same_probabilities(other: torch.device) -> None:
    tiles = np.random.default_rng(3).normal(size=(2, 2, 32, 32)).astype("f4")

    def found(device: torch.device) -> Float32Array:
        torch.manual_seed(4)
        network = UNet(width=4, levels=1, dilations=(1, 2))
        return Predictor(network, device, [NO_DATA, ROCK, GLACIER, OCEAN], augment=True)(tiles, 0)

    assert found(other) == pytest.approx(found(CPU), abs=1e-6)


def test_a_network_learns_the_same(other: torch.device, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fit, "reduced_precision", lambda device: None)

    def draw(generator: torch.Generator) -> tuple[Tensor, Tensor]:
        image = torch.randn(2, 2, 16, 16, generator=generator)
        return image, torch.where(image[:, 0] > 0, OCEAN, GLACIER)

    def loss(device: torch.device) -> float:
        torch.manual_seed(5)
        network = UNet(width=4, levels=1, dilations=(1, 2))
        return Fit(network, Steps(steps=3), None, 6, device).learn(draw, 3)

    assert loss(other) == pytest.approx(loss(CPU), rel=1e-4)


@pytest.mark.parametrize("asked", ["automatic", "gpu"])
def test_apples_gpu_is_not_taken_for_double_precision(
    asked: choice.DeviceName, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    assert choose_device(asked).type == "mps"
    if asked == "automatic":
        assert choose_device(asked, double=True) == CPU
    else:
        with pytest.raises(EngineError, match="double precision"):
            choose_device(asked, double=True)


def test_networks_keep_cudnn_and_all_bits_of_float32() -> None:
    """`flags` switches off what it is not asked for; so it did with cuDNN."""
    before = torch.backends.cudnn.enabled
    with full_float32():
        assert torch.backends.cudnn.enabled
        assert not torch.backends.cudnn.allow_tf32
    assert torch.backends.cudnn.enabled == before


class Greedy(nn.Module):
    """Has memory for one tile."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[int] = []

    def forward(self, tiles: Tensor) -> Tensor:
        self.asked.append(len(tiles))
        if len(tiles) > 1:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return torch.cat([tiles, -tiles], dim=1)


def test_tiles_are_predicted_in_parts_where_memory_is_short() -> None:
    network = Greedy()
    tiles = np.random.default_rng(5).normal(size=(3, 1, 8, 8)).astype("f4")
    found = Predictor(network, CPU, [GLACIER, OCEAN])(tiles, 0)
    assert network.asked == [3, 2, 1, 1, 1]
    assert found[:, 0] == pytest.approx(1 / (1 + np.exp(-2 * tiles[:, 0])), abs=1e-6)
