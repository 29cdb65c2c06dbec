"""Outlines of a glacier through time."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Any, cast

from qgis.core import (
    Qgis,
    QgsFillSymbol,
    QgsGraduatedSymbolRenderer,
    QgsRendererRange,
    QgsVectorLayer,
    QgsVectorLayerTemporalProperties,
)

from glacier_qgis.styles.fields import describe_outlines
from glacier_qgis.styles.palettes import CLASSES, spread, viridis
from glacier_qgis.translation import tr


def ice_outlines(layer: QgsVectorLayer, outputs: Mapping[str, Any]) -> None:
    """Draw outlines coloured by time, each shown from its year to the next one saved."""
    times = sorted(layer.uniqueValues(layer.fields().indexOf("time")))
    alone = len(times) <= CLASSES
    edges = [*times[:1], *times] if alone else _even(times[0], times[-1], CLASSES)
    ranges = []
    for (low, high), colour in zip(pairwise(edges), spread(viridis(), len(edges) - 1), strict=True):
        symbol = QgsFillSymbol.createSimple(
            {"style": "no", "outline_color": colour.name(), "outline_width": "0.4"}
        )
        label = (
            tr("year {year:g}").format(year=high)
            if alone
            else tr("year {first:.0f} to {last:.0f}").format(first=low, last=high)
        )
        ranges.append(QgsRendererRange(low, high, symbol, label))  # of two that fit, the first
    renderer = QgsGraduatedSymbolRenderer("time", ranges)
    renderer.setSourceColorRamp(viridis())
    layer.setRenderer(renderer)
    time = cast(QgsVectorLayerTemporalProperties, layer.temporalProperties())
    time.setMode(Qgis.VectorTemporalMode.FeatureDateTimeStartAndEndFromExpressions)
    time.setStartExpression(_moment_of("time"))
    time.setEndExpression(_moment_of("until"))
    time.setLimitMode(Qgis.VectorTemporalLimitMode.IncludeBeginExcludeEnd)
    time.setIsActive(bool(times))
    describe_outlines(layer)


def _even(first: float, last: float, count: int) -> list[float]:
    """Return the edges of so many equal spans."""
    return [first + (last - first) * i / count for i in range(count + 1)]


def _moment_of(field: str) -> str:
    """Return the expression for what `_moment` makes of a decimal year in a field."""
    return (
        f"with_variable('y', to_int(floor({field})) - ({field} < 1), "
        "make_datetime(@y, 1, 1, 0, 0, 0) + make_interval(seconds:="
        f"round(({field} - floor({field})) * 86400 * "
        "(day(age(make_date(@y, 12, 31), make_date(@y, 1, 1))) + 1))))"
    )
