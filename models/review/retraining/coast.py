"""The coast of a place: where networks see ice meet water, and nobody drew a front.

A corrected scene shows all fronts. So what a network that is adapted to the place takes for one
elsewhere in that scene is none, and where this is so on several dates, it is none on other dates
either. A single date does not tell: there it can be an error of that day.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import shapely
from pyproj import CRS
from rasterio.features import geometry_mask, shapes
from scipy.ndimage import distance_transform_edt
from shapely import LineString, MultiPolygon

from glacier_qgis.models.compute.arrays import Float32Array, Mask
from glacier_qgis.models.fronts.termini.whereabouts import from_degrees, in_degrees
from glacier_qgis.models.raster.grid import Grid
from glacier_qgis.models.training.data.samples import front_pixels
from glacier_qgis.models.zones.codes import CLASS_NAMES, zones_of

NEAR_M = 500.0
"""Distance from a drawn front within which everything may be one."""
WIDTH_M = 400.0
"""Distance from a contact of ice and water within which it is the same on another date."""
FEWEST, SHARE = 2, 0.2
"""Scenes that tell a coast: at least so many, and such a part of all."""


@dataclass(frozen=True)
class Shown:
    """What a corrected scene shows of a coast.

    Attributes:
        contact: Where networks see ice meet water, (rows, columns).
        fronts: All fronts that were drawn; none if there is none.
    """

    contact: Mask
    fronts: Sequence[LineString]


def contact_of(probabilities: Float32Array) -> Mask:
    """Return where ice meets water, by probabilities (classes, rows, columns)."""
    zones = zones_of(probabilities, [*CLASS_NAMES])
    contact = np.zeros(zones.shape, np.bool_)
    contact[tuple(front_pixels(zones).T)] = True
    return contact


def coast_of(scenes: Sequence[Shown], grid: Grid) -> MultiPolygon:
    """Return where no contact of ice and water is a front, in the CRS of the cells.

    Args:
        scenes: Those of which all fronts were drawn.
        grid: The cells.
    """
    votes = np.zeros(grid.shape, np.int64)
    for scene in scenes:
        beyond = scene.contact & ~_near(scene.fronts, grid)
        votes += _within(beyond, WIDTH_M, grid)
    enough = max(FEWEST, math.ceil(SHARE * len(scenes)))
    cells = (votes >= enough) & ~_near([line for each in scenes for line in each.fronts], grid)
    found = shapes(cells.astype(np.uint8), mask=cells, transform=grid.transform)
    polygons = shapely.union_all([shapely.geometry.shape(shape) for shape, _ in found])
    drawn = shapely.simplify(polygons, grid.cell_size)
    return MultiPolygon([each for each in shapely.get_parts(drawn) if not each.is_empty])


def without_fronts(coast: str, fronts: Sequence[LineString], crs: CRS) -> str:
    """Return a known coast less the surroundings of fronts that were drawn.

    Args:
        coast: Polygons as WKT, degrees; may be blank.
        fronts: In `crs`.
        crs: Projected, metres.
    """
    if not (coast and fronts):
        return coast
    drawn = shapely.union_all([line.buffer(NEAR_M) for line in fronts])
    left = shapely.difference(from_degrees(coast, crs), drawn)
    return in_degrees(MultiPolygon([*shapely.get_parts(left)]), crs)


def _near(fronts: Sequence[LineString], grid: Grid) -> Mask:
    if not fronts:
        return np.zeros(grid.shape, np.bool_)
    around = [line.buffer(NEAR_M) for line in fronts]
    return np.asarray(geometry_mask(around, grid.shape, grid.transform, invert=True))


def _within(cells: Mask, distance: float, grid: Grid) -> Mask:
    if not cells.any():
        return cells
    return np.asarray(distance_transform_edt(~cells) * grid.cell_size <= distance)
