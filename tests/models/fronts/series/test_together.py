"""A series whose scenes are seen beside each other, by a model that has a network for it."""

from __future__ import annotations

import datetime
import json
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import rasterio
import torch
from affine import Affine
from pandas.testing import assert_frame_equal

from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.engine.events import Result
from glacier_qgis.models.fronts.jobs import series as job
from glacier_qgis.models.fronts.jobs.series import TerminusTimeSeries
from glacier_qgis.models.fronts.series import first_pass
from glacier_qgis.models.fronts.series.first_pass import Watch, run_here
from glacier_qgis.models.fronts.series.task import (
    PROBABILITY,
    RANKS,
    ZONES,
    Outcome,
    SceneTask,
)
from glacier_qgis.models.package.folder import load_package, read_card
from glacier_qgis.models.training.data.samples import LabelledScene
from glacier_qgis.models.training.measuring.evaluator import Evaluator
from glacier_qgis.models.training.views.series import SeriesScenes
from glacier_qgis.models.zones.codes import PROBABILITY_STEPS
from kit.engine.jobs import run_job
from kit.engine.listener import Listener
from kit.engine.rasters import write_raster

CELL, SIZE = 60.0, 96
INNER = np.s_[:, 30:-30, 30:-30]
"""Cells that do not see what lies beyond the scene, which tiles pad and whole scenes do not."""
DATES = [datetime.date(2016, month, 5) for month in (1, 2, 6, 7, 11)]


def picture(number: int) -> np.ndarray:
    """A landscape with a dark fjord whose head retreats, and speckle of its own."""
    random = np.random.default_rng(number)
    rows, columns = np.indices((SIZE, SIZE))
    ice = 140 + 60 * np.sin(rows / 9) * np.sin(columns / 13)
    land = np.where(columns > 60 - 4 * number, 40, ice)
    return np.clip(land * random.gamma(4, 1 / 4, land.shape), 1, 255).astype(np.uint8)


def scenes() -> list[LabelledScene]:
    blank = np.zeros((SIZE, SIZE), np.uint8)
    return [
        LabelledScene(
            f"scene_{date:%Y%m%d}",
            "here",
            date.isoformat(),
            picture(number),
            blank,
            blank > 0,
            (CELL, CELL),
        )
        for number, date in enumerate(DATES)
    ]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with the scenes as GeoTIFFs, their cells those of the model."""
    path = tmp_path / "scenes ü"
    path.mkdir()
    for scene in scenes():
        write_raster(
            path / f"{scene.name}.tif",
            scene.image,
            Affine(CELL, 0, 480_000, 0, -CELL, 7_200_000),
            crs="EPSG:32624",
        )
    return path


def run(folder: Path, model: Path, /, **given: object) -> tuple[Result, Listener, gpd.GeoDataFrame]:
    lines = folder.parent / "lines.gpkg"
    lines.unlink(missing_ok=True)
    parameters = {"folder": folder, "model": str(model), "output": lines, "min_confidence": 0}
    parameters |= {"min_length": 300, "work_folder": folder.parent / "work"} | given
    listener = Listener()
    result = run_job(TerminusTimeSeries.model_validate(parameters), listener)
    return result, listener, gpd.read_file(lines)


def stored(work: Path) -> dict[str, np.ndarray]:
    """Return the probabilities of every scene that lies in a work folder."""
    found = {}
    for path in work.glob(f"*/{PROBABILITY}"):
        with rasterio.open(path) as dataset:
            found[Path(dataset.tags()["SCENE"]).stem] = dataset.read() / PROBABILITY_STEPS
    return found


@pytest.mark.slow
def test_the_network_sees_in_files_what_it_saw_in_training(
    folder: Path, tiny_series_model: Path
) -> None:
    run(folder, tiny_series_model)
    network = load_package(tiny_series_model).for_series().network
    evaluator = Evaluator(network, torch.device("cpu"), CELL)
    answers = {
        a.tile.name: a.probabilities for a in evaluator.answers(SeriesScenes(scenes()).members())
    }
    found = stored(folder.parent / "work")
    assert set(found) == set(answers)
    for name, probabilities in answers.items():
        np.testing.assert_allclose(
            found[name][INNER], probabilities[INNER], atol=1.01 / PROBABILITY_STEPS
        )
    alone = {
        a.tile.name: a.probabilities
        for a in Evaluator(
            load_package(tiny_series_model).network, torch.device("cpu"), CELL
        ).answers(scenes())
    }
    assert max(np.abs(found[name] - alone[name]).max() for name in alone) > 0.1


def test_the_clearest_scene_is_a_companion_of_all_within_half_a_year(
    folder: Path, tiny_series_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tasks: list[SceneTask] = []

    def spied(given: Sequence[SceneTask], watch: Watch) -> Iterator[tuple[SceneTask, Outcome]]:
        tasks.extend(given)
        return run_here(given, watch)

    july = datetime.date(2016, 7, 5)
    monkeypatch.setattr(job, "run_here", spied)
    monkeypatch.setattr(first_pass, "clearness", lambda day, *_: 1.0 + (day == july))
    run(folder, tiny_series_model)
    ranks = {task.folder: Path(task.source.path).stem for task in tasks if task.step == "ranks"}
    near = {
        Path(task.source.path).stem: {ranks[path.parent] for path in task.companions.near}
        for task in tasks
        if task.companions
    }
    assert near["scene_20160105"] == {"scene_20160205", "scene_20160605", "scene_20160705"}
    assert "scene_20160705" in near["scene_20160205"] & near["scene_20161105"]


@pytest.mark.slow
def test_results_name_the_network_that_made_them(folder: Path, tiny_series_model: Path) -> None:
    card = read_card(tiny_series_model)
    assert card.series is not None
    together = run(folder, tiny_series_model)[2]
    assert set(together["model_hash"]) == {card.series.weights.sha256}
    apart = run(folder, tiny_series_model, consistent=False)[2]
    assert set(apart["model_hash"]) == {card.weights.sha256}
    for path in sorted(folder.iterdir())[1:]:
        path.unlink()
    alone = run(folder, tiny_series_model)[2]
    assert set(alone["model_hash"]) == {card.weights.sha256}


@pytest.mark.slow
def test_a_scene_that_fails_is_no_companion_and_is_reported_once(
    folder: Path, tiny_series_model: Path
) -> None:
    (folder / "scene_20160901.tif").write_bytes(b"no picture")
    result, listener, _ = run(folder, tiny_series_model)
    assert (result["SCENES"], result["FAILED"]) == (len(DATES) + 1, 1)
    told = [text for text in listener.warnings if "scene_20160901.tif failed" in text]
    assert len(told) == 1
    with_it = stored(folder.parent / "work")
    (folder / "scene_20160901.tif").unlink()
    _, listener, _ = run(folder, tiny_series_model)
    assert f"{len(DATES)} scenes were segmented before and are not computed again." in listener.logs
    assert set(with_it) == set(stored(folder.parent / "work"))


@pytest.mark.slow
def test_what_was_looked_at_is_kept_and_a_new_scene_changes_what_the_others_show(
    folder: Path, tiny_series_model: Path
) -> None:
    last = sorted(folder.iterdir())[-1]
    away = folder.parent / last.name
    last.rename(away)
    run(folder, tiny_series_model)
    work = folder.parent / "work"
    looked_at = {path: path.stat().st_mtime_ns for path in work.glob(f"*/{RANKS}")}
    assert len(looked_at) == len(DATES) - 1
    away.rename(last)
    run(folder, tiny_series_model)
    assert all(path.stat().st_mtime_ns == time for path, time in looked_at.items())
    assert len(list(work.glob(f"*/{RANKS}"))) == len(DATES)
    assert len(list(work.glob(f"*/{ZONES}"))) == 2 * len(DATES) - 1


@pytest.mark.slow
def test_a_scene_listed_twice_is_not_its_own_companion(
    folder: Path, tiny_series_model: Path
) -> None:
    paths = [{"path": str(path)} for path in sorted(folder.iterdir())]
    once = run(folder, tiny_series_model, folder=None, input=paths)[2]
    twice = run(folder, tiny_series_model, folder=None, input=[*paths, paths[0]])[2]
    assert once.geometry.iloc[0].equals(twice.geometry.iloc[0])


def test_a_network_that_expects_other_companions_is_refused_with_the_remedy(
    folder: Path, tiny_series_model: Path
) -> None:
    other = folder.parent / "other"
    shutil.copytree(tiny_series_model, other)
    card = json.loads((other / "card.json").read_text())
    card["series"]["channels"].insert(1, "surface slope")
    (other / "card.json").write_text(json.dumps(card))
    with pytest.raises(EngineError, match="needs 6 channels, and this version provides 5"):
        run(folder, other)


def counted(lines: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """The lines that are no duplicates, with what is said of them."""
    told = ["date", "length_m", "confidence", "uncertainty_m", "outlier", "geometry"]
    return lines[lines["duplicate"] == 0][told].reset_index(drop=True)


def copies_of_all_kinds(folder: Path) -> int:
    """Copy scenes as downloads and people do; return how many there are more."""
    first, second, *_, last = sorted(folder.iterdir())
    for number in range(4):
        shutil.copy(first, folder / f"{first.stem}_copy{number}.tif")
    shutil.copy(second, folder / "no date.tif")
    shutil.copy(second, folder / "zz_20160303.tif")
    with rasterio.open(last) as source:
        profile, values = source.profile, source.read()
    with rasterio.open(folder / f"z{last.stem}_hv.tif", "w", **profile) as other:
        other.write(255 - values)
    with rasterio.open(folder / f"z{last.stem}_packed.tif", "w", **profile, compress="lzw") as same:
        same.write(values)
    return 8


@pytest.mark.slow
@pytest.mark.parametrize("model", ["tiny_model", "tiny_series_model"])
def test_copies_of_scenes_change_nothing(
    folder: Path, model: str, request: pytest.FixtureRequest
) -> None:
    package = request.getfixturevalue(model)
    _, _, once = run(folder, package)
    assert len(once) > 0
    more = copies_of_all_kinds(folder)
    for work in ("work", "another"):  # resumed, and from the beginning
        result, listener, several = run(folder, package, work_folder=folder.parent / work)
        assert result["SCENES"] == len(DATES) + more
        assert_frame_equal(pd.DataFrame(counted(several)), pd.DataFrame(counted(once)))
        assert any(
            f"{more} of {len(DATES) + more} scenes duplicate another one" in w
            for w in listener.warnings
        )


def test_where_the_first_of_two_copies_fails_the_second_counts(
    folder: Path, tiny_series_model: Path
) -> None:
    _, _, once = run(folder, tiny_series_model)
    first = sorted(folder.iterdir())[0]
    shutil.copy(first, folder / "zscene_20160105.tif")
    first.write_bytes(first.read_bytes()[:600])
    _, listener, again = run(folder, tiny_series_model)
    assert not any("duplicate another one" in warning for warning in listener.warnings)
    same = pd.DataFrame(counted(again)).drop(columns="date")
    assert_frame_equal(same, pd.DataFrame(counted(once)).drop(columns="date"))
