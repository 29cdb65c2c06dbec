"""Which networks are delivered and which model is in use, by the frozen test."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path

import pytest
import torch

from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.fronts.segmentation import adapted
from glacier_qgis.models.fronts.termini.metrics import FrontError
from glacier_qgis.models.package.archive import unpack
from glacier_qgis.models.package.folder import load_package, read_card
from glacier_qgis.models.package.registry import find_model
from glacier_qgis.models.review.retraining import comparison, outcome, retrain
from glacier_qgis.models.review.tables.lineage import model_in_use
from glacier_qgis.models.review.tables.store import read_table
from glacier_qgis.wall.review import MODELS, NO_FRONT
from kit.engine.jobs import run_job, run_listened
from kit.places import spellings
from kit.review.corrected import ReviewedScene, write_review
from kit.review.retraining import asked, new_card

pytestmark = pytest.mark.usefixtures("brisk")


def test_a_worse_model_is_written_but_not_promoted_and_the_old_stays_in_use(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outcome, "not_worse", lambda after, before: False)
    scenes = [*map(ReviewedScene, (1, 3, 5)), ReviewedScene(2, audit=True)]
    review = write_review(tmp_path, scenes)
    result, listener = run_listened(asked(review, model, least=1))
    assert not result["PROMOTED"]
    assert any("keep using small" in text for text in listener.warnings)
    assert model_in_use(review) is None


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


def lone_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the network for single scenes become worse, and the one for series better."""
    verdicts = iter([False, True])
    monkeypatch.setattr(comparison, "not_worse", lambda after, before: next(verdicts))
    monkeypatch.setattr(outcome, "not_worse", lambda after, before: True)


def test_a_model_whose_first_network_stays_is_another_than_its_parent(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lone_stays(monkeypatch)
    monkeypatch.setattr(adapted, "installed_models", lambda: {"small": model, "new": unpacked})
    scenes = [*map(ReviewedScene, (1, 3, 5)), ReviewedScene(2, audit=True)]
    review, unpacked = write_review(tmp_path, scenes), tmp_path / "new"
    run_job(asked(review, model, adapt=True))
    unpack(review.with_name("new.zip"), unpacked)
    before, after = load_package(model), load_package(unpacked)
    assert all(
        torch.equal(value, before.network.state_dict()[name])
        for name, value in after.network.state_dict().items()
    )
    assert after.card.weights.sha256 != before.card.weights.sha256
    assert after.card.adapted is not None
    assert adapted.adapted_from(after.card.adapted) == (model, before.card)


def test_the_model_before_is_brought_back_where_its_first_network_stayed(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lone_stays(monkeypatch)
    before = read_card(model)
    scenes = [*map(ReviewedScene, (1, 3, 5)), ReviewedScene(2, audit=True)]
    review = write_review(tmp_path, scenes, str(model), before.weights.sha256)
    assert run_job(asked(review, model, least=1))["PROMOTED"]
    back = review.with_name("back.zip")
    run_job(asked(review, model, restore=True, output=back))
    card = read_card(find_model(str(back)))
    assert card.name == before.name
    assert card.series == before.series


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


def test_an_audit_without_a_front_decides_nothing(model: Path, tmp_path: Path) -> None:
    review = write_review(tmp_path, [ReviewedScene(1), ReviewedScene(2, NO_FRONT, audit=True)])
    result, listener = run_listened(asked(review, model, adapt=True))
    assert not result["PROMOTED"]
    assert any("No corrected scene was left to test" in text for text in listener.warnings)


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
    used = model_in_use(review)
    assert used is not None
    assert used.package == str(review.with_name("new.zip"))
    back = review.with_name("back.zip")
    run_job(asked(review, model, restore=True, output=back))
    assert read_card(find_model(str(back))).weights.sha256 == before.weights.sha256
    assert model_in_use(review) is None


@pytest.fixture
def thrice(model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A review whose model was trained further once, and once more from the model before that."""
    monkeypatch.setattr(outcome, "not_worse", lambda after, before: True)
    scenes = [ReviewedScene(1), ReviewedScene(2, audit=True)]
    review = write_review(tmp_path, scenes, str(model), read_card(model).weights.sha256)
    for seed, name in enumerate(("first.zip", "second.zip")):
        run_job(asked(review, model, least=1, seed=seed, output=tmp_path / name))
    return review


def test_the_log_says_which_model_is_continued_from_and_why(thrice: Path, model: Path) -> None:
    _, listener = run_listened(asked(thrice, model, adapt=True))
    assert "Continuing from small 1.0.0, as MODEL says." in listener.logs
    job = asked(thrice, model, adapt=True, output=thrice.with_name("other.zip"))
    _, listener = run_listened(job.model_copy(update={"model": ""}))
    assert any(text.endswith("1.0.0, the model in use in this review.") for text in listener.logs)


def test_the_model_of_the_predictions_is_continued_from(model: Path, tmp_path: Path) -> None:
    scenes = [ReviewedScene(1), ReviewedScene(2, audit=True)]
    review = write_review(tmp_path, scenes, str(model), read_card(model).weights.sha256)
    job = asked(review, model, adapt=True).model_copy(update={"model": "automatic"})
    _, listener = run_listened(job)
    said = "Continuing from small 1.0.0, which made the predictions of this review."
    assert said in listener.logs


def test_after_the_model_before_no_other_is_in_use(thrice: Path, model: Path) -> None:
    """Not the first one, from which the second did not come."""
    run_job(asked(thrice, model, restore=True, output=thrice.with_name("back.zip")))
    assert model_in_use(thrice) is None


def test_a_package_that_is_needed_is_not_written_over(thrice: Path, model: Path) -> None:
    second = thrice.with_name("second.zip")
    content = second.read_bytes()
    for given in ({"least": 1}, {"restore": True}, {"adapt": True}):
        with pytest.raises(EngineError, match=r"OUTPUT: second.zip is the package of a model"):
            run_job(asked(thrice, model, output=second, **given))
    first = thrice.with_name("first.zip")
    with pytest.raises(EngineError, match=r"OUTPUT: first.zip is the package of a model"):
        run_job(asked(thrice, first, output=first, adapt=True))
    assert second.read_bytes() == content


def test_a_package_that_is_needed_is_known_by_any_path(thrice: Path, model: Path) -> None:
    second = thrice.with_name("second.zip")
    content = second.read_bytes()
    for output in spellings(second, thrice.parent / "link"):
        for given in ({"least": 1}, {"restore": True}, {"adapt": True}):
            with pytest.raises(EngineError, match=r"OUTPUT: second.zip is the package of a model"):
                run_job(asked(thrice, model, output=output, **given))
    assert second.read_bytes() == content


def test_another_package_in_place_of_the_model_in_use_is_refused(thrice: Path) -> None:
    second = thrice.with_name("second.zip")
    second.write_bytes(thrice.with_name("first.zip").read_bytes())
    job = asked(thrice, Path("any"), least=1).model_copy(update={"model": ""})
    with pytest.raises(EngineError, match=r"MODEL: .*second.zip holds other weights"):
        run_job(job)


def test_a_model_in_use_that_is_gone_is_named(thrice: Path) -> None:
    """In a shared review, it may be on the computer of another member."""
    thrice.with_name("second.zip").unlink()
    job = asked(thrice, Path("any"), least=1).model_copy(update={"model": "automatic"})
    with pytest.raises(EngineError, match=r"MODEL: the model in use .*second.zip, which is not at"):
        run_job(job)


def test_a_network_that_was_not_trained_promotes_no_model(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """That for series sees no scene without a date, and is as it was."""
    monkeypatch.setattr(retrain, "not_worse", lambda after, before: False)
    monkeypatch.setattr(comparison, "not_worse", lambda after, before: False)
    scenes = [*map(partial(ReviewedScene, dated=False), (1, 3)), ReviewedScene(2, audit=True)]
    review = write_review(tmp_path, scenes)
    run_job(asked(review, model, least=1))
    (row,) = read_table(review, MODELS).query("kind == 'retrained'").to_dict("records")
    assert [*json.loads(row["metrics"])] == ["single scenes"]
    assert new_card(review).weights.sha256 != read_card(model).weights.sha256
