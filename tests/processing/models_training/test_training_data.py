"""Training data through the toolbox: what the dialog hands over, and one run of each."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import processing
import pytest
from qgis.core import QgsProcessingException, QgsRasterLayer, QgsVectorLayer

from kit.places import PLUGINS
from kit.qgis.fixtures import ENGINE, Log

MAKE = """
import sys
from pathlib import Path
import geopandas as gpd
from rasterio.features import shapes
from rasterio.windows import Window
from shapely.geometry import shape
from glacier_qgis.models.fronts.scene.synthetic import SyntheticScene
from glacier_qgis.models.zones.codes import CLASS_NAMES

folder, rows = Path(sys.argv[1]), []
for number, name in enumerate(["Árni_2018-06-02", "Breki_2018-07-02"]):
    place = (300000.0 + 50000 * number, -2577000.0)
    scene = SyntheticScene(size=64, cell_size=60.0, seed=number + 1, centre=place)
    scene.write(folder / f"{name}.tif")
    zones = scene.zones(Window(0, 0, 64, 64))
    for ring, code in shapes(zones, transform=scene.grid.transform):
        rows.append({"zone": CLASS_NAMES[int(code)], "image_id": name, "geometry": shape(ring)})
gpd.GeoDataFrame(rows, crs=scene.crs).to_file(folder / "zones.gpkg", layer="zones")
"""


@pytest.fixture(scope="module")
def labelled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with two scenes and polygons of their zones."""
    folder = tmp_path_factory.mktemp("Merkt gögn")
    subprocess.run([ENGINE, "-c", MAKE, str(folder)], cwd=PLUGINS, check=True)
    return folder


def test_the_dialog_hands_over_layers_fields_and_blanks(
    fake_engine: Callable[[str], Path], labelled: Path, tmp_path: Path
) -> None:
    copy = tmp_path / "copy.json"
    fake_engine(f"""
open({str(copy)!r}, "w").write(json.dumps(order))
print(json.dumps({{"event": "result", "outputs": {{}}}}))
""")
    scenes = [QgsRasterLayer(str(path), path.stem) for path in sorted(labelled.glob("*.tif"))]
    zones = QgsVectorLayer(str(labelled / "zones.gpkg"), "zones")
    processing.run(
        "glacier:preparetrainingdata",
        {
            "INPUT": scenes,
            "LABEL_POLYGONS": zones,
            "CLASS_FIELD": "zone",
            "OUTPUT": str(tmp_path / "out"),
        },
    )
    job: dict[str, Any] = json.loads(copy.read_text())["parameters"]
    assert [Path(source["path"]).stem for source in job["input"]] == [s.name() for s in scenes]
    assert job["label_polygons"]["path"] == str(labelled / "zones.gpkg")
    assert job["class_field"] == "zone"
    assert job["label_lines"] is None
    assert job["label_rasters"] == []
    assert job["stride"] is None
    assert job["output"] == str(tmp_path / "out")


@pytest.mark.slow
def test_a_data_set_is_prepared_and_inspected(labelled: Path, tmp_path: Path, log: Log) -> None:
    folder = tmp_path / "Gagnasafn"
    made = processing.run(
        "glacier:preparetrainingdata",
        {
            "INPUT": [str(path) for path in sorted(labelled.glob("*.tif"))],
            "LABEL_POLYGONS": f"{labelled / 'zones.gpkg'}|layername=zones",
            "CLASS_FIELD": "zone",
            "TILE_SIZE": 32,
            "OUTPUT": str(folder),
        },
        feedback=log,
    )
    assert made["OUTPUT"] == str(folder)
    assert made["TRAINING_TILES"] + made["VALIDATION_TILES"] == made["TILES"] == 8
    tile = QgsRasterLayer(str(next((folder / "images").glob("*.tif"))))
    assert tile.crs().authid() == "EPSG:3413"
    report = tmp_path / "report.html"
    seen = processing.run(
        "glacier:inspecttrainingdata", {"DATASET": str(folder), "REPORT": str(report)}, feedback=log
    )
    assert seen["TILES"] == 8
    assert "Breki" in report.read_text(encoding="utf-8")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["Gagnasafn", "report.html"]


def test_a_folder_that_holds_something_is_left_alone(
    labelled: Path, tmp_path: Path, log: Log
) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(QgsProcessingException, match="not empty"):
        processing.run(
            "glacier:preparetrainingdata",
            {
                "INPUT": [str(path) for path in sorted(labelled.glob("*.tif"))],
                "LABEL_POLYGONS": str(labelled / "zones.gpkg"),
                "CLASS_FIELD": "zone",
                "OUTPUT": str(tmp_path),
            },
            feedback=log,
        )
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]
