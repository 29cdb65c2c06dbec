"""What decides over a retrained model is what its user gets from the algorithms of the toolbox."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pytest
import torch
from shapely import MultiPolygon, box

from glacier_qgis.models.engine.events import Reporter, Result
from glacier_qgis.models.engine.job import Extent, VectorInput
from glacier_qgis.models.engine.outputs import Outputs
from glacier_qgis.models.fronts.jobs.scene import DelineateTermini
from glacier_qgis.models.fronts.jobs.series import TerminusTimeSeries
from glacier_qgis.models.fronts.scene.names import parse_scene_name
from glacier_qgis.models.fronts.termini.metrics import (
    front_distances,
    mean_distance_error,
    reference_box,
)
from glacier_qgis.models.fronts.termini.whereabouts import in_degrees
from glacier_qgis.models.package.folder import load_package, read_card
from glacier_qgis.models.package.registry import find_model
from glacier_qgis.models.review.jobs import retrain as job
from glacier_qgis.models.review.jobs.retrain import Retrain
from glacier_qgis.models.review.retraining import places, trial
from glacier_qgis.models.review.retraining.corrections import facts_of
from glacier_qgis.models.review.retraining.places import read_place
from glacier_qgis.models.review.retraining.retrain import minutes_left, networks_of
from glacier_qgis.models.review.retraining.trial import Trial
from glacier_qgis.models.review.tables.corrected import CorrectedScene, corrected_scenes
from glacier_qgis.models.vector.lines import clip_lines, line_parts
from kit.engine.jobs import run_job
from kit.review.corrected import ReviewedScene, write_review

MODEL = "caffe_unet"


@pytest.fixture
def retrained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The review of six scenes, on three of which a model was trained for a few steps."""
    monkeypatch.setattr(job, "steps_to_adapt", lambda fronts: 2)
    taught = [ReviewedScene(month, size=128) for month in (1, 5, 9)]
    tested = [ReviewedScene(month, audit=True, size=128) for month in (3, 7)]
    review = write_review(tmp_path, [*taught, *tested, ReviewedScene(6, "", size=128)])
    asked = {"review": review, "model": MODEL, "adapt": True, "output": tmp_path / "new.zip"}
    run_job(Retrain.model_validate(asked))
    return review


def errors(found: gpd.GeoDataFrame, scenes: Sequence[CorrectedScene], spacing: float) -> float:
    """Return the mean distance of predicted lines in the boxes around corrected ones, m."""
    images = []
    for scene in scenes:
        name = parse_scene_name(scene.scene).image_id
        own = found[found["image_id"] == name].geometry.to_crs(scene.crs)
        inside = clip_lines(line_parts(own), reference_box(scene.lines))
        images.append(front_distances(inside, scene.lines, spacing))
    return mean_distance_error(images).mean_m


def test_the_frozen_test_says_what_the_algorithms_give(retrained: Path) -> None:
    scenes = corrected_scenes(retrained)
    tested = [scene for scene in scenes if scene.audit]
    new = find_model(str(retrained.with_name("new.zip")))
    card = read_card(new)
    said = {each.data: each.values for each in card.evaluations}
    target = retrained.with_name("termini.gpkg")
    for when, model in (("before", MODEL), ("after", str(new))):
        alone = []
        for scene in tested:
            asked = {"input": {"path": scene.scene}, "model": model, "output": target}
            run_job(DelineateTermini.model_validate(asked))
            alone.append(gpd.read_file(target))
        given = {"folder": retrained.parent, "model": model, "output": target}
        run_job(TerminusTimeSeries.model_validate(given))
        gets = {
            "single scenes": errors(pd.concat(alone), tested, card.cell_size_m),
            "series": errors(gpd.read_file(target), tested, card.cell_size_m),
        }
        for title, error in gets.items():
            told = said[title]
            # one that stays as it was is not measured again beside the other's new weights
            stayed = told["mde_box_after_m"] == told["mde_box_before_m"]
            assert told[f"mde_box_{when}_m"] == pytest.approx(error, abs=3 if stayed else 0.06)


def test_trainings_get_the_time_that_tests_leave() -> None:
    assert minutes_left(10, 0) == 8
    assert minutes_left(10, 180) == pytest.approx(7)
    assert minutes_left(10, 3600) == 5, "at least half"


def test_no_front_is_found_where_rock_is_known(tmp_path: Path) -> None:
    review = write_review(tmp_path, [ReviewedScene(month, size=128) for month in (3, 7)])
    model = load_package(find_model(MODEL))
    scenes = corrected_scenes(review)
    west, south, _, north = scenes[0].footprint.bounds
    east = max(reference_box(scene.lines).bounds[2] for scene in scenes) + 100
    path = tmp_path / "rock.gpkg"
    gpd.GeoSeries([box(west, south, east, north)], crs=scenes[0].crs).to_file(path)
    facts = facts_of(review, scenes, scenes, "Practice")
    place, _ = read_place(facts, model.card, VectorInput(path=str(path)))
    lone, series = networks_of(model, rock=False)
    judge = Trial(model.card, torch.device("cpu"))
    assert series is not None
    for network in (lone, series):
        assert judge.error([(place, [*place.scenes])], network, lone).missed == 2


def test_no_front_is_found_along_the_coast(tmp_path: Path) -> None:
    review = write_review(tmp_path, [ReviewedScene(month, size=128) for month in (3, 7)])
    model, scenes = load_package(find_model(MODEL)), corrected_scenes(review)
    place, _ = read_place(facts_of(review, scenes, scenes, "Practice"), model.card, None)
    everywhere = in_degrees(MultiPolygon([box(*place.grid.bounds)]), place.grid.crs)
    lone, series = networks_of(model, rock=False)
    judge = Trial(model.card, torch.device("cpu"))
    assert series is not None
    for network in (lone, series):
        for coast, missed in (("", 0), (everywhere, 2)):
            knowing = replace(network, coast=coast)
            assert judge.error([(place, [*place.scenes])], knowing, lone).missed == missed


def test_a_large_scene_is_cut_to_the_surroundings_of_its_fronts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    review = write_review(tmp_path, [ReviewedScene(3, size=128)])
    model, scenes = load_package(find_model(MODEL)), corrected_scenes(review)
    monkeypatch.setattr(places, "MARGIN_M", 1500)
    facts = facts_of(review, scenes, scenes, "Practice")
    place, _ = read_place(facts, model.card, None)
    lone, _ = networks_of(model, rock=False)
    extents: list[Extent | None] = []
    delineate = DelineateTermini.run

    def spied(asked: DelineateTermini, reporter: Reporter, outputs: Outputs) -> Result:
        extents.append(asked.extent)
        return delineate(asked, reporter, outputs)

    monkeypatch.setattr(DelineateTermini, "run", spied)
    for largest in (1500, 100):
        monkeypatch.setattr(trial, "LARGEST", largest)
        judge = Trial(model.card, torch.device("cpu"))
        assert judge.error([(place, [*place.scenes])], lone, lone).images == 1
    whole, cut = extents
    assert whole is None
    assert cut is not None
    assert (cut.xmin, cut.ymin, cut.xmax, cut.ymax) == pytest.approx(place.grid.bounds)
