"""Readers of labelled images, and the delivered model on unseen images."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from skimage.draw import line

from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.engine.events import EventStream, Silent
from glacier_qgis.models.package.folder import load_package
from glacier_qgis.models.package.registry import find_model
from glacier_qgis.models.training.data.samples import UNLABELLED
from glacier_qgis.models.training.delivered.caffe import read_caffe
from glacier_qgis.models.training.delivered.evaluate import evaluate, evaluate_series
from glacier_qgis.models.training.delivered.front_lines import read_front_lines, zones_beside
from glacier_qgis.models.training.views.sampling import pools_by_group
from glacier_qgis.models.zones.codes import GLACIER, OCEAN
from kit.real_data import real_data


def test_beside_a_traced_front_ice_lies_upstream_and_ocean_downstream() -> None:
    front = np.zeros((60, 50), bool)
    front[line(20, 10, 35, 40)] = True
    zones = zones_beside(front, reach=8)
    rows, columns = np.nonzero(zones == OCEAN)
    assert np.all(rows < 20 + (columns - 10) / 2 + 1)
    rows, columns = np.nonzero(zones == GLACIER)
    assert np.all(rows > 20 + (columns - 10) / 2 - 1)
    assert np.all(zones[:, :10] == UNLABELLED)
    assert zones[10, 12] == UNLABELLED, "too far from the front to be sure"


def test_a_folder_without_index_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match=r"has no index\.csv"):
        read_caffe(tmp_path)
    with pytest.raises(EngineError, match="has no image with a front"):
        read_front_lines(tmp_path)


@pytest.mark.slow
def test_in_caffe_fronts_run_between_glacier_and_ocean() -> None:
    scenes = read_caffe(real_data("caffe256"))
    assert {scene.group for scene in scenes} == {"JAC", "DBE", "SI", "Jorum"}
    assert min(scene.date for scene in scenes) > "1995"
    for scene in scenes[::40]:
        distance = [np.hypot(*(scene.front - point).T).min() for point in np.argwhere(scene.traced)]
        assert np.median(distance) < 3, scene.name


def test_landsat_fronts_have_ice_on_one_side_and_ocean_on_the_other() -> None:
    for scene in read_front_lines(real_data("landsat_greenland", "train"))[::20]:
        glacier, ocean = (np.count_nonzero(scene.zones == code) for code in (GLACIER, OCEAN))
        assert glacier > 100
        assert ocean > 100
        assert len(scene.front) > 10


def test_landsat_images_of_a_glacier_lie_on_one_grid() -> None:
    shifts = [(0, 0), (4, 0), (-4, 0), (0, 4), (0, -4)]
    for place in pools_by_group(read_front_lines(real_data("landsat_greenland", "train"))):
        images = np.stack([scene.equalised()[0][0] for scene in place])
        likest = []
        for index, image in enumerate(images):
            others = np.delete(images, index, axis=0).mean(axis=0)
            moved = [np.roll(others, shift, axis=(0, 1))[8:-8, 8:-8] for shift in shifts]
            own = image[8:-8, 8:-8].ravel()
            likest.append(int(np.argmax([np.corrcoef(own, each.ravel())[0, 1] for each in moved])))
        assert np.mean(np.array(likest) == 0) > 0.8, place[0].group


def test_a_series_of_products_is_measured_by_their_ids() -> None:
    scenes = pools_by_group(read_front_lines(real_data("landsat_greenland", "train")))[1][:4]
    assert scenes[0].name.endswith("_B8"), "more than the id that a line has"
    values = evaluate_series(find_model("landsat_unet"), scenes, Silent())
    assert (values["images"], values["missed_box"]) == (4, 0)
    assert values["mde_box_m"] < 300


def test_the_delivered_model_loads_and_says_where_it_comes_from() -> None:
    card = load_package(find_model("")).card
    assert card.name == "caffe_unet"
    assert card.training_data[0].doi == "10.1594/PANGAEA.940950"
    assert card.training_data[0].licence == "CC BY 4.0"
    measured = " ".join(evaluation.data for evaluation in card.evaluations)
    assert all(glacier in measured for glacier in ("DBE", "JAC", "Jorum", "SI"))
    assert card.calibration


@pytest.mark.slow
def test_the_delivered_model_finds_fronts_like_those_of_its_training() -> None:
    scenes = [scene for scene in read_caffe(real_data("caffe256")) if scene.group == "DBE"]
    values = evaluate(find_model(""), scenes[::16], EventStream(io.StringIO()))
    assert values["mde_box_m"] < 400
    assert values["iou_ocean"] > 0.75
    assert values["missed_box"] == 0
