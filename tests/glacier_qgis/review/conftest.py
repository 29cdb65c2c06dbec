"""The panel "Review" with a review of four scenes."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from qgis.core import QgsCoordinateReferenceSystem, QgsProject, QgsVectorLayer
from qgis.gui import QgsMapCanvas, QgsMapToolPan

from glacier_qgis.review.review_commands import LineTools
from glacier_qgis.review.review_panel import ReviewPanel
from kit.qgis.reviews import change, make_predictions
from kit.qgis.waiting import until


@pytest.fixture(scope="module")
def small_review(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_predictions(tmp_path_factory.mktemp("predictions"))


@pytest.fixture
def review_beside_scenes(small_review: Path, tmp_path: Path) -> Path:
    """A review whose scenes lie beside it."""
    folder = Path(shutil.copytree(small_review, tmp_path / "all"))
    change(folder / "review.gpkg", f"scene = replace(scene, '{small_review}', '{folder}')")
    return folder / "review.gpkg"


@pytest.fixture
def review_panel(review_beside_scenes: Path, qgis_canvas: QgsMapCanvas) -> Iterator[ReviewPanel]:
    qgis_canvas.setDestinationCrs(QgsCoordinateReferenceSystem("EPSG:32624"))
    qgis_canvas.resize(400, 300)
    reshaped: list[QgsVectorLayer] = []
    edited: list[QgsVectorLayer] = []
    drawn: list[QgsVectorLayer] = []
    pan = QgsMapToolPan(qgis_canvas)
    tools = LineTools(
        reshaped.append, edited.append, drawn.append, lambda: qgis_canvas.setMapTool(pan)
    )
    panel = ReviewPanel(qgis_canvas, tools)
    panel.reshaped, panel.edited, panel.drawn = reshaped, edited, drawn
    QgsProject.instance().addMapLayer(
        QgsVectorLayer(f"{review_beside_scenes}|layername=tasks", "tasks", "ogr")
    )
    panel.canvas = qgis_canvas
    panel.show()
    until(lambda: panel.queue is not None)
    yield panel
    for layer in QgsProject.instance().mapLayers().values():
        if isinstance(layer, QgsVectorLayer):
            layer.rollBack()
    panel.close_down()
    panel.deleteLater()
