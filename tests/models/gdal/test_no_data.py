"""What is no data in QGIS is no data to the engine, whatever the file says."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import rasterio
import rasterio.shutil
from affine import Affine
from pyproj import CRS

from glacier_qgis.models.engine.job import NoData, RasterInput
from glacier_qgis.models.raster.grid import Grid
from glacier_qgis.models.raster.source import open_raster, read_band

TRANSFORM = Affine(100, 0, 500000, 0, -100, 5200000)
VALUES = [[-9999.0, -0.1, 0.0, 0.1], [1.0, 2.0, 3.0, 1e6]]
HUGE = float(np.finfo("float32").max)


def write(
    path: Path, values: object, kind: str = "float32", nodata: float | None = None, bands: int = 1
) -> Path:
    array = np.asarray(values, dtype=kind)
    with rasterio.open(
        path,
        "w",
        driver="GTiff",
        crs="EPSG:32633",
        transform=TRANSFORM,
        height=array.shape[0],
        width=array.shape[1],
        count=bands,
        dtype=kind,
        nodata=nodata,
    ) as file:
        for band in range(1, bands + 1):
            file.write(array, band)
            file.set_band_description(band, f"year {1900 + band}")
            file.update_tags(band, YEAR=str(1900 + band))
        file.update_tags(PRODUCT="S1")
        file.scales, file.offsets = (2.0,) * bands, (1.0,) * bands
        file.units = ("m",) * bands
    return path


def read(path: Path, *settings: NoData, band: int = 1) -> npt.NDArray[np.float32]:
    with open_raster(RasterInput(path=str(path), no_data=settings)) as scene:
        shape = scene.dataset.shape
        grid = Grid(CRS.from_epsg(32633), TRANSFORM, *shape)
        return read_band(scene, grid, band=band)


def without(values: object, *void: float) -> npt.NDArray[np.float32]:
    array = np.array(values, dtype="float32")
    array[np.isin(array, np.array(void, dtype="float32"))] = np.nan
    return array


@pytest.mark.parametrize("nodata", [None, -9999.0])
@pytest.mark.parametrize(
    ("setting", "void"),
    [
        (NoData(ranges=((0, 0),)), [0.0]),
        (NoData(ranges=((0, 0), (3, 3))), [0.0, 3.0]),
        (NoData(ranges=((-0.05, 2), (1.5, 3))), [0.0, 0.1, 1.0, 2.0, 3.0]),
        (NoData(ranges=((None, 0),)), [-9999.0, -0.1, 0.0]),
        (NoData(ranges=((1, None),)), [1.0, 2.0, 3.0, 1e6]),
        (NoData(ranges=((1, None), (None, -1))), [-9999.0, 1.0, 2.0, 3.0, 1e6]),
        (NoData(), []),
    ],
)
def test_values_and_ranges_count_beside_what_the_file_declares(
    tmp_path: Path, nodata: float | None, setting: NoData, void: list[float]
) -> None:
    path = write(tmp_path / "a.tif", VALUES, nodata=nodata)
    declared = [] if nodata is None else [nodata]
    np.testing.assert_array_equal(read(path, setting), without(VALUES, *void, *declared))


def test_what_the_file_declares_may_be_switched_off(tmp_path: Path) -> None:
    path = write(tmp_path / "a.tif", VALUES, nodata=0)
    np.testing.assert_array_equal(read(path, NoData(own=False)), without(VALUES))
    setting = NoData(own=False, ranges=((-9999, -9999), (2, 2)))
    np.testing.assert_array_equal(read(path, setting), without(VALUES, -9999, 2))


def test_each_band_has_its_own(tmp_path: Path) -> None:
    path = write(tmp_path / "a.tif", VALUES, bands=3)
    settings = (NoData(ranges=((0, 0),)), NoData(), NoData(ranges=((1, 3), (0, 0))))
    expected = ([0.0], [], [0.0, 1.0, 2.0, 3.0])
    for band, void in enumerate(expected, 1):
        np.testing.assert_array_equal(read(path, *settings, band=band), without(VALUES, *void))


@pytest.mark.parametrize("kind", ["uint8", "int16", "uint16", "int32", "float64"])
def test_numbers_of_every_type_keep_their_value(tmp_path: Path, kind: str) -> None:
    values = [[0, 1, 2, 63], [100, 126, 127, 99]]
    path = write(tmp_path / "a.tif", values, kind, nodata=100)
    found = read(path, NoData(ranges=((0, 0), (63, 99))))
    np.testing.assert_array_equal(found, without(values, 0, 63, 99, 100))


def test_limits_of_floats_are_numbers_like_others(tmp_path: Path) -> None:
    values = [[-HUGE, 1, np.inf, -np.inf], [HUGE, np.nan, 2, 3]]
    path = write(tmp_path / "a.tif", values)
    huge = (NoData(ranges=((-HUGE, -HUGE), (HUGE, HUGE))), NoData(ranges=((-math.inf, -HUGE),)))
    for setting in huge:
        with open_raster(RasterInput(path=str(path), no_data=(setting,))) as scene:
            found = scene.dataset.read(1)
        assert np.isnan(found[0, 0])
        assert found[0, 1] == 1


def test_a_neighbour_is_not_mixed_with_what_is_void(tmp_path: Path) -> None:
    path = write(tmp_path / "a.tif", [[0.0, 10.0], [-5.0, 10.0]])
    setting = NoData(ranges=((0, 0), (-5, -5)))
    with open_raster(RasterInput(path=str(path), no_data=(setting,))) as scene:
        finer = Grid(CRS.from_epsg(32633), TRANSFORM @ Affine.scale(0.25), 8, 8)
        found = read_band(scene, finer)
    assert set(found[np.isfinite(found)]) == {10.0}


def test_a_mosaic_of_files_is_one_raster(tmp_path: Path) -> None:
    left = write(tmp_path / "left & right.tif", VALUES, nodata=-9999)
    mosaic = tmp_path / "mosaic.vrt"
    rasterio.shutil.copy(str(left), str(mosaic), driver="VRT")
    text = mosaic.read_text()
    source = text[text.index("<SimpleSource") : text.index("</VRTRasterBand>")]
    again = source.replace('DstRect xOff="0"', 'DstRect xOff="4"')
    wider = text.replace('rasterXSize="4"', 'rasterXSize="8"')
    mosaic.write_text(wider.replace(source, source + again))
    found = read(mosaic, NoData(ranges=((0, 0), (3, 3))))
    np.testing.assert_array_equal(found, without(np.hstack([VALUES, VALUES]), -9999, 0, 3))


def test_all_else_that_the_file_says_stays(tmp_path: Path) -> None:
    path = write(tmp_path / "a scene 2018-06-02.tif", VALUES, nodata=-9999, bands=2)
    setting = NoData(ranges=((0, 1),))
    with open_raster(RasterInput(path=str(path), no_data=(setting, setting))) as scene:
        file = scene.dataset
        assert scene.name == str(path)
        assert file.descriptions == ("year 1901", "year 1902")
        assert file.tags(2)["YEAR"] == "1902"
        assert file.tags()["PRODUCT"] == "S1"
        assert (file.scales, file.offsets) == ((2.0, 2.0), (1.0, 1.0))
        assert file.units == ("m", "m")
        assert file.transform == TRANSFORM
        assert file.crs.to_epsg() == 32633
