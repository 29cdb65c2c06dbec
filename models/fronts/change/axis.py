"""Check by the fronts that a centreline runs towards the sea."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import LineString

from glacier_qgis.models.engine.events import Reporter
from glacier_qgis.models.vector.lines import line_parts

STEP = 0.01
"""Distance on either side of a point, m, over which a line's direction is measured."""


def warn_if_landward(
    axis: LineString, glacier: str, fronts: gpd.GeoDataFrame, reporter: Reporter
) -> None:
    """Warn if an axis runs from the sea to the glacier.

    Args:
        axis: A centreline, or the middle of a box, in the direction in which it was drawn.
        glacier: Its name, for the message.
        fronts: In the same metric CRS, with ``directed``, see `drawn_here`; others are ignored.
        reporter: Warned.
    """
    telling = fronts.geometry[fronts.directed & fronts.intersects(axis)]
    sides = np.array([seaward_sign(axis, front) for front in telling])
    told, landward = np.count_nonzero(sides), np.count_nonzero(sides < 0)
    if landward > told / 2:
        reporter.warning(
            f"The centreline or open box '{glacier}' seems to run from the sea to the glacier, "
            f"since {landward} of {told} lines with the glacier on their left cross it that way: "
            "advance and retreat would be swapped. Reverse the centreline ('Reverse line "
            "direction'), or draw the box open to the sea."
        )


def seaward_sign(axis: LineString, front: shapely.Geometry) -> int:
    """Return 1 if an axis passes from the left of a front to its right, -1 if from right to left.

    Opposite crossings of a winding front cancel out; 0 if none remains.
    """
    total = 0
    for part in line_parts(front):
        crossed = shapely.get_coordinates(shapely.intersection(axis, part))
        points = np.asarray(shapely.points(crossed))
        along, across = _directions(axis, points), _directions(part, points)
        total += int(np.sign(along[:, 0] * across[:, 1] - along[:, 1] * across[:, 0]).sum())
    return int(np.sign(total))


def _directions(line: LineString, points: NDArray[np.object_]) -> NDArray[np.float64]:
    """Return the direction of a line at points on it, shape (points, 2), m."""
    at = shapely.line_locate_point(line, points)
    ends = [
        shapely.get_coordinates(shapely.line_interpolate_point(line, place))
        for place in (np.maximum(at - STEP, 0), np.minimum(at + STEP, line.length))
    ]
    return np.asarray(ends[1] - ends[0])
