"""Radar or optical: what scenes say of themselves, and which model that stands for."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from affine import Affine
from skimage.io import imread

from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.engine.job import RasterInput
from glacier_qgis.models.fronts.scene.sensor import Sensor, kinds_by_name, recognise
from glacier_qgis.models.fronts.segmentation.model_choice import choose_model, tell_choices
from glacier_qgis.models.fronts.segmentation.options import Inference
from glacier_qgis.models.package import registry
from glacier_qgis.models.package.folder import CARD, read_card
from glacier_qgis.models.raster.source import open_raster
from kit.engine.listener import Listener
from kit.engine.rasters import write_raster
from kit.real_data import real_data


def write(
    path: Path,
    *,
    bands: int = 1,
    dtype: str = "uint8",
    low: float = 0,
    high: float = 255,
    tags: dict[str, str] | None = None,
    titles: tuple[str, ...] = (),
) -> Path:
    values = np.random.default_rng(1).uniform(low, high, (bands, 40, 50)).astype(dtype)
    described = {"descriptions": titles or (None,) * bands}
    place = Affine(60, 0, 5e5, 0, -60, 7e6)
    return write_raster(path, values, place, "EPSG:32624", tags=tags, described=described)


def sensor_of(path: Path, stated: str = "") -> Sensor:
    with open_raster(RasterInput(path=str(path))) as scene:
        return recognise(scene, str(path), stated)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("S1A_IW_GRDH_1SDH_20180602T203020_20180602T203045_022183_026646_6C2B.tif", "radar"),
        ("helheim_S1_20180602.tif", "radar"),
        ("TSX1_SAR__MGD_SE___SM_S_SRA_20110101T000000_20110101T000010/IMAGE_HH.tif", "radar"),
        ("jorum 2012 Sigma0_VV_db.tif", "radar"),
        ("LC08_L1TP_231012_20190801_20200827_02_T1_B4.TIF", "optical"),
        (
            "S2A_MSIL1C_20160802T150902_N0204_R025_T22WEB_20160802T151000.SAFE/GRANULE/a/B04.tif",
            "optical",
        ),
        ("DBE_2008-09-28_PALSAR_17_5_129.tif", "radar"),
        ("HLS.L30.T22WEB.2020201T150000.v2.0.B05.tif", "optical"),
    ],
)
def test_names_of_products_tell(tmp_path: Path, name: str, kind: str) -> None:
    sensor = sensor_of(write(tmp_path / name))
    assert (sensor.kind, sensor.sure) == (kind, True)


@pytest.mark.parametrize(
    ("scene", "kind", "told"),
    [
        ({"tags": {"SATELLITE": "SENTINEL-1B"}}, "radar", "its tag SATELLITE is 'SENTINEL-1B'"),
        ({"tags": {"Polarization": "HH"}}, "radar", "its tag Polarization is 'HH'"),
        ({"titles": ("Sigma0_VV",)}, "radar", "band 1 is called 'Sigma0_VV'"),
        ({"titles": ("near-infrared (NIR)",)}, "optical", "is called 'near-infrared (NIR)'"),
        ({"bands": 3}, "optical", "it has 3 bands"),
        ({"bands": 4, "dtype": "uint16"}, "optical", "bands"),
        ({"dtype": "float32", "low": -28, "high": -2}, "radar", "in dB (median -1"),
    ],
)
def test_tags_bands_and_values_tell_where_the_name_does_not(
    tmp_path: Path, scene: dict, kind: str, told: str
) -> None:
    sensor = sensor_of(write(tmp_path / "scene.tif", **scene))
    assert (sensor.kind, sensor.sure) == (kind, True)
    assert told in sensor.reason


@pytest.mark.parametrize(
    "name", ["blue glacier.tif", "scene.tif", "Green_Red_2020-01-02.tif", "pan.tif"]
)
def test_names_of_glaciers_and_grey_pictures_tell_nothing(tmp_path: Path, name: str) -> None:
    sensor = sensor_of(write(tmp_path / name))
    assert sensor == Sensor("radar", "neither name, tags nor bands indicate it", sure=False)


def test_a_contradiction_is_not_sure_and_what_a_person_states_ends_it(tmp_path: Path) -> None:
    path = write(tmp_path / "S1_20200101.tif", tags={"SENSOR": "Landsat 8 OLI"})
    sensor = sensor_of(path)
    assert (sensor.kind, sensor.sure) == ("radar", False)
    assert "S1_20200101.tif" in sensor.reason
    assert "Landsat 8 OLI" in sensor.reason
    assert sensor_of(path, "Landsat 8") == Sensor("optical", "SENSOR is 'Landsat 8'")


def test_radar_composites_stay_radar(tmp_path: Path) -> None:
    path = write(tmp_path / "S1B_20200101_vv_vh_ratio.tif", bands=3)
    assert sensor_of(path).kind == "radar"


def test_what_a_model_is_for_follows_from_the_names_of_its_scenes() -> None:
    assert kinds_by_name(["S1A_20200101", "TSX_20200101"]) == ("radar",)
    assert kinds_by_name(["S2A_20200101", "S1A_20200101"]) == ("radar", "optical")
    assert kinds_by_name(["S2A_20200101", "scene_1"]) == ()


def choice_of(path: Path, **options: object) -> tuple[str, Listener]:
    listener = Listener()
    source = RasterInput(path=str(path))
    with open_raster(source) as scene:
        chosen = choose_model(Inference(**options), scene, source)
    tell_choices([chosen], [source], listener)
    return chosen.card.name, listener


def test_the_choice_is_logged_with_its_reason(tmp_path: Path) -> None:
    path = write(tmp_path / "LC08_L1TP_231012_20190801_20200827_02_T1_B4.TIF")
    name, listener = choice_of(path, model="automatic")
    assert name == "landsat_unet"
    assert listener.logs[0].startswith(f"Model landsat_unet for the optical scene {path.name}: ")
    assert not listener.warnings
    name, listener = choice_of(write(tmp_path / "x.tif"))
    assert name == "caffe_unet"
    assert "MODEL: it is not certain whether x.tif is a radar or" in listener.warnings[0]
    assert choice_of(path, model="caffe_unet")[0] == "caffe_unet"


def test_an_added_model_is_taken_where_no_delivered_one_sees_the_bands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    added = tmp_path / "models"
    monkeypatch.setattr(registry, "user_folder", lambda: added)
    path = write(tmp_path / "S2A_20200101.tif", bands=3)
    with pytest.raises(EngineError, match=r"no installed model for optical scenes takes 3 band"):
        choice_of(path, bands=(1, 2, 3))
    own = added / "colours"
    shutil.copytree(registry.DELIVERED / "landsat_unet", own)
    card = read_card(own).model_copy(
        update={"name": "colours", "bands": 3, "channels": ["r", "g", "b"]}
    )
    (own / CARD).write_text(card.model_dump_json(), encoding="utf-8")
    assert choice_of(path, bands=(1, 2, 3))[0] == "colours"
    assert choice_of(path)[0] == "landsat_unet"
    (own / CARD).write_text("{", encoding="utf-8")
    assert choice_of(path)[0] == "landsat_unet"


def test_real_scenes_are_recognised() -> None:
    helheim = sensor_of(real_data("helheim_s1", "helheim_S1_20180602.tif"))
    assert (helheim.kind, helheim.sure) == ("radar", True)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("folder", "pattern", "kind", "sure"),
    [
        ("landsat_greenland/train/images", "*.png", "optical", True),
        ("caffe256/sar", "*.png", "radar", True),
        ("optical_cases", "*_image.png", "optical", True),
        ("calfin_crops", "*.png", "radar", False),  # grey, and no word
    ],
)
def test_every_real_picture_is_recognised(
    tmp_path: Path, folder: str, pattern: str, kind: str, sure: bool
) -> None:
    paths = sorted(real_data(folder).glob(pattern))
    assert paths
    for path in paths:
        values = np.atleast_3d(imread(path)).transpose(2, 0, 1)
        placed = tmp_path / f"{path.stem}.tif"
        write_raster(placed, values, Affine(60, 0, 5e5, 0, -60, 7e6), crs="EPSG:32624")
        sensor = sensor_of(placed)
        assert (sensor.kind, sensor.sure) == (kind, sure), path.name
        placed.unlink()
