"""Where the pixels of a raster lie, and the grid of square cells in metres for work on them."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from affine import Affine
from pyproj import CRS

from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.engine.job import Extent
from glacier_qgis.models.gdal.warpable import whole_turn
from glacier_qgis.models.raster.crs import horizontal, read_crs, transformer
from glacier_qgis.models.raster.grid import Grid
from glacier_qgis.models.raster.metric import (
    Bounds,
    centre,
    is_true,
    metric_crs,
    transform_bounds,
)

EXTENT_MARGIN = 0.01
"""Margin of a raster's box in another CRS before comparison with an extent, as a share of its size:
the box is only accurate to the curvature of its edges between the transformed points."""


@dataclass(frozen=True)
class Footprint:
    """Where the pixels of a raster lie, in the CRS that its user says it is in.

    Attributes:
        crs: Without heights.
        transform: From (column, row) to coordinates; longitudes above 180 continue from -180.
        width: Columns.
        height: Rows.
        role: The name of the parameter that the raster came by, for messages.
        name: Its path or GDAL name.
    """

    crs: CRS
    transform: Affine
    width: int
    height: int
    role: str
    name: str
    _cell_sizes: dict[CRS, float] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    @property
    def corners(self) -> tuple[list[float], list[float]]:
        """Coordinates of the four corners: xs and ys."""
        across, down = self.width, self.height
        points = [self.transform @ p for p in ((0, 0), (across, 0), (across, down), (0, down))]
        return [x for x, _ in points], [y for _, y in points]

    @property
    def bounds(self) -> Bounds:
        """West, south, east, north in `crs`, also of a rotated or south-up raster."""
        xs, ys = self.corners
        return min(xs), min(ys), max(xs), max(ys)

    def native_cell_size(self, crs: CRS) -> float:
        """Return the edge of a square with the area of the central pixel, m in `crs`.

        Raises:
            EngineError: It has none.
        """
        if crs not in self._cell_sizes:
            size = _cell_size_at(self, self.width / 2, self.height / 2, crs)
            self._cell_sizes[crs] = size
        return self._cell_sizes[crs]


def cell_size_under(scene: Footprint, grid: Grid) -> float:
    """Return the same for the pixel under the centre of a grid."""
    west, south, east, north = grid.bounds
    to_scene = transformer(grid.crs, scene.crs)
    place = to_scene.transform((west + east) / 2, (south + north) / 2)
    column, row = ~scene.transform @ place
    return _cell_size_at(scene, column, row, grid.crs)


def _cell_size_at(scene: Footprint, column: float, row: float, crs: CRS) -> float:
    points = [scene.transform @ p for p in ((column, row), (column + 1, row), (column, row + 1))]
    to_metres = transformer(scene.crs, crs)
    (x0, y0), (x1, y1), (x2, y2) = (to_metres.transform(*point) for point in points)
    cell = math.sqrt(abs((x1 - x0) * (y2 - y0) - (x2 - x0) * (y1 - y0)))
    if not 0 < cell < math.inf:  # also refuses NaN
        raise EngineError(
            f"{scene.role}: {scene.name} has a damaged georeference: its pixels have no size "
            f"({scene.transform.a:g} × {-scene.transform.e:g}). Copy or download "
            "it again."
        )
    return cell


def work_grid(
    scene: Footprint,
    extent: Extent | None = None,
    cell_size: float | None = None,
    crs: CRS | None = None,
) -> Grid:
    """Return the metric, north-up work grid of a job.

    Args:
        scene: The raster of the job.
        extent: The part chosen by the user; None for all.
        cell_size: Edge of a cell, m; None for the scene's own.
        crs: The metric CRS for grids that several scenes share; None for the scene's own.

    Returns:
        Cells aligned with the scene's pixels if it is metric, north-up and of that cell size;
        otherwise, and in a shared CRS, edges are multiples of the cell size.

    Raises:
        EngineError: The extent misses the raster, the part has fewer than two cells per side, `crs`
            is not true to scale there, or longitudes are beyond ±180°.
    """
    _check_longitudes(scene)
    shared = crs is not None
    crs = crs or metric_crs(scene)
    if shared and not is_true(crs, *centre(scene)):
        raise EngineError(
            f"{scene.role}: {scene.name} is too far from the other scenes for their CRS "
            f"'{crs.name}'. Process it separately."
        )
    native = scene.native_cell_size(crs)
    cell = native if cell_size is None else cell_size
    own = transform_bounds(scene.bounds, scene.crs, crs)
    west, south, east, north = own
    if extent is not None:
        asked = transform_bounds(*_near(extent, scene), crs)
        west, south = max(west, asked[0]), max(south, asked[1])
        east, north = min(east, asked[2]), min(north, asked[3])
        if west >= east or south >= north:
            raise EngineError(
                f"EXTENT does not touch {scene.role}: the extent is {_describe(asked)}, the raster "
                f"{_describe(own)} (m, {crs.name}). Draw it over the raster."
            )
    on_lattice = not shared and crs == scene.crs and _is_north_up(scene.transform)
    origin = (own[0], own[3]) if on_lattice and math.isclose(cell, native) else (0.0, 0.0)
    first = math.floor((west - origin[0]) / cell + 1e-6)
    last = math.ceil((east - origin[0]) / cell - 1e-6)
    top = math.ceil((north - origin[1]) / cell - 1e-6)
    bottom = math.floor((south - origin[1]) / cell + 1e-6)
    width, height = last - first, top - bottom
    if width < 2 or height < 2:
        raise EngineError(
            f"{scene.role}: the part to process has only {width} × {height} cells of {cell:g} m. "
            "Choose a larger EXTENT, a larger raster or a smaller cell size."
        )
    transform = Affine(cell, 0.0, origin[0] + first * cell, 0.0, -cell, origin[1] + top * cell)
    return Grid(crs, transform, height, width)


def _check_longitudes(scene: Footprint) -> None:
    """Refuse a global raster with longitudes beyond ±180°.

    Values beyond ±360° are not longitudes: `metric.centre` reports a wrong CRS.
    """
    west, _, east, _ = scene.bounds
    half_a_turn = math.pi / scene.crs.axis_info[0].unit_conversion_factor
    pixel = abs(scene.transform.a) + abs(scene.transform.b)
    furthest = max(-west, east)
    beyond = half_a_turn + pixel < furthest <= 2 * half_a_turn + pixel
    if scene.crs.is_geographic and beyond and east - west > half_a_turn:
        raise EngineError(
            f"{scene.role}: {scene.name} has longitudes from {west:g} to {east:g}, so its centre "
            "may be far from the glacier. Clip it to the surroundings of the glacier, or warp it "
            "to a CRS in metres (Raster > Projections > Warp)."
        )


def _near(extent: Extent, scene: Footprint) -> tuple[Bounds, CRS]:
    """Return the part of an extent that is near a raster, and the extent's CRS.

    An extent may include places where the raster's CRS is not defined. An extent that does not
    touch the raster is returned unchanged.
    """
    crs = horizontal(read_crs(extent.crs, "EXTENT"))
    whole = (extent.xmin, extent.ymin, extent.xmax, extent.ymax)
    west, south, east, north = transform_bounds(scene.bounds, scene.crs, crs)
    margins = (EXTENT_MARGIN * (east - west), EXTENT_MARGIN * (north - south))
    part = (
        max(whole[0], west - margins[0]),
        max(whole[1], south - margins[1]),
        min(whole[2], east + margins[0]),
        min(whole[3], north + margins[1]),
    )
    return (part if part[0] < part[2] and part[1] < part[3] else whole), crs


def bounds_beside(grid: Grid, scene: Footprint) -> Bounds:
    """Return the box of a grid in the CRS of a scene, with longitudes in the scene's range."""
    west, south, east, north = transform_bounds(grid.bounds, grid.crs, scene.crs)
    if (turn := whole_turn(scene.crs)) is not None:
        east += turn * (west > east)
        apart = (scene.bounds[0] + scene.bounds[2] - west - east) / 2
        west, east = (edge + turn * round(apart / turn) for edge in (west, east))
    return west, south, east, north


def _describe(bounds: Bounds) -> str:
    return "x {:.0f} to {:.0f}, y {:.0f} to {:.0f}".format(*(bounds[i] for i in (0, 2, 1, 3)))


def _is_north_up(transform: Affine) -> bool:
    return transform.b == 0 and transform.d == 0 and transform.a > 0 > transform.e
