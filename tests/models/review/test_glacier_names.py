"""Names of glaciers in a review: blank ones, other spellings, and what is left out by them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from unittest.mock import Mock

import pytest

from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.review.jobs import retrain as job
from glacier_qgis.models.review.retraining.corrections import facts_of
from glacier_qgis.models.review.retraining.places import SceneFacts, read_place
from glacier_qgis.models.review.tables.corrected import corrected_scenes
from glacier_qgis.models.review.tables.store import append, read_table, transaction
from glacier_qgis.wall.review import CORRECTED, NO_FRONT, SCENES, TASKS
from kit.engine.jobs import run_job, run_listened
from kit.review.corrected import ReviewedScene, write_review
from kit.review.person import opened
from kit.review.retraining import asked, new_card

pytestmark = pytest.mark.usefixtures("brisk")


def left_out(warnings: Sequence[str]) -> list[str]:
    return [text for text in warnings if "corrected scenes are left out" in text]


def test_a_task_without_a_glacier_has_that_of_the_table_of_scenes(
    model: Path, tmp_path: Path
) -> None:
    """As in reviews of earlier versions, where the model found no line."""
    unnamed = [(CORRECTED, 3), (NO_FRONT, 5), ("", 7)]
    scenes = [ReviewedScene(month, status, glacier="") for status, month in unnamed]
    review = write_review(tmp_path, [ReviewedScene(1), *scenes])
    paths = read_table(review, TASKS).scene
    with transaction(review) as connection:
        append(connection, SCENES, [{"glacier": "Practice", "scene": path} for path in paths])
    corrected = corrected_scenes(review)
    assert [scene.glacier for scene in corrected] == ["Practice"] * 3
    facts = facts_of(review, corrected, corrected, "Practice")
    assert {each.path for each in facts} == {*paths}
    result, listener = run_listened(asked(review, model, adapt=True))
    assert result["SCENES"] == 3
    assert not left_out(listener.warnings)


def test_corrections_of_other_glaciers_are_left_out_with_a_warning(
    model: Path, tmp_path: Path
) -> None:
    others = [ReviewedScene(3, glacier=""), ReviewedScene(5, NO_FRONT, glacier="South")]
    review = write_review(tmp_path, [ReviewedScene(1), *others])
    with pytest.raises(EngineError, match=r"\(no name\), Practice, South.* fill in the field"):
        run_job(asked(review, model, adapt=True))
    result, listener = run_listened(asked(review, model, adapt=True, glacier="practice"))
    assert result["SCENES"] == 1
    (warning,) = left_out(listener.warnings)
    assert "2 of 3 corrected scenes are left out" in warning
    assert "as they are of (no name), South, not of Practice" in warning


def test_corrections_beside_which_no_front_is_trained_on_are_left_out_with_a_warning(
    model: Path, tmp_path: Path
) -> None:
    scenes = [
        ReviewedScene(1),
        ReviewedScene(2, audit=True),
        ReviewedScene(3, NO_FRONT, glacier=""),
        ReviewedScene(4, audit=True, glacier="South"),
        ReviewedScene(5, NO_FRONT, blank=True),
    ]
    review = write_review(tmp_path, scenes)
    with pytest.raises(
        EngineError, match=r"LEAST: 2 corrected scenes .* beside 1 more there is no"
    ):
        run_job(asked(review, model, least=3))
    result, listener = run_listened(asked(review, model, least=1))
    assert (result["SCENES"], result["TESTED"]) == (1, 1)
    (warning,) = left_out(listener.warnings)
    assert "2 of 5 corrected scenes are left out" in warning
    assert "_20180414_2.tif, South_20180514_3.tif" in warning


def test_names_that_differ_only_in_case_are_one_glacier(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = [("Practice", 1, CORRECTED), ("practice", 3, CORRECTED), ("PRACTICE", 5, "")]
    scenes = [ReviewedScene(month, status, glacier=name) for name, month, status in given]
    review = write_review(tmp_path, scenes)
    read = []

    def counted(facts: Sequence[SceneFacts], *given: object) -> object:
        read.append(len(facts))
        return read_place(facts, *given)  # type: ignore[arg-type]

    monkeypatch.setattr(job, "read_place", counted)
    result, _ = run_listened(asked(review, model, adapt=True))
    assert result["SCENES"] == 2
    assert read == [3], "all scenes are of one place"
    card = new_card(review)
    assert card.training_data[-1].groups == ["Practice"]
    assert card.adapted is not None
    assert card.adapted.glacier == "Practice"


def test_a_stopped_training_does_not_resume_with_other_glaciers(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The warning of corrections that are left out asks to fill them in."""
    scenes = [ReviewedScene(1), ReviewedScene(2, audit=True), ReviewedScene(3, glacier="")]
    review = write_review(tmp_path, scenes)
    monkeypatch.setattr(job, "read_place", Mock(side_effect=KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        run_job(asked(review, model, least=1))
    monkeypatch.setattr(job, "read_place", read_place)
    with opened(review) as connection:
        connection.execute("UPDATE tasks SET glacier = 'Practice'")
    _, listener = run_listened(asked(review, model, least=1))
    assert "an unfinished training with another CORRECTIONS" in listener.warnings[0]
