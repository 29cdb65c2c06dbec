"""How results look: each function styles a layer, with the values that the engine gave back."""

from __future__ import annotations

from glacier_qgis.styles.areas import glacier_area, ocean_area
from glacier_qgis.styles.fronts import CONFIDENCE, termini, terminus_points
from glacier_qgis.styles.outlines import ice_outlines
from glacier_qgis.styles.radar import (
    echogram,
    layer_points,
    layers_on_map,
    radar_layers,
    radar_traces,
    radar_track,
)
from glacier_qgis.styles.rasters import (
    component,
    deviation,
    elevation,
    in_errors,
    mass_balance,
    misfit,
    probability,
    sliding,
    speed,
    thickness,
    uncertainty,
)
from glacier_qgis.styles.review import REVIEW
from glacier_qgis.styles.scenes import scene_until
from glacier_qgis.styles.series import terminus_series
from glacier_qgis.styles.zones import zones

__all__ = [
    "ASIDE",
    "CONFIDENCE",
    "COVERING",
    "REVIEW",
    "component",
    "deviation",
    "echogram",
    "elevation",
    "glacier_area",
    "ice_outlines",
    "in_errors",
    "layer_points",
    "layers_on_map",
    "mass_balance",
    "misfit",
    "ocean_area",
    "probability",
    "radar_layers",
    "radar_traces",
    "radar_track",
    "scene_until",
    "sliding",
    "speed",
    "termini",
    "terminus_points",
    "terminus_series",
    "thickness",
    "uncertainty",
    "zones",
]

ASIDE = (echogram, radar_layers)
"""Styles of layers in the local system of an echogram, which a panel shows beside the map."""
COVERING = (component, elevation, mass_balance, misfit, probability, speed, thickness)
"""Styles of rasters through which nothing below is seen."""
