"""A simulated reviewer: traced fronts of CaFFe replace the predictions of the ranked scenes."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from affine import Affine
from PIL import Image
from scipy.spatial import cKDTree
from shapely import LineString

from glacier_qgis.models.engine.job import VectorInput
from glacier_qgis.models.fronts.termini.metrics import mask_lines
from glacier_qgis.models.review.jobs.prepare import PrepareReview
from glacier_qgis.models.review.jobs.record import RecordCorrections
from glacier_qgis.models.review.tables.corrected import corrected_scenes
from glacier_qgis.models.review.tables.store import read_table
from glacier_qgis.wall.review import CORRECTIONS, TASKS
from kit.engine.jobs import run_listened
from kit.engine.rasters import write_raster
from kit.real_data import real_data
from kit.review.person import delete, draw, finish

CELL = 76.0
"""m; near the ground sampling distances that the data state."""
PLACE = Affine(CELL, 0, 500_000, 0, -CELL, 7_200_000)
EACH = 6
"""Scenes of each glacier."""


def longest(front: Path) -> LineString:
    lines = mask_lines(np.asarray(Image.open(front)) > 0, PLACE)
    return max(lines, key=lambda line: line.length)


def independent_error(one: LineString, other: LineString) -> float:
    """Mean nearest distance between lines that are cut into pieces of a metre, both ways."""

    def dense(line: LineString) -> np.ndarray:
        along = np.arange(0, line.length, 1.0)
        return np.array([line.interpolate(d).coords[0] for d in along])

    there, back = dense(one), dense(other)
    to, fro = cKDTree(back).query(there)[0], cKDTree(there).query(back)[0]
    count = [max(np.ceil(line.length / CELL), 1) + 1 for line in (one, other)]
    return float((to.mean() * count[0] + fro.mean() * count[1]) / sum(count))


@pytest.fixture(scope="module")
def scenes() -> pd.DataFrame:
    table = pd.read_csv(real_data("caffe256", "index.csv"))
    some = table.groupby("glacier").nth([10 * n for n in range(EACH)]).reset_index(drop=True)
    folder = real_data("caffe256")
    traced = [longest(folder / "fronts" / name) for name in some.file]
    before = [traced[index - 1 if index % EACH else index + EACH - 1] for index in some.index]
    return some.assign(traced=traced, predicted=before)  # the front of another day


def test_recorded_errors_are_those_of_an_independent_computation(
    scenes: pd.DataFrame, tmp_path: Path
) -> None:
    (tmp_path / "scenes").mkdir()
    for name in scenes.file:
        radar = np.asarray(Image.open(real_data("caffe256", "sar", name)))
        write_raster(tmp_path / "scenes" / f"{Path(name).stem}.tif", radar, PLACE, crs="EPSG:32624")
    frame = pd.DataFrame(
        {
            "glacier": scenes.glacier,
            "date": pd.to_datetime(scenes.date),
            "image_id": [Path(name).stem for name in scenes.file],
            "uncertainty_m": np.random.default_rng(0).uniform(20, 200, len(scenes)),
            "model_hash": "0123",
        }
    )
    lines = gpd.GeoDataFrame(frame, geometry=list(scenes.predicted), crs="EPSG:32624")
    lines.to_file(tmp_path / "lines.gpkg")
    review = tmp_path / "review.gpkg"
    asked = {"input": VectorInput(path=str(tmp_path / "lines.gpkg")), "folder": tmp_path / "scenes"}
    run_listened(PrepareReview(**asked, count=16, audit_share=25, output=review))
    tasks = read_table(review, TASKS)
    assert set(tasks.glacier) == {"DBE", "JAC", "Jorum", "SI"}
    truth = scenes.set_index(frame.image_id)
    for task, name in zip(tasks.task, tasks.image_id, strict=True):
        delete(review, task)
        draw(review, task, truth.traced[name])
        finish(review, task, "corrected", who="simulated")
    result, _ = run_listened(RecordCorrections(review=review))
    assert result["RECORDED"] == 16

    found = read_table(review, CORRECTIONS).set_index("image_id")
    expected = pd.Series(
        {name: independent_error(truth.predicted[name], truth.traced[name]) for name in found.index}
    )
    assert expected.max() > 4 * expected.min()
    np.testing.assert_allclose(found.error_m, expected[found.index], rtol=0.03)
    np.testing.assert_allclose(found.error_cells, found.error_m / CELL)
    assert [scene.lines[0] for scene in corrected_scenes(review)] == [
        truth.traced[name] for name in tasks.sort_values("task").image_id
    ]

    left_out = set(frame.image_id) - set(tasks.image_id[tasks.strategy == "ranked"])
    true_mean = np.mean(
        [independent_error(truth.predicted[name], truth.traced[name]) for name in left_out]
    )
    assert result["AUDIT_SCENES"] == len(left_out)
    assert result["AUDIT_LOW"] <= true_mean <= result["AUDIT_HIGH"]
