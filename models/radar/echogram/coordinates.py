"""The local system of an echogram: x counts traces to the right, y counts samples downwards.

The geotransform is (0, 1, 0, 0, 0, -1): a trace is one unit wide and a sample one unit high, so
that QGIS shows the echogram upright. The centre of sample 0 of trace 0 lies at (0.5, -0.5).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import shapely
from affine import Affine
from numpy.typing import ArrayLike, NDArray
from pyproj import CRS
from shapely import LineString

LOCAL_CRS = CRS.from_wkt(
    'LOCAL_CS["Echogram (trace, sample)",UNIT["metre",1,AUTHORITY["EPSG","9001"]],'
    'AXIS["Easting",EAST],AXIS["Northing",NORTH]]'
)
"""Unit and axes are those that GDAL reads back from a GeoTIFF, so that raster and lines agree."""
TRANSFORM = Affine(1, 0, 0, 0, -1, 0)

Floats = NDArray[np.float64]


def to_points(trace: ArrayLike, sample: ArrayLike) -> Floats:
    """Coordinates, shape (points, 2), of indices counted from 0; fractions are allowed."""
    x, y = np.broadcast_arrays(np.asarray(trace, float) + 0.5, -(np.asarray(sample, float) + 0.5))
    return np.column_stack([x, y])


def to_indices(points: NDArray[Any]) -> tuple[Floats, Floats]:
    """Trace and sample, counted from 0, of coordinates of shape (points, 2)."""
    return points[:, 0] - 0.5, -points[:, 1] - 0.5


def rows_at(lines: Sequence[LineString], traces: Floats) -> Floats:
    """Return the sample of each line at traces, (lines, traces), NaN where it is not."""
    rows = np.full((len(lines), traces.size), np.nan)
    for row, line in zip(rows, lines, strict=True):
        trace, sample = to_indices(shapely.get_coordinates(line))
        order = np.argsort(trace, kind="stable")
        row[:] = np.interp(traces, trace[order], sample[order], np.nan, np.nan)
    return rows
