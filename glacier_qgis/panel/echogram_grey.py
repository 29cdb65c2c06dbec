"""The grey of an echogram: contrast and gain beside those of its layer's own style."""

from __future__ import annotations

from qgis.core import QgsContrastEnhancement, QgsRasterLayer, QgsSingleBandGrayRenderer

WIDEST = 4.0
"""Contrast at the end of its range, times that of the layer's style."""


def show_grey(layer: QgsRasterLayer, shown: QgsRasterLayer, contrast: float, gain: float) -> None:
    """Widen and shift the range of grey that a layer's own style has; other styles stay.

    Args:
        layer: With its own style, which is not changed.
        shown: Gets the wider or narrower range.
        contrast: From -1 (less) to 1 (more); 0 is that of the style.
        gain: From -1 (darker) to 1 (brighter), in widths of the range.
    """
    renderer = layer.renderer()
    if not isinstance(renderer, QgsSingleBandGrayRenderer):
        return
    enhancement = renderer.contrastEnhancement()
    if enhancement is None:
        return
    low, high = enhancement.minimumValue(), enhancement.maximumValue()
    factor = WIDEST ** (-contrast)
    middle = (low + high) / 2 - gain * (high - low)
    half = (high - low) / 2 * factor
    own = QgsContrastEnhancement(enhancement)
    own.setMinimumValue(middle - half)
    own.setMaximumValue(middle + half)
    changed = renderer.clone()
    changed.setContrastEnhancement(own)
    shown.setRenderer(changed)
    shown.triggerRepaint()
