"""A metric CRS for each glacier: a layer may hold glaciers of several continents."""

from __future__ import annotations

from functools import cache

import geopandas as gpd
import numpy as np
from pyproj import CRS, Proj
from shapely import LineString

from glacier_qgis.models.raster.metric import Located, centre, is_true, metric_crs
from glacier_qgis.models.vector.source import Layer


def local_crs(place: Located, preferred: CRS) -> CRS:
    """Return the CRS in which to measure features.

    Args:
        place: The features, or what is around them.
        preferred: Returned if it is true to scale there, see `metric_crs`.

    Raises:
        EngineError: They lie outside the area where their CRS is defined.
    """
    longitude, latitude = centre(place)
    return _crs_at(preferred, round(longitude), round(latitude))


@cache
def _crs_at(preferred: CRS, longitude: int, latitude: int) -> CRS:
    """Return the CRS for whole degrees, so that one search serves many features."""
    degrees = CRS.from_epsg(4326)
    spot = gpd.GeoDataFrame(geometry=gpd.points_from_xy([longitude], [latitude]), crs=degrees)
    there, crs = spot.to_crs(preferred), preferred
    if not np.isfinite(there.total_bounds).all():
        there, crs = spot, degrees
    return metric_crs(Layer(there, crs, "", ""))


def lines_in(frame: gpd.GeoDataFrame, crs: CRS) -> gpd.GeoDataFrame:
    """Return lines in a CRS; empty outside the area where this is defined."""
    there = frame.to_crs(crs)
    lines = there.geometry.to_numpy().copy()
    lines[~np.isfinite(there.bounds.to_numpy()).all(axis=1)] = LineString()
    return there.set_geometry(gpd.GeoSeries(lines, there.index, crs=there.crs))


def is_true_throughout(frame: gpd.GeoDataFrame, crs: CRS) -> bool:
    """Whether a CRS is true to scale at the outermost features, see `is_true`."""
    bounds = frame.to_crs(crs).bounds.to_numpy()
    if not len(bounds):
        return True
    outermost = {*bounds[:, :2].argmin(axis=0), *bounds[:, 2:].argmax(axis=0)}
    projection = Proj(crs)
    for row in outermost:
        easting, northing = (bounds[row, :2] + bounds[row, 2:]) / 2
        if not is_true(crs, *projection(easting, northing, inverse=True)):
            return False
    return True
