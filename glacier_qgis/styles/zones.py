"""Zones of a scene, through which the scene is seen."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from qgis.core import QgsPalettedRasterRenderer, QgsRasterLayer
from qgis.PyQt.QtGui import QColor

HALF = 128
ZONES = (
    (4, "Ocean", "#1f6fb4"),
    (3, "Glacier", "#cfefff"),
    (2, "Rock", "#8c5a2b"),
    (1, "No data", "#808080"),
)
"""Codes, labels and colours: water, ice and ground."""


def zones(layer: QgsRasterLayer, outputs: Mapping[str, Any]) -> None:
    """Paint zones half transparent, and a model's further classes in strong colours."""
    classes = [
        QgsPalettedRasterRenderer.Class(code, _half(QColor(colour)), label)
        for code, label, colour in ZONES
    ]
    others = outputs.get("CLASSES") or {}
    for index, (code, label) in enumerate(others.items()):
        colour = _half(QColor.fromHsvF(((index + 0.5) / len(others) + 0.75) % 1, 0.8, 0.9))
        classes.append(QgsPalettedRasterRenderer.Class(int(code), colour, label))
    layer.setRenderer(QgsPalettedRasterRenderer(layer.dataProvider(), 1, classes))


def _half(colour: QColor) -> QColor:
    colour.setAlpha(HALF)
    return colour
