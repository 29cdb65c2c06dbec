"""Axes of a radargram from what its file says and what a person adds."""

from __future__ import annotations

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import shapely
from pyproj import CRS

from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.engine.events import Reporter
from glacier_qgis.models.engine.job import VectorInput
from glacier_qgis.models.radar.echogram.axes import along_track
from glacier_qgis.models.radar.formats import picture, segy
from glacier_qgis.models.radar.formats.radargram import Floats, Radargram
from glacier_qgis.models.raster.crs import read_crs, transformer
from glacier_qgis.models.raster.metric import metric_crs
from glacier_qgis.models.vector.source import Layer, read_lines

WGS84 = CRS.from_epsg(4326)


@dataclass(frozen=True, kw_only=True)
class Calibration:
    """What a person says of a radargram.

    Attributes:
        sample_interval: Two-way travel time between samples, s; None for the file's axis.
        trace_spacing: Distance between traces, m; None for the file's.
        positions: A line on the map along which the traces are equally spaced.
        crs: Of the coordinates of a SEG-Y file.
    """

    sample_interval: float | None = None
    trace_spacing: float | None = None
    positions: VectorInput | None = None
    crs: str | None = None


@dataclass(frozen=True)
class Place:
    """Where the traces are.

    Attributes:
        longitude: Degrees (WGS 84), NaN where unknown; None without any position.
        latitude: Degrees.
        distance: Along the track, m; None if nothing says it.
    """

    longitude: Floats | None
    latitude: Floats | None
    distance: Floats | None


def time_axis(radargram: Radargram, calibration: Calibration, shown: str) -> Floats:
    """Return the two-way travel time of each sample, s.

    Raises:
        EngineError: Neither the file nor a person says it.
    """
    if calibration.sample_interval is not None:
        start = 0.0 if radargram.time is None else float(radargram.time[0])
        return np.asarray(start + calibration.sample_interval * np.arange(radargram.samples))
    if radargram.time is not None:
        return radargram.time
    if radargram.format == segy.FORMAT:
        raise EngineError(
            f"{shown}: its header gives no sample interval that fits a radar (SEG-Y counts it in "
            "whole microseconds). Enter SAMPLE_INTERVAL in nanoseconds."
        )
    raise EngineError(
        f"{shown} is a {radargram.format.lower()}, which has no time axis. Enter SAMPLE_INTERVAL, "
        "the two-way travel time from one row to the next in nanoseconds."
    )


def place_of(
    radargram: Radargram, calibration: Calibration, shown: str, reporter: Reporter
) -> Place:
    """Return where the traces are: on the line that was given, else where the file says.

    Raises:
        EngineError: A picture without either calibration.
    """
    longitude, latitude = _positions(radargram, calibration, shown, reporter)
    if longitude is not None and latitude is not None:
        return Place(longitude, latitude, along_track(longitude, latitude))
    if calibration.trace_spacing is not None:
        spaced = calibration.trace_spacing * np.arange(radargram.traces)
        return Place(None, None, np.asarray(spaced))
    if radargram.format == picture.FORMAT:
        raise EngineError(
            f"{shown} is a picture, which has no positions. Enter TRACE_SPACING in metres, or "
            "choose a line as POSITIONS."
        )
    reporter.warning(
        f"{shown} has no positions, so there is no ground track. Choose the line of the profile as "
        "POSITIONS to place it on the map."
    )
    recorded = radargram.distance
    good = recorded is not None and np.isfinite(recorded).all()
    return Place(None, None, recorded if good else None)


def _positions(
    radargram: Radargram, calibration: Calibration, shown: str, reporter: Reporter
) -> tuple[Floats | None, Floats | None]:
    if calibration.positions is not None:
        return _along_line(calibration.positions, radargram.traces)
    if radargram.easting is not None and radargram.northing is not None:
        if calibration.crs is None:
            reporter.warning(
                f"{shown} has coordinates (x {radargram.easting[0]:.9g}, y "
                f"{radargram.northing[0]:.9g}) in a projection that it does not name. Choose it as "
                "COORDINATES_CRS to place the track."
            )
            return None, None
        to_degrees = transformer(read_crs(calibration.crs, "COORDINATES_CRS"), WGS84)
        return _checked(
            *to_degrees.transform(radargram.easting, radargram.northing), shown, reporter
        )
    if radargram.longitude is None or radargram.latitude is None:
        return None, None
    return _checked(radargram.longitude, radargram.latitude, shown, reporter)


def _checked(
    longitude: Floats, latitude: Floats, shown: str, reporter: Reporter
) -> tuple[Floats | None, Floats | None]:
    """Return positions from -180° to 180°, NaN where they are no place on Earth."""
    nowhere = (longitude == 0) & (latitude == 0)  # what loggers write without a fix
    with np.errstate(invalid="ignore"):
        good = (np.abs(longitude) <= 360) & (np.abs(latitude) <= 90) & ~nowhere
    if good.sum() < 2:
        return None, None
    if not good.all():
        first = int(np.flatnonzero(~good)[0])
        reporter.warning(
            f"{shown}: {int((~good).sum())} of {len(good)} traces have no position, the first of "
            f"them trace {first}. Their places are interpolated between traces that have one."
        )
    wrapped = np.where(np.abs(longitude) > 180, (longitude + 180) % 360 - 180, longitude)
    return np.where(good, wrapped, np.nan), np.where(good, latitude, np.nan)


def _along_line(source: VectorInput, traces: int) -> tuple[Floats, Floats]:
    layer = read_lines(source, "POSITIONS")
    lines = shapely.get_parts(layer.frame.geometry.to_numpy())
    if len(lines) > 1:
        raise EngineError(
            f"POSITIONS: {layer.name} has {len(lines)} lines, and a profile is one. Choose a layer "
            "with the line of the profile alone."
        )
    crs = metric_crs(layer)
    (line,) = shapely.get_parts(layer.frame.geometry.to_crs(crs).to_numpy())
    along = np.linspace(0, 1, traces)
    points = shapely.line_interpolate_point(line, along, normalized=True)
    return _degrees(crs, shapely.get_coordinates(points))


def _degrees(crs: CRS, points: Floats) -> tuple[Floats, Floats]:
    to_degrees = transformer(crs, WGS84)
    longitude, latitude = to_degrees.transform(points[:, 0], points[:, 1])
    return np.asarray(longitude), np.asarray(latitude)


def centre_layer(longitude: Floats, latitude: Floats) -> Layer:
    """Return a layer with the mean place of a track, also over a pole or the 180th meridian."""
    east, north = np.deg2rad(longitude), np.deg2rad(latitude)
    x, y, z = (
        float(np.nanmean(values))
        for values in (np.cos(north) * np.cos(east), np.cos(north) * np.sin(east), np.sin(north))
    )
    spot = gpd.points_from_xy(
        [np.rad2deg(np.arctan2(y, x))], [np.rad2deg(np.arctan2(z, np.hypot(x, y)))]
    )
    return Layer(gpd.GeoDataFrame(geometry=spot, crs=WGS84), WGS84, "INPUT", "the track")
