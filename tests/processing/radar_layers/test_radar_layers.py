"""A radargram through the wall: what QGIS opens of it, and what comes of its layers."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
from qgis.core import (
    Qgis,
    QgsCategorizedSymbolRenderer,
    QgsFeature,
    QgsGeometry,
    QgsProcessingContext,
    QgsProcessingProvider,
    QgsRasterLayer,
    QgsSingleBandGrayRenderer,
    QgsVectorLayer,
)

from kit.places import PLUGINS, PROGRAMS
from kit.qgis.fixtures import ENGINE, Log


@pytest.fixture(scope="module")
def frame(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a frame and its layer file."""
    folder = tmp_path_factory.mktemp("frame")
    subprocess.run(
        [ENGINE, "-P", str(PROGRAMS / "radar_frame.py"), str(folder)],
        env={**os.environ, "PYTHONPATH": str(PLUGINS)},
        check=True,
    )
    return folder


@pytest.fixture(scope="module")
def imported(provider: QgsProcessingProvider, frame: Path) -> dict[str, Any]:
    """Import the frame."""
    return run(
        provider,
        "importradargram",
        INPUT=str(frame / "Data_20120507_07_004.mat"),
        LAYERS=str(frame / "layers.mat"),
        OUTPUT=str(frame / "echogram.tif"),
        TRACK=str(frame / "track.gpkg"),
        PICKS=str(frame / "picks.gpkg"),
    )


def run(provider: QgsProcessingProvider, name: str, **parameters: object) -> dict[str, Any]:
    """Run an algorithm with the real engine."""
    log, context = Log(), QgsProcessingContext()
    done, succeeded = provider.algorithm(name).create().run(parameters, context, log)
    assert succeeded, log.told
    return dict(done)


def test_the_echogram_stands_upright_with_its_axes_and_its_looks(imported: dict[str, Any]) -> None:
    layer = QgsRasterLayer(imported["OUTPUT"])
    extent = layer.extent()
    assert (imported["TRACES"], imported["SAMPLES"]) == (30, 50)
    assert (extent.xMinimum(), extent.xMaximum()) == (0, 30)
    assert (extent.yMinimum(), extent.yMaximum()) == (-50, 0)
    assert Path(imported["OUTPUT"] + ".json").is_file()
    renderer = layer.renderer()
    assert isinstance(renderer, QgsSingleBandGrayRenderer)
    assert -110 < renderer.contrastEnhancement().minimumValue() < -80  # dB


def test_lines_are_in_the_echogram_and_the_track_on_the_map(imported: dict[str, Any]) -> None:
    lines, track = QgsVectorLayer(imported["PICKS"]), QgsVectorLayer(imported["TRACK"])
    echogram = QgsRasterLayer(imported["OUTPUT"])
    assert lines.crs().description() == echogram.crs().description()
    assert echogram.extent().contains(lines.extent())
    assert isinstance(lines.renderer(), QgsCategorizedSymbolRenderer)
    kind = lines.editorWidgetSetup(lines.fields().indexOf("kind"))
    assert kind.type() == "ValueMap"
    assert track.crs().authid() == "EPSG:3413"
    frames = {layer.getFeature(1)["frame_id"] for layer in (lines, track)}
    assert frames == {"20120507_07_004"}


def test_a_layer_that_is_drawn_and_dated_in_qgis_becomes_accumulation(
    provider: QgsProcessingProvider, imported: dict[str, Any], tmp_path: Path
) -> None:
    lines = QgsVectorLayer(imported["PICKS"])
    drawn = QgsFeature(lines.fields())
    drawn["year"] = 2010.0
    drawn.setGeometry(QgsGeometry.fromWkt("LineString (0.5 -49.5, 29.5 -49.5)"))
    assert lines.startEditing()
    assert lines.addFeature(drawn)
    assert lines.commitChanges()

    done = run(
        provider,
        "exportlayers",
        INPUT=[imported["OUTPUT"]],
        LINES=imported["PICKS"],
        OUTPUT=str(tmp_path / "points.gpkg"),
        OPR_FOLDER=str(tmp_path / "opr"),
    )

    assert done["LAYERS"] == 4  # of the layer file: the surface, the bed and layer 5
    assert done["MEAN_ACCUMULATION"] > 0
    points = QgsVectorLayer(done["OUTPUT"])
    assert points.geometryType() == Qgis.GeometryType.Point
    assert points.featureCount() == 4 * 30
    assert (tmp_path / "opr" / "Data_20120507_07_004.mat").is_file()
