"""Position of a front along its glacier, from lines to one distance.

Centreline and rectilinear box after Moon and Joughin 2008, J. Geophys. Res. 113, F02022,
doi:10.1029/2007JF000927; the curvilinear box after Lea, Mair and Rea 2014, J. Glaciol. 60(220),
323-332, doi:10.3189/2014JoG13J061. All coordinates are in metres.
"""

from __future__ import annotations

import math
from collections import defaultdict, deque
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Protocol

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import LineString, MultiLineString, Polygon

from glacier_qgis.models.vector.lines import line_parts

NEAR = 1e-6
"""Points closer than this, m, are the same point."""

OVERLAP = 0.95
"""Ratio of a bent box's area to length times width, below which it overlaps itself."""

MITRE_LIMIT = 10.0
"""Limit of mitred corners of a bent box, in half widths: bends up to 168° stay exact."""


@dataclass(frozen=True)
class Reading:
    """A front's position.

    Attributes:
        position_m: Distance from the up-glacier end, positive seaward; NaN if not measured.
        area_m2: Area of the box on the glacier's side; NaN if the method does not measure it.
        reason: Why there is no position, or why it is doubtful; otherwise empty.
    """

    position_m: float
    area_m2: float = math.nan
    reason: str = ""


class Gauge(Protocol):
    """Measures the positions of fronts."""

    @property
    def reach(self) -> shapely.Geometry:
        """The geometry that a front must cross to be measured."""

    def read(self, front: Sequence[LineString]) -> Reading:
        """Measure the position of a front that consists of lines."""


@dataclass(frozen=True)
class Centreline:
    """Measures the distance along a line from the glacier to the sea."""

    line: LineString

    @property
    def reach(self) -> shapely.Geometry:
        """The line itself."""
        return self.line

    def read(self, front: Sequence[LineString]) -> Reading:
        """Return where the front crosses the line; of several crossings, the furthest seaward."""
        shared = shapely.intersection(self.line, MultiLineString(list(front)))
        crossed = shapely.get_coordinates(shared)
        if not crossed.size:
            return Reading(math.nan, reason="the front does not cross the centreline")
        along = np.unique(shapely.line_locate_point(self.line, shapely.points(crossed)))
        crossings = 1 + np.count_nonzero(np.diff(along) > NEAR)
        reason = (
            f"the front crosses the centreline {crossings} times within "
            f"{along[-1] - along[0]:.0f} m; the furthest seaward counts"
        )
        return Reading(float(along[-1]), reason=reason if crossings > 1 else "")


@dataclass(frozen=True)
class Box:
    """Measures the glacier's area in a box, divided by the width of the box.

    Attributes:
        outline: The box.
        upper: Its up-glacier end.
        lower: Its seaward end.
        width: Distance between its sides.
    """

    outline: Polygon
    upper: shapely.Geometry
    lower: shapely.Geometry
    width: float

    @property
    def reach(self) -> shapely.Geometry:
        """The inside."""
        return self.outline

    def read(self, front: Sequence[LineString]) -> Reading:
        """Return the mean position of the front over the width of the box.

        The front cuts the box into parts. The part at the up-glacier end is glacier; across every
        piece of front, glacier changes to ocean or back.
        """
        lines = MultiLineString(list(front))
        trouble = self._trouble(lines)
        if trouble:
            return Reading(math.nan, reason=trouble)
        parts, ends = self._cut(lines)
        top, bottom = (_nearest(parts, end) for end in (self.upper, self.lower))
        if top == bottom:
            return Reading(
                math.nan,
                reason="the front ends inside the box: it does not reach from side to side",
            )
        ice = _sides(parts, top)
        if ice[bottom]:
            return Reading(math.nan, reason="an even number of fronts lies across the box")
        area = math.fsum(shapely.area(parts[ice]))
        doubts = []
        if ends > NEAR:
            doubts.append(f"{ends:.0f} m of the front end inside the box and are ignored")
        if len(parts) > 2:
            doubts.append(f"the front cuts the box into {len(parts)} parts")
        return Reading(area / self.width, area, "; ".join(doubts))

    def _trouble(self, front: MultiLineString) -> str:
        if not shapely.intersects(self.outline, front):
            return "the front does not cross the box"
        if shapely.distance(self.upper, front) < NEAR:
            return "the front crosses the up-glacier end of the box: the box is too short there"
        if shapely.distance(self.lower, front) < NEAR:
            return "the front crosses the seaward end of the box: the box is too short there"
        return ""

    def _cut(self, front: MultiLineString) -> tuple[NDArray[np.object_], float]:
        """Return the parts of the box, and the length of front in it that separates no parts."""
        network = shapely.node(shapely.union(self.outline.exterior, front))
        faces, cuts, dangles, _ = shapely.polygonize_full([network])
        parts = shapely.get_parts(faces)
        inside = shapely.contains_properly(self.outline, shapely.point_on_surface(parts))
        loose = shapely.intersection(self.outline, [cuts, dangles])
        return parts[inside], float(shapely.length(loose).sum())


def rectilinear_box(outline: Polygon, seaward: NDArray[np.float64]) -> Box:
    """Make a box from a digitised polygon.

    The box is parallel to that side of its smallest enclosing rectangle which is closest to the
    direction of flow. Edges that face up-glacier or seaward within 45° are its ends. The width is
    the area divided by the length; for a rectangle, the width of its end.

    Args:
        outline: Close to a rectangle.
        seaward: Direction of flow, shape (2,), of any length.
    """
    corners = shapely.get_coordinates(shapely.minimum_rotated_rectangle(outline))
    sides = np.diff(corners[:3], axis=0)
    sides /= np.linalg.norm(sides, axis=1, keepdims=True)
    along = sides @ seaward
    chosen = int(np.argmax(np.abs(along)))
    axis = sides[chosen] * np.sign(along[chosen])
    ring = shapely.get_coordinates(shapely.orient_polygons(outline).exterior)
    edges = np.diff(ring, axis=0)
    facing = (edges[:, 1] * axis[0] - edges[:, 0] * axis[1]) / np.linalg.norm(edges, axis=1)
    segments = np.asarray(shapely.linestrings(np.stack([ring[:-1], ring[1:]], axis=1)))
    upper, lower = (
        shapely.line_merge(shapely.multilinestrings(segments[chosen]))
        for chosen in (facing < -math.sqrt(0.5), facing > math.sqrt(0.5))
    )
    return Box(outline, upper, lower, outline.area / float(np.ptp(ring @ axis)))


def curvilinear_box(centreline: LineString, width: float) -> Box:
    """Make a box of the points within half a width on either side of a line.

    Bends have mitred corners: the area gained outside a bend equals that lost inside, so the
    position of a front that crosses at right angles is its distance along the line.

    Args:
        centreline: From the glacier to the sea.
        width: Of the box.

    Raises:
        ValueError: The box overlaps itself.
    """
    outline = shapely.buffer(
        centreline, width / 2, cap_style="flat", join_style="mitre", mitre_limit=MITRE_LIMIT
    )
    if outline.area < OVERLAP * centreline.length * width or outline.interiors:
        raise ValueError("the box overlaps itself")
    points = shapely.get_coordinates(shapely.remove_repeated_points(centreline))
    upper, lower = _cap(points[0], points[1], width), _cap(points[-1], points[-2], width)
    return Box(outline, upper, lower, width)


def _cap(end: NDArray[np.float64], inner: NDArray[np.float64], width: float) -> LineString:
    along = (end - inner) / np.linalg.norm(end - inner)
    across = np.array([-along[1], along[0]]) * width / 2
    return LineString([end - across, end + across])


def _nearest(parts: NDArray[np.object_], end: shapely.Geometry) -> int:
    middle = shapely.line_interpolate_point(line_parts(end)[0], 0.5, normalized=True)
    return int(np.argmin(shapely.distance(parts, middle)))


def _sides(parts: NDArray[np.object_], start: int) -> NDArray[np.bool_]:
    """Separate the parts on the side of part `start` from those beyond an odd number of fronts."""
    beside: dict[int, set[int]] = defaultdict(set)
    seen: dict[frozenset[tuple[float, float]], int] = {}
    for number, part in enumerate(parts):
        for ring in (part.exterior, *part.interiors):
            for edge in map(frozenset, pairwise(ring.coords)):
                other = seen.setdefault(edge, number)
                if other != number:
                    beside[number].add(other)
                    beside[other].add(number)
    side = {start: True}
    queue = deque([start])
    while queue:
        part = queue.popleft()
        for other in beside[part] - side.keys():
            side[other] = not side[part]
            queue.append(other)
    return np.array([side.get(number, False) for number in range(len(parts))])
