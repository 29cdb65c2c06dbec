"""Outlines of scenes in the CRS of the lines, also over the date line and around a pole."""

from __future__ import annotations

import numpy as np
import shapely
from pyproj import CRS
from shapely import Polygon
from shapely.affinity import translate

from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.gdal.warpable import whole_turn
from glacier_qgis.models.raster.crs import read_crs, transformer
from glacier_qgis.models.raster.footprint import Footprint

SAME_VIEW = 0.5
"""Part of the smaller of two footprints that they share if they show one place."""
EDGE_POINTS = 20
"""Points along each edge of a footprint when it is transformed."""


def outline(footprint: Footprint, crs: CRS) -> Polygon:
    """Return the outline of a raster in another CRS, its edges bent as they are there.

    Over the date line, longitudes continue beyond ±180°. An outline around a pole is a strip from
    -180° to 180°, up to the pole.

    Raises:
        EngineError: A part of the raster has no place in the other CRS.
    """
    corners = Polygon(zip(*footprint.corners, strict=True))
    dense = shapely.segmentize(corners, corners.length / 4 / EDGE_POINTS)
    points = shapely.get_coordinates(dense)
    x, y = transformer(footprint.crs, crs).transform(points[:, 0], points[:, 1])
    if not np.isfinite([x, y]).all():
        raise EngineError("a part of it lies where the CRS of the lines is not defined")
    turn = turn_of(crs)
    if turn is not None:
        x = np.unwrap(x, period=turn)
        if round((x[-1] - x[0]) / turn):
            return _around_pole(x[:-1], y[:-1], turn)
        x -= turn * round((x.min() + x.max()) / 2 / turn)
    return Polygon(np.column_stack([x, y])[:-1])


def _around_pole(x: np.ndarray, y: np.ndarray, turn: float) -> Polygon:
    """Return the strip between a ring around a pole, and that pole."""
    west, east = -turn / 2, turn / 2
    x = (x - west) % turn + west
    order = np.argsort(x)
    x, y = x[order], y[order]
    seam = np.interp(east, [x[-1], x[0] + turn], [y[-1], y[0]])
    most = np.abs(y).max()
    pole = np.copysign(turn / 4 if most < turn / 4 else most + turn / 360, seam)
    ring = [(west, seam), *zip(x, y, strict=True), (east, seam)]
    return Polygon([*ring, (east, pole), (west, pole)])


def turn_of(crs: CRS) -> float | None:
    """Return by how much x grows around the Earth, such as 360°; None where it does not."""
    if crs.is_engineering:
        return None
    if crs.is_geographic:
        return whole_turn(crs)
    to_crs = transformer(read_crs("EPSG:4326", ""), crs)
    longitudes = [-90.0, 0.0, 90.0]
    at_equator, north = (to_crs.transform(longitudes, [at] * 3)[0] for at in (0.0, 60.0))
    if not np.isfinite(at_equator).all() or not np.allclose(at_equator, north, rtol=0, atol=1.0):
        return None
    return 4 * float(np.abs(np.diff(at_equator)).min())  # one of both may lie across the seam


def show_one_place(one: Polygon, other: Polygon, turn: float | None) -> bool:
    """Return whether two outlines share `SAME_VIEW` of the smaller one.

    Args:
        one: An outline.
        other: Another one.
        turn: See `turn_of`.
    """
    if turn is not None:
        (west, _, east, _), (from_west, _, to_east, _) = one.bounds, other.bounds
        other = translate(other, turn * round((west + east - from_west - to_east) / 2 / turn))
    return bool(one.intersection(other).area >= SAME_VIEW * min(one.area, other.area))
