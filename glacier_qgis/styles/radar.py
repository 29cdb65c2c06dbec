"""Echograms, the lines in them, and what they are on the map."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from qgis.core import (
    Qgis,
    QgsCategorizedSymbolRenderer,
    QgsContrastEnhancement,
    QgsEditorWidgetSetup,
    QgsGraduatedSymbolRenderer,
    QgsLineSymbol,
    QgsMarkerSymbol,
    QgsPalLayerSettings,
    QgsProperty,
    QgsRasterLayer,
    QgsRendererCategory,
    QgsRendererRange,
    QgsSimpleLineSymbolLayer,
    QgsSingleBandGrayRenderer,
    QgsSingleSymbolRenderer,
    QgsSymbol,
    QgsSymbolLayer,
    QgsTextFormat,
    QgsVectorLayer,
    QgsVectorLayerSimpleLabeling,
)
from qgis.PyQt.QtGui import QColor

from glacier_qgis.styles.palettes import spread, viridis
from glacier_qgis.styles.values import data_type
from glacier_qgis.translation import tr

KINDS = (
    ("surface", "#2ca02c", tr("surface")),
    ("bed", "#d62728", tr("bed")),
    ("layer", "#ffbf00", tr("layer")),
)
HALO = QColor("#202020")
IDS = ("#ffbf00", "#56b4e9", "#f0e442", "#cc79a7", "#e69f00", "#9be4c8")
"""Colours of layers, by turns with their id: a layer has the same one in all frames."""
DOUBTFUL, FAINT = 0.4, 35
"""Confidence at and below which a line has this opacity, %; a certain one is opaque."""
DEPTHS = 6
"""Classes of depth."""
TRACK, TRACE = "#d9480f", "#1f6fb2"


def echogram(layer: QgsRasterLayer, outputs: Mapping[str, Any]) -> None:
    """Show an echogram in grey, strong echoes dark; amplitudes with a sign are grey at zero."""
    low, high = outputs["CONTRAST"]
    if outputs.get("HOLDS") == "amplitude":
        high = max(-low, high)
        low = -high
    renderer = QgsSingleBandGrayRenderer(None, 1)
    renderer.setGradient(QgsSingleBandGrayRenderer.Gradient.WhiteToBlack)
    contrast = QgsContrastEnhancement(data_type(layer))
    contrast.setMinimumValue(low)
    contrast.setMaximumValue(max(high, low + 1e-12))
    contrast.setContrastEnhancementAlgorithm(
        QgsContrastEnhancement.ContrastEnhancementAlgorithm.StretchToMinimumMaximum
    )
    renderer.setContrastEnhancement(contrast)
    layer.setRenderer(renderer)


def radar_layers(layer: QgsVectorLayer, outputs: Mapping[str, Any]) -> None:
    """Draw lines in an echogram by what they are, layers by their id, which stands at them.

    Doubtful lines are faint, those that a person drew are not. The form offers the kinds.
    """
    categories = []
    for kind, colour, label in KINDS:
        symbol = QgsLineSymbol.createSimple({"line_color": colour, "line_width": "0.4"})
        symbol.insertSymbolLayer(0, QgsSimpleLineSymbolLayer(HALO, 0.9))
        symbol.setDataDefinedProperty(
            QgsSymbol.Property.Opacity, QgsProperty.fromExpression(_FADED)
        )
        if kind == "layer":
            symbol.symbolLayer(1).setDataDefinedProperty(
                QgsSymbolLayer.Property.StrokeColor, QgsProperty.fromExpression(_COLOURED)
            )
        categories.append(QgsRendererCategory(kind, symbol, label))
    layer.setRenderer(QgsCategorizedSymbolRenderer("kind", categories))
    layer.setLabeling(QgsVectorLayerSimpleLabeling(_ids_along()))
    layer.setLabelsEnabled(True)
    choices = [{label: kind} for kind, _, label in KINDS]
    fields = layer.fields()
    layer.setEditorWidgetSetup(
        fields.indexOf("kind"), QgsEditorWidgetSetup("ValueMap", {"map": choices})
    )


def radar_track(layer: QgsVectorLayer, outputs: Mapping[str, Any]) -> None:
    """Draw a ground track."""
    layer.setRenderer(QgsSingleSymbolRenderer(_line(TRACK)))


def radar_traces(layer: QgsVectorLayer, outputs: Mapping[str, Any]) -> None:
    """Draw the traces as small points."""
    symbol = QgsMarkerSymbol.createSimple({"color": TRACE, "size": "1", "outline_style": "no"})
    layer.setRenderer(QgsSingleSymbolRenderer(symbol))


def layer_points(layer: QgsVectorLayer, outputs: Mapping[str, Any]) -> None:
    """Colour points by accumulation where there is any, else by depth."""
    index = layer.fields().indexOf("accumulation")
    dated = layer.maximumValue(index) not in (None, "")
    name, unit = ("accumulation", tr("m w.e./a")) if dated else ("depth_m", "m")
    symbol = QgsMarkerSymbol.createSimple({"size": "1.8", "outline_style": "no"})
    renderer = QgsGraduatedSymbolRenderer(name)
    index = layer.fields().indexOf(name)
    low, high = (layer.minimumValue(index), layer.maximumValue(index))
    low, high = float(low or 0), float(high or 0)
    for number, colour in enumerate(spread(viridis(), DEPTHS)):
        first = low + (high - low) * number / DEPTHS
        last = low + (high - low) * (number + 1) / DEPTHS
        own = symbol.clone()
        own.setColor(colour)
        label = tr("{first:.3g} to {last:.3g} {unit}").format(first=first, last=last, unit=unit)
        renderer.addClassRange(QgsRendererRange(first, last, own, label))
    layer.setRenderer(renderer)


def layers_on_map(layer: QgsVectorLayer, outputs: Mapping[str, Any]) -> None:
    """Draw layers on the map by what they are."""
    categories = [QgsRendererCategory(kind, _line(colour), label) for kind, colour, label in KINDS]
    layer.setRenderer(QgsCategorizedSymbolRenderer("kind", categories))


_FADED = f"""if("origin" = 'drawn', 100,
coalesce(scale_linear("confidence", {DOUBTFUL}, 1, {FAINT}, 100), 100))"""
_COLOURED = f'array_get(array{IDS}, "layer_id" % {len(IDS)})'


def _ids_along() -> QgsPalLayerSettings:
    """Return labels with the ids of layers, on their lines."""
    look = QgsTextFormat()
    look.setSize(7)
    look.setColor(QColor("white"))
    halo = look.buffer()
    halo.setEnabled(True)
    halo.setColor(HALO)
    halo.setSize(0.6)
    look.setBuffer(halo)
    settings = QgsPalLayerSettings()
    settings.setFormat(look)
    settings.fieldName = 'if("kind" = \'layer\', "layer_id", NULL)'
    settings.isExpression = True
    settings.placement = Qgis.LabelPlacement.Line
    where = settings.lineSettings()
    where.setPlacementFlags(Qgis.LabelLinePlacementFlag.OnLine)
    settings.setLineSettings(where)
    return settings


def _line(colour: str) -> QgsLineSymbol:
    symbol = QgsLineSymbol.createSimple({"line_color": colour, "line_width": "0.6"})
    symbol.insertSymbolLayer(0, QgsSimpleLineSymbolLayer(HALO, 1.0))
    return symbol
