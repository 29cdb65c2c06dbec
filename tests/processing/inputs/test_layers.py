"""What a layer is in QGIS is what the engine gets."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import processing
import pytest
from osgeo import gdal
from qgis.core import (
    Qgis,
    QgsCoordinateReferenceSystem,
    QgsField,
    QgsProcessingException,
    QgsProcessingFeatureSourceDefinition,
    QgsProcessingModelAlgorithm,
    QgsProcessingModelChildAlgorithm,
    QgsProcessingModelChildParameterSource,
    QgsProcessingModelOutput,
    QgsProject,
    QgsRasterLayer,
    QgsRasterRange,
    QgsSingleBandGrayRenderer,
    QgsVectorFileWriter,
    QgsVectorLayer,
    QgsVectorLayerJoinInfo,
)
from qgis.PyQt.QtCore import QDate, QMetaType

from kit.places import PLUGINS
from kit.qgis.fixtures import Log
from kit.qgis.saving import add, saved
from kit.qgis.window import run_as_task, small_layer

ROTATED = "+proj=ob_tran +o_proj=longlat +o_lon_p=0 +o_lat_p=6.55 +lon_0=180 +R=6371229 +no_defs"

Engine = Callable[..., tuple[dict[str, Any], QgsVectorLayer | QgsRasterLayer]]


@pytest.fixture
def handed(fake_engine: Callable[[str], Path], tmp_path: Path, log: Log, scene: Path) -> Engine:
    """Return a function that hands one layer over and opens what the engine was given."""
    folder = tmp_path / "handed"
    across = QgsVectorLayer("LineString?crs=EPSG:32622", "across", "memory")
    add(across, "LineString(495000 2500, 505000 2500)")()
    saved(across, tmp_path / "across.gpkg")
    fake_engine(f"""
import shutil
import subprocess
given = order["parameters"]
os.makedirs({str(folder)!r}, exist_ok=True)
for name in ("input", "mask", "termini"):
    if given.get(name) and os.path.isfile(given[name]["path"]):
        shutil.copy(given[name]["path"], {str(folder)!r})
json.dump(given, open({str(folder / "job.json")!r}, "w"))
print(json.dumps({{"event": "result", "outputs": {{}}}}))
""")

    def run(layer: object) -> tuple[dict[str, Any], QgsVectorLayer | QgsRasterLayer]:
        shutil.rmtree(folder, ignore_errors=True)
        if isinstance(layer, QgsRasterLayer):
            algorithm, name, output = "segmentcalvingfront", "INPUT", "TEMPORARY_OUTPUT"
            others = {}
        else:
            algorithm, name, output = "terminuschange", "TERMINI", "TEMPORARY_OUTPUT"
            others = {"CENTERLINE": str(small_layer(tmp_path / "centreline.gpkg", "termini"))}
        values = {name: layer, "OUTPUT": output, **others}
        processing.run(f"glacier:{algorithm}", values, feedback=log)
        given = json.loads((folder / "job.json").read_text())[name.lower()]
        file = folder / Path(given["path"]).name
        if isinstance(layer, QgsRasterLayer):
            return given, QgsRasterLayer(str(file), "handed")
        return given, QgsVectorLayer(str(file), "handed", "ogr")

    return run


@pytest.fixture
def termini(tmp_path: Path) -> Iterator[QgsVectorLayer]:
    """Return a layer of a file with three lines."""
    memory = QgsVectorLayer(
        "LineString?crs=EPSG:32622&field=when:string&field=key:integer", "m", "memory"
    )
    for key in range(3):
        add(memory, f"LineString({500000 - 300 * key} 0, {500000 - 300 * key} 5000)")(
            f"01.06.{2016 + key}", key
        )
    layer = saved(memory, tmp_path / "lines.gpkg")
    QgsProject.instance().addMapLayer(layer)
    yield layer
    QgsProject.instance().removeMapLayer(layer)


def rows(layer: QgsVectorLayer, *names: str) -> list[tuple[object, ...]]:
    return [tuple(feature[name] for name in names) for feature in layer.getFeatures()]


def test_a_layer_that_is_its_file_is_not_copied(handed: Engine, termini: QgsVectorLayer) -> None:
    given, _ = handed(termini)
    assert given["path"] == termini.source().partition("|")[0]
    assert "name" not in given


def test_a_virtual_field_arrives(handed: Engine, termini: QgsVectorLayer) -> None:
    field = QgsField("date", QMetaType.Type.QDate)
    termini.addExpressionField("to_date(\"when\", 'dd.MM.yyyy')", field)
    given, layer = handed(termini)
    assert rows(layer, "date") == [(QDate(2016 + key, 6, 1),) for key in range(3)]
    assert given["name"] == termini.source().partition("|")[0], "named as the file that it is of"


def test_a_joined_table_arrives(handed: Engine, termini: QgsVectorLayer) -> None:
    table = QgsVectorLayer("None?field=number:integer&field=date:date", "dates", "memory")
    for key in range(2):
        add(table, "")(key, QDate(2016 + key, 6, 1))
    join = QgsVectorLayerJoinInfo()
    join.setJoinLayer(table)
    join.setJoinFieldName("number")
    join.setTargetFieldName("key")
    join.setUsingMemoryCache(True)
    join.setPrefix("j_")
    termini.addJoin(join)
    _, layer = handed(termini)
    assert "fid" not in layer.fields().names()
    (first, second, third) = rows(layer, "key", "j_date")
    assert (first, second) == ((0, QDate(2016, 6, 1)), (1, QDate(2017, 6, 1)))
    assert not third[1]


def test_a_filter_of_the_layer_counts(handed: Engine, termini: QgsVectorLayer) -> None:
    termini.setSubsetString('"key" > 0')
    _, layer = handed(termini)
    assert rows(layer, "key") == [(1,), (2,)]


def test_a_filter_and_a_limit_of_the_run_count(handed: Engine, termini: QgsVectorLayer) -> None:
    some = QgsProcessingFeatureSourceDefinition(
        termini.id(), selectedFeaturesOnly=False, featureLimit=1, filterExpression='"key" > 0'
    )
    _, layer = handed(some)
    assert rows(layer, "key") == [(1,)]


def test_arcs_and_structured_fields_arrive_as_what_the_engine_knows(handed: Engine) -> None:
    arcs = QgsVectorLayer(
        "CompoundCurve?crs=EPSG:32622&field=fid:string&field=more:map&field=b:bool",
        "arcs",
        "memory",
    )
    add(arcs, "CompoundCurve(CircularString(0 0, 1 1, 2 0), (2 0, 3 0))")("x", {"a": 1}, True)
    given, layer = handed(arcs)
    assert rows(layer, "fid", "b") == [("x", True)]
    (feature,) = layer.getFeatures()
    assert feature.geometry().wkbType() == Qgis.WkbType.LineString
    assert len(list(feature.geometry().vertices())) > 10
    assert given["name"] == "arcs"


def test_the_encoding_of_a_shapefile_is_the_layers(
    handed: Engine, termini: QgsVectorLayer, tmp_path: Path
) -> None:
    field = QgsField("glacier", QMetaType.Type.QString)
    termini.addExpressionField("'Žerjavíček'", field)
    layer = saved(termini, tmp_path / "shape.shp", "ESRI Shapefile", "CP1250")
    assert handed(layer)[0]["path"] != str(tmp_path / "shape.shp")
    (tmp_path / "shape.cpg").unlink()
    layer = QgsVectorLayer(str(tmp_path / "shape.shp"), "shape", "ogr")
    layer.setProviderEncoding("CP1250")
    _, copy = handed(layer)
    assert rows(copy, "glacier") == [("Žerjavíček",)] * 3


def test_a_file_of_several_geometries_is_read_as_the_layer_that_was_chosen(
    handed: Engine, tmp_path: Path
) -> None:
    path = tmp_path / "mixed.geojson"
    geometries = (
        {"type": "Point", "coordinates": [0, 0]},
        {"type": "LineString", "coordinates": [[0, 0], [1, 1]]},
    )
    features = [
        {"type": "Feature", "properties": {"n": n}, "geometry": geometry}
        for n, geometry in enumerate(geometries)
    ]
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    _, layer = handed(QgsVectorLayer(f"{path}|geometrytype=LineString", "lines", "ogr"))
    assert rows(layer, "n") == [(1,)]


def test_a_copy_that_does_not_fit_is_no_shorter_layer(
    handed: Engine, termini: QgsVectorLayer, log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    termini.setSubsetString('"key" > 0')
    monkeypatch.setattr(QgsVectorFileWriter, "addFeature", lambda *_: False)
    with pytest.raises(QgsProcessingException, match="cannot be copied"):
        handed(termini)


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


def virtual_raster(scene: Path) -> tuple[QgsRasterLayer, QgsRasterLayer]:
    """Return a scene and twice the scene, which QGIS computes as it is drawn, in the project."""
    base = QgsRasterLayer(str(scene), "scene")
    QgsProject.instance().addMapLayer(base)
    extent = ",".join(map(str, base.extent().toRectF().getCoords()))
    uri = (
        f"?crs=EPSG:3413&extent={extent}&width={base.width()}&height={base.height()}"
        f'&formula="scene@1" * 2&scene:uri={scene}&scene:provider=gdal'
    )
    virtual = QgsRasterLayer(uri, "computed", "virtualraster")
    assert virtual.isValid()
    QgsProject.instance().addMapLayer(virtual)
    return base, virtual


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


def test_a_map_service_is_refused_with_the_cure(handed: Engine, log: Log) -> None:
    tiles = QgsRasterLayer("type=xyz&url=file:///nowhere/{z}/{x}/{y}.png&zmax=1", "tiles", "wms")
    assert tiles.isValid()
    with pytest.raises(QgsProcessingException):
        handed(tiles)
    assert any("GeoTIFF" in text for kind, text in log.told if kind == "error"), log.told


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


def test_the_engine_measures_by_a_virtual_date(
    termini: QgsVectorLayer, tmp_path: Path, log: Log
) -> None:
    termini.addExpressionField(
        "to_date(\"when\", 'dd.MM.yyyy')", QgsField("day", QMetaType.Type.QDate)
    )
    across = QgsVectorLayer("LineString?crs=EPSG:32622", "across", "memory")
    add(across, "LineString(495000 2500, 505000 2500)")()
    given = {"TERMINI": termini, "CENTERLINE": across, "DATE_FIELD": "day"}
    found = processing.run(
        "glacier:terminuschange", {**given, "OUTPUT": "TEMPORARY_OUTPUT"}, feedback=log
    )
    assert (found["MEASURED"], found["CHANGE"]) == (3, pytest.approx(-600, abs=1))


def test_layers_are_copied_in_the_thread_of_the_window(
    window: object, handed: Engine, termini: QgsVectorLayer, tmp_path: Path
) -> None:
    table = QgsVectorLayer("None?field=number:integer&field=glacier:string", "names", "memory")
    add(table, "")(1, "Helheim")
    QgsProject.instance().addMapLayer(table)
    join = QgsVectorLayerJoinInfo()
    join.setJoinLayer(table)
    join.setJoinFieldName("number")
    join.setTargetFieldName("key")
    join.setPrefix("")
    termini.addJoin(join)
    termini.addExpressionField('"key" * 2', QgsField("twice", QMetaType.Type.Int))
    lines = {"TERMINI": termini.id(), "CENTERLINE": str(tmp_path / "across.gpkg")}
    run_as_task("terminuschange", {**lines, "OUTPUT": "TEMPORARY_OUTPUT"})
    copy = QgsVectorLayer(str(tmp_path / "handed" / "TERMINI.gpkg"), "copy", "ogr")
    assert rows(copy, "twice", "glacier")[1] == (2, "Helheim")
    assert [twice for (twice,) in rows(copy, "twice")] == [0, 2, 4]


def test_what_a_model_computes_on_the_way_is_handed_on(
    window: object, handed: Engine, termini: QgsVectorLayer, tmp_path: Path
) -> None:
    source = QgsProcessingModelChildParameterSource
    model = QgsProcessingModelAlgorithm("model", "model")
    first = QgsProcessingModelChildAlgorithm("native:fieldcalculator")
    first.setChildId("first")
    first.addParameterSources("INPUT", [source.fromStaticValue(termini.id())])
    first.addParameterSources("FIELD_NAME", [source.fromStaticValue("twice")])
    first.addParameterSources("FORMULA", [source.fromStaticValue('"key" * 2')])
    model.addChildAlgorithm(first)
    second = QgsProcessingModelChildAlgorithm("glacier:terminuschange")
    second.setChildId("second")
    second.addParameterSources("TERMINI", [source.fromChildOutput("first", "OUTPUT")])
    output = QgsProcessingModelOutput("change")
    output.setChildOutputName("OUTPUT")
    output.setChildId("second")
    second.setModelOutputs({"change": output})
    model.addChildAlgorithm(second)
    assert model.validate()[0]
    processing.run(model, {"second:change": "TEMPORARY_OUTPUT"})
    copy = QgsVectorLayer(str(tmp_path / "handed" / "TERMINI.gpkg"), "copy", "ogr")
    assert rows(copy, "twice") == [(0,), (2,), (4,)]


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
