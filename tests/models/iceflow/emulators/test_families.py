"""The families dahunet and pinnbp: parity with their authors' code, and physics at the edges."""

from __future__ import annotations

import os
import subprocess
import zipfile
from collections.abc import Callable
from importlib import metadata
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy import ndimage
from torch import Tensor

from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.iceflow.emulators.card import FlowParameters
from glacier_qgis.models.iceflow.emulators.fields import (
    friction,
    reference_stress,
    sliding_of,
)
from glacier_qgis.models.iceflow.emulators.listed import depth_mean
from glacier_qgis.models.iceflow.velocity.catalogue import installed_emulators
from glacier_qgis.models.iceflow.velocity.emulator import Emulator
from glacier_qgis.models.iceflow.velocity.validity import field_warnings, setup_warnings
from kit.places import PROGRAMS

DAHUNETS = ("dahunet_micro", "dahunet_mini", "dahunet")
PINNBP = "pinnbp_10_4_cnn_16_32_2_1_a"
CELL, RATE, SLIDING = 120.0, 70.0, 12.0
FLOW = FlowParameters(CELL, RATE, SLIDING)
SLIDING_ICE = FlowParameters(100.0, 78.0, 12.0)
PARITY = 2e-6
"""Of the largest answer: single precision, summed in another order."""
Reader = Callable[[str], Emulator]


@pytest.fixture(scope="module")
def glacier() -> tuple[Tensor, Tensor]:
    """Smooth ice on smooth ground: thickness and surface, m; it does not touch the border."""
    noise = np.random.default_rng(3).normal(size=(2, 84, 76))
    hills, ice = (
        field / np.abs(field).max() for field in ndimage.gaussian_filter(noise, (0, 6, 6))
    )
    thickness = np.zeros_like(ice)
    inner = slice(30, 54), slice(30, 46)
    thickness[inner] = 300 * np.abs(ice[inner])
    surface = 2400 + 500 * hills + 6.0 * np.arange(84)[:, None] + thickness
    return torch.from_numpy(thickness).float(), torch.from_numpy(surface).float()


@pytest.mark.slow
def test_dahunet_equals_the_code_of_its_authors(
    read_emulator: Reader, glacier: tuple[Tensor, Tensor], tmp_path: Path
) -> None:
    """Their slopes are periodic, so the comparison keeps the network's reach off the border."""
    python = os.environ.get("GLACIER_TENSORFLOW_PYTHON")
    if not python:
        pytest.skip("GLACIER_TENSORFLOW_PYTHON (with TensorFlow) is not set")
    emulators = [read_emulator(name) for name in DAHUNETS]
    thickness, surface = glacier
    constants = [torch.full_like(thickness, x) for x in (RATE, reference_stress(SLIDING), CELL)]
    fields = torch.stack([thickness, surface, *constants], dim=-1).flip(0)[None].numpy()
    for index in range(len(DAHUNETS)):
        np.save(tmp_path / f"fields-{index}.npy", fields)
    wheel = metadata.distribution("igm-model")
    authors = wheel.locate_file("igm/processes/iceflow/emulate/utils/architectures")
    files = [installed_emulators()[name] for name in DAHUNETS]
    script = PROGRAMS / "dahunet_reference.py"
    environment = os.environ | {"CUDA_VISIBLE_DEVICES": ""}
    subprocess.run([python, script, str(authors), tmp_path, *files], check=True, env=environment)
    for index, emulator in enumerate(emulators):
        y = np.load(tmp_path / f"answer-{index}.npy")[0, ::-1]
        mean = {
            "ubar": 0.2 * y[..., 0] + 0.8 * y[..., 1],
            "vbar": 0.2 * y[..., 2] + 0.8 * y[..., 3],
        }
        levels = {"uvelbase": 0, "vvelbase": 2, "uvelsurf": 1, "vvelsurf": 3}
        expected = mean | {name: y[..., channel] for name, channel in levels.items()}
        found = emulator.velocity(thickness, surface, FLOW)
        ice = thickness.numpy() > 0
        margin = np.ones_like(ice)
        margin[emulator.radius : -emulator.radius, emulator.radius : -emulator.radius] = False
        ice &= ~margin
        scale = max(float(np.abs(field[ice]).max()) for field in expected.values())
        assert scale > 10
        for name, field in expected.items():
            difference = np.abs(found[name].numpy() - field)[ice].max()
            assert difference < PARITY * scale, (emulator.name, name)


@pytest.mark.parametrize("name", ["dahunet_micro", PINNBP])
def test_only_ice_moves_and_the_rest_of_the_area_changes_nothing(
    read_emulator: Reader, glacier: tuple[Tensor, Tensor], name: str
) -> None:
    emulator = read_emulator(name)
    thickness, surface = glacier
    fields = emulator.velocity(thickness, surface, FLOW)
    whole = emulator.core(thickness[None], surface[None], FLOW)[0]
    for field, everywhere in zip(fields.values(), whole, strict=True):
        assert not field[thickness == 0].any()
        ice = thickness > 0
        torch.testing.assert_close(field[ice], everywhere[ice], rtol=1e-4, atol=2e-3)


@pytest.mark.parametrize("name", DAHUNETS)
def test_the_border_does_not_see_the_opposite_side(read_emulator: Reader, name: str) -> None:
    """A tilted plane: periodic slopes would send the ice at the lower border uphill."""
    emulator = read_emulator(name)
    rows = torch.arange(60.0)[:, None].expand(60, 50)
    thickness = torch.full((60, 50), 150.0)
    surface = 3000 - 0.1 * CELL * rows + thickness
    v = emulator.velocity(thickness, surface, FLOW)["vbar"]
    middle = float(v[25:35, 20:30].mean())
    assert middle < -5
    assert float(v.max()) < 0
    assert float(v[[0, -1]].min()) > 3 * middle


def test_mean_velocity_lies_between_bed_and_surface(
    read_emulator: Reader, glacier: tuple[Tensor, Tensor]
) -> None:
    thickness, surface = glacier
    fields = read_emulator("dahunet_mini").velocity(thickness, surface, FLOW)
    profile = 0.2 * fields["uvelbase"] + 0.8 * fields["uvelsurf"]
    torch.testing.assert_close(fields["ubar"], profile, rtol=1e-4, atol=1e-3)


def test_friction_is_the_stress_of_its_sliding_law() -> None:
    """At τ_b = 0.1 MPa and c = 12 km MPa⁻³ a⁻¹ ice slides by 12 m a⁻¹."""
    assert pytest.approx((0.1 / friction(12.0)) ** 3) == 12_000 * 0.1**3
    assert 12_000 * reference_stress(12.0) ** 3 == pytest.approx(100)
    assert sliding_of(reference_stress(7.0)) == pytest.approx(7)
    assert friction(10.0) == pytest.approx(0.0464, abs=1e-4)


@pytest.mark.parametrize("levels", [2, 5, 10, 30])
def test_depth_mean_is_exact_for_a_linear_profile(levels: int) -> None:
    z = np.linspace(0, 1, levels)
    height = z / 4 * (1 + 3 * z)
    weights = depth_mean(levels)
    assert weights.sum() == pytest.approx(1)
    assert weights @ height == pytest.approx(0.5)


@pytest.mark.parametrize("name", ["dahunet_micro", PINNBP])
def test_no_sliding_is_the_least_that_an_emulator_knows_and_is_reported(
    read_emulator: Reader, glacier: tuple[Tensor, Tensor], name: str
) -> None:
    emulator = read_emulator(name)
    least, _ = emulator.card.hull["slidingco"]
    none, some = (
        emulator.velocity(*glacier, FlowParameters(CELL, RATE, sliding))["ubar"]
        for sliding in (0.0, least)
    )
    torch.testing.assert_close(none, some)
    told = [
        text
        for text in setup_warnings(emulator, FlowParameters(150.0, RATE, 0.0))
        if "SLIDING" in text
    ]
    assert len(told) == 1
    assert f"{least:.4g}" in told[0]


def test_pinnbp_says_that_it_is_unreliable(read_emulator: Reader) -> None:
    emulator = read_emulator(PINNBP)
    assert any("unreliable" in text for text in setup_warnings(emulator, SLIDING_ICE))
    assert "unreliable" in emulator.facts["EMULATOR_CAVEAT"]


@pytest.mark.parametrize("levels", [10, 30])
def test_a_network_may_take_the_rate_factor_on_each_of_its_levels(
    read_emulator: Reader, levels: int
) -> None:
    """Ice on a slope to the south: fastest at its surface, whatever the rate factor is fed as."""
    name = {10: "pinnbp_10_4_cnn_16_32_3_1_a", 30: "pinnbp_30_4_cnn_12_32_3_1_a"}[levels]
    emulator = read_emulator(name)
    row, column = torch.meshgrid(torch.arange(60.0), torch.arange(50.0), indexing="ij")
    thickness = (150 - 0.4 * (column - 25) ** 2 - 0.2 * (row - 30) ** 2).clamp(min=0)
    fields = emulator.velocity(thickness, 3000 - 10 * row + thickness, SLIDING_ICE)
    bed, mean, surface = (
        float(fields[key][25:35, 20:30].mean()) for key in ("vvelbase", "vbar", "vvelsurf")
    )
    assert surface < mean < bed < 0
    assert surface < -5
    assert emulator.card.inputs == ("thk", "usurf", "arrhenius", "slidingco", "dX")


def test_ice_far_thicker_than_in_the_training_is_reported_strongly(read_emulator: Reader) -> None:
    emulator = read_emulator("dahunet_micro")
    thickness = torch.full((20, 20), 2000.0)
    told = field_warnings(emulator, thickness, thickness + 1500, {}, CELL)
    assert set(told) == {"thk"}
    assert "far beyond the 721.3 m" in told["thk"]


@pytest.mark.parametrize("damage", ["truncated", "weights", "other"])
def test_a_damaged_dahunet_is_refused(read_emulator: Reader, tmp_path: Path, damage: str) -> None:
    read_emulator("dahunet_micro")
    source = installed_emulators()["dahunet_micro"]
    target = tmp_path / "mine.keras"
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w") as new:
        config, weights = (old.read(name) for name in ("config.json", "model.weights.h5"))
        if damage == "truncated":
            weights = weights[:5000]
        if damage == "other":
            config = config.replace(b'"nb_layers": 6', b'"nb_layers": 9')
        new.writestr("config.json", config)
        if damage != "weights":
            new.writestr("model.weights.h5", weights)
    with pytest.raises(EngineError, match="is not a network of the dahunet layout"):
        Emulator.read(target)
