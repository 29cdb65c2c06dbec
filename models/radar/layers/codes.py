"""The classes of a pixel of an echogram."""

from __future__ import annotations

UNLABELLED, NO_LAYER, LAYER, SURFACE, BED = range(5)
"""Codes; 0 where nobody said whether there is a layer."""

CLASS_NAMES = {NO_LAYER: "no layer", LAYER: "layer", SURFACE: "surface", BED: "bed"}
