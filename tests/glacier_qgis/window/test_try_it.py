"""The sample data, and the action that runs both instruments on it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from qgis.core import QgsApplication, QgsProject, QgsRasterLayer, QgsVectorLayer
from qgis.gui import QgsMapCanvas, QgsMessageBar
from qgis.PyQt.QtCore import QEventLoop, QTimer
from qgis.PyQt.QtGui import QAction, QDesktopServices
from qgis.PyQt.QtWidgets import QMainWindow, QPushButton

from glacier_qgis.resources import SAMPLE
from glacier_qgis.window.try_it import PARTS, SampleMenu, TryIt

pytestmark = pytest.mark.usefixtures("window")


class Window:
    """As much of a QGIS window as the action needs."""

    def __init__(self) -> None:
        self.main, self.canvas = QMainWindow(), QgsMapCanvas()
        self.bar = QgsMessageBar(self.main)
        self.main.setCentralWidget(self.canvas)

    def mainWindow(self) -> QMainWindow:
        return self.main

    def mapCanvas(self) -> QgsMapCanvas:
        return self.canvas

    def messageBar(self) -> QgsMessageBar:
        return self.bar

    def addPluginToMenu(self, menu: str, action: QAction) -> None:
        self.main.menuBar().addAction(action)

    def removePluginMenu(self, menu: str, action: QAction) -> None:
        self.main.menuBar().removeAction(action)


@pytest.fixture
def iface() -> Iterator[Window]:
    window = Window()
    yield window
    window.main.close()


def end(trial: TryIt) -> int:
    """Start it and return how many results are on the map in the end."""
    answers: list[int] = []
    loop = QEventLoop()
    trial.ended.connect(answers.append)
    trial.ended.connect(loop.quit)
    trial.start()
    QTimer.singleShot(280_000, loop.quit)
    if not answers:
        loop.exec()
    return answers[0]


def test_the_samples_are_whole_and_say_where_they_are_from() -> None:
    sources = (SAMPLE / "SOURCES.md").read_text(encoding="utf-8")
    for path in SAMPLE.rglob("*.*"):
        if path.suffix == ".tif":
            layer = QgsRasterLayer(str(path))
        elif path.suffix == ".gpkg":
            layer = QgsVectorLayer(str(path))
        else:
            continue
        assert layer.isValid(), path
        assert layer.crs().isValid(), path
        assert f"`{path.parent.name}/`" in sources
    assert sum(path.stat().st_size for path in SAMPLE.rglob("*.*")) < 1_000_000


def test_each_part_names_parameters_that_its_algorithm_has() -> None:
    for part in PARTS:
        algorithm = QgsApplication.processingRegistry().algorithmById(part.algorithm)
        names = {definition.name() for definition in algorithm.parameterDefinitions()}
        assert part.parameters().keys() <= names


@pytest.mark.slow
def test_both_instruments_end_as_a_styled_map_with_time(iface: Window) -> None:
    assert end(TryIt(iface)) == 2
    layers = {layer.name(): layer for layer in QgsProject.instance().mapLayers().values()}
    lines = next(layer for name, layer in layers.items() if name.startswith("Terminus lines"))
    assert {feature["date"].year() for feature in lines.getFeatures()} == set(range(2009, 2015))
    thickness = next(layer for name, layer in layers.items() if name.startswith("Ice thickness"))
    assert thickness.bandCount() == 11
    assert lines.temporalProperties().isActive()
    assert thickness.temporalProperties().isActive()
    settings = QgsProject.instance().timeSettings()
    years = settings.temporalRange().begin().date().year(), settings.timeStep()
    assert years == (2000, 10)
    assert QgsProject.instance().crs() == thickness.crs()
    assert iface.canvas.extent().contains(thickness.extent())
    first, second = iface.bar.findChildren(QPushButton)[-2:]
    first.click()
    assert QgsProject.instance().crs() == lines.crs()
    assert settings.temporalRange().begin().date().year() == 2009
    QgsProject.instance().removeMapLayer(thickness)
    second.click()


def test_it_can_be_cancelled(iface: Window, fake_engine: Callable[[str], Path]) -> None:
    fake_engine("time.sleep(60)")
    trial = TryIt(iface)
    QTimer.singleShot(1000, trial.cancel)
    assert end(trial) == 0
    assert not QgsProject.instance().mapLayers()


def test_without_an_engine_it_says_what_to_do(
    iface: Window, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GLACIER_ENGINE_PYTHON", "/no/such/python")
    assert end(TryIt(iface)) == 0
    assert "/no/such/python" in iface.bar.currentItem().text()


def test_the_menu_opens_the_folder_of_the_samples(
    iface: Window, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []
    monkeypatch.setattr(QDesktopServices, "openUrl", lambda url: opened.append(url.toLocalFile()))
    menu = SampleMenu(iface)
    iface.main.findChild(QAction, "GlacierSampleFolder").trigger()
    assert opened == [str(SAMPLE)]
    menu.close()
    assert not iface.main.menuBar().actions()
