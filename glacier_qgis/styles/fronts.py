"""Terminus lines of one scene, and points along them."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

from qgis.core import (
    QgsGraduatedSymbolRenderer,
    QgsLineSymbol,
    QgsMarkerSymbol,
    QgsRendererRange,
    QgsSimpleLineSymbolLayer,
    QgsVectorLayer,
)
from qgis.PyQt.QtGui import QColor

from glacier_qgis.styles.fields import describe_lines, describe_points, field
from glacier_qgis.styles.palettes import spread, unsureness
from glacier_qgis.translation import tr

CONFIDENCE = (
    (0.0, 0.5, "#d7191c", tr("low (under 0.5)")),
    (0.5, 0.8, "#fdae61", tr("fair (0.5 to 0.8)")),
    (0.8, 1.0, "#ffff33", tr("high (over 0.8)")),
)
UNCERTAINTY_CLASSES = (0.0, 25.0, 50.0, 100.0, 200.0, 1e6)
"""m; half a cell of a sharp radar scene to where a front is hardly known."""
HALO = QColor("#202020")


def termini(layer: QgsVectorLayer, outputs: Mapping[str, Any]) -> None:
    """Draw lines with a dark halo, coloured by confidence."""
    ranges = []
    for low, high, colour, label in CONFIDENCE:
        symbol = QgsLineSymbol.createSimple({"line_color": colour, "line_width": "0.7"})
        symbol.insertSymbolLayer(0, QgsSimpleLineSymbolLayer(HALO, 1.5))
        ranges.append(
            QgsRendererRange(low, high, symbol, tr("Confidence {label}").format(label=label))
        )
    layer.setRenderer(QgsGraduatedSymbolRenderer(field(layer, "confidence"), ranges))
    describe_lines(layer)


def terminus_points(layer: QgsVectorLayer, outputs: Mapping[str, Any]) -> None:
    """Draw points coloured by their uncertainty, in classes of equal ratio."""
    ranges = []
    classes = len(UNCERTAINTY_CLASSES) - 1
    colours = spread(unsureness(classes), classes)
    for (low, high), colour in zip(pairwise(UNCERTAINTY_CLASSES), colours, strict=True):
        symbol = QgsMarkerSymbol.createSimple(
            {
                "color": colour.name(),
                "outline_color": "#202020",
                "outline_width": "0.1",
                "size": "2.6",
            }
        )
        symbol.setColor(colour)
        last = high == UNCERTAINTY_CLASSES[-1]
        label = (
            tr("± over {low:g} m").format(low=low)
            if last
            else tr("± {low:g} to {high:g} m").format(low=low, high=high)
        )
        ranges.append(QgsRendererRange(low, high, symbol, label))
    layer.setRenderer(QgsGraduatedSymbolRenderer(field(layer, "uncertainty_m"), ranges))
    describe_points(layer)
