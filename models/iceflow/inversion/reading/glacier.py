"""The surface and the outline of a glacier."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import shapely
import torch
from rasterio.features import rasterize
from rasterio.fill import fillnodata
from scipy import ndimage
from shapely import Polygon, box

from glacier_qgis.models.compute.arrays import Float32Array, Mask
from glacier_qgis.models.compute.memory import free_memory
from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.engine.events import Reporter
from glacier_qgis.models.engine.job import Extent, RasterInput, VectorInput
from glacier_qgis.models.engine.units import SQUARE_KILOMETRE
from glacier_qgis.models.iceflow.emulators.fields import slopes, walled
from glacier_qgis.models.iceflow.ground.cover import refuse_most, share, tell_gaps
from glacier_qgis.models.iceflow.ground.units import (
    NOT_STATED,
    VerticalUnit,
    check_elevation,
    read_metres,
    vertical_datum,
)
from glacier_qgis.models.iceflow.inversion.place import Place
from glacier_qgis.models.raster.footprint import work_grid
from glacier_qgis.models.raster.grid import Grid
from glacier_qgis.models.raster.metric import metric_crs, transform_bounds
from glacier_qgis.models.raster.source import Scene, open_raster
from glacier_qgis.models.vector.source import read_polygons

USUAL_CELLS = 4000
"""Cells of ice that an automatic resolution aims at: a few minutes on two cores."""
FINEST = 25.0
"""Smallest automatic cell, m."""
FEWEST_CELLS = 30
BYTES_PER_CELL = 400
"""Memory per cell of the grid: a hundred fields in double precision at most at a time, halved."""
BYTES_PER_ICE_CELL = 8_000
"""Memory per cell of ice: factors of three sparse matrices."""
MARGIN, LEAST_MARGIN = 0.15, 8
"""Ground around the outline: as a share of its size, and cells at least."""
OVERLAP = 0.005
"""Share of the area that polygons may have in common without a warning."""
FLAT, MOST_FLAT = 0.002, 0.5
"""Slope below which a surface counts as flat, and the share of such ice that is refused."""
SPIKE = 30.0
"""Difference, m, from the median of 5 × 5 cells, that is no surface of a glacier."""


@dataclass(frozen=True)
class Glacier:
    """A glacier on its grid.

    Attributes:
        grid: with some ground around.
        surface: elevation, m, without gaps.
        place: what surface and outline tell.
        polygons: the outline, in the CRS of the grid.
        datum: vertical datum in words.
    """

    grid: Grid
    surface: Float32Array
    place: Place
    polygons: list[Polygon]
    datum: str

    @property
    def ice(self) -> Mask:
        """Where there is ice."""
        mask: Mask = self.place.ice.numpy()
        return mask


def read_glacier(
    surface: RasterInput,
    outline: VectorInput,
    extent: Extent | None,
    resolution: float | None,
    unit: VerticalUnit,
    reporter: Reporter,
) -> Glacier:
    """Read surface and outline.

    Args:
        surface: elevation.
        outline: polygons of the ice.
        extent: the part to use; None for what the outline needs.
        resolution: edge of a cell, m; None to choose one.
        unit: of elevations.
        reporter: receives messages.

    Raises:
        EngineError: They do not fit together, hold no glacier, or are too large for the memory.
    """
    with open_raster(surface, "SURFACE") as scene:
        crs = metric_crs(scene)
        polygons = read_polygons(outline, crs, "OUTLINE")
        _tell_overlap(polygons, reporter)
        area = float(shapely.union_all(polygons).area)
        native = scene.native_cell_size(crs)
        cell = resolution or usual_cell(area, native)
        part = extent or _around(scene, polygons, cell)
        grid = work_grid(scene, part, cell)
        _require_room(grid, area)
        heights = read_metres(scene, grid, unit, None, reporter)
        datum = vertical_datum(scene) or NOT_STATED
    if not resolution:
        reporter.log(
            f"RESOLUTION: cells of {cell:g} m, for {area / SQUARE_KILOMETRE:.3g} km² of ice on a "
            f"surface with cells of {native:.3g} m."
        )
    ice = rasterize(polygons, out_shape=grid.shape, transform=grid.transform, dtype="uint8").astype(
        bool
    )
    _check_cover(ice, area, grid, reporter)
    known = np.isfinite(heights)
    refuse_most(~known[ice], "SURFACE", "ice")
    tell_gaps(~known[ice], "SURFACE", "it is interpolated there", reporter, "ice")
    check_elevation(heights, "SURFACE")
    heights = filled(heights)
    heights = _without_spikes(heights, ice, reporter)
    _check_slope(heights, ice, grid.cell_size, reporter)
    return Glacier(grid, heights, Place.of(heights, ice, grid.cell_size), polygons, datum)


def usual_cell(area: float, native: float) -> float:
    """Return the size of cells, m, for an area (m²) and the surface's own size (m)."""
    wanted = max(math.sqrt(area / USUAL_CELLS), FINEST)
    return native if wanted <= 1.2 * native else 5 * math.ceil(wanted / 5)


def filled(field: Float32Array) -> Float32Array:
    """Return a field (NaN where there is no data) without gaps: interpolated, then nearest."""
    known = np.isfinite(field)
    if known.all():
        return field
    reach = max(field.shape)
    smooth = fillnodata(np.where(known, field, 0), known, max_search_distance=min(reach, 100))
    left = ~np.isfinite(smooth) | (~known & (smooth == 0))
    if left.any():
        smooth = smooth[tuple(ndimage.distance_transform_edt(left, False, True))]
    return np.asarray(smooth, dtype=np.float32)


def _tell_overlap(polygons: list[Polygon], reporter: Reporter) -> None:
    whole = sum(polygon.area for polygon in polygons)
    union = float(shapely.union_all(polygons).area)
    if whole - union > OVERLAP * union:
        reporter.warning(
            f"OUTLINE: polygons overlap in {(whole - union) / SQUARE_KILOMETRE:.3g} km² of "
            f"{union / SQUARE_KILOMETRE:.3g} km²; they are merged."
        )


def _around(scene: Scene, polygons: list[Polygon], cell: float) -> Extent:
    """Return what the outline needs of the surface.

    Raises:
        EngineError: They are of different places.
    """
    crs = metric_crs(scene)
    bounds = tuple(shapely.total_bounds(np.asarray(polygons, dtype=object)).tolist())
    whole = transform_bounds(scene.bounds, scene.crs, crs)
    if not box(*bounds).intersects(box(*whole)):
        raise EngineError(
            f"OUTLINE lies outside SURFACE: the outline is at {_in_words(bounds)}, the surface at "
            f"{_in_words(whole)} ({crs.name}). Choose the outline of this glacier, or check the "
            "CRS of both layers."
        )
    west, south, east, north = bounds
    margin = max(MARGIN * max(east - west, north - south), LEAST_MARGIN * cell)
    return Extent(
        xmin=west - margin,
        ymin=south - margin,
        xmax=east + margin,
        ymax=north + margin,
        crs=crs.to_wkt(),
    )


def _in_words(bounds: tuple[float, ...]) -> str:
    west, south, east, north = bounds
    return f"x {west:.0f} to {east:.0f}, y {south:.0f} to {north:.0f}"


def _require_room(grid: Grid, area: float) -> None:
    """Refuse a grid that does not fit into memory, with the resolution that does."""
    cells = grid.height * grid.width
    iced = min(area / grid.cell_size**2, cells)
    needed, free = BYTES_PER_CELL * cells + BYTES_PER_ICE_CELL * iced, free_memory()
    if needed > free:
        fitting = 5 * math.ceil(grid.cell_size * math.sqrt(needed / free) / 5)
        raise EngineError(
            f"RESOLUTION: {grid.width} × {grid.height} cells of {grid.cell_size:g} m would need "
            f"{needed / 2**30:.3g} GiB of memory, and {free / 2**30:.1f} GiB are free. Choose "
            f"{fitting} m or more, or leave it at 0."
        )


def _check_cover(ice: Mask, area: float, grid: Grid, reporter: Reporter) -> None:
    covered = float(ice.sum()) * grid.cell_size**2
    if not ice.any():
        raise EngineError(
            "OUTLINE: no polygon covers a cell of SURFACE in this area. Choose the outline of "
            "this glacier, or a surface of this region."
        )
    if ice.sum() < FEWEST_CELLS:
        raise EngineError(
            f"OUTLINE covers only {int(ice.sum())} cells of {grid.cell_size:g} m; at least "
            f"{FEWEST_CELLS} are needed. Choose a finer RESOLUTION."
        )
    if covered < 0.98 * area:
        reporter.warning(
            f"OUTLINE: {1 - covered / area:.1%} of its area lies outside SURFACE or EXTENT and is "
            "left out."
        )


def _without_spikes(surface: Float32Array, ice: Mask, reporter: Reporter) -> Float32Array:
    median = ndimage.median_filter(surface, 5)
    relief = ndimage.median_filter(np.abs(surface - median), 5)
    wrong = ice & (np.abs(surface - median) > SPIKE + 6 * relief)
    if wrong.any():
        most = float(np.abs(surface - median)[wrong].max())
        reporter.warning(
            f"SURFACE has spikes of up to {most:.0f} m in {share(wrong[ice])} of the ice: they are "
            "replaced by the median of the cells around."
        )
    return np.where(wrong, median, surface)


def _check_slope(surface: Float32Array, ice: Mask, cell_size: float, reporter: Reporter) -> None:
    level = walled(torch.from_numpy(ice).float(), torch.from_numpy(surface))
    flat = (torch.hypot(*slopes(level, cell_size)).numpy() < FLAT) & ice
    if flat[ice].mean() > MOST_FLAT:
        raise EngineError(
            f"SURFACE has no slope in {share(flat[ice])} of the ice, so that nothing tells how "
            "thick it is. Check that OUTLINE and SURFACE are of the same place, and that the "
            "surface is not a lake, the sea or a fill value."
        )
    if flat[ice].mean() > 0.02:
        reporter.warning(
            f"SURFACE has no slope in {share(flat[ice])} of the ice: thickness there comes from "
            "its surroundings alone."
        )
