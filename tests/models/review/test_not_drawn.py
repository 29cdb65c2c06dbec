"""What a person leaves out of every front, an adapted model leaves out on other dates too."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import geopandas as gpd
import pytest
import shapely
from shapely import Geometry

from glacier_qgis.models.engine.job import Job
from glacier_qgis.models.fronts.jobs.scene import (
    DelineateTermini,
    ExtractTermini,
    SegmentCalvingFront,
)
from glacier_qgis.models.fronts.jobs.series import TerminusTimeSeries
from glacier_qgis.models.review.jobs import retrain as job
from glacier_qgis.models.review.retraining.coast import NEAR_M
from kit.engine.jobs import run_job, run_listened
from kit.review.corrected import CELL, ReviewedScene, write_review
from kit.review.retraining import asked, new_card

BEFORE = "caffe_unet"
HALF = partial(ReviewedScene, size=128, share=0.5, melange=0.0)
OTHER = HALF(4, "")


@pytest.fixture(scope="module")
def after(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The package of a model adapted to scenes in which half of the front was drawn."""
    folder = tmp_path_factory.mktemp("half")
    review = write_review(folder, [*map(HALF, (1, 3, 5)), HALF(7, audit=True), OTHER])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(job, "steps_to_adapt", lambda fronts: 2)
        run_job(asked(review, Path(BEFORE), adapt=True))
    card = new_card(review)
    assert card.coast.startswith("MULTIPOLYGON")
    assert "no line is drawn in single scenes" in card.training
    return str(review.with_name("new.zip"))


def lines(target: Path, kind: type[Job], **given: object) -> Geometry:
    """Return the lines that an algorithm finds."""
    _, listener = run_listened(kind.model_validate({**given, "output": target}))
    for words in ("no line along coasts", "lines far from its glacier"):
        told = any(words in line for line in listener.logs)
        assert told == str(given.get("model")).endswith("new.zip")
    return shapely.union_all(gpd.read_file(target).geometry.to_numpy())


def delineated(scene: Path, model: str) -> Geometry:
    given = {"input": {"path": str(scene)}, "model": model}
    return lines(scene.with_suffix(".gpkg"), DelineateTermini, **given)


def extracted(scene: Path, model: str) -> Geometry:
    zones, probability = (scene.with_name(f"{name}.tif") for name in ("zones", "probability"))
    given = {"input": {"path": str(scene)}, "model": model, "output": zones}
    run_job(SegmentCalvingFront.model_validate({**given, "probability": probability}))
    rasters = {"input": {"path": str(zones)}, "probability": {"path": str(probability)}}
    return lines(scene.with_suffix(".gpkg"), ExtractTermini, **rasters)


def of_series(scene: Path, model: str) -> Geometry:
    return lines(
        scene.with_suffix(".gpkg"), TerminusTimeSeries, input=[{"path": str(scene)}], model=model
    )


@pytest.mark.parametrize("found", [delineated, extracted, of_series])
def test_half_of_a_front_that_nobody_drew_is_not_drawn(
    found: Callable[[Path, str], Geometry], after: str, tmp_path: Path
) -> None:
    scene = tmp_path / f"Practice_{OTHER.date:%Y%m%d}.tif"
    OTHER.scene.write(scene)
    whole, half = found(scene, BEFORE), found(scene, after)
    drawn = OTHER.front.buffer(NEAR_M + 5 * CELL)
    assert whole.difference(drawn).length > 1000
    assert half.difference(drawn).length < 3 * CELL
    near = OTHER.front.buffer(NEAR_M - 5 * CELL)
    kept, found_again = whole.intersection(near), half.intersection(near)
    assert kept.length > 1000
    assert kept.difference(half.buffer(3 * CELL)).length < 3 * CELL
    assert found_again.difference(whole.buffer(3 * CELL)).length < 3 * CELL
