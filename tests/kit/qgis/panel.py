"""The panel's stand-ins: an engine that answers at once, lines, a main window."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from qgis.core import (
    QgsFeature,
    QgsGeometry,
    QgsPointXY,
    QgsProject,
    QgsVectorLayer,
)
from qgis.gui import QgsMapCanvas, QgsMessageBar
from qgis.PyQt.QtCore import QBuffer, QByteArray, QIODevice
from qgis.PyQt.QtGui import QColor, QImage
from qgis.PyQt.QtWidgets import QDockWidget, QGraphicsItem

from glacier_qgis.panel.front_panel import FrontPanel
from glacier_qgis.panel.line_list import LineList

FakeWarmEngine = Callable[[str], Path]
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


def added(canvas: QgsMapCanvas, before: list[QGraphicsItem]) -> list[QGraphicsItem]:
    """Return what lies over the map now and did not lie there before."""
    return [item for item in canvas.scene().items() if item not in before]


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
