"""Known rock from the data set to the model: a channel that is sometimes missing."""

from __future__ import annotations

import json
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import torch
from shapely import box

from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.package.folder import load_package, read_card
from glacier_qgis.models.package.registry import find_model
from glacier_qgis.models.training.data.dataset import Dataset
from glacier_qgis.models.training.fitting.start import begin
from glacier_qgis.models.training.jobs.evaluate import EvaluateModel
from glacier_qgis.models.training.jobs.train import TrainModel
from glacier_qgis.models.training.measuring.evaluator import Evaluator
from glacier_qgis.models.zones.codes import NOT_PROCESSED, ROCK
from kit.engine.jobs import run_job
from kit.training.small_models import package
from kit.training.synthetic_data import Place, Prepared, fronts, polygons, prepare, zones_of


def rock_of(places: list[Place], path: Path) -> dict[str, object]:
    """The true rock, in another CRS than the scenes."""
    areas = [box(*place.truth.grid.bounds).difference(place.truth.fjord) for place in places]
    frame = gpd.GeoSeries([area.segmentize(100) for area in areas], crs=places[0].truth.crs)
    frame.to_crs(4326).to_file(path)
    return {"path": str(path)}


@pytest.fixture(scope="module")
def with_rock(places: list[Place], tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    folder = tmp_path_factory.mktemp("rock")
    lines = fronts(places, folder / "fronts.gpkg")
    rock = rock_of(places, folder / "rock.gpkg")
    return prepare(
        places, folder / "data", label_lines={"path": str(lines)}, line_reach=3000, rock=rock
    )


def test_rock_is_labelled_and_a_band_of_the_images(
    with_rock: Prepared, places: list[Place]
) -> None:
    truths = {place.name: zones_of(place) for place in places}
    assert with_rock.dataset.card.rock
    for plain, tile in zip(
        with_rock.dataset.tiles(), with_rock.dataset.tiles(rock=True), strict=True
    ):
        rows = slice(tile.entry.row, tile.entry.row + 32)
        truth = truths[tile.scene.name][rows, tile.entry.col : tile.entry.col + 32]
        ranks, valid = tile.equalised()
        assert ranks.shape == (2, 32, 32)
        assert set(np.unique(ranks[1])) <= {0.0, 1.0}
        assert ((ranks[1] > 0) == (truth == ROCK)).mean() > 0.99
        assert (tile.zones[ranks[1] > 0] == ROCK).all()
        np.testing.assert_array_equal(plain.known_rock, ranks[1] > 0)
        np.testing.assert_array_equal(plain.equalised()[0], ranks[:1])
        np.testing.assert_array_equal(plain.equalised()[1], valid)


def test_a_data_set_without_rock_has_the_earlier_format_and_nothing_known(
    prepared: Prepared,
) -> None:
    text = (prepared.dataset.folder / "dataset.json").read_text(encoding="utf-8")
    card = json.loads(text)
    assert card["format"] == 1
    assert "rock" not in card
    assert prepared.dataset.tiles()[0].known_rock is None
    ranks, _ = prepared.dataset.tiles(rock=True)[0].equalised()
    assert ranks.shape == (2, 32, 32)
    assert not ranks[1].any()


def test_a_model_that_starts_without_rock_predicts_as_before(tmp_path: Path) -> None:
    origin = load_package(package(tmp_path / "small"))
    start = begin("unet", 1, 1, origin, rock=True)
    assert (start.rock, start.fresh) == (True, ())
    image = torch.randn(1, 2, 32, 32)
    seen = torch.cat([image[:, :1], torch.ones(1, 1, 32, 32), image[:, 1:]], dim=1)
    with torch.inference_mode():
        torch.testing.assert_close(start.network.eval()(seen), origin.network(image))


def test_one_model_is_trained_and_measured_with_and_without_rock(
    with_rock: Prepared, prepared: Prepared, tmp_path: Path
) -> None:
    small, new = package(tmp_path / "small"), tmp_path / "new.zip"
    quick = {"learning_rate": 0.02, "batch_size": 8, "device": "cpu", "epochs": 1}

    def trained(data: Dataset, start: Path, output: Path) -> Path:
        asked = {"dataset": data.folder, "start_from": str(start), "output": output, **quick}
        run_job(TrainModel.model_validate(asked))
        return find_model(str(output))

    card = read_card(trained(with_rock.dataset, small, new))
    assert card.rock
    assert len(card.channels) == 3
    further = read_card(trained(prepared.dataset, new, tmp_path / "further.zip"))
    assert further.rock, "a channel once there stays, also where nothing is known"
    for model, data in ((small, with_rock.dataset), (new, prepared.dataset)):
        asked = {"model": str(model), "dataset": data.folder, "part": "validation"}
        result = run_job(EvaluateModel.model_validate(asked | {"device": "cpu"}))
        assert isinstance(result["MEAN_IOU"], float)


def test_known_rock_is_rock_when_a_model_is_measured(with_rock: Prepared, tmp_path: Path) -> None:
    model = load_package(package(tmp_path / "small"))
    tiles = with_rock.dataset.tiles("validation")
    evaluator = Evaluator(model.network, torch.device("cpu"), tiles[0].cell)
    for tile, answer in zip(tiles, evaluator.answers(tiles), strict=True):
        known = np.asarray(tile.known_rock) & (answer.zones != NOT_PROCESSED)
        assert (answer.zones[known] == ROCK).all()


def test_rock_everywhere_is_refused_and_nowhere_is_said(
    places: list[Place], tmp_path: Path
) -> None:
    labels = polygons(places[:2], tmp_path / "zones.gpkg")
    given = {"label_polygons": {"path": str(labels)}, "class_field": "class"}

    def rock(*bounds: float) -> dict[str, object]:
        path = tmp_path / "rock.gpkg"
        gpd.GeoSeries([box(*bounds)], crs=3413).to_file(path)
        return {"path": str(path)}

    with pytest.raises(EngineError, match="ROCK covers all valid cells of the labelled tiles"):
        prepare(places[:2], tmp_path / "all", rock=rock(2e5, -3e6, 5e5, -2e6), **given)
    none = prepare(places[:2], tmp_path / "none", rock=rock(0, 0, 1e4, 1e4), **given)
    assert any(text.startswith("ROCK covers no valid cell") for text in none.told.warnings)
