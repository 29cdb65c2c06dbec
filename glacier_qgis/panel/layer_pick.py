"""The map tool that draws layers in an echogram; the layer's own editing takes the result."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from qgis.core import (
    Qgis,
    QgsExpressionContextUtils,
    QgsFeature,
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
from glacier_qgis.styles.review import CURRENT
from glacier_qgis.translation import tr
from glacier_qgis.wall.review import LINE_ADDED, LINE_EDITED

COLOUR = QColor("#00b7ff")
WIDTH = 2
KINDS = {1: "surface", 2: "bed"}
FIRST_ID = 3
"""Of a layer that is neither the surface nor the bed."""

IN_REVIEW = {"task", "line_id", "line"}
"""Fields by which the lines of a review are known."""

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


@dataclass(frozen=True)
class Owner:
    """Whose lines are drawn: a frame's, or those of the task of a review that is shown.

    Attributes:
        number: Field with the number of the layer.
        name: Field that says whose a line is.
        value: What stands there; None where no task is shown.
        drawn: Values of a line that a person drew or changed.
        new: Further values of a new line.
    """

    number: str
    name: str
    value: str | int | None
    drawn: Mapping[str, object]
    new: Mapping[str, object]

    @classmethod
    def of(cls, layer: QgsVectorLayer, frame: str) -> Owner:
        """Return the owner of what is drawn in a frame into a layer."""
        if not {*layer.fields().names()} >= IN_REVIEW:
            new = {"origin": "drawn", "quality": 1, "kind": "layer"}
            return cls("layer_id", "frame_id", frame, {"origin": "drawn"}, new)
        scope = QgsExpressionContextUtils.layerScope(layer)
        task = None if scope is None else scope.variable(CURRENT)
        value = None if task is None else int(task)
        return cls("line", "task", value, {"status": LINE_EDITED}, {"status": LINE_ADDED})

    def has(self, feature: QgsFeature) -> bool:
        """Whether a line is its own; lines that name nobody belong to every frame."""
        place = feature.fields().indexOf(self.name)
        value = None if place < 0 else feature.attribute(place)
        if QgsVariantUtils.isNull(value) or value == "":
            return self.name == "frame_id"
        return bool(value == self.value)


def layer_ids(layer: QgsVectorLayer, rows: Sequence[QgsFeature], frame: str) -> list[int]:
    """Return the ids of the layers of a frame, or of the stretch of it that is reviewed.

    Args:
        layer: Lines.
        rows: All of its features.
        frame: The frame.
    """
    owner = Owner.of(layer, frame)
    return _numbers(layer, owner, [each for each in rows if owner.has(each)])


def put(
    layer: QgsVectorLayer, rows: Sequence[QgsFeature], frame: str, number: int | None, drawn: Line
) -> int:
    """Put a drawn stretch into a line layer that is being edited, as one step of its history.

    Args:
        layer: In editing.
        rows: All of its features.
        frame: The frame.
        number: Id of the layer whose stretch it replaces; None for a new layer.
        drawn: Vertices.

    Returns:
        The layer's id.

    Raises:
        ValueError: The layer refuses it, and is as before; the message is for the user.
    """
    owner = Owner.of(layer, frame)
    if owner.value is None:
        raise ValueError(
            tr("These are the lines of a review. Choose a task in the panel 'Review'.")
        )
    own = [each for each in rows if owner.has(each)]
    if number is None:
        taken = _numbers(layer, owner, own if owner.name == "frame_id" else rows)
        number = max([FIRST_ID - 1, *taken]) + 1
    index = layer.fields().indexOf(owner.number)
    pieces = {each.id(): each for each in own if index >= 0 and each[index] == number}
    result = splice({key: _vertices(feature) for key, feature in pieces.items()}, drawn)
    layer.beginEditCommand(tr("Layer {number} drawn").format(number=number))
    done = layer.deleteFeatures(result.deleted)
    for key, line in result.changed.items():
        done = done and layer.changeGeometry(key, _geometry(layer, line))
        for name, value in owner.drawn.items():
            place = layer.fields().indexOf(name)
            done = done and (place < 0 or layer.changeAttributeValue(key, place, value))
    if result.added is not None:
        template = next(iter(pieces.values()), None)
        done = done and layer.addFeature(_new(layer, owner, number, result.added, template))
    if not done:
        layer.destroyEditCommand()
        raise ValueError(
            tr(
                "The layer '{name}' did not take the line. Choose a line layer that can be edited."
            ).format(name=layer.name())
        )
    layer.endEditCommand()
    return number


def _numbers(layer: QgsVectorLayer, owner: Owner, features: Sequence[QgsFeature]) -> list[int]:
    index = layer.fields().indexOf(owner.number)
    values = [feature[index] for feature in features] if index >= 0 else []
    return sorted({int(value) for value in values if not QgsVariantUtils.isNull(value)})


def _new(
    layer: QgsVectorLayer, owner: Owner, number: int, line: Line, like: QgsFeature | None
) -> QgsFeature:
    fields = layer.fields()
    values = {owner.name: owner.value, owner.number: number, **owner.new}
    if "kind" in values:
        values["kind"] = KINDS.get(number, "layer")
    for name in ("kind", "name", "year"):
        if like is not None and fields.indexOf(name) >= 0:
            values[name] = like[name]
    known = {fields.indexOf(name): each for name, each in values.items()}
    known.pop(-1, None)
    return QgsVectorLayerUtils.createFeature(layer, _geometry(layer, line), known)


def _vertices(feature: QgsFeature) -> Line:
    return [(vertex.x(), vertex.y()) for vertex in feature.geometry().vertices()]


def _geometry(layer: QgsVectorLayer, line: Line) -> QgsGeometry:
    geometry = QgsGeometry.fromPolylineXY([QgsPointXY(*point) for point in line])
    (fitting,) = geometry.coerceToType(layer.wkbType())
    return fitting
