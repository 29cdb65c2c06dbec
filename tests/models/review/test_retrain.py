"""From corrected fronts to networks: what is trained, and what a model of a glacier is for."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import rasterio
import torch
from numpy.typing import NDArray
from shapely import box

from glacier_qgis.models.fronts.jobs.scene import DelineateTermini, SegmentCalvingFront
from glacier_qgis.models.fronts.jobs.series import TerminusTimeSeries
from glacier_qgis.models.fronts.scene.synthetic import SyntheticScene
from glacier_qgis.models.fronts.segmentation import adapted
from glacier_qgis.models.fronts.termini.whereabouts import from_degrees
from glacier_qgis.models.package.folder import load_package, read_card
from glacier_qgis.models.package.registry import find_model
from glacier_qgis.models.review.retraining import corrections
from glacier_qgis.models.review.retraining import retrain as retraining
from glacier_qgis.models.review.retraining.corrections import facts_of
from glacier_qgis.models.review.retraining.learning import RATE, train
from glacier_qgis.models.review.retraining.material import Network
from glacier_qgis.models.review.retraining.retrain import networks_of
from glacier_qgis.models.review.retraining.second_opinion import SecondOpinion
from glacier_qgis.models.review.tables.corrected import corrected_scenes
from glacier_qgis.models.review.tables.store import append, read_table, transaction
from glacier_qgis.models.training.fitting.fit import Fit
from glacier_qgis.wall.review import MODELS, SCENES
from kit.engine.jobs import run_job, run_listened
from kit.engine.listener import Listener
from kit.review.corrected import CELL, SIZE, ReviewedScene, write_review
from kit.review.retraining import asked, new_card

pytestmark = pytest.mark.usefixtures("brisk")


def test_adapting_makes_a_package_of_both_networks_that_says_what_it_is_for(
    model: Path, tmp_path: Path
) -> None:
    scenes = [*map(ReviewedScene, (1, 3, 5)), ReviewedScene(2, audit=True), ReviewedScene(4, "")]
    review = write_review(tmp_path, scenes, "small 1.0.0", read_card(model).weights.sha256)
    page = tmp_path / "report.html"
    result, listener = run_listened(asked(review, model, adapt=True, report=page))
    card, before = new_card(review), read_card(model)
    assert (result["SCENES"], result["TESTED"]) == (3, 1)
    assert card.adapted is not None
    assert card.adapted.glacier == "Practice"
    assert card.adapted.dates == ["2018-02-14", "2018-04-14", "2018-06-14"]
    assert card.adapted.parent == before.weights.sha256
    crs = scenes[0].scene.grid.crs
    assert from_degrees(card.adapted.place, crs).contains(scenes[0].front)
    assert card.sensors == (), "no automatic choice takes a model of one glacier"
    assert card.weights.sha256 != before.weights.sha256
    assert card.series is not None
    assert before.series is not None
    assert (before.oriented, before.series.oriented) == (False, False)
    assert (card.oriented, card.series.oriented) == (True, True)
    assert card.series.weights.sha256 != before.series.weights.sha256
    (row,) = read_table(review, MODELS).query("kind == 'adapted'").to_dict("records")
    assert (row["model_hash"], row["parent_hash"]) == (
        card.weights.sha256,
        before.weights.sha256,
    )
    assert set(json.loads(row["metrics"])) == {"single scenes", "series"}
    used = {scene.task: card.weights.sha256 in scene.used_in for scene in corrected_scenes(review)}
    assert used == {1: True, 2: True, 3: True, 4: False}, "the audit is never trained on"
    text = page.read_text(encoding="utf-8")
    assert "Practice_20180214_0.tif" in text
    assert "too few scenes were corrected to leave one out" in text
    assert "no front found in 1 scene<" in text
    assert "mde_box" not in text, "words, not the names of a card"
    assert "twice again with those on which both networks agree" in text
    assert "twice again with those on which both networks agree" in card.training
    assert not any("another model" in text for text in listener.warnings)


def test_the_card_mentions_a_second_opinion_only_where_there_was_one(
    model: Path, tmp_path: Path
) -> None:
    """Without dates there is no series, so its network stays as it was."""
    scenes = [ReviewedScene(month, dated=False) for month in (1, 3)]
    review = write_review(tmp_path, scenes)
    run_job(asked(review, model, adapt=True))
    card, before = new_card(review), read_card(model)
    assert card.series is not None
    assert before.series is not None
    assert card.series.weights.sha256 == before.series.weights.sha256
    assert "again with those on which both networks agree" not in card.training


@pytest.mark.parametrize("place", [1, 4])
def test_a_killed_training_resumes_to_the_same_networks(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: int
) -> None:
    """Each of two networks is trained three times, also if the computer is slower by then."""
    scenes = [*map(ReviewedScene, (1, 3, 5)), ReviewedScene(4, "")]
    review = write_review(tmp_path, scenes)
    run_job(asked(review, model, adapt=True))
    whole = new_card(review)

    trainings = []

    def killed(network: Network, *given: object) -> tuple[Network, float]:
        trainings.append(network.title)
        if len(trainings) > place:
            raise KeyboardInterrupt
        return train(network, *given)  # type: ignore[arg-type]

    monkeypatch.setattr(retraining, "train", killed)
    with pytest.raises(KeyboardInterrupt):
        run_job(asked(review, model, adapt=True))
    state = review.with_name("new.zip.state")
    assert len([*state.glob("*/state.json")]) == place
    assert trainings == (["single scenes", "series"] * 3)[: place + 1]

    steps = []
    learn = Fit.learn

    def counted(fit: Fit, *given: object) -> float:
        steps.append(fit.step)
        return learn(fit, *given)  # type: ignore[arg-type]

    monkeypatch.setattr(retraining, "train", train)
    monkeypatch.setattr(Fit, "learn", counted)
    monkeypatch.setattr(SecondOpinion, "rounds", lambda _self, _minutes: 0)
    _, listener = run_listened(asked(review, model, adapt=True))
    assert any(line.startswith("Resuming") for line in listener.logs)
    assert steps.count(0) == 6 - place, "what was trained is not trained again"
    assert new_card(review).weights == whole.weights
    assert new_card(review).series == whole.series
    assert not state.exists()


def test_scenes_are_not_turned_for_a_model_that_knows_its_glacier_as_it_lies(
    model: Path, tmp_path: Path
) -> None:
    review = write_review(tmp_path, [ReviewedScene(1), ReviewedScene(2)])
    run_job(asked(review, model, adapt=True))
    scene = SyntheticScene(size=96, cell_size=CELL)
    scene.write(tmp_path / "scene.tif")

    def probability(chosen: Path, tta: bool) -> NDArray[np.uint8]:
        given = {"input": {"path": str(tmp_path / "scene.tif")}, "model": str(chosen), "tta": tta}
        given |= {"output": tmp_path / "zones.tif", "probability": tmp_path / "probability.tif"}
        run_job(SegmentCalvingFront.model_validate(given))
        with rasterio.open(tmp_path / "probability.tif") as raster:
            return raster.read()

    adapted = review.with_name("new.zip")
    np.testing.assert_array_equal(probability(adapted, True), probability(adapted, False))
    assert (probability(model, True) != probability(model, False)).any()


@pytest.mark.parametrize("count", [1, 2])
def test_a_model_from_one_scene_stays_close_to_that_before(
    model: Path, tmp_path: Path, count: int
) -> None:
    review = write_review(tmp_path, [ReviewedScene(month) for month in range(1, count + 1)])
    run_job(asked(review, model, adapt=True))
    card = new_card(review)
    assert card.adapted is not None
    assert ("half-way to those before" in card.training) == (count == 1)
    assert (f"rate {RATE:g}" in card.training) == (count == 1)
    assert card.oriented == (count > 1)


def test_rock_becomes_a_channel_that_may_be_missing(model: Path, tmp_path: Path) -> None:
    review = write_review(tmp_path, [ReviewedScene(1)])
    scene = SyntheticScene(size=SIZE, cell_size=CELL)
    rock = box(*scene.grid.bounds).difference(scene.fjord)
    gpd.GeoSeries([rock.segmentize(100)], crs=3413).to_crs(4326).to_file(tmp_path / "rock.gpkg")
    given = {"path": str(tmp_path / "rock.gpkg")}
    run_job(asked(review, model, adapt=True, rock=given))
    card = new_card(review)
    assert card.rock
    assert len(card.channels) == 3
    found = find_model(str(review.with_name("new.zip")))
    loaded = load_package(found)
    assert loaded.network.encoder[0][0].weight.shape[1] == 3
    image = next(tmp_path.glob("Practice_*.tif"))
    for options in ({}, {"rock": given}):
        lines = {"input": {"path": str(image)}, "model": str(found), "output": tmp_path / "l.gpkg"}
        run_job(DelineateTermini.model_validate(lines | options))


def test_a_new_channel_changes_nothing_before_it_is_trained(model: Path) -> None:
    before = load_package(model)
    lone, series = networks_of(before, rock=True)
    assert series is not None
    image = torch.randn(1, 2, 32, 32)
    with_rock = torch.cat([image[:, :1], torch.ones(1, 1, 32, 32), image[:, 1:]], dim=1)
    with torch.inference_mode():
        torch.testing.assert_close(lone.built()(with_rock), before.network(image))


def test_used_elsewhere_an_adapted_model_works_as_the_one_before(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    review = write_review(tmp_path, [ReviewedScene(1)])
    run_job(asked(review, model, adapt=True))
    new = str(review.with_name("new.zip"))
    here = SyntheticScene(size=96, cell_size=CELL)
    there = SyntheticScene(size=96, cell_size=CELL, centre=(0.0, -2_000_000.0))

    def predicted(scene: SyntheticScene, chosen: str) -> tuple[NDArray[np.uint8], list[str]]:
        scene.write(tmp_path / "scene.tif")
        given = {"input": {"path": str(tmp_path / "scene.tif")}, "model": chosen}
        listener = Listener()
        probability = tmp_path / "probability.tif"
        given |= {"output": tmp_path / "zones.tif", "probability": probability}
        run_job(SegmentCalvingFront.model_validate(given), listener)
        with rasterio.open(probability) as raster:
            return raster.read(), [text for text in listener.warnings if "adapted to" in text]

    assert not predicted(here, new)[1]
    _, (warning,) = predicted(there, new)
    assert "Practice" in warning
    assert "not installed" in warning
    monkeypatch.setattr(adapted, "installed_models", lambda: {"small": model})
    as_before, (warning,) = predicted(there, new)
    assert "small, which it was adapted from, is used there" in warning
    np.testing.assert_array_equal(as_before, predicted(there, str(model))[0])
    assert (predicted(here, new)[0] != predicted(here, str(model))[0]).any()


def test_in_a_series_only_the_scenes_of_its_glacier_are_an_adapted_models(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    review = write_review(tmp_path, [ReviewedScene(1)])
    run_job(asked(review, model, adapt=True))
    monkeypatch.setattr(adapted, "installed_models", lambda: {"small": model})
    folder = tmp_path / "series"
    folder.mkdir()
    for day, centre in (("20180101", (0.0, 0.0)), ("20180201", (0.0, -300_000.0))):
        scene = SyntheticScene(size=96, cell_size=CELL)
        away = replace(scene, centre=(scene.centre[0], scene.centre[1] + centre[1]))
        away.write(folder / f"Practice_{day}.tif")
    given = {"folder": folder, "model": str(review.with_name("new.zip"))}
    given |= {"work_folder": str(tmp_path / "work"), "output": tmp_path / "termini.gpkg"}
    result, listener = run_listened(TerminusTimeSeries.model_validate(given))
    assert result["SCENES"] == 2
    assert result["ABOUT"]["MODEL"] == "new, small"
    assert any("Practice_20180201.tif lies elsewhere" in text for text in listener.warnings)


def test_scenes_that_no_task_is_for_are_seen_too_the_nearest_in_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    others = [*map(ReviewedScene, (9, 5, 7))]
    review = write_review(tmp_path, [ReviewedScene(1), ReviewedScene(3, "")])
    rows = []
    for each in others:
        path = tmp_path / f"unqueued_{each.month}.tif"
        each.scene.write(path)
        rows.append({"glacier": "Practice", "date": str(each.date), "scene": str(path)})
    rows.append({**rows[0], "glacier": "Elsewhere"})
    rows.append({**rows[0], "scene": str(tmp_path / "gone.tif")})
    with transaction(review) as connection:
        append(connection, SCENES, rows)
    corrected = corrected_scenes(review)

    def names() -> list[str]:
        facts = facts_of(review, corrected, corrected, "Practice")
        assert [bool(each.lines) for each in facts] == [True] + [False] * (len(facts) - 1)
        return [Path(each.path).stem for each in facts[2:]]

    assert names() == ["unqueued_5", "unqueued_7", "unqueued_9"]
    monkeypatch.setattr(corrections, "MOST", 4)
    assert names() == ["unqueued_5", "unqueued_7"]
