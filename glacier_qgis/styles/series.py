"""Dated terminus lines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, cast

from qgis.core import (
    Qgis,
    QgsLineSymbol,
    QgsProperty,
    QgsRuleBasedRenderer,
    QgsSimpleLineSymbolLayer,
    QgsSymbolLayer,
    QgsVectorLayer,
    QgsVectorLayerTemporalProperties,
)
from qgis.PyQt.QtCore import QDate

from glacier_qgis.styles.fields import describe_lines
from glacier_qgis.styles.fronts import HALO
from glacier_qgis.styles.palettes import CLASSES, spread, viridis
from glacier_qgis.translation import tr

FLAGGED = '"outlier" = 1 OR "duplicate" = 1'


def terminus_series(layer: QgsVectorLayer, outputs: Mapping[str, Any]) -> None:
    """Draw dated lines coloured by date, flagged ones dotted, shown by the temporal controller."""
    index = layer.fields().indexOf("date")
    found = layer.uniqueValues(index)
    days = [day for day in found if isinstance(day, QDate) and day.isValid()]
    days.sort(key=QDate.toJulianDay)
    layer.setRenderer(QgsRuleBasedRenderer(_rules(days)))
    time = cast(QgsVectorLayerTemporalProperties, layer.temporalProperties())
    time.setMode(Qgis.VectorTemporalMode.FeatureDateTimeInstantFromField)
    time.setStartField("date")
    time.setFixedDuration(1)
    time.setDurationUnits(Qgis.TemporalUnit.Days)
    time.setIsActive(bool(days))
    describe_lines(layer)


def _rules(days: Sequence[QDate]) -> QgsRuleBasedRenderer.Rule:
    root = QgsRuleBasedRenderer.Rule(None)
    spans = _spans(days)
    for (first, end), colour in zip(spans, spread(viridis(), len(spans)), strict=True):
        begin, stop = (day.toString("yyyy-MM-dd") for day in (first, end))
        last = end.addDays(-1).toString("yyyy-MM-dd")
        rule = QgsRuleBasedRenderer.Rule(_dated_line(colour.name()))
        rule.setFilterExpression(f"\"date\" >= '{begin}' AND \"date\" < '{stop}'")
        rule.setLabel(begin if begin == last else f"{begin} to {last}")
        root.appendChild(rule)
    other = QgsRuleBasedRenderer.Rule(_dated_line("#ffffff"))
    other.setIsElse(True)  # lines without a date, and those that a person adds later
    other.setLabel(tr("Other"))
    root.appendChild(other)
    flagged = _dated_line("#ffffff")
    flagged.symbolLayer(1).setDataDefinedProperty(STROKE, QgsProperty.fromValue("dot"))
    legend = QgsRuleBasedRenderer.Rule(flagged)
    legend.setFilterExpression("FALSE")  # draws nothing: the rules above dot what is flagged
    legend.setLabel(tr("Dotted: outlier or duplicate"))
    root.appendChild(legend)
    return root


def _spans(days: Sequence[QDate]) -> list[tuple[QDate, QDate]]:
    """Divide the time of a series into classes, each up to but without its end.

    Each day is one while there are no more than colours; otherwise they are equally long.
    """
    if len(days) <= CLASSES:
        return [(day, day.addDays(1)) for day in days]
    whole = days[0].daysTo(days[-1]) + 1
    edges = [days[0].addDays(whole * i // CLASSES) for i in range(CLASSES + 1)]
    return list(pairwise(edges))


STROKE = QgsSymbolLayer.Property.StrokeStyle


def _dated_line(colour: str) -> QgsLineSymbol:
    """Return a line over a halo, dotted where it is flagged."""
    symbol = QgsLineSymbol.createSimple({"line_color": colour, "line_width": "0.7"})
    dotted = QgsProperty.fromExpression(f"if({FLAGGED}, 'dot', 'solid')")
    symbol.symbolLayer(0).setDataDefinedProperty(STROKE, dotted)
    symbol.insertSymbolLayer(0, QgsSimpleLineSymbolLayer(HALO, 1.1))
    return symbol
