"""Bed, surface and thickness as a simulation needs them: on one metric grid, in metres."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from rasterio.features import rasterize
from rasterio.windows import Window

from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.engine.events import Reporter
from glacier_qgis.models.engine.job import Extent, RasterInput, VectorInput
from glacier_qgis.models.iceflow.units import VerticalUnit, metres_per_unit
from glacier_qgis.models.raster.grid import Grid
from glacier_qgis.models.raster.source import open_raster, read_band, work_grid
from glacier_qgis.models.vector.source import read_polygons

Array = npt.NDArray[np.float32]

HIGHEST, LOWEST = 9_000.0, -12_000.0
"""m; no elevation on Earth is outside."""
THICKEST = 5_000.0
"""m; no ice on Earth is thicker."""
OVERLAP = 1.0
"""m by which a bed may rise above the surface through resampling."""
SMALLEST_SHARE = 0.25
"""Share of the cells that must remain when corners without data are cut away."""


@dataclass(frozen=True)
class Topography:
    """Where the ice is: all in m, north-up, of the grid's shape, without gaps."""

    grid: Grid
    bed: Array
    thickness: Array

    @property
    def surface(self) -> Array:
        """Surface elevation, bed plus thickness, m."""
        return self.bed + self.thickness


def read_topography(
    bed: RasterInput | None,
    surface: RasterInput | None,
    thickness: RasterInput | None,
    extent: Extent | None,
    resolution: float | None,
    unit: VerticalUnit,
    reporter: Reporter,
    thickness_role: str = "INITIAL_THICKNESS",
) -> Topography:
    """Read what was given and derive the rest.

    Bed and thickness, bed and surface, or surface and thickness make a glacier; a bed or a
    surface alone is ground without ice. The grid is that of the elevation model.

    Raises:
        EngineError: Too little or too much was given, or the values cannot be right.
    """
    main, role = (bed, "BED") if bed is not None else (surface, "SURFACE")
    if main is None:
        raise EngineError("Give BED, or SURFACE: the simulation needs the shape of the ground.")
    if bed is not None and surface is not None and thickness is not None:
        raise EngineError(
            f"BED, SURFACE and {thickness_role} were all given; any two make the third. Leave one "
            "of them blank."
        )
    with open_raster(main, role) as scene:
        grid = work_grid(scene, extent, resolution)
        ground = read_band(scene, grid) * np.float32(metres_per_unit(scene, unit))
    window = _window_with_data(np.isfinite(ground), role, reporter)
    grid = grid.crop(window)
    ground = ground[window.toslices()]
    _check_elevation(ground, role)
    if thickness is not None:
        ice = _read_thickness(thickness, thickness_role, grid, unit, reporter)
        return Topography(grid, ground if bed is not None else ground - ice, ice)
    if bed is not None and surface is not None:
        return Topography(grid, ground, _ice_between(ground, surface, grid, unit))
    if bed is None:
        reporter.warning(
            f"SURFACE was given without {thickness_role}, so it is taken as ground without ice. "
            "Where it shows a glacier, give the ice thickness too (as a raster, for example from "
            "a consensus estimate)."
        )
    return Topography(grid, ground, np.zeros_like(ground))


def read_surface(
    source: RasterInput, extent: Extent | None, resolution: float | None, unit: VerticalUnit
) -> tuple[Grid, Array]:
    """Read a surface, m, on the grid to work on; NaN where there is no data.

    Raises:
        EngineError: There is no data at all, or the values cannot be elevations.
    """
    with open_raster(source, "SURFACE") as scene:
        grid = work_grid(scene, extent, resolution)
        surface = read_band(scene, grid) * np.float32(metres_per_unit(scene, unit))
    known = surface[np.isfinite(surface)]
    if not len(known):
        raise EngineError("SURFACE has no data in this area: choose another EXTENT.")
    _check_elevation(known, "SURFACE")
    return grid, surface


def read_ice_mask(source: VectorInput, grid: Grid) -> npt.NDArray[np.bool_]:
    """Return True in the cells whose centre is inside the polygons.

    Raises:
        EngineError: No polygon lies in the area.
    """
    polygons = read_polygons(source, grid.crs, "ICE_MASK")
    burnt = rasterize(
        [(polygon, 1) for polygon in polygons],
        out_shape=grid.shape,
        transform=grid.transform,
        dtype="uint8",
    )
    mask: npt.NDArray[np.bool_] = burnt == 1
    if not mask.any():
        raise EngineError(
            f"ICE_MASK: no polygon of {source.path} covers a cell of the area. Choose the outline "
            "of this glacier, or an EXTENT that holds it."
        )
    return mask


def _read_thickness(
    source: RasterInput, role: str, grid: Grid, unit: VerticalUnit, reporter: Reporter
) -> Array:
    """Read ice thickness in m; no data means no ice."""
    with open_raster(source, role) as scene:
        ice = read_band(scene, grid) * np.float32(metres_per_unit(scene, unit))
    missing = ~np.isfinite(ice)
    if missing.all():
        raise EngineError(
            f"{role}: {source.path} has no data in the area of the simulation. Choose an EXTENT "
            "where both rasters have data."
        )
    if missing.any():
        reporter.log(f"{role} has no data in {missing.mean():.1%} of the area: no ice there.")
    ice[missing] = 0
    if ice.min() < 0:
        raise EngineError(
            f"{role}: {source.path} holds negative thickness (down to {ice.min():g} m). Set these "
            "cells to 0, or declare the value as no data."
        )
    if ice.max() > THICKEST:
        raise EngineError(
            f"{role}: {source.path} holds thickness up to {ice.max():g} m, more than any ice on "
            "Earth. Check its unit and its no-data value."
        )
    return ice


def _ice_between(bed: Array, source: RasterInput, grid: Grid, unit: VerticalUnit) -> Array:
    """Return surface − bed in m."""
    with open_raster(source, "SURFACE") as scene:
        surface = read_band(scene, grid) * np.float32(metres_per_unit(scene, unit))
    _check_holes(np.isfinite(surface), "SURFACE")
    _check_elevation(surface, "SURFACE")
    ice = surface - bed
    above = int((ice < -OVERLAP).sum())
    if above:
        raise EngineError(
            f"BED is above SURFACE in {above} cells, by up to {-ice.min():.1f} m. Check that both "
            "have the same vertical datum and unit, or lower BED to the minimum of the two with "
            "the raster calculator."
        )
    return ice.clip(min=0)


def _check_elevation(ground: Array, role: str) -> None:
    low, high = float(ground.min()), float(ground.max())
    if low < LOWEST or high > HIGHEST:
        raise EngineError(
            f"{role} holds elevations from {low:g} to {high:g} m, which is not on Earth. If they "
            "are in feet set VERTICAL_UNIT; if a fill value is among them declare it as no data."
        )


def _window_with_data(valid: npt.NDArray[np.bool_], role: str, reporter: Reporter) -> Window:
    """Cut away the edges without data that warping leaves; what remains must be whole."""
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
        reporter.log(
            f"{role} has no data along its edges on the work grid; the run covers the whole "
            f"rectangle inside, {share:.0%} of the cells."
        )
    return Window(left, top, right - left, bottom - top)


def _check_holes(valid: npt.NDArray[np.bool_], role: str) -> None:
    holes = int((~valid).sum())
    if holes:
        raise EngineError(
            f"{role} has no data in {holes} cells ({holes / valid.size:.1%}) inside the area: "
            "holes, NaN or infinities. Fill them with 'Fill no data' or choose an EXTENT without "
            "them."
        )
