"""Rasters as sources: what QGIS names is opened, checked, and read on a work grid."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from affine import Affine
from pyproj import CRS
from rasterio.enums import ColorInterp, Resampling
from rasterio.windows import Window

from glacier_qgis.models.compute.memory import require_memory
from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.engine.job import Extent, RasterInput
from glacier_qgis.models.raster.crs import horizontal, read_crs, transformer
from glacier_qgis.models.raster.file import RasterFile, RasterView, open_file
from glacier_qgis.models.raster.grid import Grid
from glacier_qgis.models.raster.metric import (
    Bounds,
    centre,
    is_true,
    metric_crs,
    transform_bounds,
)
from glacier_qgis.models.raster.no_data import with_no_data
from glacier_qgis.models.raster.warpable import as_warpable, turned, whole_turn

AVERAGE_FROM = 1.5
"""Ratio of target to source cell from which cells are averaged instead of interpolated."""

BLOCK_CELLS = 512 * 128
"""Cells that GDAL warps at once, from all pixels under them."""
PIXEL_BYTES = 4
"""What each of these takes."""

EXTENT_MARGIN = 0.01
"""Share of a raster's size by which its box in another CRS is grown, before it is compared with
an extent: such a box is only right to the bulge of its edges between the points that were taken."""


@dataclass(frozen=True)
class Scene:
    """An open raster, in the CRS that its user says it is in.

    Attributes:
        dataset: The open file.
        crs: Its CRS, without heights.
        role: The name of the parameter that it came by, for messages.
        heights: What says how heights are measured: its CRS, or the file's own, whichever has a
            third axis; None where neither has.
        options: GDAL's options that it was opened with.
        band: The band that was chosen for what needs a single one.
    """

    dataset: RasterFile
    crs: CRS
    role: str
    heights: CRS | None = None
    options: Mapping[str, str] = field(default_factory=dict)
    band: int | None = None

    @property
    def name(self) -> str:
        """The path or GDAL name."""
        return str(self.dataset.origin or self.dataset.name)

    @property
    def transform(self) -> Affine:
        """From (column, row) to coordinates; longitudes beyond 180 count on from -180."""
        return turned(self.dataset.transform, self.dataset.width, self.crs)

    @property
    def corners(self) -> tuple[list[float], list[float]]:
        """Coordinates of the four corners: xs and ys."""
        height, width = self.dataset.shape
        points = [self.transform @ p for p in ((0, 0), (width, 0), (width, height), (0, height))]
        return [x for x, _ in points], [y for _, y in points]

    @property
    def bounds(self) -> Bounds:
        """West, south, east, north in `crs`, also of a rotated or south-up raster."""
        xs, ys = self.corners
        return min(xs), min(ys), max(xs), max(ys)


@contextmanager
def open_raster(source: RasterInput, role: str = "INPUT") -> Iterator[Scene]:
    """Open a raster and establish its CRS.

    Args:
        source: Path and, from QGIS, the CRS of the layer, which goes before the file's own.
        role: The parameter's name, for messages.

    Raises:
        EngineError: GDAL cannot open it, or no CRS is known.
    """
    with ExitStack() as stack:
        options = source.options
        file = open_file(source.path, f"{role}: {source.shown}", options)
        dataset = stack.enter_context(file)
        if source.no_data:
            dataset = stack.enter_context(with_no_data(dataset, source.no_data, options))
            options = {}
        if dataset.count == 0:
            raise EngineError(
                f"{role}: {source.shown} holds no raster band of its own: choose one of its "
                f"subdatasets ({', '.join(dataset.subdatasets) or 'it has none'})."
            )
        if dataset.transform.is_identity and (dataset.gcps[0] or dataset.rpcs):
            raise EngineError(
                f"{role}: {source.shown} is placed on Earth by control points or a sensor model "
                "only, as products are that were not geocoded. Warp it first (Raster > Projections "
                "> Warp), or correct it for the terrain with the programs of its space agency."
            )
        wkt = source.crs or (dataset.crs.to_wkt() if dataset.crs else None)
        if wkt is None:
            raise EngineError(
                f"{role}: {source.shown} has no coordinate reference system. Find out which it is "
                "in and set it with 'Assign projection', or in the layer's properties."
            )
        crs = read_crs(wkt, role)
        if not (crs.is_projected or crs.is_geographic):
            raise EngineError(
                f"{role}: {source.shown} is in the local system '{crs.name}', which has no place "
                "on Earth. Georeference it first."
            )
        if dataset.transform.is_identity:
            raise EngineError(
                f"{role}: {source.shown} has no georeference (its pixels have no coordinates). "
                "Georeference it first."
            )
        if source.band is not None and source.band > dataset.count:
            raise EngineError(
                f"{role}: band {source.band} of {source.shown} was chosen, and it has "
                f"{dataset.count}. Choose another one in the layer's properties."
            )
        heights = _with_heights(crs, dataset)
        yield Scene(dataset, horizontal(crs), role, heights, options, source.band)


def _with_heights(crs: CRS, dataset: RasterFile) -> CRS | None:
    """Return the CRS given for a file, or the file's own, whichever has a third axis."""
    if len(crs.axis_info) > 2:
        return crs
    stored = dataset.crs
    own = read_crs(stored.to_wkt(), str(dataset.name)) if stored else None
    return own if own is not None and len(own.axis_info) > 2 else None


def native_cell_size(scene: Scene, crs: CRS) -> float:
    """Return the edge of a square with the area of the scene's central pixel, m in `crs`.

    Raises:
        EngineError: It has none.
    """
    height, width = scene.dataset.shape
    return _cell_size_at(scene, width / 2, height / 2, crs)


def _cell_size_under(scene: Scene, grid: Grid) -> float:
    """Return the same of the pixel under the middle of a grid; a wide scene has its own far off."""
    west, south, east, north = grid.bounds
    to_scene = transformer(grid.crs, scene.crs)
    place = to_scene.transform((west + east) / 2, (south + north) / 2)
    column, row = ~scene.transform @ place
    return _cell_size_at(scene, column, row, grid.crs)


def _cell_size_at(scene: Scene, column: float, row: float, crs: CRS) -> float:
    points = [scene.transform @ p for p in ((column, row), (column + 1, row), (column, row + 1))]
    to_metres = transformer(scene.crs, crs)
    (x0, y0), (x1, y1), (x2, y2) = (to_metres.transform(*point) for point in points)
    cell = math.sqrt(abs((x1 - x0) * (y2 - y0) - (x2 - x0) * (y1 - y0)))
    if not 0 < cell < math.inf:  # nor not a number
        raise EngineError(
            f"{scene.role}: {scene.name} has a damaged georeference: its pixels have no size "
            f"({scene.dataset.transform.a:g} × {-scene.dataset.transform.e:g}). Copy or download "
            "it again."
        )
    return cell


def work_grid(
    scene: Scene,
    extent: Extent | None = None,
    cell_size: float | None = None,
    crs: CRS | None = None,
) -> Grid:
    """Return the metric north-up grid for a job.

    Args:
        scene: The raster that the job is about.
        extent: The part that the user picked; None for all.
        cell_size: Edge of a cell, m; None for the scene's own.
        crs: The metric CRS to work in, for grids that several scenes share; None for the
            scene's own.

    Returns:
        Cells on the scene's own lattice where it is metric, north-up and of that cell size;
        otherwise, and in a shared CRS, edges are multiples of the cell size.

    Raises:
        EngineError: The extent misses the raster, the part holds less than two cells a side,
            `crs` is not true to scale there, or longitudes are beyond half a turn.
    """
    _check_longitudes(scene)
    shared = crs is not None
    crs = crs or metric_crs(scene)
    if shared and not is_true(crs, *centre(scene)):
        raise EngineError(
            f"{scene.role}: {scene.name} lies too far from the others to be worked on in their "
            f"CRS '{crs.name}'. Work on it by itself."
        )
    native = native_cell_size(scene, crs)
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
            f"{scene.role}: the part to work on is only {width} × {height} cells of {cell:g} m. "
            "Choose a larger EXTENT, a larger raster or a finer cell size."
        )
    transform = Affine(cell, 0.0, origin[0] + first * cell, 0.0, -cell, origin[1] + top * cell)
    return Grid(crs, transform, height, width)


def _check_longitudes(scene: Scene) -> None:
    """Refuse the whole Earth as what a job is about, where its longitudes go beyond half a turn.

    Beyond a whole turn they are no longitudes: the CRS is wrong, which `metric.centre` says.
    """
    west, _, east, _ = scene.bounds
    half_a_turn = math.pi / scene.crs.axis_info[0].unit_conversion_factor
    pixel = abs(scene.dataset.transform.a) + abs(scene.dataset.transform.b)
    furthest = max(-west, east)
    beyond = half_a_turn + pixel < furthest <= 2 * half_a_turn + pixel
    if scene.crs.is_geographic and beyond and east - west > half_a_turn:
        raise EngineError(
            f"{scene.role}: {scene.name} has longitudes from {west:g} to {east:g}, so that its "
            "middle is far from any glacier. Clip it to the surroundings of the glacier, or warp "
            "it to a system in metres (Raster > Projections > Warp)."
        )


def _near(extent: Extent, scene: Scene) -> tuple[Bounds, CRS]:
    """Return the part of an extent that is near a raster, and the extent's CRS.

    An extent may reach around the world, where the raster's CRS has no coordinates. One that does
    not touch the raster comes back whole.
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


def bounds_beside(grid: Grid, scene: Scene) -> Bounds:
    """Return the box of a grid in the CRS of a scene, by longitudes as the scene counts them."""
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


def _scales(transform: Affine, coarser: float) -> dict[str, str]:
    """Return GDAL's warp options for the width of the filter, where GDAL would be wrong.

    It compares the numbers of rows and of columns, which says nothing of a raster whose rows
    run from north to south.
    """
    if transform.b == transform.d == 0:
        return {}
    return dict.fromkeys(("XSCALE", "YSCALE"), repr(1 / coarser))


@contextmanager
def warped(
    scene: Scene,
    grid: Grid,
    resampling: Resampling | None = None,
) -> Iterator[RasterView]:
    """Open `scene` as it would be on `grid`: 32-bit floats, NaN where there is no data.

    Args:
        scene: The raster.
        grid: The grid to warp to, window by window, as it is read.
        resampling: None averages where the grid is coarser than the raster by more than
            `AVERAGE_FROM`, and interpolates bilinearly elsewhere.
    """
    dataset = scene.dataset
    if any(kind.startswith("complex") for kind in dataset.dtypes):
        raise EngineError(
            f"{scene.role}: {scene.name} holds complex numbers, of which only one part would be "
            "read. Choose a raster of real numbers."
        )
    coarser = grid.cell_size / _cell_size_under(scene, grid)
    require_memory(
        PIXEL_BYTES * min(coarser**2 * BLOCK_CELLS, dataset.width * dataset.height),
        f"{scene.role}: {scene.name}, with {coarser:.0f} times more pixels a side than cells,",
        "Make a coarser copy with 'Warp' first, or choose smaller cells",
    )
    if resampling is None:
        resampling = Resampling.average if coarser > AVERAGE_FROM else Resampling.bilinear
    alpha = [i for i, kind in enumerate(dataset.colorinterp, 1) if kind == ColorInterp.alpha]
    with (
        as_warpable(dataset, scene.crs, scene.options) as source,
        RasterView(
            source,
            src_crs=scene.crs.to_wkt(),
            crs=grid.crs.to_wkt(),
            transform=grid.transform,
            width=grid.width,
            height=grid.height,
            resampling=resampling,
            src_nodata=source.nodata,
            nodata=math.nan,
            dtype="float32",
            src_alpha=alpha[0] if alpha else 0,
            warp_mem_limit=64,
            **_scales(dataset.transform, coarser),
            UNIFIED_SRC_NODATA="NO",  # void in the band that says so, not only where all do
        ) as view,
    ):
        yield view


def read_band(
    scene: Scene,
    grid: Grid,
    window: Window | None = None,
    band: int = 1,
    resampling: Resampling | None = None,
) -> npt.NDArray[np.float32]:
    """Read one band on `grid` (or a window of it), NaN where there is no data."""
    with warped(scene, grid, resampling) as view:
        values: npt.NDArray[np.float32] = view.read(band, window=window)
    values[~np.isfinite(values)] = np.nan
    return values
