"""Small operations on lines that several domains share."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import shapely
from affine import Affine
from numpy.typing import NDArray
from shapely import LineString


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


def merge_lines(lines: Sequence[LineString]) -> list[LineString]:
    """Join lines that meet end to end; where more than two meet, they stay apart."""
    return line_parts(shapely.line_merge(shapely.MultiLineString(list(lines))))


def clip_lines(lines: Sequence[LineString], area: shapely.Geometry) -> list[LineString]:
    """The parts of `lines` inside `area`, each a line of its own."""
    shapely.prepare(area)
    return [
        part
        for line in lines
        for part in line_parts(shapely.line_merge(shapely.intersection(line, area)))
    ]


def line_parts(geometry: shapely.Geometry) -> list[LineString]:
    """The lines with a length that a geometry is made of."""
    return [
        part
        for part in shapely.get_parts(geometry)
        if isinstance(part, LineString) and part.length > 0
    ]
