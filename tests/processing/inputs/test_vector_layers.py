"""What a vector layer is in QGIS is what the engine gets."""

from __future__ import annotations

import json
from pathlib import Path

import processing
import pytest
from qgis.core import (
    Qgis,
    QgsField,
    QgsProcessingException,
    QgsProcessingFeatureSourceDefinition,
    QgsProcessingModelAlgorithm,
    QgsProcessingModelChildAlgorithm,
    QgsProcessingModelChildParameterSource,
    QgsProcessingModelOutput,
    QgsProject,
    QgsVectorFileWriter,
    QgsVectorLayer,
    QgsVectorLayerJoinInfo,
)
from qgis.PyQt.QtCore import QDate, QMetaType

from kit.qgis.fixtures import Log
from kit.qgis.layers import Engine, rows
from kit.qgis.saving import add, saved
from kit.qgis.window import run_as_task


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
