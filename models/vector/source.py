"""Layers from QGIS: opened, checked, transformed to the work CRS."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import shapely
from pyproj import CRS
from shapely import Polygon

from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.engine.job import VectorInput
from glacier_qgis.models.raster.crs import horizontal, read_crs, require_place
from glacier_qgis.models.vector.file import read_frame

HALF_WAY_ROUND = 2e7
"""Coordinates beyond which a place is on the other side of the Earth, m."""


@dataclass(frozen=True)
class Layer:
    """The features of a layer, in the CRS set by the user.

    Attributes:
        frame: Attributes and geometries; no geometry is missing or empty.
        crs: The frame's CRS.
        role: The parameter's name, for messages.
        name: The path of its file, or the layer's name.
    """

    frame: gpd.GeoDataFrame
    crs: CRS
    role: str
    name: str

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """West, south, east, north in `crs`."""
        west, south, east, north = map(float, self.frame.total_bounds)
        return west, south, east, north


def read_layer(source: VectorInput, role: str, columns: Sequence[str] | None = None) -> Layer:
    """Read a layer.

    Args:
        source: The file, its layer (None for the first) and, from QGIS, the CRS of the layer, which
            has priority over the file's.
        role: The parameter's name, for messages.
        columns: Attributes to read; None for all.

    Raises:
        EngineError: The file cannot be read, has no valid CRS, or has no geometry.
    """
    layer, frame = read_frame(source, role, columns)
    if not isinstance(frame, gpd.GeoDataFrame):
        raise EngineError(
            f"{role}: the layer '{layer}' of {source.shown} is a table without geometries: choose "
            "a layer of features."
        )
    stated = source.crs or frame.crs
    if stated is None:
        raise EngineError(
            f"{role}: {source.shown} has no coordinate reference system. Find out which it is in "
            "and set it with 'Define projection', or in the layer's properties."
        )
    frame = frame[~(frame.geometry.isna() | frame.geometry.is_empty)]
    if frame.empty:
        raise EngineError(
            f"{role}: the layer '{layer}' of {source.shown} has no feature with a geometry. Choose "
            "another layer."
        )
    crs = horizontal(read_crs(stated, role))
    require_place(crs, f"{role}: {source.shown}")
    frame = frame.set_crs(crs, allow_override=True).reset_index(drop=True)
    return Layer(frame, crs, role, source.shown)


def read_lines(source: VectorInput, role: str) -> Layer:
    """Read a layer of lines; see :func:`read_layer`.

    Returns:
        Features with lines or multi-lines; others are left out.

    Raises:
        EngineError: As :func:`read_layer`, or there is no line.
    """
    layer = read_layer(source, role)
    lines = layer.frame[layer.frame.geom_type.isin(["LineString", "MultiLineString"])]
    if lines.empty:
        raise EngineError(f"{role}: {source.shown} has no lines. Choose a line layer.")
    return Layer(lines.reset_index(drop=True), layer.crs, role, layer.name)


def read_polygons(source: VectorInput, crs: CRS, role: str) -> list[Polygon]:
    """Read the polygons of a layer.

    Args:
        source: As in :func:`read_layer`.
        crs: The CRS of the result.
        role: The parameter's name, for messages.

    Returns:
        At least one polygon, all valid.

    Raises:
        EngineError: As :func:`read_layer`, or there is no polygon, or one outside the area of
            `crs`.
    """
    return polygons_in(read_layer(source, role, columns=[]), crs)


def polygons_in(layer: Layer, crs: CRS) -> list[Polygon]:
    """Return the polygons of a layer in a CRS.

    Raises:
        EngineError: There is no polygon, or one that `crs` has no place for.
    """
    role, shown = layer.role, layer.name
    drawn = layer.frame.geometry.force_2d()
    shapes = drawn.to_crs(crs)
    reached = np.abs(shapely.get_coordinates(shapes.to_numpy())).max()
    near = bool(reached <= HALF_WAY_ROUND)  # also true for NaN
    parts = shapely.get_parts(shapely.get_parts(shapes.make_valid().to_numpy() if near else []))
    polygons = [part for part in parts if isinstance(part, Polygon) and part.area > 0]
    vanished = not polygons and shapely.area(drawn.to_numpy()).any()
    if vanished or not near:
        raise EngineError(
            f"{role}: a polygon of {shown} extends beyond the area of the work CRS '{crs.name}'. "
            "Clip it to the surroundings of the glacier."
        )
    if not polygons:
        raise EngineError(f"{role}: {shown} has no polygons. Draw one, or choose a polygon layer.")
    return polygons
