"""Zones of a scene, through which the scene is seen."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from qgis.core import QgsPalettedRasterRenderer, QgsRasterLayer
from qgis.PyQt.QtGui import QColor

from glacier_qgis.translation import tr

HALF = 128
ZONES = (
    (4, tr("Ocean"), "#1f6fb4"),
    (3, tr("Glacier"), "#cfefff"),
    (2, tr("Rock"), "#8c5a2b"),
    (1, tr("No data"), "#808080"),
)
"""Codes, labels and colours: water, ice and ground."""


def zones(layer: QgsRasterLayer, outputs: Mapping[str, Any]) -> None:
    """Paint zones half transparent, and a model's further classes in strong colours."""
    others = outputs.get("CLASSES") or {}
    labels = {code: label for code, label, _ in ZONES} | {
        int(c): name for c, name in others.items()
    }
    classes = [
        QgsPalettedRasterRenderer.Class(code, colour, labels[code])
        for code, colour in zone_colours(others).items()
    ]
    layer.setRenderer(QgsPalettedRasterRenderer(None, 1, classes))


def zone_colours(others: Mapping[str, str]) -> dict[int, QColor]:
    """Return the half transparent colour of each code.

    Args:
        others: Code and name of what a model tells apart besides the four zones.
    """
    colours = {code: QColor(colour) for code, _, colour in ZONES}
    for index, code in enumerate(others):
        colours[int(code)] = QColor.fromHsvF(((index + 0.5) / len(others) + 0.75) % 1, 0.8, 0.9)
    for colour in colours.values():
        colour.setAlpha(HALF)
    return colours
