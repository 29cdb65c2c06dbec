"""Runs that a window starts by itself."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from qgis.core import QgsProcessingOutputLayerDefinition, QgsProject, QgsVectorLayer
from qgis.PyQt.QtCore import QEventLoop, QTimer

from glacier_qgis.window.background import BackgroundRun

pytestmark = pytest.mark.usefixtures("window")


def ended(run: BackgroundRun, meanwhile: Callable[[], None] = lambda: None) -> tuple[bool, Any]:
    """Start a run and return how it finished."""
    answers: list[tuple[bool, Any]] = []
    loop = QEventLoop()
    run.finished.connect(lambda succeeded, results: answers.append((succeeded, results)))
    run.finished.connect(loop.quit)
    run.start()
    meanwhile()
    QTimer.singleShot(60_000, loop.quit)
    if not answers:
        loop.exec()
    assert len(answers) == 1, run.feedback.textLog()
    return answers[0]


def on_map() -> QgsProcessingOutputLayerDefinition:
    return QgsProcessingOutputLayerDefinition("TEMPORARY_OUTPUT", QgsProject.instance())


def test_what_it_makes_is_on_the_map() -> None:
    points = QgsVectorLayer("Point?crs=EPSG:32633", "points", "memory")
    QgsProject.instance().addMapLayer(points)
    given = {"INPUT": points, "DISTANCE": 10, "OUTPUT": on_map()}
    succeeded, results = ended(BackgroundRun("native:buffer", given))
    assert succeeded
    assert "Buffered" in [layer.name() for layer in QgsProject.instance().mapLayers().values()]
    assert set(results) == {"OUTPUT"}


def test_what_cannot_be_run_says_why_and_finishes_once() -> None:
    run = BackgroundRun("native:buffer", {"INPUT": "no such layer", "OUTPUT": on_map()})
    assert ended(run) == (False, {})
    assert "INPUT" in run.feedback.textLog()


def test_it_can_be_cancelled(fake_engine: Callable[[str], Path], scene: Path) -> None:
    fake_engine("time.sleep(60)")
    run = BackgroundRun("glacier:delineatetermini", {"INPUT": str(scene), "OUTPUT": on_map()})
    succeeded, _ = ended(run, meanwhile=lambda: QTimer.singleShot(500, run.cancel))
    assert not succeeded
    assert not QgsProject.instance().mapLayers()
