"""Operations on lines, shared by several packages."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import shapely
from affine import Affine
from numpy.typing import NDArray
from scipy import ndimage
from shapely import LineString

_SAMPLES_PER_SIGMA = 8


def map_coordinates(
    transform: Affine, columns: NDArray[np.number], rows: NDArray[np.number]
) -> NDArray[np.float64]:
    """Coordinates, shape (points, 2), of positions in a raster.

    Args:
        transform: From (column, row) to (x, y).
        columns: Positions to the right of the raster's left edge, in cells.
        rows: Positions below the raster's upper edge, in cells.
    """
    x = transform.a * columns + transform.b * rows + transform.c
    y = transform.d * columns + transform.e * rows + transform.f
    return np.column_stack([x, y]).astype(np.float64)


def merge_lines(lines: Sequence[LineString], *, directed: bool = False) -> list[LineString]:
    """Join lines that meet end to end; where more than two meet, they stay separate.

    Args:
        lines: Any number.
        directed: Join only the end of one with the start of another, and reverse none.

    Returns:
        Lines; a ring starts at its least vertex, however its pieces were cut.
    """
    merged = shapely.line_merge(shapely.MultiLineString(list(lines)), directed=directed)
    return [_from_least_vertex(line) if line.is_ring else line for line in line_parts(merged)]


def clip_lines(lines: Sequence[LineString], area: shapely.Geometry) -> list[LineString]:
    """The parts of `lines` inside `area`, each a separate line, with their direction."""
    shapely.prepare(area)
    return _joined(shapely.intersection(line, area) for line in lines)


def cut_lines(lines: Sequence[LineString], area: shapely.Geometry) -> list[LineString]:
    """The parts of `lines` outside `area`, each a separate line, with their direction."""
    return _joined(shapely.difference(line, area) for line in lines)


def line_parts(geometry: shapely.Geometry) -> list[LineString]:
    """The lines of a geometry, without those of length 0."""
    return [
        part
        for part in shapely.get_parts(geometry)
        if isinstance(part, LineString) and part.length > 0
    ]


def simplify_together(lines: Sequence[LineString], tolerance: float) -> list[LineString]:
    """Drop vertices (Douglas-Peucker), such that no line crosses itself or another.

    Args:
        lines: At least one; none crosses itself or another.
        tolerance: Greatest distance of a dropped vertex from its line, in the lines' unit.

    Returns:
        One line for each, with the same ends; a ring stays a ring.
    """
    together = shapely.MultiLineString(list(lines))
    return line_parts(shapely.simplify(together, tolerance, preserve_topology=True))


def smooth_line(line: LineString, sigma: float) -> LineString:
    """Smooth a line with a Gaussian filter along its length.

    The ends of an open line stay fixed: it is extended by point reflection at its ends. A ring is
    filtered periodically.

    Args:
        line: In metres.
        sigma: Standard deviation of the Gaussian along the line, in the line's unit.
    """
    number = max(4, round(_SAMPLES_PER_SIGMA * line.length / sigma))
    step = line.length / number
    along = np.linspace(0, line.length, number + 1)
    points = shapely.get_coordinates(shapely.line_interpolate_point(line, along))
    if line.is_ring:
        smooth = ndimage.gaussian_filter1d(points[:-1], sigma / step, axis=0, mode="wrap")
        return LineString(np.vstack([smooth, smooth[:1]]))
    reach = int(4 * sigma / step) + 1
    padded = np.pad(points, ((reach, reach), (0, 0)), mode="reflect", reflect_type="odd")
    smooth = ndimage.gaussian_filter1d(padded, sigma / step, axis=0)[reach:-reach]
    smooth[[0, -1]] = points[[0, -1]]
    return LineString(smooth)


def _joined(cut: Iterable[shapely.Geometry]) -> list[LineString]:
    """The parts of each line that was cut; of a ring, those that meet where it starts are one."""
    return [part for each in cut for part in line_parts(shapely.line_merge(each, directed=True))]


def _from_least_vertex(ring: LineString) -> LineString:
    vertices = shapely.get_coordinates(ring)[:-1]
    first = int(np.lexsort(vertices.T[::-1])[0])
    turned = np.roll(vertices, -first, axis=0)
    return LineString(np.vstack([turned, turned[:1]]))
