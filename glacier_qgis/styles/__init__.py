"""How results look: each function styles a layer, with the values that the engine gave back."""

from __future__ import annotations

from .areas import glacier_area, ocean_area
from .fronts import CONFIDENCE, termini, terminus_points
from .outlines import ice_outlines
from .rasters import (
    component,
    elevation,
    mass_balance,
    misfit,
    probability,
    speed,
    thickness,
    uncertainty,
)
from .scenes import scene_until
from .series import terminus_series
from .zones import zones

__all__ = [
    "CONFIDENCE",
    "COVERING",
    "component",
    "elevation",
    "glacier_area",
    "ice_outlines",
    "mass_balance",
    "misfit",
    "ocean_area",
    "probability",
    "scene_until",
    "speed",
    "termini",
    "terminus_points",
    "terminus_series",
    "thickness",
    "uncertainty",
    "zones",
]

COVERING = (component, elevation, mass_balance, misfit, probability, speed, thickness)
"""Styles of rasters through which nothing below is seen."""
