"""Fields on a grid: probabilities, thickness, speed, balances."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from osgeo import gdal
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
from glacier_qgis.translation import tr

SPEED_CLASSES = (0.0, 1.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1000.0, 3000.0)
"""m per year; even on a logarithmic scale."""
ICE_FREE = 0.01
"""Thinner ice, m, and slower ice, m per year, is left transparent."""
DOUBTS, BALANCES = 5, 7
"""Colours in the legends of uncertainties and of what is even around zero."""
WHOLE_FROM = 10.0
"""The legend shows no decimals from here on."""


def probability(layer: QgsRasterLayer, outputs: Mapping[str, Any]) -> None:
    """Paint a probability, 0 to 1; of several bands, the last."""
    _paint(layer, _even(0, 1), viridis(), "", band=layer.bandCount())


def uncertainty(layer: QgsRasterLayer, outputs: Mapping[str, Any]) -> None:
    """Paint an uncertainty, 0 to 1, as a veil that is thicker where less is sure."""
    _paint(layer, _even(0, 1, DOUBTS), doubt(), "")


def _even(low: float, high: float, count: int = CLASSES) -> list[float]:
    """Return so many equally spaced numbers."""
    return [low + (high - low) * i / (count - 1) for i in range(count)]


def thickness(layer: QgsRasterLayer, outputs: Mapping[str, Any]) -> None:
    """Paint ice thickness; no ice is transparent."""
    top = _largest(layer)
    _paint(layer, _even(ICE_FREE, top), blues(), " m", transparent_below=True)
    add_time(layer, outputs)


def speed(layer: QgsRasterLayer, outputs: Mapping[str, Any]) -> None:
    """Paint speed in classes that are even on a logarithmic scale."""
    top = _largest(layer)
    stops = [stop for stop in SPEED_CLASSES if stop < top] + [max(top, SPEED_CLASSES[1])]
    stops[0] = ICE_FREE
    _paint(layer, stops, viridis(), " m/a", transparent_below=True)
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
    low, high = _range(layer)
    _paint(layer, _even(low, max(high, low + 1e-6)), viridis(), "")


def deviation(layer: QgsRasterLayer, outputs: Mapping[str, Any]) -> None:
    """Paint the standard deviation of an elevation or a thickness."""
    _paint(layer, _even(0.0, _largest(layer)), viridis(), " m")


def elevation(layer: QgsRasterLayer, outputs: Mapping[str, Any]) -> None:
    """Paint elevations."""
    low, high = _range(layer)
    _paint(layer, _even(low, high), viridis(), " m")
    add_time(layer, outputs)


def _diverging(layer: QgsRasterLayer, unit: str) -> None:
    bound = max(map(abs, _range(layer))) or 1.0
    _paint(layer, _even(-bound, bound, BALANCES), balance(), unit)


def _range(layer: QgsRasterLayer) -> tuple[float, float]:
    """Smallest and largest value over all bands, of those that have any; else 0 and 0.

    GDAL reads the file: a layer is styled in a worker thread, where what PyQt gives for the data
    provider may be gone as soon as another thread wraps an object at the same address.
    """
    dataset = gdal.OpenEx(layer.source(), gdal.OF_RASTER)
    bands = [dataset.GetRasterBand(number) for number in range(1, layer.bandCount() + 1)]
    found = [both for both in map(_band_range, bands) if both is not None] or [(0.0, 0.0)]
    return min(low for low, _ in found), max(high for _, high in found)


def _band_range(band: gdal.Band) -> tuple[float, float] | None:
    """Smallest and largest value of a band that has any."""
    gdal.PushErrorHandler("CPLQuietErrorHandler")
    try:
        both: tuple[float, float] | None = band.ComputeRasterMinMax(False, True)
    except RuntimeError:  # other plugins let GDAL raise where it returns None by itself
        return None
    finally:
        gdal.PopErrorHandler()
    return both


def _largest(layer: QgsRasterLayer) -> float:
    return max(_range(layer)[1], 10 * ICE_FREE)


def _paint(
    layer: QgsRasterLayer,
    stops: Sequence[float],
    ramp: QgsColorRamp,
    unit: str,
    *,
    band: int | None = None,
    transparent_below: bool = False,
) -> None:
    """Paint one band (the last, unless said) with a ramp whose colours are spread over stops."""
    band = band or layer.bandCount()
    shader = QgsColorRampShader(stops[0], stops[-1], ramp, Qgis.ShaderInterpolationMethod.Linear)
    items = [
        QgsColorRampShader.ColorRampItem(stop, colour, f"{_rounded(stop)}{unit}")
        for stop, colour in zip(stops, spread(ramp, len(stops)), strict=True)
    ]
    if transparent_below:
        items.insert(0, QgsColorRampShader.ColorRampItem(0.0, QColor(0, 0, 0, 0), tr("no ice")))
    shader.setColorRampItemList(items)
    settings = shader.legendSettings()
    settings.setUseContinuousLegend(False)
    shader.setLegendSettings(settings)
    raster_shader = QgsRasterShader(stops[0], stops[-1])
    raster_shader.setRasterShaderFunction(shader)
    layer.setRenderer(QgsSingleBandPseudoColorRenderer(layer.dataProvider(), band, raster_shader))


def _rounded(value: float) -> str:
    return f"{value:.0f}" if abs(value) >= WHOLE_FROM else f"{value:.2g}"
