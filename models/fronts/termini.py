"""From zones to terminus lines: one line a calving front."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import shapely
from pyproj import CRS, Geod, Transformer
from rasterio.features import shapes
from rasterio.io import DatasetReader
from rasterio.windows import Window
from shapely import LineString, Polygon

from glacier_qgis.models.engine.events import Reporter, Stage
from glacier_qgis.models.fronts.contours import Zones, front_contours, read_zones
from glacier_qgis.models.fronts.transition import measure_transition
from glacier_qgis.models.raster.grid import Grid
from glacier_qgis.models.vector.lines import clip_lines, line_parts, map_coordinates, smooth_line


@dataclass(frozen=True)
class TerminusOptions:
    """What to keep of the lines, in the order of application; lengths in metres.

    Attributes:
        smooth: Standard deviation of a Gaussian along the line; its ends stay. 0 for none.
        fjord: Only parts of lines inside these polygons; None for everywhere.
        min_length: Shorter lines are dropped. The default is that of the CaFFe benchmark.
        longest_only: Keep only the longest line.
        simplify: Douglas-Peucker: no dropped vertex lies further than this from the line.
    """

    smooth: float = 0.0
    fjord: Sequence[Polygon] | None = None
    min_length: float = 750.0
    longest_only: bool = False
    simplify: float = 0.0


@dataclass(frozen=True)
class Terminus:
    """One calving front.

    Attributes:
        line: In the grid's CRS, with the glacier on its left; a ring around an island of ice.
        length_m: Length on the ellipsoid.
        confidence: 0 to 1, see `Transition`; None without probabilities.
        uncertainty_m: See `Transition`; None without probabilities.
    """

    line: LineString
    length_m: float
    confidence: float | None
    uncertainty_m: float | None


def extract_termini(
    zones: DatasetReader,
    probability: DatasetReader | None,
    grid: Grid,
    options: TerminusOptions,
    reporter: Reporter,
    strip: int | None = None,
) -> list[Terminus]:
    """Trace the calving fronts of a scene.

    Args:
        zones: One band of codes as in `zones`, on the grid.
        probability: Bands as in `contours`, on the grid; None traces between cells.
        grid: Where the cells lie.
        options: What to keep of the lines.
        reporter: Told how far it is.
        strip: Rows to hold at a time; None for what the width suggests.

    Returns:
        Longest first.
    """
    reporter.progress(0, "Finding ocean and glacier")
    major = read_zones(zones, strip)
    stage = Stage(reporter, 0.4, 0.9)
    contours = front_contours(major, probability, lambda f: stage.progress(f, "Tracing the fronts"))
    lines = _select([_on_map(contour, grid) for contour in contours], grid.crs, options)
    termini = []
    for line in lines:
        change = measure_transition(line, probability, grid) if probability else None
        (drawn,) = line_parts(shapely.simplify(line, options.simplify))
        termini.append(
            Terminus(
                line=drawn,
                length_m=ellipsoidal_length(drawn, grid.crs),
                confidence=change.confidence if change else None,
                uncertainty_m=change.uncertainty_m if change else None,
            )
        )
    reporter.progress(1, "Tracing the fronts")
    return termini


def glacier_area(zones: DatasetReader, grid: Grid, strip: int | None = None) -> gpd.GeoDataFrame:
    """Return the polygons of the major glacier components of a zones raster, largest first.

    Returns:
        A frame with ``area_km2``, measured on the ellipsoid, in the grid's CRS.
    """
    major = read_zones(zones, strip)
    pieces = [
        polygon
        for start in range(0, major.height, major.strip)
        for polygon in _strip_polygons(major, grid, start)
    ]
    merged = shapely.simplify(shapely.get_parts(shapely.union_all(pieces)), 0)
    areas = np.array([ellipsoidal_area(polygon, grid.crs) for polygon in merged]) / 1e6
    order = np.argsort(-areas)
    return gpd.GeoDataFrame(
        {"area_km2": areas[order].astype(float)}, geometry=merged[order], crs=grid.crs
    )


def ellipsoidal_length(line: LineString, crs: CRS) -> float:
    """Length in metres on the ellipsoid of `crs`, free of the projection's scale."""
    geod, degrees = _ellipsoid(crs)
    longitude, latitude = degrees.transform(*shapely.get_coordinates(line).T)
    return float(geod.line_length(longitude, latitude))


def ellipsoidal_area(polygon: Polygon, crs: CRS) -> float:
    """Area in square metres on the ellipsoid of `crs`."""
    geod, degrees = _ellipsoid(crs)

    def ring_area(ring: LineString) -> float:
        longitude, latitude = degrees.transform(*shapely.get_coordinates(ring).T)
        return abs(float(geod.polygon_area_perimeter(longitude, latitude)[0]))

    return ring_area(polygon.exterior) - sum(ring_area(hole) for hole in polygon.interiors)


def _ellipsoid(crs: CRS) -> tuple[Geod, Transformer]:
    geod = crs.get_geod()
    if geod is None or crs.geodetic_crs is None:
        raise ValueError(f"{crs.name} has no ellipsoid")
    return geod, Transformer.from_crs(crs, crs.geodetic_crs, always_xy=True)


def _on_map(contour: LineString, grid: Grid) -> LineString:
    rows, columns = shapely.get_coordinates(contour).T
    return LineString(map_coordinates(grid.transform, columns + 0.5, rows + 0.5))


def _select(lines: list[LineString], crs: CRS, options: TerminusOptions) -> list[LineString]:
    """Smooth, clip, and drop what is too short; longest first."""
    if options.smooth > 0:
        lines = [smooth_line(line, options.smooth) for line in lines]
    if options.fjord is not None:
        lines = clip_lines(lines, shapely.union_all(list(options.fjord)))
    measured = [(ellipsoidal_length(line, crs), line) for line in lines]
    kept = sorted(
        ((length, line) for length, line in measured if length >= options.min_length),
        key=lambda pair: (-pair[0], pair[1].bounds),
    )
    return [line for _, line in kept[: 1 if options.longest_only else None]]


def _strip_polygons(zones: Zones, grid: Grid, start: int) -> list[Polygon]:
    """Return the polygons of one strip of the glacier; they touch those of the next."""
    stop = min(start + zones.strip, zones.height)
    mask = zones.glacier(start, stop)
    transform = grid.crop(Window(0, start, zones.width, stop - start)).transform
    found = shapes(mask.astype(np.uint8), mask=mask, connectivity=4, transform=transform)
    return [
        Polygon(rings[0], rings[1:]) for rings in (geometry["coordinates"] for geometry, _ in found)
    ]
