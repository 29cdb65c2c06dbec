"""Rulers beside an echogram: distance above, travel time and depth at the sides."""

from __future__ import annotations

import math
from collections.abc import Iterable
from enum import Enum

from qgis.gui import QgsMapCanvas
from qgis.PyQt.QtCore import QPoint, QSize
from qgis.PyQt.QtGui import QPainter, QPaintEvent
from qgis.PyQt.QtWidgets import QSizePolicy, QWidget

from glacier_qgis.panel.echogram_axes import EchogramAxes, ticks
from glacier_qgis.translation import tr

TICK = 5
"""Length of a tick, pixels."""
BETWEEN, BETWEEN_UPRIGHT = 90, 45
"""Pixels between two ticks, about."""
MICROSECONDS = 3e-6
"""Spans of travel time from here on are in microseconds, shorter ones in nanoseconds, s."""
KILOMETRES = 3000.0
"""Spans of distance from here on are in kilometres, m."""


class Side(Enum):
    """Where a ruler is, and what it shows."""

    DISTANCE = "distance"
    TIME = "time"
    DEPTH = "depth"


class Ruler(QWidget):
    """Draws round values where they lie in the view of a canvas."""

    def __init__(self, canvas: QgsMapCanvas, side: Side, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._canvas = canvas
        self._side = side
        self._axes: EchogramAxes | None = None
        fixed, free = QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Expanding
        level = side is Side.DISTANCE
        self.setSizePolicy(free if level else fixed, fixed if level else free)
        canvas.extentsChanged.connect(self._view_changed)

    def show_axes(self, axes: EchogramAxes | None) -> None:
        """Take the axes of another echogram, or of none."""
        self._axes = axes
        self.update()

    def _view_changed(self) -> None:
        self.update()

    def sizeHint(self) -> QSize:
        """Return room for a tick with its label, and for the title."""
        metrics = self.fontMetrics()
        if self._side is Side.DISTANCE:
            return QSize(100, 2 * metrics.height() + TICK + 2)
        return QSize(metrics.horizontalAdvance("−00000") + metrics.height() + TICK + 6, 100)

    def paintEvent(self, event: QPaintEvent | None) -> None:
        """Draw it."""
        if self._axes is None or not self._canvas.width() or self._canvas.extent().isEmpty():
            return
        painter = QPainter(self)
        painter.setPen(self.palette().windowText().color())
        if self._side is Side.DISTANCE:
            self._draw_level(painter, self._axes)
        else:
            self._draw_upright(painter, self._axes)
        painter.end()

    def _draw_level(self, painter: QPainter, axes: EchogramAxes) -> None:
        view, height, metrics = self._canvas.extent(), self.height(), self.fontMetrics()
        left, right = max(view.xMinimum(), 0.0), min(view.xMaximum(), float(axes.traces))
        low, high = axes.distance_at(left), axes.distance_at(right)
        known = high > low
        unit = 1000.0 if known and high - low >= KILOMETRES else 1.0
        title = (tr("Distance (km)") if unit > 1 else tr("Distance (m)")) if known else tr("Trace")
        middle = (self.width() - metrics.horizontalAdvance(title)) // 2
        painter.drawText(middle, metrics.ascent(), title)
        seen = (right - left) / view.width() * self.width()
        count = max(round(seen / BETWEEN), 2)
        places: Iterable[tuple[float, float]]
        if known:
            places = ((each, axes.x_of_distance(each)) for each in ticks(low, high, count))
        else:
            places = ((each, each + 0.5) for each in ticks(left, right, count))
        for value, x in places:
            at = round((x - view.xMinimum()) / view.width() * self.width())
            painter.drawLine(at, height - TICK, at, height)
            text = _text(value / unit)
            wide = metrics.horizontalAdvance(text)
            painter.drawText(at - wide // 2, height - TICK - metrics.descent(), text)

    def _draw_upright(self, painter: QPainter, axes: EchogramAxes) -> None:
        view, metrics = self._canvas.extent(), self.fontMetrics()
        middle = min(max(view.center().x(), 0.0), axes.traces - 1.0)
        rows = len(axes.time) + (axes.shift[axes.trace_at(middle)] if axes.shift else 0)
        first = axes.shift[axes.trace_at(middle)] if axes.shift else 0
        top = min(view.yMaximum(), -0.5 - first)
        bottom = max(view.yMinimum(), 0.5 - rows)
        if top <= bottom:
            return
        low, high = self._value(axes, middle, top), self._value(axes, middle, bottom)
        title, unit = self._unit(high - low)
        seen = (top - bottom) / view.height() * self._canvas.height()
        for value in ticks(low, high, max(round(seen / BETWEEN_UPRIGHT), 2)):
            y = self._place(axes, middle, value)
            at = round((view.yMaximum() - y) / view.height() * self._canvas.height())
            self._draw_tick(painter, at, _text(value / unit), metrics.ascent())
        self._draw_title(painter, title)

    def _value(self, axes: EchogramAxes, x: float, y: float) -> float:
        return axes.time_at(x, y) if self._side is Side.TIME else axes.depth_at(x, y)

    def _place(self, axes: EchogramAxes, x: float, value: float) -> float:
        return axes.y_of(value, x) if self._side is Side.TIME else axes.y_of_depth(value, x)

    def _unit(self, span: float) -> tuple[str, float]:
        if self._side is Side.DEPTH:
            return tr("Depth at the centre (m)"), 1.0
        if span >= MICROSECONDS:
            return tr("Two-way travel time (µs)"), 1e-6
        return tr("Two-way travel time (ns)"), 1e-9

    def _draw_tick(self, painter: QPainter, at: int, text: str, ascent: int) -> None:
        wide = self.fontMetrics().horizontalAdvance(text)
        right = self.width()
        if self._side is Side.TIME:
            painter.drawLine(right - TICK, at, right, at)
            painter.drawText(right - TICK - 3 - wide, at + ascent // 2, text)
        else:
            painter.drawLine(0, at, TICK, at)
            painter.drawText(TICK + 3, at + ascent // 2, text)

    def _draw_title(self, painter: QPainter, title: str) -> None:
        metrics = self.fontMetrics()
        wide = metrics.horizontalAdvance(title)
        edge = metrics.ascent() if self._side is Side.TIME else self.width() - metrics.descent()
        painter.save()
        painter.translate(QPoint(edge, (self.height() + wide) // 2))
        painter.rotate(-90)
        painter.drawText(0, 0, title)
        painter.restore()


def _text(value: float) -> str:
    rounded = float(f"{value:.6g}")
    return f"{0.0 if math.isclose(rounded, 0, abs_tol=1e-12) else rounded:g}".replace("-", "−")
