"""A panel over a map with a scene in view."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from qgis.core import (
    QgsCoordinateReferenceSystem,
    QgsCoordinateTransform,
    QgsProject,
    QgsRasterLayer,
)
from qgis.gui import QgsMapCanvas

from glacier_qgis.client.warm_engine import WarmEngine
from glacier_qgis.panel.front_panel import FrontPanel
from kit.qgis.panel import (
    ANSWER,
    SEEN,
    FakeWarmEngine,
    png,
)


@pytest.fixture
def canvas(qgis_new_project: None, qgis_canvas: QgsMapCanvas) -> QgsMapCanvas:
    qgis_canvas.setDestinationCrs(QgsCoordinateReferenceSystem("EPSG:3413"))
    qgis_canvas.resize(400, 300)
    return qgis_canvas


@pytest.fixture
def panel(canvas: QgsMapCanvas) -> Iterator[FrontPanel]:
    engine = WarmEngine()
    panel = FrontPanel(canvas, engine)
    yield panel
    panel.close_down()
    engine.stop()
    panel.deleteLater()


@pytest.fixture
def layer(scene: Path, canvas: QgsMapCanvas) -> QgsRasterLayer:
    """Return a scene that is in the project and in view."""
    layer = QgsRasterLayer(str(scene), "Grönland 1")
    QgsProject.instance().addMapLayer(layer)
    to_map = QgsCoordinateTransform(
        layer.crs(), canvas.mapSettings().destinationCrs(), QgsProject.instance()
    )
    canvas.setExtent(to_map.transformBoundingBox(layer.extent()))
    return layer


@pytest.fixture
def orders(tmp_path: Path, fake_warm_engine: FakeWarmEngine) -> Callable[[], list[dict]]:
    """Let a stand-in answer, and return a function that tells what it was asked."""
    seen = tmp_path / "seen"
    picture = base64.b64encode(png([[4, 3], [2, 1]])).decode()
    fake_warm_engine(SEEN.format(seen=str(seen)) + ANSWER.format(picture=picture))

    def told() -> list[dict]:
        return [json.loads(line) for line in seen.read_text().splitlines()] if seen.exists() else []

    return told
