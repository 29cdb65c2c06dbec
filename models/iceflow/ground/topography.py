"""Bed, surface and thickness for a simulation, on one metric grid, in metres."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from pyproj import Proj
from rasterio.features import rasterize
from rasterio.windows import Window
from scipy.ndimage import maximum_filter, minimum_filter

from glacier_qgis.models.compute.arrays import Float32Array
from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.engine.events import Reporter
from glacier_qgis.models.engine.job import Extent, RasterInput, VectorInput
from glacier_qgis.models.iceflow.ground.cover import tell_gaps
from glacier_qgis.models.iceflow.ground.units import (
    NOT_STATED,
    VerticalUnit,
    check_elevation,
    read_metres,
    vertical_datum,
)
from glacier_qgis.models.raster.footprint import work_grid
from glacier_qgis.models.raster.grid import Grid
from glacier_qgis.models.raster.metric import areal_scale
from glacier_qgis.models.raster.source import open_raster
from glacier_qgis.models.vector.source import read_polygons

THICKEST = 5_000.0
"""Largest ice thickness on Earth, m."""
OVERLAP, STEEP_OVERLAP = 1.0, 0.1
"""Tolerance for a bed above the surface after resampling: in m, and as a share of the relief of a
cell and its neighbours."""
SLIVER = 1e-3
"""Largest negative thickness from interpolation, m."""
AREAL_TOLERANCE = 0.01
"""Largest area distortion of a CRS without a warning."""
THICKNESS_SOURCES = (
    "a raster of published ice thickness, such as the consensus estimate (Farinotti et al. 2019) "
    "or that of Millan et al. (2022), or, as a first estimate, UNIFORM_THICKNESS with an ICE_MASK."
)
"""Sources of thickness if only the surface is known."""
WHOLE_SHARE = 0.9
"""Share of the cells that remains if a raster is slightly rotated on the work grid."""
SMALLEST_SHARE = 0.25
"""Share of the cells that must remain when corners without data are cut off."""


@dataclass(frozen=True)
class Topography:
    """Geometry of the ice: in m, north-up, of the grid's shape, without gaps.

    Attributes:
        grid: The grid.
        bed: Elevation of the ground under the ice, m.
        thickness: Of the ice, m.
        datum: Vertical datum in words; heights are never converted.
    """

    grid: Grid
    bed: Float32Array
    thickness: Float32Array
    datum: str = NOT_STATED

    @property
    def surface(self) -> Float32Array:
        """Surface elevation, bed plus thickness, m."""
        return self.bed + self.thickness


@dataclass(frozen=True)
class TopographyInputs:
    """What a topography is read from; at least a bed or a surface.

    Attributes:
        bed: Elevation of the ground.
        surface: Elevation of the surface.
        thickness: Of the ice.
        thickness_role: The parameter's name for `thickness`.
        uniform: Ice thickness, m, instead of a raster of it.
        ice_mask: Polygons outside which there is no ice; None for everywhere.
        extent: The part to process; None for all.
        resolution: Edge of a cell, m; None for that of the elevation model.
        unit: Of elevations and thickness.
        year: Year of the band to read, if a raster has several; None if no time is known.
    """

    bed: RasterInput | None = None
    surface: RasterInput | None = None
    thickness: RasterInput | None = None
    thickness_role: str = "INITIAL_THICKNESS"
    uniform: float | None = None
    ice_mask: VectorInput | None = None
    extent: Extent | None = None
    resolution: float | None = None
    unit: VerticalUnit = "from the raster"
    year: float | None = None


def read_topography(given: TopographyInputs, reporter: Reporter) -> Topography:
    """Read the given rasters and derive the rest.

    Bed and thickness, bed and surface, or surface and thickness define a glacier; a bed or a
    surface alone is ground without ice. The grid is that of the elevation model.

    Args:
        given: The inputs.
        reporter: Receives messages.

    Raises:
        EngineError: Inputs are missing or redundant, or the values are not plausible.
    """
    bed, surface, thickness = given.bed, given.surface, given.thickness
    uniform, thickness_role = given.uniform, given.thickness_role
    if uniform is not None and (thickness is not None or (bed and surface)):
        raise EngineError(
            f"UNIFORM_THICKNESS ({uniform:g} m) was given, but the other inputs already determine "
            "the thickness. Leave it blank, or give only BED or SURFACE."
        )
    main, role = (bed, "BED") if bed is not None else (surface, "SURFACE")
    if main is None:
        raise EngineError("BED and SURFACE are missing: give one of them.")
    if bed is not None and surface is not None and thickness is not None:
        raise EngineError(
            f"BED, SURFACE and {thickness_role} were all given, but two determine the third. Leave "
            "one of them blank."
        )
    with open_raster(main, role) as scene:
        grid = work_grid(scene, given.extent, given.resolution)
        ground = read_metres(scene, grid, given.unit, given.year, reporter)
        datum = vertical_datum(scene)
    window = _window_with_data(np.isfinite(ground), role, reporter)
    grid = grid.crop(window)
    ground = ground[window.toslices()]
    check_elevation(ground, role)
    ice = np.zeros_like(ground)
    if thickness is not None:
        ice = _read_thickness(thickness, given, grid, reporter)
    elif uniform is not None:
        inside = polygon_mask(given.ice_mask, grid, "ICE_MASK") if given.ice_mask else np.array(1)
        ice += np.float32(uniform) * inside
    elif bed is not None and surface is not None:
        ice = _ice_between(ground, surface, given, grid, datum, reporter)
    elif bed is None:
        reporter.warning(
            "Only SURFACE is given, so the run starts without ice, with the surface as the "
            f"ground. If there is a glacier, give {thickness_role} as well: {THICKNESS_SOURCES}"
        )
    reporter.log(f"Vertical datum of {role}: {datum or 'not stated'}; heights are not converted.")
    _tell_scale(grid, reporter)
    stated = {"datum": datum} if datum else {}
    return Topography(grid, ground if bed is not None else ground - ice, ice, **stated)


def read_surface(
    source: RasterInput,
    extent: Extent | None,
    resolution: float | None,
    unit: VerticalUnit,
    year: float | None,
    reporter: Reporter,
) -> tuple[Grid, Float32Array]:
    """Read a surface, m, on the work grid; NaN where there is no data.

    Raises:
        EngineError: There is no data, or the values cannot be elevations.
    """
    with open_raster(source, "SURFACE") as scene:
        grid = work_grid(scene, extent, resolution)
        surface = read_metres(scene, grid, unit, year, reporter)
    known = surface[np.isfinite(surface)]
    if not len(known):
        raise EngineError("SURFACE has no data in this area: choose another EXTENT.")
    check_elevation(known, "SURFACE")
    return grid, surface


def polygon_mask(source: VectorInput, grid: Grid, role: str) -> npt.NDArray[np.bool_]:
    """Return True in the cells whose centre is inside the polygons.

    Raises:
        EngineError: No polygon lies in the area.
    """
    polygons = read_polygons(source, grid.crs, role)
    burnt = rasterize(
        [(polygon, 1) for polygon in polygons],
        out_shape=grid.shape,
        transform=grid.transform,
        dtype="uint8",
    )
    mask: npt.NDArray[np.bool_] = burnt == 1
    if not mask.any():
        raise EngineError(
            f"{role}: no polygon of {source.shown} covers a cell of the area. Choose the outline "
            "of this glacier, or an EXTENT that includes it."
        )
    return mask


def _tell_scale(grid: Grid, reporter: Reporter) -> None:
    """Warn if the CRS distorts areas."""
    west, south, east, north = grid.bounds
    middle = Proj(grid.crs)((west + east) / 2, (south + north) / 2, inverse=True)
    scale = areal_scale(grid.crs, *middle)
    if abs(scale - 1) > AREAL_TOLERANCE:
        reporter.warning(
            f"In the CRS {grid.crs.name}, areas are {abs(scale - 1):.1%} too "
            f"{'large' if scale > 1 else 'small'} here and lengths {abs(scale**0.5 - 1):.1%}; "
            "areas, volumes and slopes of this run have this error. To avoid it, reproject the "
            "elevation model to UTM with 'Warp'."
        )


def _read_thickness(
    source: RasterInput, given: TopographyInputs, grid: Grid, reporter: Reporter
) -> Float32Array:
    """Read ice thickness in m; no data means no ice."""
    role = given.thickness_role
    with open_raster(source, role) as scene:
        ice = read_metres(scene, grid, given.unit, given.year, reporter)
    missing = ~np.isfinite(ice)
    if missing.all():
        raise EngineError(
            f"{role}: {source.shown} has no data in the area of the simulation. Choose an EXTENT "
            "where both rasters have data."
        )
    tell_gaps(missing, role, "it is taken as 0 there", reporter)
    ice[missing] = 0
    if ice.min() < -SLIVER:
        raise EngineError(
            f"{role}: {source.shown} has negative thickness (down to {ice.min():g} m). Set these "
            "cells to 0, or declare the value as no data."
        )
    if ice.max() > THICKEST:
        raise EngineError(
            f"{role}: {source.shown} has thickness up to {ice.max():g} m, more than any ice on "
            "Earth. Check its unit and its no-data value."
        )
    return ice.clip(min=0)


def _ice_between(
    bed: Float32Array,
    source: RasterInput,
    given: TopographyInputs,
    grid: Grid,
    datum: str | None,
    reporter: Reporter,
) -> Float32Array:
    """Return surface − bed in m; `datum` is the bed's."""
    with open_raster(source, "SURFACE") as scene:
        surface = read_metres(scene, grid, given.unit, given.year, reporter)
        other = vertical_datum(scene)
    if datum and other and datum != other:
        raise EngineError(
            f"BED has heights above '{datum}', SURFACE above '{other}', so their difference is not "
            "ice thickness. Convert one to the vertical datum of the other with 'Warp', or "
            "correct a wrong CRS."
        )
    _check_holes(np.isfinite(surface), "SURFACE")
    check_elevation(surface, "SURFACE")
    ice = surface - bed
    relief = maximum_filter(bed, 3) - minimum_filter(bed, 3)
    above = int((ice < -OVERLAP - STEEP_OVERLAP * relief).sum())
    if above:
        raise EngineError(
            f"BED is above SURFACE in {above} cells, by up to {-ice.min():.1f} m. Check that both "
            "have the same vertical datum and unit, or lower BED to the minimum of the two with "
            "the raster calculator."
        )
    return ice.clip(min=0)


def _window_with_data(valid: npt.NDArray[np.bool_], role: str, reporter: Reporter) -> Window:
    """Cut off the edges without data that warping leaves; the rest must have no gaps."""
    if not valid.any():
        raise EngineError(f"{role} has no data in this area: choose another EXTENT.")
    top, bottom, left, right = 0, valid.shape[0], 0, valid.shape[1]
    while bottom - top > 2 and right - left > 2:
        part = valid[top:bottom, left:right]
        gaps = [1 - side.mean() for side in (part[0], part[-1], part[:, 0], part[:, -1])]
        worst = int(np.argmax(gaps))
        if gaps[worst] == 0:
            break
        top, bottom = top + (worst == 0), bottom - (worst == 1)
        left, right = left + (worst == 2), right - (worst == 3)
    share = (bottom - top) * (right - left) / valid.size
    if share < SMALLEST_SHARE:
        _check_holes(valid, role)
    _check_holes(valid[top:bottom, left:right], role)
    if share < 1:
        say = reporter.log if share > WHOLE_SHARE else reporter.warning
        say(
            f"{role} has no data along its edges on the work grid; the run covers the rectangle "
            f"inside, {share:.0%} of the cells."
        )
    return Window(left, top, right - left, bottom - top)


def _check_holes(valid: npt.NDArray[np.bool_], role: str) -> None:
    holes = int((~valid).sum())
    if holes:
        raise EngineError(
            f"{role} has no data in {holes} cells ({holes / valid.size:.1%}) inside the area: "
            "holes, fill values, NaN or infinities. Fill them with 'Fill no data' or choose an "
            "EXTENT without them."
        )
