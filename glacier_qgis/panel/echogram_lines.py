"""Which lines of a project belong to an echogram, and how they look in it."""

from __future__ import annotations

from collections.abc import Iterable

from qgis.core import (
    Qgis,
    QgsExpression,
    QgsFeatureRequest,
    QgsMapLayer,
    QgsMapLayerStyle,
    QgsReadWriteContext,
    QgsRuleBasedRenderer,
    QgsVectorLayer,
)
from qgis.PyQt.QtXml import QDomDocument

FRAME, NUMBER = "frame_id", "layer_id"
"""Fields by which the layer lines of an echogram are known."""
RENDERER = "renderer-v2"
"""Element of a style that says how features are drawn."""


def lines_of(frame: str, layers: Iterable[QgsMapLayer]) -> QgsVectorLayer | None:
    """Return the first of some layers that has layer lines of a frame."""
    found = (each for each in layers if isinstance(each, QgsVectorLayer) and _names_frames(each))
    return next((each for each in found if _has_lines_of(each, frame)), None)


def is_of_others(layer: QgsVectorLayer, frame: str) -> bool:
    """Return whether the lines of a layer name frames, and not this one."""
    return _names_frames(layer) and not _has_lines_of(layer, frame)


def _has_lines_of(layer: QgsVectorLayer, frame: str) -> bool:
    request = QgsFeatureRequest().setFilterExpression(_of(frame)).setLimit(1)
    return next(iter(layer.getFeatures(request)), None) is not None


def _names_frames(layer: QgsVectorLayer) -> bool:
    lines = layer.isValid() and layer.geometryType() == Qgis.GeometryType.Line
    return lines and {FRAME, NUMBER} <= {*layer.fields().names()}


def _of(frame: str) -> str:
    return str(QgsExpression.createFieldEqualityExpression(FRAME, frame))


def style_in(layer: QgsVectorLayer, frame: str) -> str | None:
    """Return the style of a layer without the lines of other frames, as XML.

    All frames begin at the same corner of their local system, so lines of others would lie over
    the echogram. Lines that name no frame are drawn.

    Args:
        layer: Lines.
        frame: The frame that is shown.

    Returns:
        None if the lines name no frames, or if their renderer has no rules.
    """
    renderer = layer.renderer()
    if renderer is None or FRAME not in layer.fields().names():
        return None
    ruled = QgsRuleBasedRenderer.convertFromRenderer(renderer, layer)
    if ruled is None:
        return None
    ruled.rootRule().setFilterExpression(f"coalesce(\"{FRAME}\", '') = '' OR {_of(frame)}")
    style, document = QgsMapLayerStyle(), QDomDocument()
    style.readFromLayer(layer)
    document.setContent(style.xmlData())
    root = document.documentElement()
    root.replaceChild(ruled.save(document, QgsReadWriteContext()), root.firstChildElement(RENDERER))
    return document.toString()
