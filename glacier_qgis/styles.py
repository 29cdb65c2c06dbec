"""How results look on the map: classes, ramps with units, and time.

Every function takes a layer, and the job's outputs for what a layer cannot know, so that
the toolbox and scripts share them.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import Any, ClassVar

from qgis.core import (
    Qgis,
    QgsColorRampShader,
    QgsDateTimeRange,
    QgsFillSymbol,
    QgsGraduatedSymbolRenderer,
    QgsLineSymbol,
    QgsMapLayer,
    QgsMarkerSymbol,
    QgsPalettedRasterRenderer,
    QgsProcessingContext,
    QgsProcessingFeedback,
    QgsProcessingLayerPostProcessorInterface,
    QgsProperty,
    QgsRasterLayer,
    QgsRasterLayerTemporalProperties,
    QgsRasterShader,
    QgsRendererRange,
    QgsRuleBasedRenderer,
    QgsSimpleLineSymbolLayer,
    QgsSingleBandPseudoColorRenderer,
    QgsSingleSymbolRenderer,
    QgsSymbolLayer,
    QgsVectorLayer,
    QgsVectorLayerTemporalProperties,
)
from qgis.PyQt.QtCore import QDate, QDateTime, QTime, QTimeZone
from qgis.PyQt.QtGui import QColor

Outputs = Mapping[str, Any]
Style = Callable[[QgsMapLayer, Outputs], None]

ZONES = ((1, "No data", 0), (2, "Rock", 63), (3, "Glacier", 127), (4, "Ocean", 254))
"""Codes, labels and grey levels of the zones in the CaFFe benchmark."""

VIRIDIS = (
    "#440154",
    "#472d7b",
    "#3b528b",
    "#2c728e",
    "#21918c",
    "#28ae80",
    "#5ec962",
    "#addc30",
    "#fde725",
)
"""Perceptually uniform, readable without colour vision (Smith, van der Walt and Firing 2015)."""
BLUES = (
    "#f7fbff",
    "#deebf7",
    "#c6dbef",
    "#9ecae1",
    "#6baed6",
    "#4292c6",
    "#2171b5",
    "#08519c",
    "#08306b",
)
"""Light to dark (Brewer 2003)."""
BALANCE = ("#b2182b", "#ef8a62", "#fddbc7", "#f7f7f7", "#d1e5f0", "#67a9cf", "#2166ac")
"""Red for loss to blue for gain (Brewer 2003)."""
CONFIDENCE = (
    (0.0, 0.5, "#d7191c", "low (under 0.5)"),
    (0.5, 0.8, "#fdae61", "fair (0.5 to 0.8)"),
    (0.8, 1.0, "#ffff33", "high (over 0.8)"),
)
UNCERTAINTY_CLASSES = (0.0, 25.0, 50.0, 100.0, 200.0, 1e6)
"""m; half a cell of a sharp radar scene to where a front is hardly known."""
UNCERTAINTY_COLOURS = ("#1a9641", "#a6d96a", "#ffffbf", "#fdae61", "#d7191c")
"""Green for sure to red for unsure (Brewer 2003)."""
SPEED_CLASSES = (0.0, 1.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1000.0, 3000.0)
"""m per year; even on a logarithmic scale."""
ICE_FREE = 0.01
"""Thinner ice, m, and slower ice, m per year, is left transparent."""


class Styler(QgsProcessingLayerPostProcessorInterface):
    """Styles a layer when QGIS loads it; QGIS does not own it, so the latest are kept here."""

    _alive: ClassVar[deque[Styler]] = deque(maxlen=1000)

    @classmethod
    def create(cls, style: Style, outputs: Outputs) -> Styler:
        """Return a post-processor that lives until long after it has run."""
        styler = cls()
        styler._style, styler._outputs = style, outputs
        cls._alive.append(styler)
        return styler

    def postProcessLayer(
        self, layer: QgsMapLayer, context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> None:
        """Apply the style."""
        self._style(layer, self._outputs)
        layer.triggerRepaint()


def zones(layer: QgsRasterLayer, outputs: Outputs) -> None:
    """Paint zones in the benchmark's grey levels, and a model's further classes in colours."""
    classes = [
        QgsPalettedRasterRenderer.Class(code, QColor(grey, grey, grey), label)
        for code, label, grey in ZONES
    ]
    others = outputs.get("CLASSES") or {}
    for index, (code, label) in enumerate(others.items()):
        colour = QColor.fromHsvF(index / len(others), 0.7, 0.8)
        classes.append(QgsPalettedRasterRenderer.Class(int(code), colour, label))
    layer.setRenderer(QgsPalettedRasterRenderer(layer.dataProvider(), 1, classes))


def fraction(layer: QgsRasterLayer, outputs: Outputs) -> None:
    """Paint a probability or an uncertainty, 0 to 1; of several bands, the last."""
    stops = [index / (len(VIRIDIS) - 1) for index in range(len(VIRIDIS))]
    _ramp(layer, stops, VIRIDIS, "", band=layer.bandCount())


def termini(layer: QgsVectorLayer, outputs: Outputs) -> None:
    """Draw lines with a dark halo, coloured by confidence."""
    ranges = []
    for low, high, colour, label in CONFIDENCE:
        symbol = QgsLineSymbol.createSimple({"line_color": colour, "line_width": "0.7"})
        halo = QgsSimpleLineSymbolLayer(QColor("#202020"), 1.5)
        symbol.insertSymbolLayer(0, halo)
        ranges.append(QgsRendererRange(low, high, symbol, f"Confidence {label}"))
    layer.setRenderer(QgsGraduatedSymbolRenderer("confidence", ranges))


def terminus_points(layer: QgsVectorLayer, outputs: Outputs) -> None:
    """Draw points coloured by their uncertainty, in classes of equal ratio."""
    ranges = []
    for (low, high), colour in zip(pairwise(UNCERTAINTY_CLASSES), UNCERTAINTY_COLOURS, strict=True):
        symbol = QgsMarkerSymbol.createSimple(
            {"color": colour, "outline_color": "#202020", "outline_width": "0.1", "size": "1.8"}
        )
        last = high == UNCERTAINTY_CLASSES[-1]
        label = f"± over {low:g} m" if last else f"± {low:g} to {high:g} m"
        ranges.append(QgsRendererRange(low, high, symbol, label))
    layer.setRenderer(QgsGraduatedSymbolRenderer("uncertainty_m", ranges))


def ocean_area(layer: QgsVectorLayer, outputs: Outputs) -> None:
    """Fill the ocean lightly."""
    symbol = QgsFillSymbol.createSimple(
        {"color": "8,48,107,70", "outline_color": "#08306b", "outline_width": "0.3"}
    )
    layer.setRenderer(QgsSingleSymbolRenderer(symbol))


def terminus_series(layer: QgsVectorLayer, outputs: Outputs) -> None:
    """Draw dated lines coloured by date, flagged ones dotted, shown by the temporal controller."""
    index = layer.fields().indexOf("date")
    found = layer.uniqueValues(index)
    days = sorted(day for day in found if isinstance(day, QDate) and day.isValid())
    root = QgsRuleBasedRenderer.Rule(None)
    spans = _spans(days)
    for (first, end), colour in zip(spans, _spread(VIRIDIS, len(spans)), strict=True):
        begin, stop = (day.toString("yyyy-MM-dd") for day in (first, end))
        last = end.addDays(-1).toString("yyyy-MM-dd")
        rule = QgsRuleBasedRenderer.Rule(_dated_line(colour))
        rule.setFilterExpression(f"\"date\" >= '{begin}' AND \"date\" < '{stop}'")
        rule.setLabel(begin if begin == last else f"{begin} to {last}")
        root.appendChild(rule)
    other = QgsRuleBasedRenderer.Rule(_dated_line("#ffffff"))
    other.setIsElse(True)  # lines without a date, and those that a person adds later
    other.setLabel("Other")
    root.appendChild(other)
    layer.setRenderer(QgsRuleBasedRenderer(root))
    time: QgsVectorLayerTemporalProperties = layer.temporalProperties()
    time.setMode(Qgis.VectorTemporalMode.FeatureDateTimeInstantFromField)
    time.setStartField("date")
    time.setFixedDuration(1)
    time.setDurationUnits(Qgis.TemporalUnit.Days)
    time.setIsActive(bool(days))


def _spans(days: Sequence[QDate]) -> list[tuple[QDate, QDate]]:
    """Divide the time of a series into classes, each up to but without its end.

    Each day is one while there are no more than colours; otherwise they are equally long.
    """
    if len(days) <= len(VIRIDIS):
        return [(day, day.addDays(1)) for day in days]
    whole = days[0].daysTo(days[-1]) + 1
    edges = [days[0].addDays(whole * i // len(VIRIDIS)) for i in range(len(VIRIDIS) + 1)]
    return list(pairwise(edges))


def _spread(colours: Sequence[str], count: int) -> list[str]:
    """Pick `count` of a ramp's colours, from its first to its last."""
    return [colours[i * (len(colours) - 1) // max(count - 1, 1)] for i in range(count)]


def _dated_line(colour: str) -> QgsLineSymbol:
    """Return a line over a halo, dotted where it is flagged."""
    symbol = QgsLineSymbol.createSimple({"line_color": colour, "line_width": "0.7"})
    symbol.symbolLayer(0).setDataDefinedProperty(
        QgsSymbolLayer.Property.PropertyStrokeStyle,
        QgsProperty.fromExpression("if(\"outlier\" = 1 OR \"duplicate\" = 1, 'dot', 'solid')"),
    )
    symbol.insertSymbolLayer(0, QgsSimpleLineSymbolLayer(QColor("#202020"), 1.1))
    return symbol


def glacier_area(layer: QgsVectorLayer, outputs: Outputs) -> None:
    """Fill the glacier lightly."""
    symbol = QgsFillSymbol.createSimple(
        {"color": "158,202,225,90", "outline_color": "#2171b5", "outline_width": "0.3"}
    )
    layer.setRenderer(QgsSingleSymbolRenderer(symbol))


def thickness(layer: QgsRasterLayer, outputs: Outputs) -> None:
    """Paint ice thickness; no ice is transparent."""
    top = _largest(layer)
    stops = [ICE_FREE + (top - ICE_FREE) * i / (len(BLUES) - 1) for i in range(len(BLUES))]
    _ramp(layer, stops, BLUES, " m", transparent_below=True)
    _add_time(layer, outputs)


def speed(layer: QgsRasterLayer, outputs: Outputs) -> None:
    """Paint speed in classes that are even on a logarithmic scale."""
    top = _largest(layer)
    stops = [stop for stop in SPEED_CLASSES if stop < top] + [max(top, SPEED_CLASSES[1])]
    stops[0] = ICE_FREE
    last = len(VIRIDIS) - 1
    colours = [VIRIDIS[round(i * last / (len(stops) - 1))] for i in range(len(stops))]
    _ramp(layer, stops, colours, " m/a", transparent_below=True)
    _add_time(layer, outputs)


def component(layer: QgsRasterLayer, outputs: Outputs) -> None:
    """Paint a velocity component, white at zero."""
    _diverging(layer, " m/a")
    _add_time(layer, outputs)


def mass_balance(layer: QgsRasterLayer, outputs: Outputs) -> None:
    """Paint mass balance, white at zero."""
    _diverging(layer, " m/a")
    _add_time(layer, outputs)


def misfit(layer: QgsRasterLayer, outputs: Outputs) -> None:
    """Paint a difference of elevations, white at zero: red too low, blue too high."""
    _diverging(layer, " m")


def ice_outlines(layer: QgsVectorLayer, outputs: Outputs) -> None:
    """Draw outlines coloured by time, each shown from its year to the next one saved."""
    times = sorted(layer.uniqueValues(layer.fields().indexOf("time")))
    alone = len(times) <= len(VIRIDIS)
    edges = [*times[:1], *times] if alone else _even(times[0], times[-1], len(VIRIDIS))
    ranges = []
    for (low, high), colour in zip(pairwise(edges), _spread(VIRIDIS, len(edges) - 1), strict=True):
        symbol = QgsFillSymbol.createSimple(
            {"style": "no", "outline_color": colour, "outline_width": "0.4"}
        )
        label = f"year {high:g}" if alone else f"year {low:.0f} to {high:.0f}"
        ranges.append(QgsRendererRange(low, high, symbol, label))  # of two that fit, the first
    layer.setRenderer(QgsGraduatedSymbolRenderer("time", ranges))
    time: QgsVectorLayerTemporalProperties = layer.temporalProperties()
    time.setMode(Qgis.VectorTemporalMode.FeatureDateTimeStartAndEndFromExpressions)
    time.setStartExpression(_moment_of("time"))
    time.setEndExpression(_moment_of("until"))
    time.setLimitMode(Qgis.VectorTemporalLimitMode.IncludeBeginExcludeEnd)
    time.setIsActive(bool(times))


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


def elevation(layer: QgsRasterLayer, outputs: Outputs) -> None:
    """Paint elevations."""
    low, high = _range(layer)
    stops = [low + (high - low) * i / (len(VIRIDIS) - 1) for i in range(len(VIRIDIS))]
    _ramp(layer, stops, VIRIDIS, " m")
    _add_time(layer, outputs)


def _diverging(layer: QgsRasterLayer, unit: str) -> None:
    bound = max(map(abs, _range(layer))) or 1.0
    stops = [bound * (2 * i / (len(BALANCE) - 1) - 1) for i in range(len(BALANCE))]
    _ramp(layer, stops, BALANCE, unit)


def _range(layer: QgsRasterLayer) -> tuple[float, float]:
    """Smallest and largest value over all bands."""
    kinds = Qgis.RasterBandStatistic.Min | Qgis.RasterBandStatistic.Max
    provider = layer.dataProvider()
    found = [provider.bandStatistics(i + 1, kinds) for i in range(layer.bandCount())]
    return min(s.minimumValue for s in found), max(s.maximumValue for s in found)


def _largest(layer: QgsRasterLayer) -> float:
    return max(_range(layer)[1], 10 * ICE_FREE)


def _ramp(
    layer: QgsRasterLayer,
    stops: Sequence[float],
    colours: Sequence[str],
    unit: str,
    *,
    band: int | None = None,
    transparent_below: bool = False,
) -> None:
    """Paint one band (the last, unless said) with colours interpolated between stops."""
    band = band or layer.bandCount()
    shader = QgsColorRampShader(stops[0], stops[-1], None, Qgis.ShaderInterpolationMethod.Linear)
    items = [
        QgsColorRampShader.ColorRampItem(stop, QColor(colour), f"{_rounded(stop)}{unit}")
        for stop, colour in zip(stops, colours, strict=True)
    ]
    if transparent_below:
        items.insert(0, QgsColorRampShader.ColorRampItem(0.0, QColor(0, 0, 0, 0), "no ice"))
    shader.setColorRampItemList(items)
    settings = shader.legendSettings()
    settings.setUseContinuousLegend(False)
    shader.setLegendSettings(settings)
    raster_shader = QgsRasterShader(stops[0], stops[-1])
    raster_shader.setRasterShaderFunction(shader)
    layer.setRenderer(QgsSingleBandPseudoColorRenderer(layer.dataProvider(), band, raster_shader))


def _rounded(value: float) -> str:
    return f"{value:.0f}" if abs(value) >= 10 else f"{value:.2g}"


def _add_time(layer: QgsRasterLayer, outputs: Outputs) -> None:
    """Give each band the span from its year to the next, for the temporal controller."""
    years = outputs.get("TIMES") or []
    if len(years) < 2 or len(years) != layer.bandCount():
        return
    moments = [_moment(year) for year in [*years, 2 * years[-1] - years[-2]]]
    ranges = {
        band: QgsDateTimeRange(start, stop, True, False)
        for band, (start, stop) in enumerate(pairwise(moments), 1)
    }
    properties: QgsRasterLayerTemporalProperties = layer.temporalProperties()
    properties.setMode(Qgis.RasterTemporalMode.FixedRangePerBand)
    properties.setFixedRangePerBand(ranges)
    properties.setIsActive(True)


def _moment(year: float) -> QDateTime:
    """Return the moment of a decimal year; the year 0 of a model run is Qt's year 1 BC."""
    whole = int(year // 1)
    calendar_year = whole if whole > 0 else whole - 1
    start = QDate(calendar_year, 1, 1)
    seconds = (year - whole) * start.daysInYear() * 86400
    return QDateTime(start, QTime(0, 0), QTimeZone.utc()).addSecs(round(seconds))
