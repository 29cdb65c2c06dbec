"""The areas on either side of a front."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from qgis.core import QgsFillSymbol, QgsSingleSymbolRenderer, QgsVectorLayer


def ocean_area(layer: QgsVectorLayer, outputs: Mapping[str, Any]) -> None:
    """Fill the ocean lightly."""
    _fill(layer, "8,48,107,70", "#08306b")


def glacier_area(layer: QgsVectorLayer, outputs: Mapping[str, Any]) -> None:
    """Fill the glacier lightly."""
    _fill(layer, "158,202,225,90", "#2171b5")


def _fill(layer: QgsVectorLayer, colour: str, edge: str) -> None:
    symbol = QgsFillSymbol.createSimple(
        {"color": colour, "outline_color": edge, "outline_width": "0.3"}
    )
    layer.setRenderer(QgsSingleSymbolRenderer(symbol))
