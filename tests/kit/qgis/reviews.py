"""Reviews for the suite inside QGIS: scenes, predictions, layers to edit, a person at work."""

from __future__ import annotations

import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

from qgis.core import QgsGeometry, QgsProject, QgsVectorLayer

from glacier_qgis.wall.review import LINES, PREDICTED, TASKS
from kit.places import PLUGINS, PROGRAMS, ROOT
from kit.qgis.fixtures import ENGINE, Log
from kit.qgis.waiting import until
from kit.qgis.window import run_as_task


def make_predictions(folder: Path) -> Path:
    """Write four scenes, predicted lines of three of them, and a review of all into a folder."""
    program = [ENGINE, "-P", PROGRAMS / "small_review.py", PLUGINS, ROOT / "tests", folder]
    subprocess.run(program, check=True)
    return folder


def prepare(predictions: Path, review: Path, **parameters: object) -> Log:
    """Run 'Prepare review' as the toolbox does."""
    asked = {
        "INPUT": str(predictions / "lines.gpkg"),
        "FOLDER": str(predictions / "scenes"),
        "AUDIT_SHARE": 25,
        "OUTPUT": str(review),
    }
    return run_as_task("preparereview", asked | parameters)


def open_layers(review: Path) -> dict[str, QgsVectorLayer]:
    """Open the layers of a review as any QGIS would, into the project."""
    layers = {}
    for table in (TASKS, PREDICTED, LINES):
        layers[table] = QgsVectorLayer(f"{review}|layername={table}", table, "ogr")
        QgsProject.instance().addMapLayer(layers[table])
    return layers


def edit(layer: QgsVectorLayer) -> None:
    """Open a layer for edits, and wait until it can be read.

    QGIS then opens the file once more, to write; on a busy machine it has been seen to find no
    features just after.
    """
    count = len(list(layer.getFeatures()))
    assert layer.startEditing()
    until(lambda: _can_be_read(layer, count))


def _can_be_read(layer: QgsVectorLayer, count: int) -> bool:
    found = len(list(layer.getFeatures()))
    if found < count:
        layer.dataProvider().reloadData()
    return found == count


def move(lines: QgsVectorLayer, task: int, east: float) -> None:
    """Move the lines of a task, in the layer's edit buffer."""
    for feature in (each for each in lines.getFeatures() if each["task"] == task):
        shape = QgsGeometry(feature.geometry())
        shape.translate(east, 0)
        assert lines.changeGeometry(feature.id(), shape)


def finish(tasks: QgsVectorLayer, task: int, status: str) -> None:
    """Give a task a status, in the layer's edit buffer."""
    (feature,) = (each for each in tasks.getFeatures() if each["task"] == task)
    assert tasks.changeAttributeValue(feature.id(), tasks.fields().indexOf("status"), status)


def task_with_line(tasks: QgsVectorLayer, lines: QgsVectorLayer) -> int:
    """Return the first task that has a line."""
    having = {feature["task"] for feature in lines.getFeatures()}
    return min(having & {feature["task"] for feature in tasks.getFeatures()})


def change(review: Path, what: str) -> None:
    """Change tasks as another program does."""
    with closing(sqlite3.connect(review)) as connection:
        for name in ("ST_IsEmpty", "ST_MinX", "ST_MaxX", "ST_MinY", "ST_MaxY"):
            connection.create_function(name, 1, lambda _: 0)
        connection.execute(f"UPDATE tasks SET {what}")  # noqa: S608
        connection.commit()


def layer(name: str) -> QgsVectorLayer:
    (found,) = (
        each
        for each in QgsProject.instance().mapLayers().values()
        if isinstance(each, QgsVectorLayer) and each.source().endswith(f"layername={name}")
    )
    return found
