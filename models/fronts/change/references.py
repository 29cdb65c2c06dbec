"""Centrelines and boxes against which fronts are measured."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray
from pyproj import CRS
from shapely import LineString, MultiLineString, MultiPolygon, Polygon

from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.engine.job import VectorInput
from glacier_qgis.models.fronts.change.gauges import (
    Box,
    Centreline,
    Gauge,
    curvilinear_box,
    rectilinear_box,
)
from glacier_qgis.models.vector.glaciers import glacier_names, same_name
from glacier_qgis.models.vector.lines import clip_lines, line_parts, merge_lines
from glacier_qgis.models.vector.local_crs import lines_in, local_crs
from glacier_qgis.models.vector.source import Layer, read_layer, read_lines


@dataclass(frozen=True)
class Reference:
    """A gauge and its glacier.

    Attributes:
        glacier: Its name; empty for any glacier.
        gauge: Its centreline or box.
        crs: The metric CRS of the gauge, true to scale there.
        axis: The direction of flow, seaward, as it was drawn; None if it follows from the fronts.
    """

    glacier: str
    gauge: Gauge
    crs: CRS
    axis: LineString | None


def read_centrelines(source: VectorInput) -> Layer:
    """Read lines from the glacier to the sea.

    Returns:
        One line each, with the name of its ``glacier``.

    Raises:
        EngineError: There is none, or one is in several pieces.
    """
    layer = read_lines(source, "CENTERLINE")
    lines = []
    for geometry in shapely.force_2d(layer.frame.geometry.to_numpy()):
        whole = merge_lines(line_parts(geometry), directed=True)
        if len(whole) != 1:
            raise EngineError(
                f"CENTERLINE: a line of {layer.name} is in {len(whole)} pieces. Draw each "
                "centreline as one line, from the glacier to the sea."
            )
        lines.append(whole[0])
    names = {"glacier": glacier_names(layer.frame)}
    return replace(layer, frame=gpd.GeoDataFrame(names, geometry=lines, crs=layer.crs))


def centreline_gauges(source: VectorInput, preferred: CRS) -> list[Reference]:
    """Return one gauge per centreline, in the CRS from `local_crs`."""
    return [
        Reference(name, Centreline(line), crs, line)
        for name, line, crs in _placed_lines(source, preferred)
    ]


def curvilinear_gauges(source: VectorInput, width: float, preferred: CRS) -> list[Reference]:
    """Return one gauge per centreline: a box of a width (m) around it.

    Raises:
        EngineError: A box would overlap itself.
    """
    gauges = []
    for name, line, crs in _placed_lines(source, preferred):
        try:
            gauges.append(Reference(name, curvilinear_box(line, width), crs, line))
        except ValueError as error:
            raise EngineError(
                f"BOX_WIDTH: {width:g} m is too wide for the bends of the centreline {name!r}: "
                f"{error}. Lower it, or smooth the line."
            ) from error
    return gauges


def rectilinear_gauges(
    source: VectorInput,
    centerline: VectorInput | None,
    flow: Callable[[Polygon, CRS], NDArray[np.float64]],
    preferred: CRS,
) -> list[Reference]:
    """Return one gauge per box.

    A line is an open box: it runs along one side, across the glacier, and back along the other
    side. The up-glacier end of a polygon is where the centreline starts; without one, it follows
    from the fronts.

    Args:
        source: Lines or polygons.
        centerline: Lines from the glacier to the sea.
        flow: Returns the direction of flow in a box, in a CRS, from the fronts.
        preferred: The CRS to use where it is true to scale, see `local_crs`.

    Raises:
        EngineError: A box is not valid, or its direction is not known.
    """
    layer = read_layer(source, "BOX")
    flows = read_centrelines(centerline).frame if centerline else None
    gauges: list[Reference] = []
    for name, geometry, crs in _placed(layer, preferred):
        outline = _outline(geometry, layer.name)
        axis = None
        if not isinstance(geometry, Polygon | MultiPolygon):
            axis = _opening(outline)
        elif flows is not None:
            axis = _along(lines_in(flows, crs), name, outline)
        seaward = flow(outline, crs) if axis is None else _heading(axis)
        box = _checked(rectilinear_box(outline, seaward), layer.name)
        gauges.append(Reference(name, box, crs, axis))
    return gauges


def _placed_lines(source: VectorInput, preferred: CRS) -> Iterator[tuple[str, LineString, CRS]]:
    """Yield the centrelines as `_placed` does."""
    for name, geometry, crs in _placed(read_centrelines(source), preferred):
        (line,) = line_parts(geometry)
        yield name, line, crs


def _placed(layer: Layer, preferred: CRS) -> Iterator[tuple[str, shapely.Geometry, CRS]]:
    """Yield each feature's glacier, its geometry in the CRS for measuring, and that CRS."""
    for number, name in enumerate(glacier_names(layer.frame)):
        feature = replace(layer, frame=layer.frame.iloc[[number]])
        crs = local_crs(feature, preferred)
        yield name, shapely.force_2d(feature.frame.geometry.to_crs(crs).iloc[0]), crs


def _outline(geometry: shapely.Geometry, name: str) -> Polygon:
    """Return the polygon of a box; an open one is closed across its ends."""
    if isinstance(geometry, LineString | MultiLineString):
        pieces = merge_lines(line_parts(geometry))
        enough = len(pieces) == 1 and len(pieces[0].coords) > 3
        parts = [Polygon(pieces[0])] if enough else []
    else:
        parts = list(shapely.get_parts(geometry))
    if len(parts) != 1 or not isinstance(parts[0], Polygon) or not parts[0].is_valid:
        raise EngineError(
            f"BOX: a feature of {name} is not a simple box. Draw one polygon without crossing "
            "edges per glacier, or one line of three sides that is open to the sea."
        )
    return Polygon(parts[0].exterior)


def _opening(outline: Polygon) -> LineString:
    """Return the line from the middle of an open box to its opening."""
    ring = shapely.get_coordinates(outline.exterior)
    middle = shapely.line_interpolate_point(LineString(ring[:-1]), 0.5, normalized=True)
    return LineString([shapely.get_coordinates(middle)[0], (ring[0] + ring[-2]) / 2])


def _along(flows: gpd.GeoDataFrame, name: str, outline: Polygon) -> LineString:
    """Return the longest part of a centreline in a box."""
    named = [same_name(glacier) == same_name(name) for glacier in flows.glacier]
    own = flows.geometry[named] if any(named) else flows.geometry
    inside = clip_lines(list(own), outline)
    if not inside:
        raise EngineError(
            f"CENTERLINE: no line passes through the box {name!r}. Draw one through it, from the "
            "glacier to the sea."
        )
    return max(inside, key=lambda part: part.length)


def _heading(axis: LineString) -> NDArray[np.float64]:
    """Return the vector from the first to the last point of a line, shape (2,)."""
    first, last = shapely.get_coordinates(axis)[[0, -1]]
    return np.asarray(last - first)


def _checked(box: Box, name: str) -> Box:
    if shapely.is_empty(box.upper) or shapely.is_empty(box.lower):
        raise EngineError(
            f"BOX: a feature of {name} has no end across the flow. Draw a box whose sides run "
            "along the glacier, with an end across it."
        )
    return box
