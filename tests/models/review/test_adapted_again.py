"""A model of a glacier that is trained once more."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import shapely

from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.fronts.termini.whereabouts import from_degrees, in_degrees
from glacier_qgis.models.package.archive import unpack
from glacier_qgis.models.package.folder import read_card
from glacier_qgis.models.package.registry import find_model
from glacier_qgis.models.review.retraining.coast import NEAR_M
from kit.engine.jobs import run_job
from kit.review.corrected import ReviewedScene, write_review
from kit.review.retraining import asked, new_card

pytestmark = pytest.mark.usefixtures("brisk")


@pytest.fixture
def practised(model: Path, tmp_path: Path) -> Path:
    """The folder of a model of the glacier 'Practice'."""
    (tmp_path / "first").mkdir()
    review = write_review(tmp_path / "first", [*map(ReviewedScene, (1, 3))])
    run_job(asked(review, model, adapt=True))
    folder = tmp_path / "practised"
    unpack(review.with_name("new.zip"), folder)
    return folder


def test_it_is_not_trained_for_all_glaciers(practised: Path, tmp_path: Path) -> None:
    review = write_review(tmp_path, [ReviewedScene(5), ReviewedScene(6, audit=True)])
    with pytest.raises(EngineError, match="MODEL: new is a model of one glacier"):
        run_job(asked(review, practised, least=1))
    assert not review.with_name("new.zip").exists()


def test_adapted_again_it_says_once_what_it_is_for(model: Path, practised: Path) -> None:
    review = write_review(practised.parent, [*map(ReviewedScene, (5, 6))])
    run_job(asked(review, practised, adapt=True, output=review.with_name("again.zip")))
    card, first = read_card(find_model(str(review.with_name("again.zip")))), read_card(practised)
    assert card.title == first.title == f"{read_card(model).title}, adapted to Practice"
    assert card.limits == first.limits
    assert card.limits.startswith("For Practice only; elsewhere use small.")
    assert card.adapted is not None
    assert first.adapted is not None
    assert card.adapted.parent == first.adapted.parent == read_card(model).weights.sha256
    assert card.adapted.dates == ["2018-06-14", "2018-07-14"]


def test_it_is_not_adapted_to_another_glacier(practised: Path, tmp_path: Path) -> None:
    path = practised / "card.json"
    card = json.loads(path.read_text(encoding="utf-8"))
    card["adapted"]["bounds"] = [8.0, 46.0, 8.1, 46.1]
    path.write_text(json.dumps(card), encoding="utf-8")
    review = write_review(tmp_path, [ReviewedScene(5)])
    with pytest.raises(EngineError, match="MODEL: new is a model of another glacier"):
        run_job(asked(review, practised, adapt=True))


def test_a_front_corrected_in_its_coast_is_drawn_from_then_on(practised: Path) -> None:
    """Of one scene, which tells no coast of its own."""
    scene = ReviewedScene(5)
    crs, path = scene.scene.grid.crs, practised / "card.json"
    card = json.loads(path.read_text(encoding="utf-8"))
    around = scene.front.buffer(3 * NEAR_M)
    card["coast"] = card["series"]["coast"] = in_degrees(around, crs)
    path.write_text(json.dumps(card), encoding="utf-8")
    review = write_review(practised.parent, [scene])
    run_job(asked(review, practised, adapt=True))
    after = new_card(review)
    assert after.series is not None
    for coast in (after.coast, after.series.coast):
        left = from_degrees(coast, crs)
        assert left.distance(scene.front) == pytest.approx(NEAR_M, abs=1)
        assert shapely.difference(around, left).area == pytest.approx(
            scene.front.buffer(NEAR_M).area, rel=0.01
        )
