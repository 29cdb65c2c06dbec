"""What reviews that are poor in some way get from retraining: what is said, and what is refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import geopandas as gpd
import pytest
from shapely import box

from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.fronts.scene.synthetic import SyntheticScene
from glacier_qgis.models.review.jobs.record import RecordCorrections
from glacier_qgis.models.review.retraining.corrections import facts_of, usable
from glacier_qgis.models.review.tables import store
from glacier_qgis.models.review.tables.corrected import corrected_scenes
from glacier_qgis.models.review.tables.store import read_table, transaction
from glacier_qgis.models.training.fitting.fit import Fit
from glacier_qgis.wall.review import MODELS, NO_FRONT, OPEN, SKIPPED
from kit.engine.jobs import run_job, run_listened
from kit.engine.listener import Listener
from kit.review.corrected import CELL, SIZE, ReviewedScene, write_review
from kit.review.person import draw_task, finish, opened
from kit.review.retraining import asked, new_card

pytestmark = pytest.mark.usefixtures("brisk")


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


def test_where_all_scenes_are_gone_the_error_does_not_ask_to_correct_some(
    model: Path, tmp_path: Path
) -> None:
    review = write_review(tmp_path, [ReviewedScene(1)])
    (scene,) = corrected_scenes(review)
    Path(scene.scene).unlink()
    with pytest.raises(EngineError, match="all 1 corrected scenes are gone or have changed"):
        run_job(asked(review, model, adapt=True))


@pytest.mark.parametrize("status", ["", OPEN, SKIPPED])
def test_what_was_recorded_of_a_task_that_is_not_finished_any_more_does_not_count(
    tmp_path: Path, status: str
) -> None:
    review = write_review(tmp_path, [ReviewedScene(1), ReviewedScene(3)])
    if status:
        finish(review, 2, status)
    else:
        with opened(review) as connection:
            connection.execute("DELETE FROM tasks WHERE task = 2")
    known = corrected_scenes(review)
    assert [scene.task for scene in known] == [1]
    there = facts_of(review, known, known, "Practice")
    assert len(there) == (2 if status else 1), "without labels, unless its task is gone"
    job = RecordCorrections.model_validate({"review": review, "output": "", "report": ""})
    result, listener = run_listened(job)
    assert result["TOTAL"] == 1
    assert "1 recorded tasks were deleted, or are open" in " ".join(listener.warnings)


def test_rows_of_the_tasks_that_lack_something_are_left_out(model: Path, tmp_path: Path) -> None:
    review = write_review(tmp_path, [ReviewedScene(month) for month in (1, 2, 3)])
    draw_task(review)
    draw_task(review)
    with opened(review) as connection:
        connection.execute("UPDATE tasks SET geom = NULL WHERE task = 2")
        connection.execute("UPDATE tasks SET cell_size_m = NULL WHERE task = 3")
    assert [scene.task for scene in corrected_scenes(review)] == [1]
    result, _ = run_listened(asked(review, model, adapt=True))
    assert result["SCENES"] == 1


def test_a_frozen_test_needs_a_scene_with_a_front(model: Path, tmp_path: Path) -> None:
    scenes = [ReviewedScene(1), ReviewedScene(2, NO_FRONT, audit=True)]
    with pytest.raises(EngineError, match="no scene of the random audit that shows a front"):
        run_job(asked(write_review(tmp_path, scenes), model, least=1))


def test_a_prediction_by_a_model_that_is_not_installed_is_said(tmp_path: Path) -> None:
    review = write_review(tmp_path, [ReviewedScene(1)], "my_glacier 1.0.0", "f" * 64)
    for name in ("", "automatic"):
        with pytest.raises(
            EngineError, match=r"MODEL: .* predicted by my_glacier, which is not at"
        ):
            run_job(asked(review, Path("any"), adapt=True).model_copy(update={"model": name}))


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
    for blank in ("", "  "):
        with pytest.raises(EngineError, match="GLACIER: the corrected scenes show several"):
            run_job(asked(review, model, adapt=True, glacier=blank))
    run_job(asked(review, model, adapt=True, glacier="south"))
    adapted = new_card(review).adapted
    assert adapted is not None
    assert adapted.glacier == "South"
