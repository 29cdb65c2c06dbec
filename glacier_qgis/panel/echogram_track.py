"""The ground track of an echogram on the map: which trace is near, and a mark at one."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from itertools import pairwise

from qgis.core import (
    Qgis,
    QgsCoordinateReferenceSystem,
    QgsCoordinateTransform,
    QgsCsException,
    QgsGeometry,
    QgsPointXY,
    QgsProject,
    QgsRectangle,
)
from qgis.gui import QgsMapCanvas, QgsRubberBand, QgsVertexMarker
from qgis.PyQt.QtGui import QColor

from glacier_qgis.panel.echogram_axes import EchogramAxes

COLOUR = QColor("#d9480f")
NEAR = 12
"""Pixels from the track at which a cursor is on it."""
SIZE, PEN = 14, 3
TRACK_WIDTH = 2
CHUNK = 256
"""Traces whose places are looked at together."""
SMALL = 0.1
"""A track of less than this part of the map is too small to follow."""
AROUND = 0.15
"""Of the map around a track, in lengths of it."""
TORN = 1000.0
"""A step on the map this many times as long as others crosses the edge of the map."""


class TrackOnMap:
    """Draws the track of the echogram that is shown over the map, and marks a trace on it."""

    def __init__(self, canvas: QgsMapCanvas) -> None:
        self._canvas = canvas
        self._axes: EchogramAxes | None = None
        self._places: list[QgsPointXY | None] = []
        self._boxes: list[QgsRectangle] = []
        self._line = QgsRubberBand(canvas, Qgis.GeometryType.Line)
        self._line.setColor(COLOUR)
        self._line.setWidth(TRACK_WIDTH)
        self._marker = QgsVertexMarker(canvas)
        self._marker.setColor(COLOUR)
        self._marker.setIconSize(SIZE)
        self._marker.setPenWidth(PEN)
        self._marker.hide()
        canvas.destinationCrsChanged.connect(self._place)

    def show(self, axes: EchogramAxes | None) -> None:
        """Take the track of another echogram, or of none."""
        self._axes = axes
        self._marker.hide()
        self._place()

    def mark(self, trace: int) -> None:
        """Mark a trace; nothing is marked where its position is not known."""
        place = self._places[trace] if trace < len(self._places) else None
        self._marker.setVisible(place is not None)
        if place is not None:
            self._marker.setCenter(place)

    def show_trace(self, trace: int) -> None:
        """Mark a trace; the map goes to the track if the trace or its neighbours are not seen."""
        self.mark(trace)
        place = self._places[trace] if trace < len(self._places) else None
        if place is None:
            return
        view, whole = self._canvas.extent(), _box(self._places)
        small = max(whole.width(), whole.height()) < SMALL * max(view.width(), view.height())
        if small or not view.contains(place):
            self._canvas.setExtent(whole.buffered(AROUND * max(whole.width(), whole.height())))
            self._canvas.refresh()

    def unmark(self) -> None:
        """Take the mark away."""
        self._marker.hide()

    def nearest(self, point: QgsPointXY) -> int | None:
        """Return the trace next to a place on the map, None if the track is not near."""
        reach = NEAR * self._canvas.mapUnitsPerPixel()
        best, found = reach**2, None
        for chunk, box in enumerate(self._boxes):
            if not box.buffered(reach).contains(point):
                continue
            first = chunk * CHUNK
            for trace, place in enumerate(self._places[first : first + CHUNK], first):
                if place is not None and (apart := place.sqrDist(point)) <= best:
                    best, found = apart, trace
        return found

    def close(self) -> None:
        """Take everything off the map."""
        self._canvas.destinationCrsChanged.disconnect(self._place)
        for item in (self._line, self._marker):
            self._canvas.scene().removeItem(item)

    def _place(self) -> None:
        """Work out where the traces are on the map."""
        self._places, self._boxes = [], []
        self._line.reset(Qgis.GeometryType.Line)
        crs = self._canvas.mapSettings().destinationCrs()
        if self._axes is None or not self._axes.longitude or not crs.isValid():
            return
        transform = QgsCoordinateTransform(
            QgsCoordinateReferenceSystem("EPSG:4326"), crs, QgsProject.instance()
        )
        pairs = zip(self._axes.longitude, self._axes.latitude, strict=True)
        self._places = [_placed(transform, *pair) for pair in pairs]
        starts = range(0, len(self._places), CHUNK)
        self._boxes = [_box(self._places[start : start + CHUNK]) for start in starts]
        places = [place for place in self._places if place is not None]
        self._line.setToGeometry(QgsGeometry.fromMultiPolylineXY(pieces(places)), crs)


def _box(places: Sequence[QgsPointXY | None]) -> QgsRectangle:
    box = QgsRectangle()
    for place in places:
        if place is not None:
            box.combineExtentWith(place)
    return box


def pieces(places: Sequence[QgsPointXY]) -> list[list[QgsPointXY]]:
    """Return a track on the map, cut where it crosses the edge of the map."""
    steps = [before.distance(after) for before, after in pairwise(places)]
    usual = statistics.median([step for step in steps if step > 0] or [0.0])
    parts: list[list[QgsPointXY]] = [[*places[:1]]]
    for step, place in zip(steps, places[1:], strict=True):
        if step > TORN * usual:
            parts.append([])
        parts[-1].append(place)
    return [part for part in parts if len(part) > 1]


def _placed(
    transform: QgsCoordinateTransform, longitude: float, latitude: float
) -> QgsPointXY | None:
    if math.isnan(longitude) or math.isnan(latitude):
        return None
    try:
        place = transform.transform(QgsPointXY(longitude, latitude))
    except QgsCsException:
        return None
    return place if math.isfinite(place.x()) and math.isfinite(place.y()) else None
