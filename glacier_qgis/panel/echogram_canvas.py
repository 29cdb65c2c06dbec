"""A canvas for an echogram, with rulers around it and marks that follow the map."""

from __future__ import annotations

import math

from qgis.core import (
    Qgis,
    QgsCoordinateReferenceSystem,
    QgsGeometry,
    QgsPointXY,
    QgsRasterLayer,
    QgsRectangle,
    QgsVectorLayer,
)
from qgis.gui import QgsMapCanvas, QgsMapToolPan, QgsRubberBand
from qgis.PyQt.QtCore import pyqtSignal
from qgis.PyQt.QtGui import QColor
from qgis.PyQt.QtWidgets import QGridLayout, QWidget

from glacier_qgis.panel.echogram_axes import EchogramAxes
from glacier_qgis.panel.echogram_lines import style_in
from glacier_qgis.panel.echogram_rulers import Ruler, Side
from glacier_qgis.panel.stretched import Stretched

MARK = QColor("#d9480f")
MARK_WIDTH = 1
BACKGROUND = QColor("#d8d8d8")
OUTSIDE = QColor(60, 60, 60, 110)
"""Over what does not belong to the stretch that is reviewed."""


class EchogramCanvas(QWidget):
    """Shows an echogram upright; QGIS draws what is in view, from overviews where it is small."""

    hovered = pyqtSignal(float, float)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.canvas = QgsMapCanvas()
        self._sight = Stretched(self.canvas, self)
        self.canvas.setCanvasColor(BACKGROUND)
        self.canvas.setDestinationCrs(QgsCoordinateReferenceSystem())  # coordinates as they are
        self.pan = QgsMapToolPan(self.canvas)
        self.canvas.setMapTool(self.pan)
        self._mark = QgsRubberBand(self.canvas, Qgis.GeometryType.Line)
        self._mark.setColor(MARK)
        self._mark.setWidth(MARK_WIDTH)
        self._outside = QgsRubberBand(self.canvas, Qgis.GeometryType.Polygon)
        self._outside.setFillColor(OUTSIDE)
        self._outside.setStrokeColor(QColor(0, 0, 0, 0))
        self._rulers = {side: Ruler(self.canvas, side, self) for side in Side}
        self._axes: EchogramAxes | None = None
        self._extent = QgsRectangle()
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setSpacing(0)
        grid.addWidget(self._rulers[Side.DISTANCE], 0, 1)
        grid.addWidget(self._rulers[Side.TIME], 1, 0)
        grid.addWidget(self._sight, 1, 1)
        grid.addWidget(self._rulers[Side.DEPTH], 1, 2)
        self.canvas.xyCoordinates.connect(self._hover)

    def show_echogram(
        self, echogram: QgsRasterLayer, axes: EchogramAxes, lines: QgsVectorLayer | None
    ) -> None:
        """Show an echogram with its lines above it, all of its height and its first traces."""
        self._axes = axes
        self._extent = echogram.extent()
        self.leave_stretch()
        self.show_lines(echogram, axes, lines)
        for ruler in self._rulers.values():
            ruler.show_axes(axes)
        self.unmark()
        self.fit_height()

    def show_lines(
        self, echogram: QgsRasterLayer, axes: EchogramAxes, lines: QgsVectorLayer | None
    ) -> None:
        """Show other lines above the same echogram, without those of other frames."""
        style = None if lines is None else style_in(lines, axes.frame_id)
        styles: dict[str | None, str | None] = {}
        if lines is not None and style is not None:
            styles[lines.id()] = style
        self.canvas.setLayerStyleOverrides(styles)
        self.canvas.setLayers([echogram] if lines is None else [lines, echogram])

    def clear(self) -> None:
        """Show nothing."""
        self._axes = None
        self.canvas.setLayers([])
        for ruler in self._rulers.values():
            ruler.show_axes(None)
        self.unmark()
        self.canvas.refresh()

    def stretch(self, factor: float) -> None:
        """Draw each trace so many times as wide as a sample is high, about the same centre."""
        centre = self.canvas.extent().center()
        self._sight.stretch(factor)
        self.canvas.setCenter(centre)
        self.canvas.refresh()

    def fit_height(self) -> None:
        """Show all samples, of as many traces as there is room for."""
        whole, size = self._extent, self.canvas.size()
        width = whole.height() * size.width() / max(size.height(), 1)
        if width >= whole.width():
            self.fit_all()
            return
        self.canvas.setExtent(QgsRectangle(0, whole.yMinimum(), width, whole.yMaximum()))
        self.canvas.refresh()

    def fit_all(self) -> None:
        """Show the whole frame."""
        self.canvas.setExtent(self._extent)
        self.canvas.refresh()

    def show_stretch(self, first: int, last: int, trace: int) -> None:
        """Shade all but a stretch, and show all samples around a trace of it."""
        whole = self._extent
        shade = QgsGeometry.fromRect(whole).difference(
            QgsGeometry.fromRect(QgsRectangle(first, whole.yMinimum(), last, whole.yMaximum()))
        )
        self._outside.setToGeometry(shade)
        self.fit_height()
        half = self.canvas.extent().width() / 2
        if 2 * half < whole.width():
            x = min(max(trace + 0.5, half), whole.width() - half)
            self.canvas.setCenter(QgsPointXY(x, whole.center().y()))
        self.mark(trace)
        self.canvas.refresh()

    def leave_stretch(self) -> None:
        """Shade nothing."""
        self._outside.reset(Qgis.GeometryType.Polygon)

    def mark(self, trace: int) -> None:
        """Mark a trace, and scroll to it if it is out of view."""
        x, whole, view = trace + 0.5, self._extent, self.canvas.extent()
        self._mark.setToGeometry(
            QgsGeometry.fromPolylineXY(
                [QgsPointXY(x, whole.yMinimum()), QgsPointXY(x, whole.yMaximum())]
            )
        )
        if not view.xMinimum() <= x <= view.xMaximum():
            self.canvas.setCenter(QgsPointXY(x, view.center().y()))
            self.canvas.refresh()

    def unmark(self) -> None:
        """Take the mark away."""
        self._mark.reset(Qgis.GeometryType.Line)

    def _hover(self, point: QgsPointXY) -> None:
        if self._axes is not None and self._extent.contains(point):
            self.hovered.emit(point.x(), point.y())
        else:
            self.hovered.emit(math.nan, math.nan)
