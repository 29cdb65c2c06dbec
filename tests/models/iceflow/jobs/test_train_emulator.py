"""An emulator is trained by an instructor, resumes, survives divergence, and is measured."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import geopandas as gpd
import netCDF4
import numpy as np
import pytest
import rasterio
import torch
from affine import Affine
from pydantic import ValidationError
from pyproj import CRS

from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.engine.events import Silent
from glacier_qgis.models.engine.outputs import Outputs
from glacier_qgis.models.iceflow.emulators.own_file import read_state
from glacier_qgis.models.iceflow.jobs import training_states
from glacier_qgis.models.iceflow.jobs.evaluate_emulator import EvaluateEmulator
from glacier_qgis.models.iceflow.jobs.train_emulator import TrainEmulator
from glacier_qgis.models.iceflow.snapshots.state import TrainingState
from glacier_qgis.models.iceflow.snapshots.writer import create_snapshots
from glacier_qgis.models.iceflow.teaching import course
from glacier_qgis.models.iceflow.teaching.patches import turned
from glacier_qgis.models.iceflow.teaching.states import sources
from glacier_qgis.models.iceflow.teaching.states.glaciers import Where, grouped, held_out
from glacier_qgis.models.iceflow.teaching.states.solved import Solved, solve, solve_with
from glacier_qgis.models.iceflow.teaching.states.states import State, random_state
from glacier_qgis.models.raster.grid import Grid


class Told(Silent):
    """Keeps what a job says."""

    def __init__(self) -> None:
        self.logs: list[str] = []
        self.warnings: list[str] = []

    def log(self, message: str) -> None:
        self.logs.append(message)

    def warning(self, message: str) -> None:
        self.warnings.append(message)


KEPT: dict[object, Solved] = {}
"""States that several tests train on."""


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Make small states, each once, and short epochs."""
    real = sources.Maker._state

    def state(self: sources.Maker, number: int, index: int, *given: Any, **more: Any) -> Solved:  # noqa: ANN401
        key = (self.how, number, index)
        if self.how.instructor != "SIA" or sources.solve_with is not solve_with:
            return real(self, number, index, *given, **more)
        if key not in KEPT:
            KEPT[key] = real(self, number, index, *given, **more)
        return KEPT[key]

    monkeypatch.setattr(sources.Maker, "_state", state)
    monkeypatch.setattr(training_states, "SIDE", 24)
    monkeypatch.setattr(course, "LEAST_PATCHES", 32)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def options(folder: Path, **more: object) -> dict[str, Any]:
    return {
        "valleys": 4,
        "states": 2,
        "instructor": "SIA",
        "network": "plain convolutions",
        "layers": 3,
        "filters": 8,
        "patch": 16,
        "batch_size": 8,
        "epochs": 3,
        "learning_rate": 0.003,
        "output": folder / "mine.zip",
        **more,
    }


def run(given: dict[str, Any], told: Told | None = None) -> dict[str, Any]:
    with Outputs("0123abcd") as outputs:
        return TrainEmulator.model_validate(given).run(told or Told(), outputs)


def card(path: Path) -> dict[str, Any]:
    with zipfile.ZipFile(path) as file:
        return dict(json.loads(file.read("card.json")))


def test_a_network_learns_shallow_ice_of_unseen_valleys(tmp_path: Path) -> None:
    """The pyramid begins near shallow ice; some steps bring Eq. 7 below 10 % on other valleys."""
    more = {"network": "pyramid", "loss": "relative", "epochs": 5, "batch_size": 2}
    told = Told()
    report = tmp_path / "report.html"
    found = run(options(tmp_path, report=report, **more), told)
    assert found["EQ7"] < 10
    assert found["BEST_EPOCH"] > 0
    said = card(tmp_path / "mine.zip")
    trained, held = said["training"]["topographies"], said["training"]["held_out"]
    assert len(trained) == 3
    assert len(held) == 1
    assert not set(trained) & set(held)
    assert said["fidelity"]["all"]["eq7_percent"] == pytest.approx(found["EQ7"], abs=0.01)
    assert said["hull"]["slidingco"][1] <= 77
    assert said["licence"] == "GPL-3.0-or-later"
    text = report.read_text(encoding="utf-8")
    for words in ("Eq. 7", "held-out topographies", "qgis_process run glacier:trainemulator"):
        assert words in text
    assert not (tmp_path / "mine.zip.state").exists()


def test_plain_convolutions_get_better_than_saying_that_nothing_moves(tmp_path: Path) -> None:
    found = run(options(tmp_path, epochs=25, batch_size=4, learning_rate=0.01))
    assert card(tmp_path / "mine.zip")["fidelity"]["all"]["sums_percent"] < 90
    assert found["WEIGHTS"] == sum(w.numel() for w in read_state(tmp_path / "mine.zip").values())


def test_a_resumed_training_equals_one_without_a_stop(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    for folder in (whole, parts):
        folder.mkdir()
    run(options(whole))
    real, calls = course.Course._train, []

    def cut(self: course.Course, reporter: Silent) -> float:
        calls.append(1)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return real(self, reporter)

    monkeypatch.setattr(course.Course, "_train", cut)
    with pytest.raises(KeyboardInterrupt):
        run(options(parts))
    assert (parts / "mine.zip").is_file()  # the best so far
    monkeypatch.setattr(course.Course, "_train", real)
    told = Told()
    run(options(parts), told)
    assert any("Resuming" in line for line in told.logs)
    one, other = (read_state(folder / "mine.zip") for folder in (whole, parts))
    for name, weight in one.items():
        torch.testing.assert_close(other[name], weight, rtol=0, atol=0)


def test_an_absurd_learning_rate_leaves_finite_weights(tmp_path: Path) -> None:
    told = Told()
    found = run(options(tmp_path, learning_rate=10.0, epochs=4), told)
    assert any("last good weights" in line for line in told.warnings)
    assert np.isfinite(found["L1"])
    assert card(tmp_path / "mine.zip")["fidelity"]["all"]["sums_percent"] <= 100.1


def test_it_stops_early(tmp_path: Path) -> None:
    told = Told()
    found = run(options(tmp_path, learning_rate=1e-9, epochs=50, patience=2), told)
    assert found["EPOCHS_TRAINED"] < 50
    assert any("Stopped early" in line for line in told.logs)


def test_topographies_are_selected_by_their_test_loss(tmp_path: Path) -> None:
    told = Told()
    run(options(tmp_path, valleys=6, states=1, selection=True, epochs=3), told)
    added = [line for line in told.logs if "trained on from now on" in line]
    said = card(tmp_path / "mine.zip")["training"]
    assert len(said["topographies"]) + len(said["held_out"]) <= 6
    assert all("exceeds the training loss" in line for line in added)


def grid_at(column: int, shape: tuple[int, int]) -> Grid:
    west = 400_000 + 100_000 * column
    return Grid(CRS("EPSG:32632"), Affine(100, 0, west, 0, -100, 5_100_000), *shape)


def snapshots(path: Path, column: int = 0, *, seed: int = 1, base: bool = True) -> Path:
    """Write two states of a glacier with the flow of shallow ice."""
    grid = grid_at(column, (32, 32))
    with create_snapshots(
        path,
        grid,
        "SIA",
        {"SOFTWARE": "test", "CREATED": "now", "ALGORITHM": "test"},
        ("uvelbase", "vvelbase", "uvelsurf", "vvelsurf") if base else (),
    ) as file:
        for state in _states(seed):
            file.append(state if base else replace(state, base=None, top=None))
    return path


def _states(seed: int) -> Iterator[TrainingState]:
    for number in range(2):
        rng = np.random.default_rng([seed, number])
        state: State = random_state(rng, 32, cell_size=100.0, shallow=True)
        found = solve(state, instructor="SIA")
        mean, bed, top = found.velocity.float().numpy()
        fields = (found.thickness, found.surface, found.rate_factor, found.sliding)
        yield TrainingState(
            *(field.float().numpy() for field in fields), mean, bed, top, float(number), "", 0.0
        )


def test_snapshots_are_split_by_place(tmp_path: Path) -> None:
    """Two files of one glacier are on the same side."""
    files = [
        snapshots(tmp_path / "a.nc", 0, seed=1),
        snapshots(tmp_path / "b.nc", 0, seed=2),
        snapshots(tmp_path / "c.nc", 2, seed=3),
    ]
    run(options(tmp_path, valleys=0, snapshots=files, epochs=1))
    said = card(tmp_path / "mine.zip")["training"]
    assert sorted([*said["topographies"], *said["held_out"]]) == ["a and b", "c"]


def test_one_topography_cannot_be_split(tmp_path: Path) -> None:
    told = Told()
    files = [snapshots(tmp_path / "a.nc", base=False)]
    run(options(tmp_path, valleys=0, snapshots=files, epochs=1), told)
    assert any("VALLEYS to be made" in line for line in told.warnings)
    assert any("bed and the surface" in line for line in told.warnings)
    said = card(tmp_path / "mine.zip")
    assert said["fidelity"]["measured_on"] == "the topographies trained on"
    assert list(said["outputs"]) == ["ubar", "vbar"]


def test_an_emulator_is_adapted_and_keeps_its_hull(tmp_path: Path) -> None:
    (tmp_path / "first").mkdir()
    first = run(options(tmp_path / "first", epochs=2))
    start = str(tmp_path / "first" / "mine.zip")
    more = {"start_from": start, "seed": 2, "epochs": 1, "max_sliding": 1.0, "valleys": 2}
    told = Told()
    second = run(options(tmp_path, **more), told)
    assert second["WEIGHTS"] == first["WEIGHTS"]
    said = card(tmp_path / "mine.zip")
    assert said["training"]["started_from"] == "mine"
    assert said["hull"]["slidingco"][1] >= card(Path(start))["hull"]["slidingco"][1]
    with pytest.raises(EngineError, match="must not be replaced"):
        run(options(tmp_path, start_from=str(tmp_path / "mine.zip")))
    with pytest.raises(EngineError, match="emulator of IGM"):
        run(options(tmp_path, start_from=_igm(tmp_path)))


def _igm(folder: Path) -> str:
    path = folder / "100"
    path.mkdir()
    (path / "model.h5").write_bytes(b"")
    for name in ("fieldin.dat", "fieldout.dat"):
        (path / name).write_text("thk 1\nubar 1\nvbar 1\n")
    return str(path)


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"valleys": 0}, "VALLEYS to be made"),
        ({"kernel": 4}, "odd number"),
        ({"loss": "energy"}, "Blatter-Pattyn"),
        ({"loss": "energy", "instructor": "Blatter-Pattyn", "selection": True}, "L1 and energy"),
    ],
)
def test_what_does_not_fit_together_is_refused(
    tmp_path: Path, more: dict[str, object], words: str
) -> None:
    with pytest.raises(ValidationError, match=words):
        TrainEmulator.model_validate(options(tmp_path, **more))


def test_an_instructor_that_does_not_converge_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unbalanced(*given: Any, **more: Any) -> Any:  # noqa: ANN401
        result, found = solve_with(*given, **more)
        return result, replace(found, residual=0.03, worst=(4, 7))

    monkeypatch.setattr(sources, "solve_with", unbalanced)
    told = Told()
    with pytest.raises(EngineError, match="raise TOLERANCE"):
        run(options(tmp_path, valleys=1, states=2), told)
    assert len(told.warnings) == 2
    assert all("by 0.03 of the driving stress" in line for line in told.warnings)
    assert all("row 5, column 8" in line for line in told.warnings)


def test_variables_that_are_missing_are_named(tmp_path: Path) -> None:
    path = tmp_path / "other.nc"
    with netCDF4.Dataset(path, "w") as file:
        for name in ("x", "y"):
            file.createDimension(name, 20)
            file.createVariable(name, "f8", (name,))[:] = np.arange(20) * 100.0
            file[name].units = "m"
        file.createVariable("thk", "f4", ("y", "x"))[:] = 100.0
    with pytest.raises(EngineError, match="ubar"):
        run(options(tmp_path, valleys=0, snapshots=[path], model_crs="EPSG:32632"))


def test_a_topography_smaller_than_a_patch_is_refused(tmp_path: Path) -> None:
    raster = small_raster(
        tmp_path / "small.tif", np.random.default_rng(1).uniform(0, 900, (12, 12))
    )
    with pytest.raises(EngineError, match="smaller PATCH"):
        run(options(tmp_path, valleys=0, topographies=[{"path": str(raster)}]))
    flat = small_raster(tmp_path / "flat.tif", np.full((40, 40), 100.0))
    with pytest.raises(EngineError, match="too flat"):
        run(options(tmp_path, valleys=0, topographies=[{"path": str(flat)}]))


def small_raster(path: Path, values: np.ndarray) -> Path:
    grid = grid_at(0, (values.shape[0], values.shape[1]))
    with rasterio.open(
        path,
        "w",
        driver="GTiff",
        width=values.shape[1],
        height=values.shape[0],
        count=1,
        dtype="float32",
        crs=grid.crs.to_wkt(),
        transform=grid.transform,
    ) as file:
        file.write(values.astype("float32"), 1)
    return path


def test_an_emulator_is_evaluated_by_sliding_and_on_the_map(tmp_path: Path) -> None:
    run(options(tmp_path, epochs=1))
    (tmp_path / "other").mkdir()
    run(options(tmp_path / "other", epochs=1, network="pyramid", loss="relative"))
    (tmp_path / "other" / "mine.zip").rename(tmp_path / "pyramid.zip")
    files = [snapshots(tmp_path / "a.nc", seed=9)]
    given = {
        "emulator": str(tmp_path / "pyramid.zip"),
        "compare_with": str(tmp_path / "mine.zip"),
        "snapshots": files,
        "instructor": "SIA",
        "years": 1,
        "ela": 0,
        **{name: tmp_path / f"e.{end}" for name, end in (("error", "tif"), ("report", "html"))},
        "output": tmp_path / "e.gpkg",
        "series": tmp_path / "s.gpkg",
    }
    with Outputs("0123abcd") as outputs:
        found = EvaluateEmulator.model_validate(given).run(Told(), outputs)
    table = gpd.read_file(tmp_path / "e.gpkg")
    whole = table[table["kind"] == "all"].set_index("emulator")
    assert list(whole.index) == ["pyramid", "mine"]
    assert whole.loc["pyramid", "eq7"] < whole.loc["mine", "eq7"]
    assert whole.loc["pyramid", "l1"] == pytest.approx(found["L1"])
    assert (whole["milliseconds"] > 0).all()
    for name in ("pyramid", "mine"):
        stored = sum(weight.numel() for weight in read_state(tmp_path / f"{name}.zip").values())
        assert whole.loc[name, "weights"] == stored
    parts = table[(table["kind"] == "sliding") & (table["emulator"] == "pyramid")]
    assert parts["cells"].sum() == whole.loc["pyramid", "cells"]
    with rasterio.open(tmp_path / "e.tif") as file:
        assert file.count == 2
        errors = file.read(masked=True)
    assert 0 < errors.mean() < 2 * found["L1"]
    series = gpd.read_file(tmp_path / "s.gpkg")
    assert series["thickness_RMSE"].iloc[0] == 0
    assert series["thickness_RMSE"].iloc[-1] == pytest.approx(found["RMSE"])
    text = (tmp_path / "e.html").read_text(encoding="utf-8")
    assert "3 × 8 × 3" in text
    assert "Transient" in text


def test_turning_an_example_turns_its_vectors() -> None:
    example = torch.zeros(12, 3, 3)
    example[0, 0, 1] = 1.0  # ice in the north
    example[2, 0, 1] = 1.0  # with a slope to the north
    west = turned(example, 1, mirrored=False)
    assert west[0, 1, 0] == 1
    assert (float(west[1, 1, 0]), float(west[2, 1, 0])) == (-1, 0)
    again = turned(west, 3, mirrored=False)
    torch.testing.assert_close(again, example)
    assert float(turned(west, 0, mirrored=True)[1, 1, 2]) == 1


def test_places_that_touch_are_one_and_some_are_held_out() -> None:
    one, other = Where(7, 46, 8, 47), Where(9, 46, 10, 47)
    between = Where(7.5, 46, 9.5, 47)
    assert grouped([one, None, other]) == [[0], [1], [2]]
    assert grouped([one, None, other, between]) == [[0, 2, 3], [1]]
    assert held_out(1, 0.2, 1) == frozenset()
    for count in (2, 5, 10):
        assert len(held_out(count, 0.2, 1)) == max(round(0.2 * count), 1)
    assert held_out(10, 0.2, 1) == held_out(10, 0.2, 1) != held_out(10, 0.2, 2)
