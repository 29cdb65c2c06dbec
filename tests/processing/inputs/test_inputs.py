"""What reaches the engine: a program in its place writes down the job that it is given."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import processing
import pytest
from qgis.core import (
    QgsCoordinateReferenceSystem,
    QgsFeature,
    QgsGeometry,
    QgsProcessingException,
    QgsProcessingFeatureSourceDefinition,
    QgsProcessingUtils,
    QgsProject,
    QgsRasterLayer,
    QgsRectangle,
    QgsReferencedRectangle,
    QgsVectorLayer,
)
from qgis.PyQt.QtCore import QDate

from kit.qgis.fixtures import Log

Job = Callable[..., dict[str, Any]]

BOX = "POLYGON((500000 -2600000, 510000 -2600000, 510000 -2590000, 500000 -2600000))"


@pytest.fixture
def job(fake_engine: Callable[[str], Path], tmp_path: Path, scene: Path, log: Log) -> Job:
    """Return a function that runs an algorithm and returns the job that the engine was given.

    Layers that were copied for the engine are kept in the folder `copies`.
    """
    copy, copies = tmp_path / "copy.json", tmp_path / "copies"
    fake_engine(f"""
import shutil
os.makedirs({str(copies)!r}, exist_ok=True)
for value in order["parameters"].values():
    if isinstance(value, dict) and os.path.isfile(value.get("path", "")):
        shutil.copy(value["path"], {str(copies)!r})
open({str(copy)!r}, "w").write(json.dumps(order))
print(json.dumps({{"event": "result", "outputs": {{}}}}))
""")

    def run(algorithm: str = "segmentcalvingfront", **parameters: object) -> dict[str, Any]:
        given = {"INPUT": str(scene), "OUTPUT": str(tmp_path / "out.tif"), **parameters}
        given = {name: value for name, value in given.items() if value is not None}
        processing.run(f"glacier:{algorithm}", given, feedback=log)
        return dict(json.loads(copy.read_text())["parameters"])

    return run


def refused(log: Log, run: Callable[[], object], remedy: str) -> None:
    """Check that a run is refused; QGIS tells why in the log when it was while preparing."""
    with pytest.raises(QgsProcessingException) as caught:
        run()
    told = [str(caught.value), *(text for kind, text in log.told if kind == "error")]
    assert any(remedy in text for text in told), told


@pytest.fixture
def polygons() -> Iterator[QgsVectorLayer]:
    layer = QgsVectorLayer("Polygon?crs=EPSG:3413&field=name:string", "polygons", "memory")
    for name in ("first", "second"):
        feature = QgsFeature(layer.fields())
        feature.setAttributes([name])
        feature.setGeometry(QgsGeometry.fromWkt(BOX))
        layer.dataProvider().addFeature(feature)
    QgsProject.instance().addMapLayer(layer)
    yield layer
    QgsProject.instance().removeMapLayer(layer)


def test_the_required_parameters_alone_make_a_whole_job(job: Job, scene: Path) -> None:
    given = job()
    assert given["input"]["path"] == str(scene)
    assert QgsCoordinateReferenceSystem(given["input"]["crs"]).authid() == "EPSG:3413"
    assert given["extent"] is given["mask"] is given["cell_size"] is None
    assert (given["tile_size"], given["padding"], given["batch_size"]) == (0, -1, 0)
    assert (given["grid"], given["device"], given["bands"], given["tta"]) == (
        "model",
        "automatic",
        [],
        True,
    )
    assert "probability" not in given


def test_numbers_words_and_bands_arrive(job: Job) -> None:
    given = job(BANDS=[1], CELL_SIZE=60.5, GRID="input", DEVICE="cpu", TTA=False, TILE_SIZE=256)
    assert given["bands"] == [1]
    assert given["cell_size"] == 60.5
    assert (given["grid"], given["device"], given["tta"]) == ("input", "cpu", False)
    assert given["tile_size"] == 256


def test_an_extent_keeps_its_own_crs(job: Job) -> None:
    extent = job(EXTENT="-40,-39,70,71 [EPSG:4326]")["extent"]
    assert [extent[k] for k in ("xmin", "xmax", "ymin", "ymax")] == [-40, -39, 70, 71]
    assert QgsCoordinateReferenceSystem(extent["crs"]).authid() == "EPSG:4326"
    box = QgsReferencedRectangle(
        QgsRectangle(1, 2, 3, 4), QgsCoordinateReferenceSystem("EPSG:32624")
    )
    extent = job(EXTENT=box)["extent"]
    assert [extent[k] for k in ("xmin", "ymin", "xmax", "ymax")] == [1, 2, 3, 4]
    assert QgsCoordinateReferenceSystem(extent["crs"]).authid() == "EPSG:32624"


@pytest.mark.parametrize("box", ["1,2,3,4", QgsRectangle(1, 3, 2, 4)])
def test_an_extent_of_bare_numbers_is_in_the_rasters_crs(job: Job, box: object) -> None:
    QgsProject.instance().setCrs(QgsCoordinateReferenceSystem("EPSG:2056"))
    try:
        extent = job(EXTENT=box)["extent"]
    finally:
        QgsProject.instance().setCrs(QgsCoordinateReferenceSystem())
    assert QgsCoordinateReferenceSystem(extent["crs"]).authid() == "EPSG:3413"
    assert [extent[k] for k in ("xmin", "xmax", "ymin", "ymax")] == [1, 2, 3, 4]


def test_a_layer_in_memory_is_exported(job: Job, polygons: QgsVectorLayer) -> None:
    mask = job(MASK=polygons.id())["mask"]
    assert QgsCoordinateReferenceSystem(mask["crs"]).authid() == "EPSG:3413"
    assert mask["path"].endswith(".gpkg")
    assert not Path(mask["path"]).exists(), "a copy goes with the run"


def test_what_lies_in_a_temporary_file_is_called_what_a_person_calls_it(
    job: Job, polygons: QgsVectorLayer, scene: Path, tmp_path: Path
) -> None:
    folder = Path(QgsProcessingUtils.tempFolder())
    folder.mkdir(exist_ok=True)
    passing = Path(shutil.copy(scene, folder / "OUTPUT.tif"))
    layer = QgsRasterLayer(str(passing), "Despeckled scene")
    QgsProject.instance().addMapLayer(layer)
    table = tmp_path / "warming.tsv"
    table.write_text("year\tela\n0\t2900\n100\t3000\n", encoding="utf-8")
    try:
        given = job(INPUT=layer.id(), MASK=polygons.id())
        ice = job(
            "simulateglacier",
            INPUT=None,
            OUTPUT=None,
            BED=str(scene),
            INITIAL_THICKNESS=str(passing),
            BALANCE_TABLE=str(table),
            THICKNESS=str(tmp_path / "h.tif"),
            VELOCITY=str(tmp_path / "v.tif"),
        )
    finally:
        QgsProject.instance().removeMapLayer(layer)
        passing.unlink()
    assert given["input"]["name"] == "Despeckled scene"
    assert given["mask"]["name"] == "polygons"
    assert ice["initial_thickness"]["name"] == "Despeckled scene", "QGIS finds the layer of a path"
    assert ice["balance_table"]["name"] == str(table)
    assert ice["bed"].keys() == {"path", "crs"}


def test_of_selected_features_only_those_arrive(
    job: Job, polygons: QgsVectorLayer, tmp_path: Path
) -> None:
    polygons.selectByExpression("name = 'second'")
    source = QgsProcessingFeatureSourceDefinition(polygons.id(), selectedFeaturesOnly=True)
    job(MASK=source)
    exported = QgsVectorLayer(str(tmp_path / "copies" / "MASK.gpkg"), "exported", "ogr")
    assert [feature["name"] for feature in exported.getFeatures()] == ["second"]


def test_a_blank_layer_is_none(job: Job) -> None:
    assert job(MASK="")["mask"] is None


def test_rock_arrives_as_polygons_or_as_a_raster(
    job: Job, polygons: QgsVectorLayer, scene: Path, tmp_path: Path
) -> None:
    drawn = job(ROCK=polygons.id())["rock"]
    assert (drawn["path"][-5:], drawn["layer"], drawn["name"]) == (".gpkg", None, "polygons")
    assert QgsCoordinateReferenceSystem(drawn["crs"]).authid() == "EPSG:3413"
    raster = shutil.copy(scene, tmp_path / "land.tif")
    given = job(ROCK=str(raster))["rock"]
    assert given["path"] == str(raster)
    assert "layer" not in given, "by which the engine tells polygons from a raster"
    assert job()["rock"] is None


def test_rock_that_cannot_be_opened_is_said(job: Job, log: Log, tmp_path: Path) -> None:
    with pytest.raises(QgsProcessingException):
        job(ROCK=str(tmp_path / "none.gpkg"))
    told = [text for kind, text in log.told if kind == "error"]
    assert any("ROCK" in text or "none.gpkg" in text for text in told)


def test_a_selection_without_features_is_said(job: Job, polygons: QgsVectorLayer, log: Log) -> None:
    source = QgsProcessingFeatureSourceDefinition(polygons.id(), selectedFeaturesOnly=True)
    refused(log, lambda: job(MASK=source), f"no feature of the layer '{polygons.name()}'")


def test_edits_that_are_not_saved_are_refused(job: Job, polygons: QgsVectorLayer, log: Log) -> None:
    polygons.startEditing()
    polygons.deleteFeature(next(polygons.getFeatures()).id())
    try:
        refused(log, lambda: job(MASK=polygons.id()), "not saved")
    finally:
        polygons.rollBack()


def test_dates_and_words_of_a_delineation_arrive(job: Job, tmp_path: Path) -> None:
    given = job(
        "delineatetermini",
        OUTPUT=str(tmp_path / "lines.gpkg"),
        DATE=QDate(2018, 6, 2),
        GLACIER="Sermeq Kujalleq ❄",
        SENSOR="S1",
    )
    assert given["date"] == "2018-06-02"
    assert (given["glacier"], given["sensor"]) == ("Sermeq Kujalleq ❄", "S1")
    assert given["min_length"] == 750


def test_layers_and_files_of_a_series_arrive_each_with_what_qgis_knows(
    job: Job, scene: Path, tmp_path: Path
) -> None:
    layer = QgsRasterLayer(str(scene), "scene")
    layer.setCrs(QgsCoordinateReferenceSystem("EPSG:32624"))
    QgsProject.instance().addMapLayer(layer)
    file, broken = tmp_path / "file.tif", tmp_path / "broken.tif"
    shutil.copy(scene, file)
    broken.touch()
    try:
        given = job(
            "terminustimeseries",
            INPUT=[layer.id(), str(file), str(broken)],
            OUTPUT=str(tmp_path / "lines.gpkg"),
            BANDS="2, 1",
        )
    finally:
        QgsProject.instance().removeMapLayer(layer)
    assert [raster["path"] for raster in given["input"]] == [str(scene), str(file), str(broken)]
    first, second, third = (raster["crs"] for raster in given["input"])
    assert QgsCoordinateReferenceSystem(first).authid() == "EPSG:32624"
    assert second is third is None
    assert given["bands"] == "2, 1"
    assert given["folder"] == given["work_folder"] == given["scheduler"] == ""
    assert not {"grid", "date"} & given.keys()


def test_a_folder_of_a_series_arrives(job: Job, scene: Path, tmp_path: Path) -> None:
    lines = str(tmp_path / "lines.gpkg")
    given = job("terminustimeseries", INPUT=None, FOLDER=str(scene.parent), OUTPUT=lines)
    assert given["input"] == []
    assert given["folder"] == str(scene.parent)


def test_without_a_date_none_is_sent(job: Job, tmp_path: Path) -> None:
    assert job("delineatetermini", OUTPUT=str(tmp_path / "lines.gpkg"))["date"] is None


@pytest.mark.parametrize(
    ("algorithm", "name"), [("segmentcalvingfront", "x.tif"), ("delineatetermini", "x.gpkg")]
)
def test_a_folder_that_does_not_exist_is_reported_before_the_work(
    job: Job, log: Log, tmp_path: Path, algorithm: str, name: str
) -> None:
    output = str(tmp_path / "nowhere" / name)
    refused(log, lambda: job(algorithm, OUTPUT=output), "does not exist")
    assert not (tmp_path / "copy.json").exists()


@pytest.mark.parametrize("form", ["nowhere/x.gpkg", "ogr:dbname='{}/nowhere/x.gpkg' table=\"x\""])
def test_so_is_one_that_is_not_written_out(
    job: Job, log: Log, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    monkeypatch.chdir(tmp_path)
    output = form.format(tmp_path)
    refused(log, lambda: job("delineatetermini", OUTPUT=output), "does not exist")
    assert not (tmp_path / "copy.json").exists()


def test_a_table_reaches_the_engine_whole_whatever_its_columns_are_called(
    job: Job, aletsch: Path, tmp_path: Path
) -> None:
    table = tmp_path / "Tabelle.csv"
    table.write_text("fid,year,ela\n1,0,2900\n1,100,3000\n")
    out = {"INPUT": None, "OUTPUT": None, "THICKNESS": "TEMPORARY_OUTPUT"}
    out["VELOCITY"] = "TEMPORARY_OUTPUT"
    given = job("simulateglacier", BED=str(aletsch), BALANCE_TABLE=str(table), **out)
    assert given["balance_table"]["path"] == str(table)


def test_impossible_simulations_are_refused_at_once(job: Job, aletsch: Path) -> None:
    out = {"INPUT": None, "OUTPUT": None, "THICKNESS": "TEMPORARY_OUTPUT"}
    out["VELOCITY"] = "TEMPORARY_OUTPUT"
    with pytest.raises(QgsProcessingException, match="END"):
        job("simulateglacier", BED=str(aletsch), START=100, END=50, **out)
    with pytest.raises(QgsProcessingException, match="BED"):
        job("simulateglacier", **out)
