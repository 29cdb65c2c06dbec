"""Decimal years, and the bands that belong to them, as the temporal controller knows time."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Any, cast

from qgis.core import (
    Qgis,
    QgsDateTimeRange,
    QgsRasterLayer,
    QgsRasterLayerTemporalProperties,
)
from qgis.PyQt.QtCore import QDate, QDateTime, QTime, QTimeZone


def add_time(layer: QgsRasterLayer, outputs: Mapping[str, Any]) -> None:
    """Give each band the span from its year to the next, for the temporal controller."""
    years = outputs.get("TIMES") or []
    if len(years) < 2 or len(years) != layer.bandCount():
        return
    moments = [moment(year) for year in [*years, 2 * years[-1] - years[-2]]]
    ranges = {
        band: QgsDateTimeRange(start, stop, True, False)
        for band, (start, stop) in enumerate(pairwise(moments), 1)
    }
    properties = cast(QgsRasterLayerTemporalProperties, layer.temporalProperties())
    properties.setMode(Qgis.RasterTemporalMode.FixedRangePerBand)
    properties.setFixedRangePerBand(ranges)
    properties.setIsActive(True)


def moment(year: float) -> QDateTime:
    """Return the moment of a decimal year; the year 0 of a model run is Qt's year 1 BC."""
    whole = int(year // 1)
    calendar_year = whole if whole > 0 else whole - 1
    start = QDate(calendar_year, 1, 1)
    seconds = (year - whole) * start.daysInYear() * 86400
    return QDateTime(start, QTime(0, 0), QTimeZone.utc()).addSecs(round(seconds))
