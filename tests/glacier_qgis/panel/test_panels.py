"""What the plugin adds to a window goes with it."""

from __future__ import annotations

from pathlib import Path

import pytest
from qgis.core import (
    QgsDateTimeRange,
    QgsRasterLayer,
    QgsTemporalNavigationObject,
)
from qgis.gui import QgsMapCanvas
from qgis.PyQt.QtCore import QDateTime
from qgis.PyQt.QtWidgets import QDockWidget
from qgis.PyQt.QtXml import QDomDocument

from glacier_qgis.panel.front_panel import FrontPanel
from glacier_qgis.panel.panels import Panels
from glacier_qgis.plugin import GlacierPlugin
from kit.qgis.panel import (
    FakeWarmEngine,
    Window,
)
from kit.qgis.waiting import is_alive, until

pytestmark = pytest.mark.usefixtures("qgis_new_project", "window")


def test_unloading_leaves_no_widget_and_no_process(
    canvas: QgsMapCanvas, layer: QgsRasterLayer, fake_warm_engine: FakeWarmEngine, tmp_path: Path
) -> None:
    number = tmp_path / "pid"
    fake_warm_engine(
        f"open({str(number)!r}, 'w').write(str(os.getpid()))\n"
        "tell(event='result', outputs={})\ntime.sleep(60)"
    )
    parent = QDockWidget()
    parent.show()
    window = Window(parent, canvas)
    panels = Panels(window)
    panels.fronts.show()
    panels.fronts._scene.setLayer(layer)
    panels.fronts._prepare()
    until(lambda: number.exists() and bool(number.read_text()))
    items = len(canvas.scene().items())
    panels.close()
    assert not window.added
    assert not is_alive(int(number.read_text()))
    assert len(canvas.scene().items()) <= items


def test_the_plugin_can_be_loaded_twice(canvas: QgsMapCanvas) -> None:
    for _ in range(2):
        window = Window(QDockWidget(), canvas)
        plugin = GlacierPlugin(window)
        plugin.initProcessing = lambda: None  # the suite has registered the provider
        plugin.initGui()
        assert any(isinstance(each, FrontPanel) for each in window.added)
        canvas.setTemporalController(QgsTemporalNavigationObject(canvas))  # off, as at first
        frame = QgsDateTimeRange(QDateTime.currentDateTime(), QDateTime.currentDateTime())
        canvas.setTemporalRange(frame)
        window.projectRead.emit(QDomDocument())
        assert canvas.temporalRange().isInfinite()
        plugin.unload()
        assert not window.added
