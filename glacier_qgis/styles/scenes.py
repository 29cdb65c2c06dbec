"""Satellite scenes under the fronts of their days."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, cast

from qgis.core import (
    Qgis,
    QgsDateTimeRange,
    QgsRasterLayer,
    QgsRasterLayerTemporalProperties,
    QgsSingleBandGrayRenderer,
)
from qgis.PyQt.QtCore import QDate, QDateTime, QTime, QTimeZone

from glacier_qgis.styles.values import data_type

GAMMA = 2.0
"""Lightens linear radar power, of which most is near black; bytes were stretched by someone."""


def scene_until(day: QDate, end: QDate) -> Callable[[QgsRasterLayer, Mapping[str, Any]], None]:
    """Return the style of a scene that is shown from its day until another."""
    begin, stop = (QDateTime(date, QTime(0, 0), QTimeZone.utc()) for date in (day, end))

    def style(layer: QgsRasterLayer, outputs: Mapping[str, Any]) -> None:
        renderer = layer.renderer()
        if isinstance(renderer, QgsSingleBandGrayRenderer) and not renderer.contrastEnhancement():
            layer.setDefaultContrastEnhancement()
            if data_type(layer) != Qgis.DataType.Byte:
                layer.brightnessFilter().setGamma(GAMMA)
        time = cast(QgsRasterLayerTemporalProperties, layer.temporalProperties())
        time.setMode(Qgis.RasterTemporalMode.FixedTemporalRange)
        time.setFixedTemporalRange(QgsDateTimeRange(begin, stop, True, False))
        time.setIsActive(True)

    return style
