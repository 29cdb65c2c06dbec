"""Change and comparison of terminus lines, through QGIS and the real engine."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import processing
import pytest
from qgis.core import QgsFeature, QgsGeometry, QgsProcessingContext, QgsVectorLayer

from kit.qgis.fixtures import Log, results

Process = Callable[..., Any]

DAYS = ("2016-07-01", "2017-07-01", "2018-07-01")
X = (503_000.0, 502_700.0, 502_900.0)
Y = 7_350_000.0
AXIS = f"LineString(500000 {Y}, 506000 {Y})"


def lines(fields: str, *rows: tuple[str, Sequence[object]]) -> QgsVectorLayer:
    """Return a layer in memory of lines as WKT, with attributes."""
    layer = QgsVectorLayer(f"LineString?crs=EPSG:32624{fields}", "lines", "memory")
    for wkt, attributes in rows:
        feature = QgsFeature(layer.fields())
        feature.setGeometry(QgsGeometry.fromWkt(wkt))
        feature.setAttributes(list(attributes))
        assert layer.dataProvider().addFeature(feature)
    return layer


def termini(date: str, east: float = 0.0) -> QgsVectorLayer:
    rows = [
        (f"LineString({x + east} {Y - 900}, {x + east} {Y + 900})", [day, 25.0])
        for x, day in zip(X, DAYS, strict=True)
    ]
    return lines(f"&field={date}:date&field=uncertainty_m:double", *rows)


def saved(layer: QgsVectorLayer, path: Path) -> str:
    processing.run("native:savefeatures", {"INPUT": layer, "OUTPUT": str(path)})
    return str(path)


@pytest.mark.slow
@pytest.mark.parametrize("method", ["centreline", "curvilinear box"])
def test_layers_in_memory_become_a_table(
    method: str, log: Log, context: QgsProcessingContext
) -> None:
    parameters = {
        "TERMINI": termini("Datum"),
        "METHOD": method,
        "CENTERLINE": lines("", (AXIS, [])),
        "DATE_FIELD": "Datum",
        "OUTPUT": "TEMPORARY_OUTPUT",
    }
    found = processing.run("glacier:terminuschange", parameters, feedback=log, context=context)
    rows = list(found["OUTPUT"].getFeatures())
    assert not found["OUTPUT"].isSpatial()
    assert [round(row["distance_m"], 3) for row in rows] == [0, -300, -100]
    assert [row["date"].toString("yyyy-MM-dd") for row in rows] == list(DAYS)
    assert found["CHANGE"] == pytest.approx(-100, abs=1e-3)
    assert (found["MEASURED"], found["NOT_MEASURED"], found["GLACIERS"]) == (3, 0, 1)


@pytest.mark.slow
def test_change_and_comparison_on_the_command_line(qgis_process: Process, tmp_path: Path) -> None:
    given = saved(termini("date"), tmp_path / "Línur.gpkg")
    shifted = saved(termini("date", 120), tmp_path / "shifted.gpkg")
    axis = saved(lines("", (AXIS, [])), tmp_path / "axis.gpkg")
    table, report = tmp_path / "out" / "table.gpkg", tmp_path / "out" / "report.html"
    table.parent.mkdir()
    change = results(
        qgis_process(
            "run",
            "glacier:terminuschange",
            "--json",
            f"TERMINI={given}",
            f"CENTERLINE={axis}",
            f"OUTPUT={table}",
            f"REPORT={report}",
        )
    )
    assert change["CHANGE"] == pytest.approx(-100, abs=1e-3)
    assert QgsVectorLayer(str(table), "table").featureCount() == 3
    assert "Plotly.newPlot" in report.read_text(encoding="utf-8")
    comparison = results(
        qgis_process(
            "run",
            "glacier:comparetermini",
            "--json",
            f"PREDICTED={shifted}",
            f"REFERENCE={given}",
            "MATCH_FIELDS=date;uncertainty_m",
            f"OUTPUT={tmp_path / 'out' / 'errors.gpkg'}",
        )
    )
    assert comparison["MEAN_DISTANCE_ERROR"] == pytest.approx(120, abs=1e-3)
    assert (comparison["IMAGES"], comparison["MISSED"]) == (3, 0)
    assert sorted(path.name for path in table.parent.iterdir()) == [
        "errors.gpkg",
        "report.html",
        "table.gpkg",
    ]


@pytest.mark.slow
def test_what_a_method_lacks_is_reported_and_nothing_is_written(
    qgis_process: Process, tmp_path: Path
) -> None:
    given = saved(termini("date"), tmp_path / "lines.gpkg")
    output = tmp_path / "out" / "table.gpkg"
    output.parent.mkdir()
    words = [f"TERMINI={given}", "METHOD=rectilinear box", f"OUTPUT={output}"]
    done = qgis_process("run", "glacier:terminuschange", "--json", *words)
    assert done.returncode == 1
    assert "needs BOX" in done.stdout + done.stderr
    assert list(output.parent.iterdir()) == []
