"""Fields on a grid: probabilities, thickness, speed, balances."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from qgis.core import (
    Qgis,
    QgsColorRamp,
    QgsColorRampShader,
    QgsRasterLayer,
    QgsRasterShader,
    QgsSingleBandPseudoColorRenderer,
)
from qgis.PyQt.QtGui import QColor

from glacier_qgis.styles.palettes import CLASSES, balance, blues, doubt, spread, viridis
from glacier_qgis.styles.time import add_time
from glacier_qgis.styles.values import value_range
from glacier_qgis.translation import tr

SPEED_CLASSES = (0.0, 1.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1000.0, 3000.0, 10_000.0, 30_000.0)
"""m per year; even on a logarithmic scale."""
ICE_FREE = 0.01
"""Thinner ice, m, is left transparent."""
DOUBTS, EACH_SIDE = 5, 4
"""Colours in the legends of uncertainties, and of each sign where zero is white."""
ROUND = (1.0, 2.0, 2.5, 5.0, 10.0, 20.0, 25.0)
"""Steps of a legend, times a power of ten."""


def probability(layer: QgsRasterLayer, outputs: Mapping[str, Any]) -> None:
    """Paint a probability, 0 to 1; of several bands, the last."""
    _paint(layer, _round_stops(0, 1), viridis(), "", band=layer.bandCount())


def uncertainty(layer: QgsRasterLayer, outputs: Mapping[str, Any]) -> None:
    """Paint an uncertainty, 0 to 1, as a veil that is thicker where less is sure."""
    _paint(layer, [i / (DOUBTS - 1) for i in range(DOUBTS)], doubt(), "")


def _round_stops(low: float, high: float, most: int = CLASSES) -> list[float]:
    """Return at most so many round numbers, equally spaced, that span a range."""
    span = high - low or abs(high) or 1.0
    power = 10.0 ** math.floor(math.log10(span / (most - 1)))
    for step in (factor * power for factor in ROUND):
        first, last = math.floor(low / step), math.ceil(high / step)
        if last - first < most:
            break
    return [step * number for number in range(first, max(last, first + 1) + 1)]


def thickness(layer: QgsRasterLayer, outputs: Mapping[str, Any]) -> None:
    """Paint ice thickness; no ice is transparent."""
    _, *stops = _round_stops(0, _largest(layer))
    _paint(layer, [ICE_FREE, *stops], blues(), " m", above=tr("no ice"))
    add_time(layer, outputs)


def speed(layer: QgsRasterLayer, outputs: Mapping[str, Any]) -> None:
    """Paint speed in classes that are even on a logarithmic scale."""
    slower = sum(stop < _largest(layer) for stop in SPEED_CLASSES)
    _paint(layer, SPEED_CLASSES[: slower + 1], viridis(), " m/a")
    add_time(layer, outputs)


def component(layer: QgsRasterLayer, outputs: Mapping[str, Any]) -> None:
    """Paint a velocity component, white at zero."""
    _diverging(layer, " m/a")
    add_time(layer, outputs)


def mass_balance(layer: QgsRasterLayer, outputs: Mapping[str, Any]) -> None:
    """Paint mass balance, white at zero."""
    _diverging(layer, " m/a")
    add_time(layer, outputs)


def misfit(layer: QgsRasterLayer, outputs: Mapping[str, Any]) -> None:
    """Paint a difference of elevations, white at zero: red too low, blue too high."""
    _diverging(layer, " m")


def in_errors(layer: QgsRasterLayer, outputs: Mapping[str, Any]) -> None:
    """Paint a difference in units of its error, white at zero."""
    _diverging(layer, "")


def sliding(layer: QgsRasterLayer, outputs: Mapping[str, Any]) -> None:
    """Paint a sliding coefficient."""
    _paint(layer, _round_stops(*value_range(layer)), viridis(), "")


def deviation(layer: QgsRasterLayer, outputs: Mapping[str, Any]) -> None:
    """Paint the standard deviation of an elevation or a thickness."""
    _paint(layer, _round_stops(0, _largest(layer)), viridis(), " m")


def elevation(layer: QgsRasterLayer, outputs: Mapping[str, Any]) -> None:
    """Paint elevations."""
    _paint(layer, _round_stops(*value_range(layer)), viridis(), " m")
    add_time(layer, outputs)


def _diverging(layer: QgsRasterLayer, unit: str) -> None:
    gains = _round_stops(0, max(map(abs, value_range(layer))) or 1.0, EACH_SIDE)
    _paint(layer, [-stop for stop in gains[:0:-1]] + gains, balance(), unit)


def _largest(layer: QgsRasterLayer) -> float:
    return max(value_range(layer)[1], 10 * ICE_FREE)


def _paint(
    layer: QgsRasterLayer,
    stops: Sequence[float],
    ramp: QgsColorRamp,
    unit: str,
    *,
    band: int | None = None,
    above: str = "",
) -> None:
    """Paint one band (the last, unless said) with a ramp whose colours are spread over stops.

    Args:
        layer: What to paint.
        stops: Values, ascending.
        ramp: Of the colours.
        unit: Follows each value in the legend.
        band: Its number, from 1.
        above: What zero is called, which stays clear; the first stop is then just above it.
    """
    band = band or layer.bandCount()
    shader = QgsColorRampShader(stops[0], stops[-1], ramp, Qgis.ShaderInterpolationMethod.Linear)
    colours = spread(ramp, len(stops))
    labels = [f"{stop:.12g}{unit}" for stop in stops]
    items = [*map(QgsColorRampShader.ColorRampItem, stops, colours, labels)]
    if above:
        items[0].label = f"> 0{unit}"
        items.insert(0, QgsColorRampShader.ColorRampItem(0.0, QColor(0, 0, 0, 0), above))
    shader.setColorRampItemList(items)
    settings = shader.legendSettings()
    settings.setUseContinuousLegend(False)
    shader.setLegendSettings(settings)
    raster_shader = QgsRasterShader(stops[0], stops[-1])
    raster_shader.setRasterShaderFunction(shader)
    layer.setRenderer(QgsSingleBandPseudoColorRenderer(None, band, raster_shader))
