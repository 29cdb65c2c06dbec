"""Models of one glacier, used on that glacier only.

A model that was adapted to a glacier has forgotten others. So a scene, or the part of it that is
processed, that lies elsewhere is segmented with the model that it was adapted from, where that is
installed.
"""

from __future__ import annotations

from pathlib import Path

from glacier_qgis.models.package.card import AdaptedTo, ModelCard
from glacier_qgis.models.package.registry import installed_models, readable
from glacier_qgis.models.raster.crs import read_crs
from glacier_qgis.models.raster.footprint import Footprint
from glacier_qgis.models.raster.grid import Grid
from glacier_qgis.models.raster.metric import transform_bounds


def lies_elsewhere(part: Footprint | Grid, adapted: AdaptedTo) -> bool:
    """Return whether a part of the Earth does not touch the surroundings of a model's glacier.

    Args:
        part: What is processed: a scene, or a part of it. Longitudes may be counted from 0 to 360
            or go beyond 180°.
        adapted: The model's glacier.
    """
    west, south, east, north = transform_bounds(part.bounds, part.crs, read_crs("EPSG:4326", ""))
    from_west, from_south, to_east, to_north = adapted.bounds
    beside = south > to_north or north < from_south
    overlap = _reach(west, east, from_west) or _reach(from_west, to_east, west)
    return beside or not overlap


def _reach(west: float, east: float, longitude: float) -> bool:
    """Return whether a range of longitudes, across 180° if west > east, includes a longitude."""
    width = east - west if west <= east else (east - west) % 360
    return (longitude - west) % 360 <= width


def adapted_from(adapted: AdaptedTo) -> tuple[Path, ModelCard] | None:
    """Return the installed model that a model was adapted from; None if it is not there."""
    known = readable(installed_models().values())
    return next(
        (
            (folder, card)
            for folder, card in known
            if card.adapted is None and card.weights.sha256 == adapted.parent
        ),
        None,
    )
