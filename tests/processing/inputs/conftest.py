"""An engine that keeps the layer that it was given, and a layer for it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import processing
import pytest
from qgis.core import (
    QgsProject,
    QgsRasterLayer,
    QgsVectorLayer,
)

from kit.qgis.fixtures import Log
from kit.qgis.layers import Engine
from kit.qgis.saving import add, saved
from kit.qgis.window import small_layer


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
