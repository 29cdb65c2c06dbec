"""Models measured on a data set: the table, the report, and what must not be measured."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import pyogrio
import pytest
import shapely
from affine import Affine
from shapely import Polygon, box

from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.fronts.termini.whereabouts import in_degrees
from glacier_qgis.models.package.archive import unpack
from glacier_qgis.models.package.folder import load_package, save_package
from glacier_qgis.models.raster.grid import Grid
from glacier_qgis.models.review.retraining.package import adapted_to
from glacier_qgis.models.training.data.card import CARD
from glacier_qgis.models.training.data.dataset import Dataset, LabelledTile
from glacier_qgis.models.training.jobs.evaluate import EvaluateModel
from glacier_qgis.models.training.jobs.train import TrainModel
from kit.engine.jobs import run_listened
from kit.training.small_models import package

WriteDataset = Callable[..., Path]
CELL = 60.0


def test_models_are_measured_on_data_and_leakage_is_named(
    tmp_path: Path, write_dataset: WriteDataset
) -> None:
    dataset = write_dataset(training=2, test=3)
    model = package(tmp_path / "model", groups=["training glacier"])
    table, report = tmp_path / "tiles.gpkg", tmp_path / "report.html"
    asked = {"model": str(model), "dataset": dataset}
    result, listener = run_listened(
        EvaluateModel.model_validate({**asked, "output": table, "report": report})
    )
    assert not listener.warnings
    assert 0 <= result["MEAN_IOU"] < 0.9  # type: ignore[operator]

    rows = pyogrio.read_dataframe(table)
    assert rows["group"].tolist() == ["test glacier"] * 3
    assert {"mean_iou", "iou_ocean", "distance_box_m", "missed"} <= {*rows}
    _, listener = run_listened(
        EvaluateModel.model_validate({**asked, "part": "all", "report": report})
    )
    assert "Leakage: the model model was trained on training glacier" in listener.warnings[0]
    assert "2 of the 5 evaluated tiles" in report.read_text(encoding="utf-8")


def test_what_cannot_be_measured_is_refused(tmp_path: Path, write_dataset: WriteDataset) -> None:
    dataset = write_dataset(training=2)
    two = package(tmp_path / "two", bands=2)
    with pytest.raises(EngineError, match=r"no tiles for 'test' \(it has: training 2\)"):
        run_listened(EvaluateModel.model_validate({"dataset": dataset}))
    with pytest.raises(EngineError, match=r"two needs 2 band\(s\).*has 1"):
        run_listened(
            EvaluateModel.model_validate({"dataset": dataset, "model": str(two), "part": "all"})
        )


@pytest.fixture
def trained(tmp_path: Path, write_dataset: WriteDataset) -> tuple[Path, Path]:
    """A data set, and the unpacked package of a model that finds its fronts."""
    dataset, archive = write_dataset(training=8, validation=3, test=3), tmp_path / "trained.zip"
    given = {"dataset": dataset, "output": archive, "epochs": 4, "learning_rate": 0.02}
    start = {"start_from": str(package(tmp_path / "small")), "batch_size": 8, "device": "cpu"}
    run_listened(TrainModel.model_validate(given | start))
    unpack(archive, tmp_path / "trained")
    return dataset, tmp_path / "trained"


def adapted(model: Path, name: str, tiles: Sequence[LabelledTile], coast: Polygon) -> str:
    """Write the package of a model that counts as adapted to where tiles lie; return its folder."""
    west, south, east, north = shapely.union_all([box(*tile.grid.bounds) for tile in tiles]).bounds
    crs, start = tiles[0].grid.crs, load_package(model)
    rows, columns = round((north - south) / CELL), round((east - west) / CELL)
    there = Grid(crs, Affine(CELL, 0, west, 0, -CELL, north), rows, columns)
    update = {
        "adapted": adapted_to("Practice", [], there, "0" * 64),
        "coast": in_degrees(coast, crs),
        "name": name,
        "oriented": True,
    }
    folder = model.with_name(name)
    save_package(folder, start.card.model_copy(update=update), start.network.state_dict())
    return str(folder)


def test_a_model_of_a_glacier_is_measured_without_what_it_leaves_out(
    trained: tuple[Path, Path],
) -> None:
    dataset, model = trained
    tiles = Dataset.open(dataset).tiles("test")
    asked = {"dataset": dataset, "device": "cpu"}
    found, listener = run_listened(EvaluateModel.model_validate({**asked, "model": str(model)}))
    turned = found["MEAN_IOU"]
    assert found["MISSED"] == 0
    assert found["MEAN_DISTANCE_ERROR"] < CELL  # type: ignore[operator]
    assert not listener.warnings

    coast = adapted(model, "cut", tiles, box(*tiles[0].grid.bounds))
    found, listener = run_listened(EvaluateModel.model_validate({**asked, "model": coast}))
    assert found["MISSED"] == 1, "along the coast nobody draws a front"
    assert found["MEAN_IOU"] != pytest.approx(turned, abs=1e-5), "it sees each tile as it lies"
    assert not listener.warnings

    elsewhere = adapted(model, "away", tiles[:1], Polygon())
    found, listener = run_listened(EvaluateModel.model_validate({**asked, "model": elsewhere}))
    assert found["MISSED"] == 0
    told = "2 of the 3 evaluated tiles are of scenes that lie away from the glacier"
    assert told in listener.warnings[0]


def test_a_tile_far_from_the_glacier_is_not_elsewhere_if_its_scene_touches_it(
    tmp_path: Path, write_dataset: WriteDataset
) -> None:
    dataset = write_dataset(test=2)
    content = json.loads((dataset / CARD).read_text())
    content["scenes"][0]["shape"] = [32, 200]  # as far as the tile of the other scene
    (dataset / CARD).write_text(json.dumps(content))
    tiles = Dataset.open(dataset).tiles("test")
    own = adapted(package(tmp_path / "small"), "own", tiles[1:], Polygon())
    asked = {"dataset": dataset, "device": "cpu", "model": own}
    _, listener = run_listened(EvaluateModel.model_validate(asked))
    assert not listener.warnings
