"""The map tool that draws layers in an echogram; the layer's own editing takes the result."""

from __future__ import annotations

from collections.abc import Callable

from qgis.core import (
    Qgis,
    QgsFeature,
    QgsFeatureRequest,
    QgsGeometry,
    QgsPointXY,
    QgsVariantUtils,
    QgsVectorLayer,
    QgsVectorLayerUtils,
)
from qgis.gui import QgsMapCanvas, QgsMapMouseEvent, QgsMapTool, QgsRubberBand
from qgis.PyQt.QtCore import Qt
from qgis.PyQt.QtGui import QColor, QKeyEvent

from glacier_qgis.panel.layer_splice import Line, Point, splice
from glacier_qgis.translation import tr

COLOUR = QColor("#00b7ff")
WIDTH = 2
KINDS = {1: "surface", 2: "bed"}
FIRST_ID = 3
"""Of a layer that is neither the surface nor the bed."""

Snap = Callable[[Point], Point]
Finish = Callable[[Line], None]


class PickTool(QgsMapTool):
    """Left clicks add vertices, a right click ends, Backspace takes one back, Escape all."""

    def __init__(self, canvas: QgsMapCanvas, snap: Snap, finish: Finish) -> None:
        super().__init__(canvas)
        self._snap = snap
        self._finish = finish
        self._points: Line = []
        self._band = QgsRubberBand(canvas, Qgis.GeometryType.Line)
        self._band.setColor(COLOUR)
        self._band.setWidth(WIDTH)
        self.setCursor(Qt.CursorShape.CrossCursor)

    def canvasReleaseEvent(self, event: QgsMapMouseEvent | None) -> None:
        """Add a vertex, or end the line."""
        if event is None:
            return
        if event.button() == Qt.MouseButton.RightButton:
            points, self._points = self._points, []
            self._draw()
            if len(points) > 1:
                self._finish(points)
        else:
            place = event.mapPoint()
            self._points.append(self._snap((place.x(), place.y())))
            self._draw()

    def canvasMoveEvent(self, event: QgsMapMouseEvent | None) -> None:
        """Show where the next vertex would be."""
        if event is not None and self._points:
            place = event.mapPoint()
            self._draw(self._snap((place.x(), place.y())))

    def keyPressEvent(self, event: QKeyEvent | None) -> None:
        """Take back."""
        if event is None:
            return
        if event.key() == Qt.Key.Key_Escape:
            self._points = []
        elif event.key() == Qt.Key.Key_Backspace and self._points:
            self._points.pop()
        else:
            return
        self._draw()
        event.accept()

    def deactivate(self) -> None:
        """Leave nothing behind."""
        self._points = []
        self._draw()
        super().deactivate()

    def _draw(self, *more: Point) -> None:
        self._band.setToGeometry(
            QgsGeometry.fromPolylineXY([QgsPointXY(*point) for point in (*self._points, *more)])
        )


def layer_ids(layer: QgsVectorLayer, frame: str) -> list[int]:
    """Return the ids of the layers of a frame."""
    index = layer.fields().indexOf("layer_id")
    values = [feature[index] for feature in _of_frame(layer, frame)] if index >= 0 else []
    return sorted({int(value) for value in values if not QgsVariantUtils.isNull(value)})


def put(layer: QgsVectorLayer, frame: str, number: int | None, drawn: Line) -> int:
    """Put a drawn stretch into a line layer that is being edited, as one step of its history.

    Args:
        layer: In editing.
        frame: The frame.
        number: Id of the layer whose stretch it replaces; None for a new layer.
        drawn: Vertices.

    Returns:
        The layer's id.

    Raises:
        ValueError: The layer refuses it, and is as before; the message is for the user.
    """
    if number is None:
        number = max([FIRST_ID - 1, *layer_ids(layer, frame)]) + 1
    index = layer.fields().indexOf("layer_id")
    own = {f.id(): f for f in _of_frame(layer, frame) if f[index] == number}
    result = splice({key: _vertices(feature) for key, feature in own.items()}, drawn)
    origin = layer.fields().indexOf("origin")
    layer.beginEditCommand(tr("Layer {number} drawn").format(number=number))
    done = layer.deleteFeatures(result.deleted)
    for key, line in result.changed.items():
        done = done and layer.changeGeometry(key, _geometry(layer, line))
        done = done and (origin < 0 or layer.changeAttributeValue(key, origin, "drawn"))
    if result.added is not None:
        template = next(iter(own.values()), None)
        done = done and layer.addFeature(_new(layer, frame, number, result.added, template))
    if not done:
        layer.destroyEditCommand()
        raise ValueError(
            tr(
                "The layer '{name}' did not take the line. Choose a line layer that can be edited."
            ).format(name=layer.name())
        )
    layer.endEditCommand()
    return number


def _new(
    layer: QgsVectorLayer, frame: str, number: int, line: Line, like: QgsFeature | None
) -> QgsFeature:
    fields = layer.fields()
    values = {"frame_id": frame, "layer_id": number, "origin": "drawn", "quality": 1}
    values["kind"] = KINDS.get(number, "layer")
    for name in ("kind", "name", "year"):
        if like is not None and fields.indexOf(name) >= 0:
            values[name] = like[name]
    known = {fields.indexOf(name): each for name, each in values.items()}
    known.pop(-1, None)
    return QgsVectorLayerUtils.createFeature(layer, _geometry(layer, line), known)


def _of_frame(layer: QgsVectorLayer, frame: str) -> list[QgsFeature]:
    """Return the features of a frame; those without one belong to every frame."""
    index = layer.fields().indexOf("frame_id")
    every = list(layer.getFeatures(QgsFeatureRequest()))
    return [
        f for f in every if index < 0 or QgsVariantUtils.isNull(f[index]) or f[index] in (frame, "")
    ]


def _vertices(feature: QgsFeature) -> Line:
    return [(vertex.x(), vertex.y()) for vertex in feature.geometry().vertices()]


def _geometry(layer: QgsVectorLayer, line: Line) -> QgsGeometry:
    geometry = QgsGeometry.fromPolylineXY([QgsPointXY(*point) for point in line])
    (fitting,) = geometry.coerceToType(layer.wkbType())
    return fitting
