"""The panel as a person uses it, with an engine that answers at once."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from qgis.core import (
    QgsApplication,
    QgsCoordinateReferenceSystem,
    QgsCoordinateTransform,
    QgsDateTimeRange,
    QgsFeature,
    QgsGeometry,
    QgsPointXY,
    QgsProject,
    QgsRasterLayer,
    QgsRectangle,
    QgsTemporalNavigationObject,
    QgsVectorLayer,
)
from qgis.gui import QgsGui, QgsMapCanvas, QgsMessageBar
from qgis.PyQt.QtCore import QBuffer, QByteArray, QDateTime, QIODevice, QPoint
from qgis.PyQt.QtGui import QColor, QImage
from qgis.PyQt.QtWidgets import QDockWidget
from qgis.PyQt.QtXml import QDomDocument

from glacier_qgis import settings
from glacier_qgis.client.warm_engine import WarmEngine
from glacier_qgis.panel import front_panel
from glacier_qgis.panel.front_panel import FrontPanel
from glacier_qgis.panel.line_list import LineList
from glacier_qgis.panel.overlay import Line, Overlay, coloured
from glacier_qgis.panel.panels import Panels
from glacier_qgis.plugin import GlacierPlugin
from kit.qgis.waiting import is_alive, until

FakeWarmEngine = Callable[[str], Path]
pytestmark = pytest.mark.usefixtures("qgis_new_project", "window")

SEEN = """
with open({seen!r}, "a") as file:
    file.write(json.dumps(order) + "\\n")
parameters = order["parameters"]
"""
ANSWER = """
if order["job"] == "previewtermini":
    view = parameters["view"]
    box = [view[name] for name in ("xmin", "ymin", "xmax", "ymax")]
    tell(event="warning", message="The ice is thin.")
    tell(event="result", outputs=dict(
        PICTURE={picture!r}, EXTENT=box, REASON="", CLASSES={{}},
        MODEL="caffe_unet", CELL_SIZE=66.0,
        LINES=[dict(points=[box[:2], box[2:]], confidence=0.83, length_m=1.0, uncertainty_m=2.0)]))
else:
    tell(event="result", outputs={{}})
"""


def png(codes: list[list[int]]) -> bytes:
    """Return a picture of codes as the engine sends it: eight bits of grey."""
    image = QImage(len(codes[0]), len(codes), QImage.Format.Format_Grayscale8)
    for row, values in enumerate(codes):
        for column, value in enumerate(values):
            image.setPixelColor(column, row, QColor(value, value, value))
    data = QByteArray()
    buffer = QBuffer(data)
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    image.save(buffer, "PNG")
    return bytes(data)


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


def status(panel: FrontPanel) -> str:
    return str(panel._status.text())


def lines_layer(*confidences: float, name: str = "Lines") -> QgsVectorLayer:
    """Put terminus lines into the project, each further east than the one before."""
    fields = "field=confidence:double&field=length_m:double&field=uncertainty_m:double"
    layer = QgsVectorLayer(
        f"LineString?crs=EPSG:3413&{fields}&field=date:date&field=glacier:string", name, "memory"
    )
    features = []
    for number, confidence in enumerate(confidences):
        feature = QgsFeature(layer.fields())
        feature["confidence"] = confidence
        feature["length_m"] = 1234.5 + number
        start = 10_000.0 * number
        feature.setGeometry(
            QgsGeometry.fromPolylineXY([QgsPointXY(start, 0), QgsPointXY(start + 1000, 500)])
        )
        features.append(feature)
    layer.dataProvider().addFeatures(features)
    QgsProject.instance().addMapLayer(layer)
    return layer


def texts(lines: LineList) -> list[str]:
    return [lines._model.item(row).text() for row in range(lines._model.rowCount())]


def current(lines: LineList) -> str:
    index = lines._view.currentIndex()
    return str(lines._model.item(index.row()).text()) if index.isValid() else ""


# Scene, model and preview


def test_nothing_can_be_asked_without_a_scene(panel: FrontPanel, layer: QgsRasterLayer) -> None:
    panel._scene.setLayer(None)
    assert not panel._preview_button.isEnabled()
    assert not panel._run_button.isEnabled()
    panel._scene.setLayer(layer)
    assert panel._preview_button.isEnabled()
    assert panel._run_button.isEnabled()


def test_a_scene_is_prepared_as_soon_as_it_is_chosen_and_only_once(
    panel: FrontPanel, layer: QgsRasterLayer, orders: Callable[[], list[dict]]
) -> None:
    panel._scene.setLayer(None)
    panel.show()
    panel._scene.setLayer(layer)
    until(lambda: len(orders()) == 1)
    assert orders()[0]["job"] == "preparepreview"
    assert orders()[0]["parameters"]["input"]["path"] == layer.source()
    panel.hide()
    panel.show()
    panel._preview_button.click()
    until(lambda: len(orders()) == 2)
    assert orders()[1]["job"] == "previewtermini"


def test_a_hidden_panel_starts_nothing(
    panel: FrontPanel, layer: QgsRasterLayer, orders: Callable[[], list[dict]]
) -> None:
    panel._scene.setLayer(None)
    panel._scene.setLayer(layer)
    until(lambda: True)
    assert not panel._preview._engine.is_running()


def test_the_preview_lies_over_the_map_and_not_in_the_project(
    panel: FrontPanel,
    layer: QgsRasterLayer,
    canvas: QgsMapCanvas,
    orders: Callable[[], list[dict]],
) -> None:
    panel._scene.setLayer(layer)
    QgsProject.instance().setDirty(False)
    before = len(canvas.scene().items())
    panel._view_only.setChecked(True)
    panel._preview_button.click()
    assert not panel._preview_button.isEnabled()
    until(lambda: not panel._preview.is_busy())
    assert panel._preview.is_shown()
    assert len(canvas.scene().items()) == before + 3  # the picture, a line and its halo
    assert status(panel).startswith("One line, confidence 0.83. Model caffe_unet, cells of 66 m.")
    assert "The ice is thin." in status(panel)
    asked = orders()[-1]["parameters"]
    assert asked["view_only"] is True
    assert asked["view"]["xmin"] == pytest.approx(canvas.extent().xMinimum())
    assert "3413" in asked["view"]["crs"] or "NSIDC" in asked["view"]["crs"]
    assert not QgsProject.instance().isDirty()
    assert list(QgsProject.instance().mapLayers().values()) == [layer]
    panel._clear_button.click()
    assert len(canvas.scene().items()) == before
    assert not panel._preview.is_shown()


@pytest.mark.parametrize("how", ["scene", "model", "crs", "closed"])
def test_a_preview_goes_when_it_is_no_longer_true(
    panel: FrontPanel,
    layer: QgsRasterLayer,
    canvas: QgsMapCanvas,
    orders: Callable[[], list[dict]],
    how: str,
) -> None:
    panel.show()
    panel._scene.setLayer(layer)
    panel._preview_button.click()
    until(lambda: panel._preview.is_shown())
    if how == "scene":
        panel._scene.setLayer(None)
    elif how == "model":
        panel._model.setValue("landsat_unet")
    elif how == "crs":
        canvas.setDestinationCrs(QgsCoordinateReferenceSystem("EPSG:4326"))
    else:
        panel.close()
    assert not panel._preview.is_shown()
    assert panel._clear_button.isHidden()


def test_a_scene_that_is_not_in_view_is_said_before_anything_is_asked(
    panel: FrontPanel,
    layer: QgsRasterLayer,
    canvas: QgsMapCanvas,
    orders: Callable[[], list[dict]],
) -> None:
    panel._scene.setLayer(layer)
    canvas.setExtent(QgsRectangle(3e6, 3e6, 3.1e6, 3.1e6))
    panel._preview_button.click()
    assert "'Grönland 1' is not in view" in status(panel)
    assert not panel._preview.is_busy()
    assert not orders()


def test_a_crash_is_told_and_the_next_preview_is_answered(
    panel: FrontPanel,
    layer: QgsRasterLayer,
    tmp_path: Path,
    fake_warm_engine: FakeWarmEngine,
) -> None:
    died = tmp_path / "died"
    picture = base64.b64encode(png([[4]])).decode()
    fake_warm_engine(
        f"if not os.path.exists({str(died)!r}):\n    open({str(died)!r}, 'w').close()\n"
        f"    os.kill(os.getpid(), 11)\nparameters = order['parameters']\n"
        + ANSWER.format(picture=picture)
    )
    panel._scene.setLayer(layer)
    panel._preview_button.click()
    until(lambda: not panel._preview.is_busy())
    assert "crashed" in status(panel)
    assert not panel._preview.is_shown()
    panel._preview_button.click()
    until(lambda: not panel._preview.is_busy())
    assert panel._preview.is_shown()


def test_a_preview_can_be_cancelled(
    panel: FrontPanel, layer: QgsRasterLayer, fake_warm_engine: FakeWarmEngine
) -> None:
    fake_warm_engine("tell(event='progress', fraction=0.5)\ntime.sleep(60)")
    panel.show()
    panel._scene.setLayer(layer)
    panel._preview_button.click()
    until(lambda: panel._cancel_button.isVisible())
    panel._cancel_button.click()
    assert status(panel) == "Cancelled."
    assert panel._preview_button.isEnabled()
    assert not panel._cancel_button.isVisible()


def test_without_an_engine_the_panel_says_so_and_offers_to_set_it_up(
    panel: FrontPanel, layer: QgsRasterLayer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(settings.VARIABLE, "/nowhere/python")
    panel._scene.setLayer(layer)
    panel.show()
    assert panel._set_up_button.isVisible()
    assert "/nowhere/python" in status(panel)
    assert not panel._preview_button.isEnabled()
    opened: list[str] = []
    monkeypatch.setattr(front_panel, "open_dialog", opened.append)
    panel._set_up_button.click()
    assert opened == ["glacier:setupengine"]


def test_an_engine_that_has_been_set_up_is_found(
    panel: FrontPanel, layer: QgsRasterLayer, monkeypatch: pytest.MonkeyPatch, engine: str
) -> None:
    panel._look_again.setInterval(10)
    monkeypatch.setenv(settings.VARIABLE, "/nowhere/python")
    panel._scene.setLayer(layer)
    panel.show()
    assert "/nowhere/python" in status(panel)
    monkeypatch.setenv(settings.VARIABLE, engine)
    until(lambda: bool(panel._preview_button.isEnabled()), 5)
    assert status(panel) == ""
    assert not panel._set_up_button.isVisible()


def test_with_the_real_engine_the_preview_shows_the_front(
    panel: FrontPanel, layer: QgsRasterLayer
) -> None:
    panel._scene.setLayer(layer)
    panel._preview_button.click()
    until(lambda: not panel._preview.is_busy())
    assert panel._preview.is_shown(), status(panel)
    assert "confidence" in status(panel)
    began = time.monotonic()
    panel._preview_button.click()
    until(lambda: not panel._preview.is_busy())
    assert time.monotonic() - began < 10  # and not the time to start an engine; see benchmarks
    assert panel._preview.is_shown()


# The overlay


def test_codes_become_colours_and_all_others_are_transparent() -> None:
    image = coloured(png([[0, 1, 4, 200]]), {1: QColor(1, 2, 3, 40), 4: QColor("#1f6fb4")})
    seen = [image.pixelColor(column, 0) for column in range(4)]
    assert [colour.alpha() for colour in seen] == [0, 40, 255, 0]
    assert seen[2] == QColor("#1f6fb4")


@pytest.mark.parametrize("rotation", [0.0, 90.0])
def test_a_picture_keeps_its_place_on_a_turned_map(canvas: QgsMapCanvas, rotation: float) -> None:
    canvas.setExtent(QgsRectangle(0, 0, 4000, 3000))
    canvas.setRotation(rotation)
    overlay = Overlay(canvas)
    red, blue = QColor(255, 0, 0), QColor(0, 0, 255)
    image = coloured(png([[1, 2]]), {1: red, 2: blue})
    overlay.show(image, QgsRectangle(1000, 1000, 3000, 2000), [])
    picture = canvas.grab().toImage()
    transform = canvas.getCoordinateTransform()

    def at(x: float, y: float) -> QColor:
        place = transform.transform(x, y)
        return picture.pixelColor(QPoint(round(place.x()), round(place.y())))

    try:
        assert at(1500, 1500) == red
        assert at(2500, 1500) == blue
        assert at(1500, 2200) not in (red, blue)
        canvas.setExtent(QgsRectangle(0, 0, 8000, 6000))
        assert overlay.is_shown()
    finally:
        overlay.close()
        canvas.setRotation(0)


def test_an_overlay_replaces_the_one_before(canvas: QgsMapCanvas) -> None:
    overlay = Overlay(canvas)
    image = coloured(png([[1]]), {})
    before = len(canvas.scene().items())
    for _ in range(3):
        overlay.show(image, QgsRectangle(0, 0, 1, 1), [Line([(0, 0), (1, 1)], QColor("red"))])
    assert len(canvas.scene().items()) == before + 3
    overlay.close()
    assert len(canvas.scene().items()) == before


# Lines


@pytest.mark.usefixtures("orders")
def test_it_opens_with_the_raster_that_is_selected(
    panel: FrontPanel, canvas: QgsMapCanvas, layer: QgsRasterLayer
) -> None:
    other = QgsRasterLayer(layer.source(), "other")
    QgsProject.instance().addMapLayer(other)
    canvas.setCurrentLayer(layer)
    panel.show()
    assert panel._scene.currentLayer() == layer
    panel.hide()
    canvas.setCurrentLayer(other)
    panel.show()
    assert panel._scene.currentLayer() == layer  # the choice stays


@pytest.fixture
def lines(canvas: QgsMapCanvas) -> Iterator[LineList]:
    lines = LineList(canvas)
    yield lines
    lines.close_down()


def test_lines_are_listed_with_the_least_certain_first(lines: LineList) -> None:
    lines.show_layer(lines_layer(0.9, 0.2, 0.55))
    assert texts(lines) == ["0.20", "0.55", "0.90"]
    assert lines._model.item(0, 2).text() == "1,236 m"
    assert lines._place.text() == "3 lines"


def test_stepping_goes_through_the_list_and_shows_each_line_on_the_map(
    lines: LineList, canvas: QgsMapCanvas
) -> None:
    lines.show_layer(lines_layer(0.9, 0.2, 0.55))
    seen = []
    for action in (lines.next_action,) * 4 + (lines.previous_action,):
        action.trigger()
        seen.append(current(lines))
        number = {"0.90": 0, "0.20": 1, "0.55": 2}[current(lines)]
        assert canvas.extent().contains(QgsPointXY(10_000 * number + 500, 250))
        assert not canvas.extent().contains(QgsPointXY(10_000 * (number + 1) + 500, 250))
    assert seen == ["0.20", "0.55", "0.90", "0.90", "0.55"]
    assert lines._place.text() == "2 of 3"


def test_the_list_follows_edits_and_the_current_line_stays(lines: LineList) -> None:
    layer = lines_layer(0.9, 0.2, 0.55)
    lines.show_layer(layer)
    lines.step(1)
    lines.step(1)
    layer.startEditing()
    layer.changeAttributeValue(next(layer.getFeatures("confidence=0.2")).id(), 0, 0.95)
    until(lambda: texts(lines) == ["0.55", "0.90", "0.95"])
    assert current(lines) == "0.55"
    layer.deleteFeature(next(layer.getFeatures("confidence=0.9")).id())
    until(lambda: texts(lines) == ["0.55", "0.95"])
    layer.rollBack()
    until(lambda: texts(lines) == ["0.20", "0.55", "0.90"])
    assert current(lines) == "0.55"


def test_a_layer_that_goes_takes_its_lines_along(lines: LineList) -> None:
    layer = lines_layer(0.9)
    lines.show_layer(layer)
    QgsProject.instance().removeMapLayer(layer.id())
    until(lambda: texts(lines) == [])
    lines.step(1)
    assert lines._place.text() == ""


def test_only_lines_with_a_confidence_are_offered(lines: LineList) -> None:
    QgsProject.instance().addMapLayer(QgsVectorLayer("LineString?crs=EPSG:3413", "roads", "memory"))
    lines_layer(0.5, name="fronts")
    names = [lines._layers.itemText(index) for index in range(lines._layers.count())]
    assert names == ["No lines yet", "fronts"]


def test_lines_without_values_are_listed_too(lines: LineList) -> None:
    layer = lines_layer(0.5)
    feature = QgsFeature(layer.fields())
    feature.setGeometry(QgsGeometry.fromPolylineXY([QgsPointXY(0, 0), QgsPointXY(9, 9)]))
    layer.dataProvider().addFeatures([feature])
    lines.show_layer(layer)
    assert texts(lines) == ["", "0.50"]
    lines.step(1)


# Running


def test_run_puts_styled_lines_on_the_map_into_the_history_and_into_the_list(
    panel: FrontPanel, layer: QgsRasterLayer
) -> None:
    panel._scene.setLayer(layer)
    panel._run_button.click()
    assert not panel._run_button.isEnabled()
    until(lambda: panel._run is None, 120)
    made = [each for each in QgsProject.instance().mapLayers().values() if each != layer]
    assert len(made) == 1, status(panel)
    assert made[0].renderer().type() == "graduatedSymbol"
    assert texts(panel.lines)
    assert status(panel) in ("One line.", f"{len(texts(panel.lines))} lines.")
    entry = QgsGui.historyProviderRegistry().queryEntries()[-1].entry
    assert entry["algorithm_id"] == "glacier:delineatetermini"
    assert entry["results"]["COUNT"] == len(texts(panel.lines))


def test_this_view_only_runs_the_extent_of_the_map(
    panel: FrontPanel, layer: QgsRasterLayer, canvas: QgsMapCanvas
) -> None:
    panel._scene.setLayer(layer)
    assert "EXTENT" not in panel.parameters()
    panel._view_only.setChecked(True)
    extent = panel.parameters()["EXTENT"]
    assert extent.crs() == canvas.mapSettings().destinationCrs()
    assert QgsRectangle(extent) == canvas.mapSettings().visibleExtent()
    algorithm = QgsApplication.processingRegistry().createAlgorithmById(front_panel.ALGORITHM)
    assert set(panel.parameters()) <= {one.name() for one in algorithm.parameterDefinitions()}


def test_a_run_that_fails_says_why_and_one_that_is_cancelled_says_that(
    panel: FrontPanel, layer: QgsRasterLayer, fake_engine: Callable[[str], Path]
) -> None:
    panel._scene.setLayer(layer)
    fake_engine("print(json.dumps(dict(event='error', message='The snow is too soft.')))")
    panel._run_button.click()
    until(lambda: panel._run is None)
    assert status(panel) == "The snow is too soft."
    fake_engine("time.sleep(60)")
    panel._run_button.click()
    until(lambda: panel._run is not None)
    panel._cancel_button.click()
    until(lambda: panel._run is None)
    assert status(panel) == "Cancelled."
    assert panel._run_button.isEnabled()


# The plugin


class Window:
    """Counts what a plugin adds to the main window."""

    def __init__(self, parent: QDockWidget, canvas: QgsMapCanvas) -> None:
        self._parent, self._canvas = parent, canvas
        self._bar = QgsMessageBar(parent)
        self.projectRead = QgsProject.instance().readProject
        self.added: list[object] = []

    def mainWindow(self) -> QDockWidget:
        return self._parent

    def mapCanvas(self) -> QgsMapCanvas:
        return self._canvas

    def messageBar(self) -> QgsMessageBar:
        return self._bar

    def addDockWidget(self, area: object, dock: QDockWidget) -> None:
        self.added.append(dock)

    def removeDockWidget(self, dock: QDockWidget) -> None:
        self.added.remove(dock)

    def _add(self, *what: object) -> bool:
        self.added.append(what[-1] if isinstance(what[0], str) else what[0])
        return True

    def _remove(self, *what: object) -> bool:
        self.added.remove(what[-1] if isinstance(what[0], str) else what[0])
        return True

    addPluginToMenu = addToolBarIcon = registerMainWindowAction = _add  # noqa: N815
    registerOptionsWidgetFactory = _add  # noqa: N815
    removePluginMenu = removeToolBarIcon = unregisterMainWindowAction = _remove  # noqa: N815
    unregisterOptionsWidgetFactory = _remove  # noqa: N815


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
