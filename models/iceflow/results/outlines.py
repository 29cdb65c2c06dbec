"""The outline of a glacier as polygons, exact along the edges of its cells.

Outlines follow the edges of cells: their area equals that of the series exactly, and rasterising
them returns the same cells.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import geopandas as gpd
import numpy as np
import shapely
from rasterio.features import shapes
from shapely import MultiPolygon
from shapely.geometry import shape

from glacier_qgis.models.compute.arrays import Mask
from glacier_qgis.models.engine.units import SQUARE_KILOMETRE
from glacier_qgis.models.iceflow.calendar import iso_date
from glacier_qgis.models.iceflow.dynamics.simulation import ICE, Snapshot
from glacier_qgis.models.raster.grid import Grid


def cell_outline(mask: Mask, grid: Grid) -> MultiPolygon:
    """Return polygons around the True cells of `mask`, separate where cells share only a corner.

    Args:
        mask: Shape (rows, columns), north-up.
        grid: The grid.
    """
    found = shapes(mask.astype(np.uint8), mask=mask, connectivity=4, transform=grid.transform)
    parts = shapely.make_valid(np.array([shape(one) for one, _ in found], dtype=object))
    return MultiPolygon(list(shapely.get_parts(shapely.get_parts(parts))))


class Outlines:
    """The outlines of the saved states, one feature per time."""

    def __init__(self, grid: Grid, times: Sequence[float]) -> None:
        """Prepare for states on `grid` at `times` (a)."""
        self._grid = grid
        self._ends = dict(zip(times, [*times[1:], 2 * times[-1] - times[-2]], strict=True))
        self._rows: list[dict[str, object]] = []
        self._shapes: list[MultiPolygon] = []

    def add(self, snapshot: Snapshot) -> None:
        """Trace the ice of a saved state; a state without ice has no feature."""
        outline = cell_outline(snapshot.thickness >= ICE, self._grid)
        if outline.is_empty:
            return
        self._shapes.append(outline)
        self._rows.append(
            {
                "time": snapshot.time,
                "until": self._ends[snapshot.time],
                "year": math.floor(snapshot.time + 1e-9),
                "date": iso_date(snapshot.time),
                "area_km2": outline.area / SQUARE_KILOMETRE,
                "volume_km3": snapshot.volume,
            }
        )

    @property
    def frame(self) -> gpd.GeoDataFrame:
        """One multi-polygon per saved time with ice.

        Columns: `time` and `until`, the period in which the state is shown (a), `year`, `date`
        (text, since model years may be outside any calendar), `area_km2` and `volume_km3`.
        """
        columns = ["time", "until", "year", "date", "area_km2", "volume_km3"]
        data = {name: [row[name] for row in self._rows] for name in columns}
        return gpd.GeoDataFrame(data, geometry=self._shapes, crs=self._grid.crs)
