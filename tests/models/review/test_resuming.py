"""What a stopped training resumes with, and what begins again."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from unittest.mock import Mock

import geopandas as gpd
import pytest
from shapely import box

from glacier_qgis.models.review.jobs import retrain as job
from glacier_qgis.models.review.retraining.places import read_place
from kit.engine.jobs import run_job, run_listened
from kit.engine.listener import Listener
from kit.review.corrected import ReviewedScene, write_review
from kit.review.person import opened
from kit.review.retraining import asked

pytestmark = pytest.mark.usefixtures("brisk")


def draw_rock(path: Path, east: float = 0.0) -> None:
    gpd.GeoSeries([box(east, 0, east + 1e4, 1e4)], crs=3413).to_file(path)


def no_date(review: Path) -> None:
    with opened(review) as connection:
        connection.execute("UPDATE tasks SET date = NULL")


@pytest.fixture
def stopped(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[Callable[[Path], Path]], Listener]:
    """Stop a training, change something in the folder of the review, and run it again."""

    def again(change: Callable[[Path], Path]) -> Listener:
        review = write_review(tmp_path, [ReviewedScene(1), ReviewedScene(2)])
        draw_rock(tmp_path / "rock.gpkg")
        given = {
            "adapt": True,
            "rock": {"path": str(tmp_path / "rock.gpkg"), "layer": "rock"},
            "output": tmp_path / "new.zip",
        }
        monkeypatch.setattr(job, "read_place", Mock(side_effect=KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            run_job(asked(review, model, **given))
        monkeypatch.setattr(job, "read_place", read_place)
        _, listener = run_listened(asked(change(review), model, **given))
        return listener

    return again


def test_a_copy_of_a_shared_review_is_the_same_review(
    stopped: Callable[[Callable[[Path], Path]], Listener],
) -> None:
    """The plugin makes one for every run."""

    def copied(review: Path) -> Path:
        return Path(shutil.copy(review, review.with_name("copy.gpkg")))

    assert any(line.startswith("Resuming") for line in stopped(copied).logs)


def test_another_table_in_the_file_of_the_rock_changes_nothing(
    stopped: Callable[[Callable[[Path], Path]], Listener],
) -> None:
    def added(review: Path) -> Path:
        rock = review.with_name("rock.gpkg")
        gpd.GeoSeries([box(0, 0, 1, 1)], crs=3413).to_file(rock, layer="other")
        return review

    assert any(line.startswith("Resuming") for line in stopped(added).logs)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (no_date, "CORRECTIONS"),
        (lambda review: draw_rock(review.with_name("rock.gpkg"), 500.0), "ROCK"),
    ],
)
def test_it_does_not_resume_with_other_dates_or_rock(
    stopped: Callable[[Callable[[Path], Path]], Listener],
    change: Callable[[Path], None],
    named: str,
) -> None:
    def changed(review: Path) -> Path:
        change(review)
        return review

    said = " ".join(stopped(changed).warnings)
    assert f"an unfinished training with another {named}: it is discarded" in said
