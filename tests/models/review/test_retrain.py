"""From corrected fronts to a better model: what is trained, what decides, what bad input gets."""

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

from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.fronts.jobs.scene import DelineateTermini, SegmentCalvingFront
from glacier_qgis.models.fronts.jobs.series import TerminusTimeSeries
from glacier_qgis.models.fronts.scene.companions import CHANNELS
from glacier_qgis.models.fronts.scene.synthetic import SyntheticScene
from glacier_qgis.models.fronts.segmentation import adapted
from glacier_qgis.models.fronts.termini.metrics import FrontError
from glacier_qgis.models.networks.unet import UNet, with_more_bands
from glacier_qgis.models.package.card import Architecture, ModelCard
from glacier_qgis.models.package.folder import load_package, read_card, save_package
from glacier_qgis.models.package.registry import find_model
from glacier_qgis.models.review.jobs import retrain as job
from glacier_qgis.models.review.jobs.retrain import Retrain
from glacier_qgis.models.review.retraining import comparison, corrections, outcome
from glacier_qgis.models.review.retraining import retrain as retraining
from glacier_qgis.models.review.retraining.corrections import facts_of, usable
from glacier_qgis.models.review.retraining.learning import train
from glacier_qgis.models.review.retraining.material import Network
from glacier_qgis.models.review.retraining.retrain import networks_of
from glacier_qgis.models.review.tables import store
from glacier_qgis.models.review.tables.corrected import corrected_scenes
from glacier_qgis.models.review.tables.lineage import model_in_use
from glacier_qgis.models.review.tables.store import append, read_table, transaction
from glacier_qgis.models.training.delivered.describe import describe, describe_series
from glacier_qgis.models.training.fitting.fit import Fit
from glacier_qgis.wall.review import MODELS, NO_FRONT, SCENES
from kit.engine.jobs import run_job, run_listened
from kit.engine.listener import Listener
from kit.review.corrected import CELL, SIZE, ReviewedScene, write_review
from kit.training.small_models import SMALL, trained_on


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package of two networks with random weights, for cells of 60 m."""
    torch.manual_seed(3)
    network = UNet(**SMALL)
    lone = Architecture(name="unet", parameters=SMALL)
    series = Architecture(name="unet", parameters={**SMALL, "bands": 2 + len(CHANNELS)})
    card = describe("small", lone, [trained_on(["elsewhere"])], "none").model_copy(
        update={"cell_size_m": CELL, "series": describe_series(series)}
    )
    folder = tmp_path_factory.mktemp("models") / "small"
    weights = network.state_dict()
    save_package(folder, card, weights, with_more_bands(weights, len(CHANNELS), 1))
    return folder


@pytest.fixture(autouse=True)
def brisk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(job, "ADAPTING_STEPS", 4)
    monkeypatch.setattr(job, "FURTHER_STEPS", 4)


def asked(review: Path, model: Path, **options: object) -> Retrain:
    given = {"review": review, "model": str(model), "output": review.with_name("new.zip")}
    return Retrain.model_validate(given | options)


def new_card(review: Path) -> ModelCard:
    return read_card(find_model(str(review.with_name("new.zip"))))


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
    assert "the one for series once more" in text
    assert "the one for series once more" in card.training
    assert not any("another model" in text for text in listener.warnings)


def test_only_scenes_that_could_be_read_count_as_trained_on(model: Path, tmp_path: Path) -> None:
    scenes = [ReviewedScene(1, blank=True), ReviewedScene(3), ReviewedScene(4, "")]
    review = write_review(tmp_path, scenes)
    result, listener = run_listened(asked(review, model, adapt=True))
    card = new_card(review)
    assert result["SCENES"] == 1
    assert card.training_data[-1].images == 1
    assert card.adapted is not None
    assert card.adapted.dates == ["2018-04-14"]
    assert [bool(scene.used_in) for scene in corrected_scenes(review)] == [False, True]
    assert any("is left out" in text for text in listener.warnings)


def test_a_review_without_a_readable_front_is_refused(model: Path, tmp_path: Path) -> None:
    """No package would be better than one with the networks as they were."""
    review = write_review(tmp_path, [ReviewedScene(1, blank=True), ReviewedScene(3, "")])
    with pytest.raises(EngineError, match="no corrected scene that shows a front can be read"):
        run_job(asked(review, model, adapt=True))
    assert not review.with_name("new.zip").exists()


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
    assert "once more" not in card.training


@pytest.mark.parametrize(("others", "told"), [((2, 13), ""), ((2, 40), "2021-05-14")])
def test_years_in_which_no_front_was_corrected_are_logged(
    model: Path, tmp_path: Path, others: tuple[int, int], told: str
) -> None:
    scenes = [ReviewedScene(3), *(ReviewedScene(month, "") for month in others)]
    review = write_review(tmp_path, scenes)
    _, listener = run_listened(asked(review, model, adapt=True))
    warned = [text for text in listener.warnings if "was corrected" in text]
    assert [told in text for text in warned] == [True] * bool(told)


@pytest.mark.parametrize("count", [1, 2, 3])
def test_too_few_scenes_for_a_model_of_a_glacier_are_warned_of(
    model: Path, tmp_path: Path, count: int
) -> None:
    """On glaciers that were held out, one scene made lines far worse."""
    scenes = [ReviewedScene(month) for month in range(1, count + 1)]
    _, listener = run_listened(asked(write_review(tmp_path, scenes), model, adapt=True))
    assert any("correct 3 or more" in text for text in listener.warnings) == (count < 3)


def test_a_killed_training_resumes_to_the_same_networks(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scenes = [*map(ReviewedScene, (1, 3, 5)), ReviewedScene(4, "")]
    review = write_review(tmp_path, scenes)
    run_job(asked(review, model, adapt=True))
    whole = new_card(review)

    trainings = []

    def killed(network: Network, *given: object) -> Network:
        trainings.append(network.title)
        if len(trainings) == 2:
            raise KeyboardInterrupt
        return train(network, *given)  # type: ignore[arg-type]

    monkeypatch.setattr(retraining, "train", killed)
    with pytest.raises(KeyboardInterrupt):
        run_job(asked(review, model, adapt=True))
    state = review.with_name("new.zip.state")
    assert (state / "lone" / "state.json").is_file()
    assert trainings == ["single scenes", "series"]

    steps = []
    learn = Fit.learn

    def counted(fit: Fit, *given: object) -> float:
        steps.append(fit.step)
        return learn(fit, *given)  # type: ignore[arg-type]

    monkeypatch.setattr(retraining, "train", train)
    monkeypatch.setattr(Fit, "learn", counted)
    _, listener = run_listened(asked(review, model, adapt=True))
    assert any(line.startswith("Resuming") for line in listener.logs)
    assert steps[0] == 0
    assert steps == sorted(steps), "only the network for series is trained again"
    assert new_card(review).weights == whole.weights
    assert new_card(review).series == whole.series
    assert not state.exists()


def test_scenes_are_not_turned_for_a_model_that_knows_its_glacier_as_it_lies(
    model: Path, tmp_path: Path
) -> None:
    review = write_review(tmp_path, [ReviewedScene(1)])
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


def test_a_worse_model_is_written_but_not_promoted_and_the_old_stays_in_use(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outcome, "not_worse", lambda after, before: False)
    scenes = [*map(ReviewedScene, (1, 3, 5)), ReviewedScene(2, audit=True)]
    review = write_review(tmp_path, scenes)
    result, listener = run_listened(asked(review, model, least=1))
    assert not result["PROMOTED"]
    assert any("keep using small" in text for text in listener.warnings)
    assert model_in_use(review) == ""


def test_a_network_that_became_worse_stays_as_it_was(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    verdicts = iter([True, False])  # for single scenes, for series
    monkeypatch.setattr(comparison, "not_worse", lambda after, before: next(verdicts))
    monkeypatch.setattr(outcome, "not_worse", lambda after, before: True)
    scenes = [*map(ReviewedScene, (1, 3, 5)), ReviewedScene(2, audit=True)]
    review, page = write_review(tmp_path, scenes), tmp_path / "report.html"
    result, listener = run_listened(asked(review, model, adapt=True, report=page))
    assert result["PROMOTED"]
    assert any("that network stays as it was" in text for text in listener.logs)
    assert "as before (" in page.read_text(encoding="utf-8")
    before, after = load_package(model), load_package(find_model(str(review.with_name("new.zip"))))
    assert before.series is not None
    assert after.series is not None
    known = before.series.state_dict()
    for name, value in after.series.state_dict().items():
        assert torch.equal(value, known[name])
    lone = before.network.state_dict()
    changed = (not torch.equal(lone[name], new) for name, new in after.network.state_dict().items())
    assert any(changed)


def test_where_no_audit_was_reviewed_nothing_judges_the_model_of_one_glacier(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Scenes that are left out of so few say when to stop, not which model is better."""
    monkeypatch.setattr(comparison, "not_worse", lambda after, before: False)
    review, page = write_review(tmp_path, [*map(ReviewedScene, range(1, 6))]), tmp_path / "r.html"
    result, listener = run_listened(asked(review, model, adapt=True, report=page))
    assert not result["PROMOTED"]
    assert (result["ERROR_BEFORE"], result["ERROR_AFTER"]) == (None, None)
    assert any("was left to test the model on" in text for text in listener.warnings)
    assert "Ended after" in page.read_text(encoding="utf-8")
    card, before = new_card(review), read_card(model)
    assert {each.sha256 for each in card.all_weights}.isdisjoint(
        each.sha256 for each in before.all_weights
    )


def test_only_networks_that_are_worse_are_dropped_unless_all_are() -> None:
    def error(metres: float) -> FrontError:
        return FrontError(metres, metres, 5, 0)

    better = comparison.Comparison("single scenes", error(300.0), error(200.0))
    worse = comparison.Comparison("series", error(127.0), error(241.0))
    kept, dropped = comparison.without_worse([better, worse])
    assert kept == better
    assert (dropped.before, dropped.after, dropped.dropped) == (
        error(127.0),
        error(127.0),
        error(241.0),
    )
    assert "241 m after the training, so that network stays as it was" in dropped.words
    assert comparison.without_worse([worse, worse]) == [worse, worse]
    assert comparison.without_worse([]) == []


def test_the_model_before_is_brought_back(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outcome, "not_worse", lambda after, before: True)
    before = read_card(model)
    scenes = [ReviewedScene(1), ReviewedScene(2, audit=True)]
    review = write_review(tmp_path, scenes, str(model), before.weights.sha256)
    with pytest.raises(EngineError, match="RESTORE: no retrained model is in use"):
        run_job(asked(review, model, restore=True))
    assert run_job(asked(review, model, least=1))["PROMOTED"]
    assert model_in_use(review) == str(review.with_name("new.zip"))
    back = review.with_name("back.zip")
    run_job(asked(review, model, restore=True, output=back))
    assert read_card(find_model(str(back))).weights.sha256 == before.weights.sha256
    assert model_in_use(review) == ""


def test_too_few_corrections_are_said_with_what_to_do(model: Path, tmp_path: Path) -> None:
    review = write_review(tmp_path, [ReviewedScene(1), ReviewedScene(2)])
    with pytest.raises(EngineError, match=r"LEAST: 2 corrected scenes .* fewer than 100"):
        run_job(asked(review, model))
    with pytest.raises(EngineError, match="no scene of the random audit"):
        run_job(asked(review, model, least=2))


def test_a_scene_without_a_front_alone_teaches_nothing(model: Path, tmp_path: Path) -> None:
    review = write_review(tmp_path, [ReviewedScene(1, NO_FRONT)])
    with pytest.raises(EngineError, match="none of the 1 corrected scenes shows a front"):
        run_job(asked(review, model, adapt=True))


def test_contradictory_corrections_are_refused(model: Path, tmp_path: Path) -> None:
    review = write_review(tmp_path, [ReviewedScene(1), ReviewedScene(2)])
    first, second = corrected_scenes(review)
    moved = [line.__class__([(x + 900, y + 900) for x, y in line.coords]) for line in second.lines]
    again = replace(second, scene=first.scene, scene_hash=first.scene_hash, lines=tuple(moved))
    with pytest.raises(EngineError, match="tasks 1 and 2 correct the same scene"):
        usable([first, again], Listener())
    same = replace(again, lines=first.lines)
    assert [scene.task for scene in usable([first, same], Listener())] == [1]


def test_scenes_that_are_gone_or_have_changed_are_left_out(model: Path, tmp_path: Path) -> None:
    review = write_review(tmp_path, [*map(ReviewedScene, (1, 2, 3))])
    first, second, _ = [Path(scene.scene) for scene in corrected_scenes(review)]
    first.unlink()
    ReviewedScene(9).scene.write(second)
    result, listener = run_listened(asked(review, model, adapt=True))
    assert result["SCENES"] == 1
    told = " ".join(listener.warnings)
    assert f"are gone and are left out: {first.name}" in told
    assert f"have changed since the queue was made and are left out: {second.name}" in told


def test_corrections_of_another_models_predictions_are_said(model: Path, tmp_path: Path) -> None:
    review = write_review(tmp_path, [ReviewedScene(1)], "other 2.0.0", "f" * 64)
    _, listener = run_listened(asked(review, model, adapt=True))
    assert any("predictions by other 2.0.0, not by small" in text for text in listener.warnings)


def test_rock_over_everything_is_refused(model: Path, tmp_path: Path) -> None:
    review = write_review(tmp_path, [ReviewedScene(1)])
    west, south, east, north = SyntheticScene(size=SIZE, cell_size=CELL).grid.bounds
    cover = box(west - 1e4, south - 1e4, east + 1e4, north + 1e4)
    gpd.GeoSeries([cover], crs=3413).to_file(tmp_path / "rock.gpkg")
    rock = {"path": str(tmp_path / "rock.gpkg")}
    with pytest.raises(EngineError, match="ROCK covers everything around the fronts"):
        run_job(asked(review, model, adapt=True, rock=rock))


def test_rock_elsewhere_is_said(model: Path, tmp_path: Path) -> None:
    review = write_review(tmp_path, [ReviewedScene(1)])
    gpd.GeoSeries([box(0, 0, 1e4, 1e4)], crs=3413).to_file(tmp_path / "rock.gpkg")
    rock = {"path": str(tmp_path / "rock.gpkg")}
    _, listener = run_listened(asked(review, model, adapt=True, rock=rock))
    assert "ROCK covers nothing around the fronts of Practice" in " ".join(listener.warnings)


def test_an_audit_without_a_front_decides_nothing(model: Path, tmp_path: Path) -> None:
    review = write_review(tmp_path, [ReviewedScene(1), ReviewedScene(2, NO_FRONT, audit=True)])
    result, listener = run_listened(asked(review, model, adapt=True))
    assert not result["PROMOTED"]
    assert any("No corrected scene was left to test" in text for text in listener.warnings)


def test_a_review_that_is_held_when_the_model_is_ready_costs_no_second_training(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    review = write_review(tmp_path, [ReviewedScene(1)])
    monkeypatch.setattr(store, "PATIENCE", 0.1)
    with (
        transaction(review),
        pytest.raises(EngineError, match=r"new.zip is written, .* lock"),
    ):
        run_job(asked(review, model, adapt=True))
    weights = new_card(review).weights
    assert len(read_table(review, MODELS)) == 1
    steps = []
    monkeypatch.setattr(Fit, "learn", lambda *given: steps.append(given))
    run_job(asked(review, model, adapt=True))
    assert not steps
    assert new_card(review).weights == weights
    assert weights.sha256 in set(read_table(review, MODELS).model_hash)


def test_several_glaciers_need_a_name(model: Path, tmp_path: Path) -> None:
    scenes = [ReviewedScene(1, glacier="North"), ReviewedScene(2, glacier="South")]
    review = write_review(tmp_path, scenes)
    with pytest.raises(EngineError, match="GLACIER: the corrected scenes show several"):
        run_job(asked(review, model, adapt=True))
    run_job(asked(review, model, adapt=True, glacier="south"))
    adapted = new_card(review).adapted
    assert adapted is not None
    assert adapted.glacier == "South"


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
