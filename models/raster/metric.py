"""Choice of a metric CRS to work in."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Protocol

from pyproj import CRS, Proj
from pyproj.aoi import AreaOfInterest
from pyproj.database import query_utm_crs_info

from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.raster.crs import horizontal, in_metres, transformer, unrotated

Bounds = tuple[float, float, float, float]

SCALE_TOLERANCE = 0.06
"""Largest scale error of a projection to work in. Polar stereographic grids reach 0.04 at a
latitude of 60°; web Mercator has 1.5 there."""


class Located(Protocol):
    """Something with a place on Earth, a raster or a layer of features."""

    @property
    def crs(self) -> CRS:
        """The CRS that its coordinates are in."""

    @property
    def bounds(self) -> Bounds:
        """West, south, east, north in `crs`."""

    @property
    def role(self) -> str:
        """The parameter's name, for messages."""

    @property
    def name(self) -> str:
        """The path or GDAL name."""


def metric_crs(scene: Located) -> CRS:
    """Return the CRS to work in: the scene's if metric and true to scale, else UTM or polar.

    Geographic systems, systems in feet, and projections with a scale error above `SCALE_TOLERANCE`
    at the scene's centre (web Mercator) are replaced.
    """
    longitude, latitude = centre(scene)
    if in_metres(scene.crs) and is_true(scene.crs, longitude, latitude):
        return horizontal(scene.crs)
    if latitude >= 84:
        return CRS.from_epsg(3413)
    if latitude <= -80:
        return CRS.from_epsg(3031)
    return _utm(longitude, latitude)


@lru_cache
def _utm(longitude: float, latitude: float) -> CRS:
    (utm, *_) = query_utm_crs_info(
        datum_name="WGS 84",
        area_of_interest=AreaOfInterest(longitude, latitude, longitude, latitude),
    )
    return CRS.from_authority(utm.auth_name, utm.code)


def centre(scene: Located) -> tuple[float, float]:
    """Return longitude, from -180 to 180, and latitude of the scene's centre, degrees."""
    west, south, east, north = scene.bounds
    geographic = unrotated(scene.crs) or CRS.from_epsg(4326)
    to_degrees = transformer(scene.crs, geographic)
    longitude, latitude = to_degrees.transform((west + east) / 2, (south + north) / 2)
    if not (abs(longitude) <= 360 and abs(latitude) <= 90):  # also refuses NaN
        raise EngineError(
            f"{scene.role}: {scene.name} is outside the area where its CRS '{scene.crs.name}' is "
            "defined. Set the correct CRS of the layer."
        )
    return (longitude + 180) % 360 - 180, latitude


def is_true(crs: CRS, longitude: float, latitude: float) -> bool:
    """Whether a projection is true to scale within `SCALE_TOLERANCE` at a place."""
    return abs(math.sqrt(areal_scale(crs, longitude, latitude)) - 1) <= SCALE_TOLERANCE


def areal_scale(crs: CRS, longitude: float, latitude: float) -> float:
    """Return the area scale factor of a projected CRS at a place."""
    return float(Proj(horizontal(crs)).get_factors(longitude, latitude).areal_scale)


def transform_bounds(bounds: Bounds, source: CRS, target: CRS) -> Bounds:
    """Return the box in `target` that contains the box `bounds` of `source`."""
    if source == target:
        return bounds
    transform = transformer(source, target)
    west, south, east, north = transform.transform_bounds(*bounds, densify_pts=21)
    return west, south, east, north
