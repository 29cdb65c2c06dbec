"""An image and lines over the map that are not layers and leave no trace."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from qgis.core import (
    Qgis,
    QgsCoordinateReferenceSystem,
    QgsGeometry,
    QgsPointXY,
    QgsRectangle,
)
from qgis.gui import QgsMapCanvas, QgsMapCanvasItem, QgsRubberBand
from qgis.PyQt.QtCore import QByteArray, QPointF, QRectF
from qgis.PyQt.QtGui import QColor, QImage, QPainter, QPolygonF, QTransform
from qgis.PyQt.QtWidgets import QStyleOptionGraphicsItem, QWidget

HALO = QColor("#202020")
LINE_WIDTH, HALO_WIDTH = 3, 6


@dataclass(frozen=True)
class Line:
    """A line over the map, in the CRS of the map."""

    points: Sequence[Sequence[float]]
    colour: QColor


def coloured(png: bytes, colours: Mapping[int, QColor]) -> QImage:
    """Return a picture of codes in colours; codes without a colour are transparent."""
    image = QImage.fromData(QByteArray(png), "PNG")
    image = image.convertToFormat(QImage.Format.Format_Indexed8)
    nothing = QColor(0, 0, 0, 0)
    image.setColorTable([colours.get(code, nothing).rgba() for code in range(256)])
    return image


class Overlay:
    """What lies over a map canvas; one picture with its lines at a time."""

    def __init__(self, canvas: QgsMapCanvas) -> None:
        self._canvas = canvas
        self._items: list[QgsMapCanvasItem] = []
        canvas.destinationCrsChanged.connect(self.clear)

    def show(self, image: QImage, extent: QgsRectangle, lines: Sequence[Line]) -> None:
        """Show a picture, whose rows run from north to south, and lines over it."""
        self.clear()
        self._items.append(_Picture(self._canvas, image, extent))
        crs = self._canvas.mapSettings().destinationCrs()
        for width, halo in ((HALO_WIDTH, True), (LINE_WIDTH, False)):
            for line in lines:
                colour = HALO if halo else line.colour
                self._items.append(_band(self._canvas, line.points, crs, colour, width))

    def is_shown(self) -> bool:
        """Whether there is something over the map."""
        return bool(self._items)

    def clear(self) -> None:
        """Take everything off the map."""
        for item in self._items:
            self._canvas.scene().removeItem(item)
        self._items.clear()

    def close(self) -> None:
        """Take everything off and let go of the canvas."""
        self.clear()
        self._canvas.destinationCrsChanged.disconnect(self.clear)


class _Picture(QgsMapCanvasItem):
    """A picture that keeps its place on the map, turned or not."""

    def __init__(self, canvas: QgsMapCanvas, image: QImage, extent: QgsRectangle) -> None:
        super().__init__(canvas)
        self._image = image
        self._corners = [
            QgsPointXY(extent.xMinimum(), extent.yMaximum()),
            QgsPointXY(extent.xMaximum(), extent.yMaximum()),
            QgsPointXY(extent.xMinimum(), extent.yMinimum()),
            QgsPointXY(extent.xMaximum(), extent.yMinimum()),
        ]
        self._placed: list[QPointF] = []
        self.updatePosition()

    def updatePosition(self) -> None:
        """Follow the map."""
        self.prepareGeometryChange()
        self._placed = [self.toCanvasCoordinates(corner) for corner in self._corners]
        self.update()

    def boundingRect(self) -> QRectF:
        """Return where it paints, in pixels of the canvas."""
        return QPolygonF(self._placed).boundingRect()

    def paint(  # type: ignore[override]  # never None
        self,
        painter: QPainter,
        option: QStyleOptionGraphicsItem | None = None,
        widget: QWidget | None = None,
    ) -> None:
        """Paint the picture between its corners."""
        start, right, below, _ = self._placed
        across = (right - start) / self._image.width()
        down = (below - start) / self._image.height()
        painter.save()
        painter.setTransform(
            QTransform(across.x(), across.y(), down.x(), down.y(), start.x(), start.y()), True
        )
        painter.drawImage(0, 0, self._image)
        painter.restore()


def _band(
    canvas: QgsMapCanvas,
    points: Sequence[Sequence[float]],
    crs: QgsCoordinateReferenceSystem,
    colour: QColor,
    width: int,
) -> Any:  # noqa: ANN401  (a class of QGIS, which has no types)
    band = QgsRubberBand(canvas, Qgis.GeometryType.Line)
    band.setColor(colour)
    band.setWidth(width)
    band.setToGeometry(QgsGeometry.fromPolylineXY([QgsPointXY(*point) for point in points]), crs)
    return band
