"""Layers as points and lines on the map."""

from __future__ import annotations

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from pyproj import CRS
from scipy.constants import speed_of_light

from glacier_qgis.models.engine.events import Reporter
from glacier_qgis.models.radar.echogram.axes import Axes
from glacier_qgis.models.radar.echogram.coordinates import Floats
from glacier_qgis.models.radar.exporting.accumulation import (
    Density,
    accumulation,
    decimal_years,
    layer_above,
    warn_of_order,
)
from glacier_qgis.models.radar.exporting.frame_layers import FrameLayers
from glacier_qgis.models.radar.reading.calibration import WGS84
from glacier_qgis.models.radar.reading.track import torn_steps
from glacier_qgis.models.raster.crs import transformer

MEANS = ("depth_m", "thickness_m", "accumulation", "elevation_m")
"""Columns of points whose means the lines have."""


@dataclass(frozen=True)
class Measured:
    """Depths of the layers of a frame, and what follows from them; shape (layers, traces).

    Attributes:
        depths: Below the surface, m.
        elevations: Of the layers, m.
        thickness: Up to the layer above, m.
        above: Id of the layer above; 0 for the surface of the ice where no line shows it.
        rate: Accumulation, m water equivalent per year.
        rate_error: Its standard error.
    """

    depths: Floats
    elevations: Floats
    thickness: Floats
    above: Floats
    rate: Floats
    rate_error: Floats


def measure(frame: FrameLayers, density: Density, reporter: Reporter) -> Measured:
    """Measure the layers of a frame."""
    own = frame.with_own_surface()
    depths = own.depths
    ids = list(frame.layers)
    thickness, upper = layer_above(depths)
    survey = decimal_years(own.axes.at("gps_time", np.arange(own.axes.traces)))
    rate, error = accumulation(depths, frame.years, survey, density, frame.along("uncertainty_m"))
    names = [pieces[0].name or f"Layer {number}" for number, pieces in frame.layers.items()]
    warn_of_order(depths, frame.years, names, reporter)
    return Measured(
        depths=depths,
        elevations=_surface_elevation(own.axes) - depths,
        thickness=thickness,
        above=np.where(upper < 0, 0, np.array([*ids, 0])[upper]),
        rate=rate,
        rate_error=error,
    )


def _surface_elevation(axes: Axes) -> Floats:
    """Elevation of the ice surface, m: that of the antenna less half the way through air."""
    every = np.arange(axes.traces)
    return np.asarray(axes.at("elevation", every) - speed_of_light / 2 * axes.surface_at(every))


def layer_points(frame: FrameLayers, measured: Measured, crs: CRS) -> gpd.GeoDataFrame:
    """Return a point for each layer at each trace where it is traced."""
    axes, times = frame.axes, frame.times
    uncertainty, confidence = frame.along("uncertainty_m"), frame.along("confidence")
    quality, _ = frame.codes()
    parts = []
    for row, (number, pieces) in enumerate(frame.layers.items()):
        traces = np.flatnonzero(np.isfinite(measured.depths[row]))
        line = pieces[0]
        year = frame.years[row]
        columns = {
            "frame_id": axes.frame_id,
            "segment_id": axes.segment_id,
            "layer_id": number,
            "kind": line.kind,
            "name": line.name,
            "trace": traces,
            "distance_m": axes.at("distance", traces),
            "gps_time": axes.at("gps_time", traces),
            "longitude": axes.at("longitude", traces),
            "latitude": axes.at("latitude", traces),
            "twtt_s": times[row, traces],
            "depth_m": measured.depths[row, traces],
            "elevation_m": measured.elevations[row, traces],
            "thickness_m": measured.thickness[row, traces],
            "above_id": measured.above[row, traces],
            "year": np.nan if year is None else year,
            "accumulation": measured.rate[row, traces],
            "accumulation_error": measured.rate_error[row, traces],
            "uncertainty_m": uncertainty[row, traces],
            "confidence": confidence[row, traces],
            "quality": quality[row, traces],
        }
        parts.append(pd.DataFrame(columns))
    table = pd.concat(parts, ignore_index=True)
    x, y = transformer(WGS84, crs).transform(
        table["longitude"].to_numpy(), table["latitude"].to_numpy()
    )
    return gpd.GeoDataFrame(table, geometry=gpd.points_from_xy(x, y), crs=crs)


def layer_lines(points: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return a line for each unbroken run of a layer's points, with means along it.

    A line ends where it crosses the edge of the map, such as the 180th meridian in degrees.
    """
    broken = points["trace"].diff() != 1
    longitude, latitude = points["longitude"].to_numpy(), points["latitude"].to_numpy()
    x, y = points.geometry.x.to_numpy(), points.geometry.y.to_numpy()
    broken |= np.append(False, torn_steps(longitude, latitude, x, y, points.crs))
    broken |= (
        points[["frame_id", "layer_id"]].ne(points[["frame_id", "layer_id"]].shift()).any(axis=1)
    )
    rows, shapes = [], []
    for _, run in points.groupby(broken.cumsum()):
        coordinates = shapely.get_coordinates(run.geometry.to_numpy())
        if len(run) < 2 or not np.isfinite(coordinates).all():
            continue
        first = run.iloc[0]
        row = {name: first[name] for name in ("frame_id", "segment_id", "layer_id", "kind", "name")}
        row |= {"year": first["year"], "traces": len(run)}
        row["length_m"] = float(run["distance_m"].iloc[-1] - first["distance_m"])
        row |= {f"mean_{name}": float(run[name].mean()) for name in MEANS}
        row |= {"min_depth_m": run["depth_m"].min(), "max_depth_m": run["depth_m"].max()}
        rows.append(row)
        shapes.append(shapely.LineString(coordinates))
    return gpd.GeoDataFrame(pd.DataFrame(rows), geometry=shapes, crs=points.crs)
