"""What fronts are measured against: centrelines and boxes as people draw them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray
from pyproj import CRS
from shapely import LineString, MultiLineString, MultiPolygon, Polygon

from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.engine.job import VectorInput
from glacier_qgis.models.fronts.gauge import (
    Box,
    Centreline,
    Gauge,
    curvilinear_box,
    rectilinear_box,
)
from glacier_qgis.models.vector.lines import clip_lines, line_parts, merge_lines
from glacier_qgis.models.vector.source import Layer, read_layer, read_lines


@dataclass(frozen=True)
class Reference:
    """A gauge, and the glacier that it belongs to (empty for any)."""

    glacier: str
    gauge: Gauge


def read_centrelines(source: VectorInput, crs: CRS) -> list[tuple[str, LineString]]:
    """Read lines that are drawn from the glacier to the sea, with their glaciers' names.

    Raises:
        EngineError: There is none, or one is in several pieces.
    """
    layer = read_lines(source, "CENTERLINE")
    lines = []
    for name, geometry in zip(glacier_names(layer.frame), _in(layer, crs), strict=True):
        whole = merge_lines(line_parts(geometry), directed=True)
        if len(whole) != 1:
            raise EngineError(
                f"CENTERLINE: a line of {layer.name} is in {len(whole)} pieces. Draw each "
                "centreline as one line, from the glacier to the sea."
            )
        lines.append((name, whole[0]))
    return lines


def centreline_gauges(source: VectorInput, crs: CRS) -> list[Reference]:
    """Return a gauge a centreline."""
    return [Reference(name, Centreline(line)) for name, line in read_centrelines(source, crs)]


def curvilinear_gauges(source: VectorInput, width: float, crs: CRS) -> list[Reference]:
    """Return a gauge a centreline, each a box of some width (m) around it.

    Raises:
        EngineError: A box would overlap itself.
    """
    gauges = []
    for name, line in read_centrelines(source, crs):
        try:
            gauges.append(Reference(name, curvilinear_box(line, width)))
        except ValueError as error:
            raise EngineError(
                f"BOX_WIDTH: {width:g} m is too wide for the bends of the centreline {name!r}: "
                f"{error}. Lower it, or smooth the line."
            ) from error
    return gauges


def rectilinear_gauges(
    source: VectorInput,
    centerline: VectorInput | None,
    flow: Callable[[Polygon], NDArray[np.float64]],
    crs: CRS,
) -> list[Reference]:
    """Return a gauge a box.

    A line is an open box: it runs along one side, across the glacier, and back along the other
    side. Of a polygon, the up-glacier end is where the centreline starts; without one, the fronts
    tell.

    Args:
        source: Lines or polygons.
        centerline: Lines from the glacier to the sea.
        flow: Gives the direction of flow in a box (in `crs`) as the fronts tell it.
        crs: To work in.

    Raises:
        EngineError: A box cannot be read, or its direction is not known.
    """
    layer = read_layer(source, "BOX")
    flows = read_centrelines(centerline, crs) if centerline else []
    gauges: list[Reference] = []
    for name, geometry in zip(glacier_names(layer.frame), _in(layer, crs), strict=True):
        outline = _outline(geometry, layer.name)
        if isinstance(geometry, Polygon | MultiPolygon):
            seaward = _along(flows, name, outline) if flows else flow(outline)
        else:
            seaward = _opening(outline)
        gauges.append(Reference(name, _checked(rectilinear_box(outline, seaward), layer.name)))
    return gauges


def glacier_names(frame: gpd.GeoDataFrame) -> list[str]:
    """Return the glacier of each feature, empty where none is stated."""
    if "glacier" not in frame:
        return [""] * len(frame)
    return [
        str(name).strip() if name is not None and name == name else "" for name in frame.glacier
    ]


def _in(layer: Layer, crs: CRS) -> list[shapely.Geometry]:
    return list(shapely.force_2d(layer.frame.geometry.to_crs(crs).to_numpy()))


def _outline(geometry: shapely.Geometry, name: str) -> Polygon:
    """Return the polygon that a box is; an open one is closed across its ends."""
    if isinstance(geometry, LineString | MultiLineString):
        pieces = merge_lines(line_parts(geometry))
        enough = len(pieces) == 1 and len(pieces[0].coords) > 3
        parts = [Polygon(pieces[0])] if enough else []
    else:
        parts = list(shapely.get_parts(geometry))
    if len(parts) != 1 or not isinstance(parts[0], Polygon) or not parts[0].is_valid:
        raise EngineError(
            f"BOX: a feature of {name} is not one plain box. Draw one polygon without crossing "
            "edges a glacier, or one line of three sides that is open to the sea."
        )
    return Polygon(parts[0].exterior)


def _opening(outline: Polygon) -> NDArray[np.float64]:
    """Return the direction from the middle of an open box to its opening."""
    ring = shapely.get_coordinates(outline.exterior)
    middle = shapely.line_interpolate_point(LineString(ring[:-1]), 0.5, normalized=True)
    return np.asarray((ring[0] + ring[-2]) / 2 - shapely.get_coordinates(middle)[0])


def _along(
    flows: Sequence[tuple[str, LineString]], name: str, outline: Polygon
) -> NDArray[np.float64]:
    """Return the direction of the centreline that runs longest through a box."""
    own = [line for glacier, line in flows if glacier == name] or [line for _, line in flows]
    inside = [part for line in own for part in clip_lines([line], outline)]
    if not inside:
        raise EngineError(
            f"CENTERLINE: no line passes through the box {name!r}. Draw one through it, from the "
            "glacier to the sea."
        )
    ends = shapely.get_coordinates(max(inside, key=lambda part: part.length))[[0, -1]]
    return np.asarray(ends[1] - ends[0])


def _checked(box: Box, name: str) -> Box:
    if shapely.is_empty(box.upper) or shapely.is_empty(box.lower):
        raise EngineError(
            f"BOX: a feature of {name} has no end across the flow. Draw a box whose sides run "
            "along the glacier, with an end across it."
        )
    return box
