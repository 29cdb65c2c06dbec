"""Layers that QGIS names: opened, checked, brought to the CRS of the work."""

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
"""Coordinates in metres beyond which a place is on the other side of the Earth."""


@dataclass(frozen=True)
class Layer:
    """The features of a layer, in the CRS that its user says it is in.

    Attributes:
        frame: Attributes and geometries; none is missing or empty.
        crs: The frame's CRS.
        role: The name of the parameter that it came by, for messages.
        name: The path of its file, or what a person knows it by.
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
        source: The file, its layer (None for the first) and, from QGIS, the CRS of the
            layer, which goes before the file's own.
        role: The parameter's name, for messages.
        columns: Attributes to read; None for all.

    Raises:
        EngineError: The file cannot be read, states no CRS or one without a place on Earth, or
            holds no geometry.
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
            f"{role}: the layer '{layer}' of {source.shown} holds no feature with a geometry."
        )
    crs = horizontal(read_crs(stated, role))
    require_place(crs, f"{role}: {source.shown}")
    frame = frame.set_crs(crs, allow_override=True).reset_index(drop=True)
    return Layer(frame, crs, role, source.shown)


def read_lines(source: VectorInput, role: str) -> Layer:
    """Read a layer of lines; see :func:`read_layer`.

    Returns:
        A feature a line or multi-line; others are left out.

    Raises:
        EngineError: As :func:`read_layer`, or there is no line.
    """
    layer = read_layer(source, role)
    lines = layer.frame[layer.frame.geom_type.isin(["LineString", "MultiLineString"])]
    if lines.empty:
        raise EngineError(f"{role}: {source.shown} holds no line. Choose a layer of lines.")
    return Layer(lines.reset_index(drop=True), layer.crs, role, layer.name)


def read_polygons(source: VectorInput, crs: CRS, role: str) -> list[Polygon]:
    """Read the polygons of a layer.

    Args:
        source: As in :func:`read_layer`.
        crs: What to return coordinates in.
        role: The parameter's name, for messages.

    Returns:
        At least one polygon, all valid.

    Raises:
        EngineError: As :func:`read_layer`, or there is no polygon, or one that `crs` has no
            place for.
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
    near = bool(reached <= HALF_WAY_ROUND)  # not so where it is no number
    parts = shapely.get_parts(shapely.get_parts(shapes.make_valid().to_numpy() if near else []))
    polygons = [part for part in parts if isinstance(part, Polygon) and part.area > 0]
    vanished = not polygons and shapely.area(drawn.to_numpy()).any()
    if vanished or not near:
        raise EngineError(
            f"{role}: a polygon of {shown} reaches too far to be drawn in '{crs.name}', the "
            "system that is worked in. Clip it to the surroundings of the glacier."
        )
    if not polygons:
        raise EngineError(f"{role}: {shown} holds no polygon. Draw one, or choose a polygon layer.")
    return polygons
