"""From zones to terminus lines, one line per calving front."""

from __future__ import annotations

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import shapely
from pyproj import CRS, Geod, Transformer
from rasterio.features import shapes
from rasterio.io import DatasetReader
from rasterio.windows import Window
from shapely import LineString, Polygon

from glacier_qgis.models.compute.arrays import Float64Array
from glacier_qgis.models.engine.events import Reporter, Stage
from glacier_qgis.models.engine.units import SQUARE_KILOMETRE
from glacier_qgis.models.fronts.termini.bodies import Zones, read_zones
from glacier_qgis.models.fronts.termini.calibration import calibrated
from glacier_qgis.models.fronts.termini.contours import front_contours
from glacier_qgis.models.fronts.termini.gaps import DEFAULT_GAP_CELLS, GapRule
from glacier_qgis.models.fronts.termini.level import at_level, front_level
from glacier_qgis.models.fronts.termini.no_front import (
    Absence,
    along_coast,
    no_contact,
    outside_fjord,
    too_short,
    unsure,
)
from glacier_qgis.models.fronts.termini.options import TerminusOptions
from glacier_qgis.models.fronts.termini.transition import Transition, measure_transition
from glacier_qgis.models.fronts.termini.whereabouts import ANYWHERE, Whereabouts
from glacier_qgis.models.package.card import Calibration
from glacier_qgis.models.raster.components import ReadMask
from glacier_qgis.models.raster.crs import transformer, unrotated
from glacier_qgis.models.raster.grid import Grid
from glacier_qgis.models.vector.lines import (
    clip_lines,
    map_coordinates,
    simplify_together,
    smooth_line,
)


@dataclass(frozen=True)
class Terminus:
    """One calving front.

    Attributes:
        line: In the grid's CRS, with the glacier on its left; a ring around an island of ice.
        length_m: Length on the ellipsoid.
        confidence: 0 to 1, see `Transition`; None without probabilities.
        uncertainty_m: Mean over the line of the calibrated width of the transition; None without
            probabilities.
        along: Confidence and uncertainty at points along the line before `simplify`; None without
            probabilities.
    """

    line: LineString
    length_m: float
    confidence: float | None
    uncertainty_m: float | None
    along: AlongFront | None = None


@dataclass(frozen=True)
class AlongFront:
    """Values at evenly spaced points along a front, about one cell apart.

    Attributes:
        points: (n, 2) in the grid's CRS, in the line's direction.
        distances_m: (n,) from the line's start, on the ellipsoid.
        confidences: (n,) 0 to 1; NaN where data are missing.
        uncertainties_m: (n,) calibrated; NaN where data are missing.
    """

    points: Float64Array
    distances_m: Float64Array
    confidences: Float64Array
    uncertainties_m: Float64Array


@dataclass(frozen=True)
class Fronts:
    """The fronts of a scene.

    Attributes:
        termini: Longest first.
        absence: Why there are none; None if there are some.
        zones: The ocean and the glacier that count; readable while the rasters are open.
    """

    termini: tuple[Terminus, ...]
    absence: Absence | None
    zones: Zones


@dataclass(frozen=True)
class Segmented:
    """A scene after the network.

    Attributes:
        grid: The grid.
        zones: One band of codes as in `zones`, on the grid.
        probability: Bands as in `contours`, on the grid; None to trace between cells.
        calibration: Of the model; None to use widths of transitions as uncertainties.
        whereabouts: Where the model's fronts may be.
    """

    grid: Grid
    zones: DatasetReader
    probability: DatasetReader | None = None
    calibration: Calibration | None = None
    whereabouts: Whereabouts = ANYWHERE


def extract_termini(
    segmented: Segmented,
    options: TerminusOptions,
    reporter: Reporter,
    strip: int | None = None,
) -> Fronts:
    """Trace the calving fronts of a scene, or determine why it has none.

    Args:
        segmented: The scene's rasters.
        options: Criteria for a front.
        reporter: Receives progress.
        strip: Rows held in memory at a time; None to choose by the width.
    """
    grid, probability = segmented.grid, segmented.probability
    reporter.progress(0, "Finding ocean and glacier")
    bodies = read_zones(
        segmented.zones, strip, options.min_area_km2, probability, options.least_certainty
    )
    level = front_level(bodies, probability) if probability else 0.0
    if probability and level:
        bodies = at_level(bodies, probability, level)
    stage = Stage(reporter, 0.4, 0.9)
    gap = DEFAULT_GAP_CELLS if options.gap is None else options.gap / grid.cell_size
    contours = front_contours(
        bodies, probability, lambda f: stage.progress(f, "Tracing the fronts"), GapRule(gap), level
    )
    if not contours:
        return Fronts((), no_contact(bodies, grid.cell_size), bodies)
    known = segmented.whereabouts
    lines = _select([_on_map(contour, grid) for contour in contours], grid.crs, options, known)
    if isinstance(lines, Absence):
        return Fronts((), lines, bodies)
    changes = [
        measure_transition(line, probability, grid, level) if probability else None
        for line in lines
    ]
    confidences = [change.confidence if change else 0.0 for change in changes]
    sure = [
        index
        for index, confidence in enumerate(confidences)
        if probability is None or confidence >= options.min_confidence
    ]
    if not sure:
        return Fronts((), unsure(max(confidences), options.min_confidence), bodies)
    near = known.in_place([lines[index] for index in sure], grid.crs)
    sure = [sure[place] for place in near][: 1 if options.longest_only else None]
    drawn = simplify_together([lines[index] for index in sure], options.simplify)
    termini = [
        _terminus(line, lines[index], changes[index], grid.crs, segmented.calibration)
        for line, index in zip(drawn, sure, strict=True)
    ]
    reporter.progress(1, "Tracing the fronts")
    return Fronts(tuple(termini), None, bodies)


def zone_area(zones: Zones, body: ReadMask, grid: Grid) -> gpd.GeoDataFrame:
    """Return the polygons of the ocean or of the glacier, largest first.

    Args:
        zones: The ocean and glacier that count.
        body: `zones.ocean` or `zones.glacier`.
        grid: The grid.

    Returns:
        A frame with ``area_km2``, measured on the ellipsoid, in the grid's CRS.
    """
    pieces = [
        polygon
        for start in range(0, zones.height, zones.strip)
        for polygon in _strip_polygons(zones, body, grid, start)
    ]
    merged = shapely.simplify(shapely.get_parts(shapely.union_all(pieces)), 0)
    areas = np.array([ellipsoidal_area(polygon, grid.crs) for polygon in merged]) / SQUARE_KILOMETRE
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
    degrees = unrotated(crs)
    if geod is None or degrees is None:
        raise ValueError(f"{crs.name} has no ellipsoid")
    return geod, transformer(crs, degrees)


def _on_map(contour: LineString, grid: Grid) -> LineString:
    rows, columns = shapely.get_coordinates(contour).T
    return LineString(map_coordinates(grid.transform, columns + 0.5, rows + 0.5))


def _select(
    lines: list[LineString], crs: CRS, options: TerminusOptions, known: Whereabouts
) -> list[LineString] | Absence:
    """Smooth, clip and drop short lines; return the longest first, or why none remains."""
    if options.smooth > 0:
        lines = [smooth_line(line, options.smooth) for line in lines]
    everywhere = lines
    if options.fjord is not None:
        lines = clip_lines(lines, shapely.union_all(list(options.fjord)))
    if not lines:
        return outside_fjord(max(ellipsoidal_length(line, crs) for line in everywhere))
    if not (lines := known.off_coast(lines, crs)):
        return along_coast()
    measured = [(ellipsoidal_length(line, crs), line) for line in lines]
    kept = sorted(
        ((length, line) for length, line in measured if length >= options.min_length),
        key=lambda pair: (-pair[0], pair[1].bounds),
    )
    if not kept:
        return too_short(max(length for length, _ in measured), options.min_length)
    return [line for _, line in kept]


def _terminus(
    drawn: LineString,
    traced: LineString,
    change: Transition | None,
    crs: CRS,
    calibration: Calibration | None,
) -> Terminus:
    """Measure a line before its simplification, and its final length."""
    length = ellipsoidal_length(drawn, crs)
    if change is None:
        return Terminus(drawn, length, None, None)
    uncertainties = calibrated(change.widths_m, calibration)
    distances = np.linspace(0, ellipsoidal_length(traced, crs), len(change.points))
    return Terminus(
        drawn,
        length,
        change.confidence,
        float(np.nanmean(uncertainties)),
        AlongFront(change.points, distances, change.contrasts, uncertainties),
    )


def _strip_polygons(zones: Zones, body: ReadMask, grid: Grid, start: int) -> list[Polygon]:
    """Return the polygons of one strip, which touch those of the next."""
    stop = min(start + zones.strip, zones.height)
    mask = body(start, stop)
    transform = grid.crop(Window(0, start, zones.width, stop - start)).transform
    found = shapes(mask.astype(np.uint8), mask=mask, connectivity=4, transform=transform)
    return [
        Polygon(rings[0], rings[1:]) for rings in (geometry["coordinates"] for geometry, _ in found)
    ]
