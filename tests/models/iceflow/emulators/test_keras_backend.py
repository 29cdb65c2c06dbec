"""Keras models of any architecture, through TensorFlow in a process of its own."""

from __future__ import annotations

import gc
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
import rasterio
import torch
from affine import Affine
from torch import Tensor

from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.iceflow.emulators import keras_backend
from glacier_qgis.models.iceflow.emulators.card import FlowParameters
from glacier_qgis.models.iceflow.emulators.fields import slopes
from glacier_qgis.models.iceflow.emulators.keras_backend import read_keras
from glacier_qgis.models.iceflow.emulators.listed import read_lists
from glacier_qgis.models.iceflow.jobs.velocity import IceVelocity
from glacier_qgis.models.iceflow.velocity.catalogue import installed_emulators
from glacier_qgis.models.iceflow.velocity.emulator import Emulator
from kit.engine.jobs import run_job
from kit.places import PROGRAMS

if TYPE_CHECKING:
    from kit.engine.listener import Listener

CELL = 100.0
FLOW = FlowParameters(CELL, 80.0, 10.0)
INPUTS = "thk 500\nslopsurfx 0.5\nslopsurfy 0.5\narrhenius 100\nslidingco 50\n"
OUTPUTS = "ubar 200\nvbar 200\n"


def state() -> tuple[Tensor, Tensor]:
    """Thickness and surface, m, with an even number of cells per side."""
    generator = torch.Generator().manual_seed(9)
    thickness = torch.zeros(34, 28)
    thickness[10:20, 8:22] = 50 + 200 * torch.rand(10, 14, generator=generator)
    return thickness, 2000 + 30 * torch.rand(34, 28, generator=generator) + thickness


def scaled_from_the_south() -> np.ndarray:
    """What the models take in for that state with A = 80 and c = 10."""
    thickness, surface = state()
    east, north = slopes(surface, CELL)
    constants = torch.full_like(east, 0.8), torch.full_like(east, 0.2)
    fields = torch.stack([thickness / 500, east / 0.5, north / 0.5, *constants], dim=-1)
    return fields.flip(0)[None].numpy()


@pytest.fixture(scope="module")
def python() -> str:
    given = os.environ.get(keras_backend.INTERPRETER)
    if not given:
        pytest.skip(f"{keras_backend.INTERPRETER} (a Python with TensorFlow) is not set")
    return given


@pytest.fixture(scope="module")
def models(python: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("Keras-Modelle für Gletscher")
    np.save(folder / "fields.npy", scaled_from_the_south())
    script = PROGRAMS / "keras_models.py"
    subprocess.run([python, script, folder, folder / "fields.npy"], check=True)
    for model in ("separable", "pooled", "custom"):
        (folder / model / "fieldin.dat").write_text(INPUTS)
        (folder / model / "fieldout.dat").write_text(OUTPUTS)
    return folder


@pytest.mark.slow
@pytest.mark.parametrize(("name", "radius"), [("separable", 4), ("pooled", None)])
def test_a_model_of_another_architecture_answers_as_in_tensorflow_and_ends(
    models: Path, name: str, radius: int | None
) -> None:
    emulator = Emulator.read(models / name)
    assert (emulator.name, emulator.radius) == (name, radius)
    thickness, surface = state()
    found = torch.stack(list(emulator.velocity(thickness, surface, FLOW).values()))
    answer = torch.from_numpy(np.load(models / name / "answer.npy").copy())
    expected = 200 * answer[0].flip(0).permute(2, 0, 1) * (thickness > 0)
    assert float(expected.abs().max()) > 1
    torch.testing.assert_close(found, expected, rtol=0, atol=2e-6 * 200)
    process = emulator.core.network._process
    assert process.poll() is None
    del emulator
    gc.collect()
    assert process.wait(timeout=10) is not None


@pytest.mark.slow
def test_a_published_emulator_is_the_same_in_torch_and_in_tensorflow(
    python: str, f15: Emulator
) -> None:
    weights = installed_emulators()[f15.name] / "model.h5"
    through = Emulator(read_keras(weights, "f15", read_lists(weights)))
    assert through.radius == f15.radius
    for name, field in through.velocity(*state(), FlowParameters(CELL, 78.0, 10.0)).items():
        expected = f15.velocity(*state(), FlowParameters(CELL, 78.0, 10.0))[name]
        torch.testing.assert_close(field, expected, rtol=0, atol=2e-6 * 1000)


@pytest.mark.slow
def test_a_model_with_layers_of_its_own_is_refused_with_the_remedy(models: Path) -> None:
    emulator = Emulator.read(models / "custom")
    assert emulator.radius is None
    with pytest.raises(EngineError, match=r"TensorFlow cannot run .*no custom layers"):
        emulator.velocity(*state(), FLOW)


def test_without_tensorflow_the_extra_is_named(
    models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(keras_backend.INTERPRETER)
    monkeypatch.setattr(keras_backend, "find_spec", lambda name: None)
    with pytest.raises(EngineError, match="'Set up engine' with the extra 'tensorflow'"):
        Emulator.read(models / "pooled")


def test_lists_of_another_emulator_are_refused(models: Path, tmp_path: Path) -> None:
    folder = tmp_path / "pooled"
    shutil.copytree(models / "pooled", folder)
    (folder / "fieldin.dat").write_text(INPUTS + "dX 100\n")
    with pytest.raises(EngineError, match="maps 5 fields to 2, but its lists name 6"):
        Emulator.read(folder)


@pytest.mark.slow
def test_the_job_runs_with_a_keras_file(
    models: Path, write_tif: Callable[..., Path], tmp_path: Path, listener: Listener
) -> None:
    thickness, surface = state()
    upright = Affine(CELL, 0, 400_000, 0, -CELL, 5_150_000)
    job = IceVelocity(
        surface={"path": str(write_tif("s.tif", surface.numpy(), upright))},
        thickness={"path": str(write_tif("h.tif", thickness.numpy(), upright))},
        emulator=str(models / "separable" / "model.h5"),
        rate_factor=80,
        sliding=10,
        velocity_x=tmp_path / "u.tif",
    )
    run_job(job, listener)
    with rasterio.open(tmp_path / "u.tif") as raster:
        found = raster.read(1)
        assert raster.tags()["EMULATOR"] == "separable"
    expected = 200 * np.load(models / "separable" / "answer.npy")[0, ::-1, :, 0]
    ice = thickness.numpy() > 0
    np.testing.assert_array_equal(np.isnan(found), ~ice)
    np.testing.assert_allclose(found[ice], expected[ice], rtol=0, atol=0.01)


def test_a_model_that_does_not_answer_is_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    python = tmp_path / "python"
    python.write_text("#!/bin/sh\nexec sleep 600\n")
    python.chmod(0o755)
    monkeypatch.setattr(keras_backend, "LONGEST", 0.2)
    model = keras_backend.KerasProcess(tmp_path / "model.keras", str(python))
    with pytest.raises(EngineError, match=r"took longer than 0\.2 s"):
        model(torch.zeros(1, 5, 8, 8))
