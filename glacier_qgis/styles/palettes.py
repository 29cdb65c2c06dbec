"""Colour ramps of QGIS, which people with any sight tell apart, and the colours in them."""

from __future__ import annotations

from qgis.core import (
    QgsColorBrewerColorRamp,
    QgsColorRamp,
    QgsCptCityColorRamp,
    QgsGradientColorRamp,
    QgsGradientStop,
)
from qgis.PyQt.QtGui import QColor

CLASSES = 9
"""Colours of a ramp that are still told apart in a legend."""


def viridis() -> QgsColorRamp:
    """Return a perceptually uniform ramp (Smith, van der Walt and Firing 2015)."""
    return QgsCptCityColorRamp("mpl/viridis", "")


def blues() -> QgsColorRamp:
    """Return light to dark blue (Brewer 2003)."""
    return QgsColorBrewerColorRamp("Blues", CLASSES)


def balance() -> QgsColorRamp:
    """Return red for loss to blue for gain, over white (Brewer 2003)."""
    return QgsColorBrewerColorRamp("RdBu", 7)


def unsureness(classes: int) -> QgsColorRamp:
    """Return green for sure to red for unsure (Brewer 2003)."""
    return QgsColorBrewerColorRamp("RdYlGn", classes, inverted=True)


def doubt() -> QgsColorRamp:
    """Return clear to purple, as no ramp of QGIS is: what is half sure or better stays clear."""
    clear, veil, dark = QColor(197, 27, 138, 0), QColor(197, 27, 138, 56), QColor(174, 1, 126, 112)
    stops = [QgsGradientStop(0.25, clear), QgsGradientStop(0.5, veil), QgsGradientStop(0.75, dark)]
    return QgsGradientColorRamp(clear, QColor(122, 1, 119, 176), False, stops)


def spread(ramp: QgsColorRamp, count: int) -> list[QColor]:
    """Return `count` colours of a ramp, from its first to its last."""
    return [ramp.color(i / max(count - 1, 1)) for i in range(count)]
