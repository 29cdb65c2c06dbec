"""An output that would take something away is refused before the work."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from qgis.core import (
    QgsApplication,
    QgsProcessingContext,
    QgsProcessingOutputLayerDefinition,
    QgsProcessingProvider,
    QgsProject,
    QgsProperty,
    QgsVectorLayer,
)

from glacier_qgis.processing.provider import ALGORITHMS
from kit.qgis.saving import add, saved

Check = Callable[..., str]


@pytest.fixture
def check(context: QgsProcessingContext) -> Check:
    """Return a function that says why an algorithm will not run; blank if it will."""

    def refusal(algorithm: str, **parameters: object) -> str:
        created = QgsApplication.processingRegistry().createAlgorithmById(f"glacier:{algorithm}")
        accepted, message = created.checkParameterValues(parameters, context)
        assert accepted or message
        return "" if accepted else str(message)

    return refusal


@pytest.fixture
def dem(scene: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(scene, tmp_path / "dem.tif"))


@pytest.fixture
def masks(tmp_path: Path) -> Path:
    """Return a GeoPackage of a mask and a layer that has nothing to do with it."""
    path = tmp_path / "masks.gpkg"
    for name in ("mask", "other"):
        memory = QgsVectorLayer("Polygon?crs=EPSG:3413&field=a:integer", name, "memory")
        add(memory, "Polygon((0 0, 1 0, 1 1, 0 0))")(1)
        saved(memory, path, name=name)
    return path


def link(path: Path) -> Path:
    path.with_name("link.tif").symlink_to(path)
    return path.with_name("link.tif")


def hard_link(path: Path) -> Path:
    path.with_name("other name.tif").hardlink_to(path)
    return path.with_name("other name.tif")


@pytest.mark.parametrize(
    "spell",
    [str, link, hard_link, lambda path: path.parent / "." / ".." / path.parent.name / path.name],
)
def test_a_raster_that_is_an_input_is_not_replaced(
    check: Check, dem: Path, spell: Callable[[Path], object]
) -> None:
    output = str(spell(dem))
    assert "SURFACE" in check("surfacemassbalance", SURFACE=str(dem), OUTPUT=output)
    assert "SURFACE" in check("surfacemassbalance", SURFACE=output, OUTPUT=str(dem))
    for value in (
        QgsProperty.fromExpression(f"'{output}'"),
        QgsProcessingOutputLayerDefinition(output, QgsProject.instance()),
    ):
        assert "SURFACE" in check("surfacemassbalance", SURFACE=str(dem), OUTPUT=value)


def test_nor_one_of_which_a_mosaic_is_made(check: Check, dem: Path, tmp_path: Path) -> None:
    from osgeo import gdal

    inner, mosaic = str(tmp_path / "inner.vrt"), str(tmp_path / "mosaic.vrt")
    gdal.BuildVRT(inner, [str(dem)]).FlushCache()
    gdal.BuildVRT(mosaic, [inner]).FlushCache()
    assert "SURFACE" in check("surfacemassbalance", SURFACE=mosaic, OUTPUT=str(dem))


def test_nor_one_of_many(check: Check, dem: Path, scene: Path, tmp_path: Path) -> None:
    lines = {"THICKNESS": str(dem), "VELOCITY": str(tmp_path / "v.tif")}
    assert "BED" in check("simulateglacier", BED=str(dem), **lines)
    assert "INITIAL_THICKNESS" in check(
        "simulateglacier", BED=str(scene), INITIAL_THICKNESS=str(dem), **lines
    )


def test_nor_one_scene_of_a_series(check: Check, dem: Path, scene: Path) -> None:
    other = dem.rename(dem.with_suffix(".gpkg"))
    given = {"INPUT": [str(scene), str(other)], "OUTPUT": "TEMPORARY_OUTPUT"}
    assert not check("terminustimeseries", **given)
    assert "INPUT" in check("terminustimeseries", **{**given, "OUTPUT": str(other)})


@pytest.mark.parametrize("form", ["{}|layername=mask", "{}|layerid=0", "{}"])
def test_a_geopackage_that_holds_an_input_is_not_replaced(
    check: Check, scene: Path, masks: Path, form: str
) -> None:
    given = {"INPUT": str(scene), "MASK": form.format(masks)}
    assert "mask, other" in check("delineatetermini", **given, OUTPUT=str(masks))
    table = f"ogr:dbname='{masks}' table=\"{{}}\" (geom)"
    assert "MASK" in check("delineatetermini", **given, OUTPUT=table.format("Mask"))
    assert not check("delineatetermini", **given, OUTPUT=table.format("termini"))


def test_nor_one_that_holds_other_layers(check: Check, scene: Path, masks: Path) -> None:
    said = check("delineatetermini", INPUT=str(scene), OUTPUT=str(masks))
    assert "mask, other" in said
    assert "Save to GeoPackage" in said


def test_one_layer_in_a_file_of_its_own_may_be_replaced(
    check: Check, scene: Path, tmp_path: Path
) -> None:
    memory = QgsVectorLayer("LineString?crs=EPSG:3413", "old", "memory")
    add(memory, "LineString(0 0, 1 0)")()
    saved(memory, tmp_path / "out.gpkg")
    saved(memory, tmp_path / "out.shp", "ESRI Shapefile")
    for name in ("out.gpkg", "out.shp"):
        assert not check("delineatetermini", INPUT=str(scene), OUTPUT=str(tmp_path / name))


def test_the_parts_of_a_shapefile_are_not_replaced(
    check: Check, scene: Path, tmp_path: Path
) -> None:
    memory = QgsVectorLayer("Polygon?crs=EPSG:3413&field=a:integer", "m", "memory")
    add(memory, "Polygon((0 0, 1 0, 1 1, 0 0))")(1)
    saved(memory, tmp_path / "mask.shp", "ESRI Shapefile")
    given = {"INPUT": str(scene), "MASK": str(tmp_path / "mask.shp")}
    for name in ("mask.shp", "mask.dbf"):
        assert "MASK" in check("delineatetermini", **given, OUTPUT=str(tmp_path / name))


def test_a_layer_with_edits_that_are_not_saved_is_not_replaced(
    check: Check, scene: Path, masks: Path
) -> None:
    layer = QgsVectorLayer(f"{masks}|layername=other", "my layer", "ogr")
    QgsProject.instance().addMapLayer(layer)
    form = f"ogr:dbname='{masks}' table=\"{{}}\" (geom)"
    layer.startEditing()
    try:
        assert not check("delineatetermini", INPUT=str(scene), OUTPUT=form.format("other"))
        layer.deleteFeature(next(layer.getFeatures()).id())
        refused = check("delineatetermini", INPUT=str(scene), OUTPUT=form.format("other"))
        assert "'my layer'" in refused
        assert "not saved" in refused
        assert not check("delineatetermini", INPUT=str(scene), OUTPUT=form.format("another"))
    finally:
        layer.rollBack()
        QgsProject.instance().removeMapLayer(layer)


def test_a_file_in_an_archive_is_in_the_archive(check: Check, dem: Path, tmp_path: Path) -> None:
    archive = shutil.make_archive(str(tmp_path / "dem"), "zip", tmp_path, "dem.tif")
    source = f"/vsizip/{archive}/dem.tif"
    assert not check("surfacemassbalance", SURFACE=source, OUTPUT=str(tmp_path / "out.tif"))
    assert check("surfacemassbalance", SURFACE=source, OUTPUT=archive)


def test_two_outputs_are_not_one_file(check: Check, scene: Path, tmp_path: Path) -> None:
    same = {"OUTPUT": str(tmp_path / "a.gpkg"), "POINTS": str(tmp_path / "a")}
    assert "OUTPUT" in check("delineatetermini", INPUT=str(scene), **same)
    box = f"ogr:dbname='{tmp_path}/a.gpkg' table=\"{{}}\" (geom)"
    two = {"OUTPUT": box.format("lines"), "POINTS": box.format("points")}
    assert not check("delineatetermini", INPUT=str(scene), **two)
    rasters = dict.fromkeys(("THICKNESS", "VELOCITY"), str(tmp_path / "x.tif"))
    assert "THICKNESS" in check("simulateglacier", BED=str(scene), **rasters)


def test_nor_two_layers_of_one_name(check: Check, scene: Path, tmp_path: Path) -> None:
    (tmp_path / "box.gpkg").touch()
    (tmp_path / "link.gpkg").symlink_to(tmp_path / "box.gpkg")
    boxes = [tmp_path / "box.gpkg", tmp_path / "link.gpkg"]
    one, other = (
        f"ogr:dbname='{box}' table=\"{table}\" (geom)"
        for box, table in zip(boxes, ["lines", "LINES"], strict=True)
    )
    refused = check("delineatetermini", INPUT=str(scene), OUTPUT=one, POINTS=other)
    assert "is also given for OUTPUT" in refused


@pytest.mark.parametrize(
    ("output", "zones", "words"),
    [
        ("x" * 300 + ".gpkg", "", "too long"),
        ("y" * 300 + "/lines.gpkg", "", "does not exist"),
        ("", "x" * 300 + ".tif", "too long"),
        ("folder.gpkg", "", "is a folder"),
        ("", "folder.tif", "is a folder"),
        ("a:b.gpkg", "", "without a colon"),
        ("a%20b.gpkg", "", "without a percent sign"),
        ("lines.dxf", "", "cannot hold the fields"),
        ("lines.gpx", "", "cannot hold the fields"),
    ],
)
def test_what_cannot_be_written_is_refused_before_the_work(
    check: Check, scene: Path, tmp_path: Path, output: str, zones: str, words: str
) -> None:
    for name in ("folder.gpkg", "folder.tif"):
        (tmp_path / name).mkdir()
    given = {"INPUT": str(scene), "OUTPUT": str(tmp_path / output) if output else "memory:"}
    if zones:
        given["ZONES"] = str(tmp_path / zones)
    assert words in check("delineatetermini", **given)


def test_a_folder_is_the_destination_of_what_makes_folders(check: Check, tmp_path: Path) -> None:
    refused = check("preparetrainingdata", OUTPUT=str(tmp_path), LABEL_LINES=None)
    assert "is a folder" not in refused


@pytest.mark.parametrize("ending", ["nc", "img", "asc", "png", "vrt", "gpkg", "2018"])
def test_a_raster_is_not_written_under_the_ending_of_another_format(
    check: Check, dem: Path, tmp_path: Path, ending: str
) -> None:
    said = check("surfacemassbalance", SURFACE=str(dem), OUTPUT=str(tmp_path / f"out.{ending}"))
    assert "GeoTIFF" in said
    assert "out.tif" in said
    for good in ("out.tif", "out.TIFF", "out"):
        assert not check("surfacemassbalance", SURFACE=str(dem), OUTPUT=str(tmp_path / good))


def test_the_dialog_offers_only_what_is_written(provider: QgsProcessingProvider) -> None:
    assert provider.supportedOutputRasterLayerExtensions() == ["tif", "tiff"]
    assert provider.defaultRasterFileExtension() == "tif"


@pytest.mark.parametrize("identifier", [each.ID for each in ALGORITHMS])
def test_every_algorithm_looks_at_where_its_outputs_go(
    identifier: str, context: QgsProcessingContext
) -> None:
    which = QgsApplication.processingRegistry().createAlgorithmById(f"glacier:{identifier}")
    outputs = [one.name() for one in which.destinationParameterDefinitions()]
    if not outputs or not hasattr(which, "faults"):
        pytest.skip("it writes no file")
    endings = {"rasterDestination": ".tif", "sink": ".gpkg", "folderDestination": ""}
    for name in outputs:
        kind = which.parameterDefinition(name).type()
        path = f"/nowhere/at all/x{endings.get(kind, '.html')}"
        found = dict(which.faults({name: path}, context))
        assert "does not exist" in found.get(name, ""), name
