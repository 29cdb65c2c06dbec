"""The networks that are trained here."""

from __future__ import annotations

from pydantic import JsonValue

from glacier_qgis.models.fronts.scene.companions import CHANNELS
from glacier_qgis.models.package.card import Architecture

STEM = 2
IN_SERIES = 2 + len(CHANNELS)
"""Channels of a network for series: the band, what other scenes show, the mask."""
_CLASSES: dict[str, JsonValue] = {"classes": 4, "width": 16}
NETWORKS = {
    "unet": Architecture(name="unet", parameters={"bands": 2, **_CLASSES, "stem": STEM}),
    "hrnet": Architecture(name="hrnet", parameters={"bands": 2, **_CLASSES}),
    "series": Architecture(name="unet", parameters={"bands": IN_SERIES, **_CLASSES, "stem": STEM}),
}
"""A network for series starts from a U-Net for single scenes."""
