"""What a raster layer is in QGIS is what the engine gets."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import processing
import pytest
from osgeo import gdal
from qgis.core import (
    QgsCoordinateReferenceSystem,
    QgsProcessingException,
    QgsProject,
    QgsRasterLayer,
    QgsRasterRange,
    QgsSingleBandGrayRenderer,
)

from kit.places import PLUGINS
from kit.qgis.fixtures import Log
from kit.qgis.layers import Engine, virtual_raster

ROTATED = "+proj=ob_tran +o_proj=longlat +o_lon_p=0 +o_lat_p=6.55 +lon_0=180 +R=6371229 +no_defs"


@pytest.mark.parametrize("code", ["EPSG:4979", "EPSG:8857", "EPSG:3413", ROTATED])
def test_a_crs_arrives_whole(handed: Engine, scene: Path, code: str) -> None:
    layer = QgsRasterLayer(str(scene), "scene")
    crs = QgsCoordinateReferenceSystem(code)
    if code == ROTATED:
        crs = QgsCoordinateReferenceSystem.fromProj(code)
    layer.setCrs(crs)
    given, _ = handed(layer)
    assert QgsCoordinateReferenceSystem.fromWkt(given["crs"]) == crs
    assert given["crs"].startswith(("GEOGCRS", "PROJCRS")), "WKT2"


def test_a_crs_without_wkt_arrives_as_its_code(monkeypatch: pytest.MonkeyPatch) -> None:
    from glacier_qgis.processing.inputs.copies import crs_text

    monkeypatch.setattr(QgsCoordinateReferenceSystem, "toWkt", lambda *_: "")
    assert crs_text(QgsCoordinateReferenceSystem("EPSG:32733")) == "EPSG:32733"


def test_the_band_that_is_shown_arrives(handed: Engine, scene: Path, tmp_path: Path) -> None:
    single = QgsRasterLayer(str(scene), "scene")
    assert "band" not in handed(single)[0], "there is one only"
    years = str(tmp_path / "years.tif")
    gdal.Translate(years, str(scene), bandList=[1, 1, 1]).FlushCache()
    layer = QgsRasterLayer(years, "years")
    assert "band" not in handed(layer)[0], "nobody chose"
    layer.setRenderer(QgsSingleBandGrayRenderer(layer.dataProvider(), 3))
    assert handed(layer)[0]["band"] == 3


def test_what_a_person_set_as_no_data_arrives(handed: Engine, scene: Path) -> None:
    layer = QgsRasterLayer(str(scene), "scene")
    assert "no_data" not in handed(layer)[0]
    kinds = QgsRasterRange.BoundsType
    ranges = [
        QgsRasterRange(0, 0),
        QgsRasterRange(5, float("nan")),
        QgsRasterRange(1, 2, kinds.Exclusive),
    ]
    layer.dataProvider().setUserNoDataValue(1, ranges)
    (band,) = handed(layer)[0]["no_data"]
    assert band["own"]
    assert band["ranges"][:2] == [[0, 0], [5, None]]
    assert 1 < band["ranges"][2][0] < 1.001 < 1.999 < band["ranges"][2][1] < 2


def test_what_the_file_declares_may_be_switched_off(handed: Engine, scene: Path) -> None:
    layer = QgsRasterLayer(str(scene), "scene")
    assert layer.dataProvider().sourceHasNoDataValue(1)
    layer.dataProvider().setUseSourceNoDataValue(1, False)
    assert handed(layer)[0]["no_data"] == [{"own": False, "ranges": []}]


def test_of_a_copied_raster_too(handed: Engine, scene: Path) -> None:
    base, virtual = virtual_raster(scene)
    try:
        virtual.dataProvider().setUserNoDataValue(1, [QgsRasterRange(0, 10)])
        given, copy = handed(virtual)
    finally:
        QgsProject.instance().removeMapLayers([base.id(), virtual.id()])
    assert given["no_data"] == [{"own": True, "ranges": [[0, 10]]}]
    box, columns, lines = copy.extent(), copy.width(), copy.height()
    block = copy.dataProvider().block(1, box, columns, lines)
    assert any(0 <= block.value(place) <= 10 for place in range(columns * lines)), "as it was"


def test_options_for_opening_arrive(handed: Engine, scene: Path) -> None:
    given, _ = handed(QgsRasterLayer(f"{scene}|option:NUM_THREADS=2|option:IGNORE_COG=YES", "s"))
    assert given["path"] == str(scene)
    assert given["options"] == {"NUM_THREADS": "2", "IGNORE_COG": "YES"}


def test_a_raster_that_only_qgis_can_read_is_copied(handed: Engine, scene: Path) -> None:
    base, virtual = virtual_raster(scene)
    try:
        given, copy = handed(virtual)
    finally:
        QgsProject.instance().removeMapLayers([base.id(), virtual.id()])
    assert given["name"] == "computed"
    assert not Path(given["path"]).exists(), "a copy goes with the run"
    box, columns, lines = copy.extent(), copy.width(), copy.height()
    assert (columns, lines) == (512, 512)
    own = QgsRasterLayer(str(scene), "scene")
    once = own.dataProvider().block(1, box, columns, lines)
    twice = copy.dataProvider().block(1, box, columns, lines)
    for place in range(0, columns * lines, 997):
        assert twice.isNoData(place) == once.isNoData(place)
        if not once.isNoData(place):
            assert twice.value(place) == pytest.approx(2 * once.value(place))


@pytest.mark.parametrize("driver", ["HDF4Image", "FITS", "netCDF", "GPKG", "HFA"])
def test_files_that_the_engine_cannot_open_are_copied(
    handed: Engine, scene: Path, tmp_path: Path, driver: str
) -> None:
    if gdal.GetDriverByName(driver) is None:
        pytest.skip(f"QGIS has no driver {driver} here")
    path = str(tmp_path / f"scene.{driver}")
    kind = gdal.GDT_Byte if driver == "GPKG" else gdal.GDT_Float32
    gdal.Translate(path, str(scene), format=driver, outputType=kind).FlushCache()
    layer = QgsRasterLayer(path, "other")
    given, copy = handed(layer)
    assert (given["path"] == path) == (driver in ("netCDF", "GPKG", "HFA"))
    if given["path"] != path:
        assert given["name"] == "other"
        assert copy.width() == layer.width()
        assert copy.dataProvider().bandStatistics(1).mean == pytest.approx(
            layer.dataProvider().bandStatistics(1).mean, rel=1e-3
        )


def test_what_is_in_the_memory_of_qgis_is_copied(handed: Engine, scene: Path) -> None:
    gdal.Translate("/vsimem/scene.tif", str(scene)).FlushCache()
    given, copy = handed(QgsRasterLayer("/vsimem/scene.tif", "memory"))
    assert Path(given["path"]).name == "INPUT.tif"
    assert copy.width() == 512
    gdal.Unlink("/vsimem/scene.tif")


def test_the_engine_reads_what_is_said_to_be_read(engine: str) -> None:
    from glacier_qgis.processing.inputs.rasters import READ

    code = (
        "import rasterio; from glacier_qgis.models.gdal.file import FORMATS, VIRTUAL\n"
        "with rasterio.Env() as env: print(*set(env.drivers()) & {*FORMATS, VIRTUAL})"
    )
    done = subprocess.run(
        [engine, "-c", code], cwd=PLUGINS, capture_output=True, text=True, check=True
    )
    assert set(done.stdout.split()) >= READ


def test_a_map_service_is_refused_with_the_remedy(handed: Engine, log: Log) -> None:
    tiles = QgsRasterLayer("type=xyz&url=file:///nowhere/{z}/{x}/{y}.png&zmax=1", "tiles", "wms")
    assert tiles.isValid()
    with pytest.raises(QgsProcessingException):
        handed(tiles)
    assert any("GeoTIFF" in text for kind, text in log.told if kind == "error"), log.told


@pytest.mark.slow
def test_the_engine_computes_without_what_is_no_data_in_qgis(aletsch: Path, tmp_path: Path) -> None:
    layer = QgsRasterLayer(str(aletsch), "surface")
    layer.dataProvider().setUserNoDataValue(1, [QgsRasterRange(0, 3000)])
    extent = "2640000,2646000,1148000,1154000 [EPSG:2056]"
    found = {}
    for name, surface in (("all", str(aletsch)), ("high", layer)):
        given = {"SURFACE": surface, "EXTENT": extent, "RESOLUTION": 100}
        output = processing.run(
            "glacier:surfacemassbalance", {**given, "OUTPUT": str(tmp_path / f"{name}.tif")}
        )["OUTPUT"]
        balance = QgsRasterLayer(output, name)
        statistics = balance.dataProvider().bandStatistics(1)
        found[name] = (statistics.minimumValue, statistics.elementCount)
    assert found["high"][1] < found["all"][1]
    assert found["all"][0] < 0 <= found["high"][0], "the balance is positive above 3000 m"


@pytest.mark.slow
def test_subdatasets_archives_and_other_formats_are_one_surface(
    tmp_path: Path, aletsch: Path
) -> None:
    surface = tmp_path / "h.tif"
    box = (425000, 5140000, 428000, 5143000)
    utm = {"dstSRS": "EPSG:32632", "outputBounds": box, "xRes": 100, "yRes": 100}
    gdal.Warp(str(surface), str(aletsch), **utm).FlushCache()
    forms = [str(surface)]
    for driver, name, form in (
        ("netCDF", "h.nc", 'NETCDF:"{}":Band1'),
        ("HDF4Image", "h.hdf", "{}"),
    ):
        if gdal.GetDriverByName(driver) is not None:
            gdal.Translate(str(tmp_path / name), str(surface), format=driver).FlushCache()
            forms.append(form.format(tmp_path / name))
    archive = shutil.make_archive(str(tmp_path / "h"), "zip", tmp_path, "h.tif")
    forms.append(f"/vsizip/{archive}/h.tif")
    found = [
        processing.run(
            "glacier:surfacemassbalance", {"SURFACE": form, "OUTPUT": "TEMPORARY_OUTPUT"}
        )["MEAN_BALANCE"]
        for form in forms
    ]
    assert found == pytest.approx([found[0]] * len(forms))
