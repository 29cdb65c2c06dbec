"""The ground track of an echogram on the map."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from pyproj import CRS, Geod

from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.radar.echogram.axes import Axes
from glacier_qgis.models.radar.echogram.coordinates import Floats
from glacier_qgis.models.radar.reading.calibration import WGS84, centre_layer
from glacier_qgis.models.raster.crs import transformer
from glacier_qgis.models.raster.metric import centre, metric_crs

POLAR = 60.0
"""Latitude from which the polar stereographic systems are usual, degrees."""
ARCTIC, ANTARCTIC = CRS.from_epsg(3413), CRS.from_epsg(3031)
TORN = 10.0
"""A step on the map this many times as long as on the ground crosses the edge of the map."""
SHORT = 1000.0
"""Steps on the map below this are never torn, m."""


def track_crs(axes: Axes) -> CRS:
    """Return a metric system for a track: polar stereographic at high latitudes, else UTM."""
    middle = centre_layer(*_places(axes))
    _, latitude = centre(middle)
    if abs(latitude) >= POLAR:
        return ARCTIC if latitude > 0 else ANTARCTIC
    return metric_crs(middle)


def track_points(axes: Axes, crs: CRS) -> gpd.GeoDataFrame:
    """Return a point for each trace with a position, with its axes."""
    located = np.flatnonzero(axes.located)
    longitude, latitude = _places(axes)
    x, y = _projected(axes, crs)
    gps_time = axes.at("gps_time", located)
    columns = {
        "frame_id": axes.frame_id,
        "trace": located,
        "gps_time": gps_time,
        "time": _dates(gps_time),
        "distance_m": axes.at("distance", located),
        "elevation_m": axes.at("elevation", located),
        "longitude": longitude[located],
        "latitude": latitude[located],
    }
    return gpd.GeoDataFrame(
        pd.DataFrame(columns), geometry=gpd.points_from_xy(x[located], y[located]), crs=crs
    )


def track_lines(axes: Axes, crs: CRS) -> gpd.GeoDataFrame:
    """Return the track as one feature with parts where it crosses the edge of the map."""
    located = np.flatnonzero(axes.located)
    longitude, latitude = (values[located] for values in _places(axes))
    x, y = (values[located] for values in _projected(axes, crs))
    torn = torn_steps(longitude, latitude, x, y, crs)
    pieces = np.split(np.column_stack([x, y]), np.flatnonzero(torn) + 1)
    lines = [shapely.LineString(piece) for piece in pieces if len(piece) > 1]
    times = axes.at("gps_time", located)
    known = times[np.isfinite(times)]
    start, end = (known.min(), known.max()) if known.size else (np.nan, np.nan)
    distance = axes.at("distance", [0, axes.traces - 1])
    columns = {
        "frame_id": [axes.frame_id],
        "segment_id": [axes.segment_id],
        "start": _dates(np.array([start])),
        "end": _dates(np.array([end])),
        "traces": [axes.traces],
        "length_km": [float(distance[1] - distance[0]) / 1000],
    }
    return gpd.GeoDataFrame(
        pd.DataFrame(columns), geometry=[shapely.MultiLineString(lines)], crs=crs
    )


def torn_steps(
    longitude: Floats, latitude: Floats, x: Floats, y: Floats, crs: CRS
) -> NDArray[np.bool_]:
    """Return which steps between places cross the edge of the map.

    Args:
        longitude: Of each place, degrees.
        latitude: Likewise.
        x: In `crs`.
        y: Likewise.
        crs: Of the map.
    """
    if crs.is_geographic:
        return np.asarray(np.abs(np.diff(x)) > 180)
    ground = np.asarray(
        Geod(ellps="WGS84").inv(longitude[:-1], latitude[:-1], longitude[1:], latitude[1:])[2]
    )
    step = np.hypot(np.diff(x), np.diff(y)) * crs.axis_info[0].unit_conversion_factor
    return np.asarray(step > np.maximum(TORN * ground, SHORT))


def _dates(seconds: Floats) -> pd.DatetimeIndex:
    """Return times as dates, to the millisecond; NaT where a clock was wrong by centuries."""
    return pd.to_datetime(seconds, unit="s", errors="coerce").floor("ms")


def _places(axes: Axes) -> tuple[Floats, Floats]:
    every = np.arange(axes.traces)
    return axes.at("longitude", every), axes.at("latitude", every)


def _projected(axes: Axes, crs: CRS) -> tuple[Floats, Floats]:
    x, y = transformer(WGS84, crs).transform(*_places(axes))
    if not (np.isfinite(x) & np.isfinite(y))[axes.located].all():
        raise EngineError(
            f"TRACK_CRS: parts of the track of {axes.frame_id} lie outside the area of "
            f"'{crs.name}'. Choose another one, or leave it empty."
        )
    return np.asarray(x), np.asarray(y)
