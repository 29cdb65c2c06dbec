"""Rasters as sources: opened, checked, and read on a work grid."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from affine import Affine
from pyproj import CRS
from rasterio.enums import ColorInterp, Resampling
from rasterio.windows import Window

from glacier_qgis.models.compute.memory import require_memory
from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.engine.job import RasterInput
from glacier_qgis.models.gdal.file import RasterFile, RasterView, open_file
from glacier_qgis.models.gdal.no_data import with_no_data
from glacier_qgis.models.gdal.warpable import as_warpable, turned
from glacier_qgis.models.raster.crs import horizontal, read_crs
from glacier_qgis.models.raster.footprint import Footprint, cell_size_under
from glacier_qgis.models.raster.grid import Grid

AVERAGE_FROM = 1.5
"""Ratio of target to source cell size from which cells are averaged instead of interpolated."""

BLOCK_CELLS = 512 * 128
"""Number of cells that GDAL warps at once, from all pixels under them."""
PIXEL_BYTES = 4
"""Memory of each of these, bytes."""


@dataclass(frozen=True, kw_only=True)
class Scene(Footprint):
    """An open raster, in the CRS set by the user.

    Attributes:
        dataset: The open file.
        heights: The CRS with a vertical axis: that of the layer or of the file; None if neither has
            one.
        options: GDAL open options of the file.
        band: The chosen band, where a single one is needed.
    """

    dataset: RasterFile
    heights: CRS | None = None
    options: Mapping[str, str] = field(default_factory=dict)
    band: int | None = None

    @property
    def footprint(self) -> Footprint:
        """What is known of the raster when its file is closed again."""
        return Footprint(self.crs, self.transform, self.width, self.height, self.role, self.name)


@contextmanager
def open_raster(source: RasterInput, role: str = "INPUT") -> Iterator[Scene]:
    """Open a raster and determine its CRS.

    Args:
        source: Path and, from QGIS, the CRS of the layer, which has priority over the file's.
        role: The parameter's name, for messages.

    Raises:
        EngineError: GDAL cannot open it, or no CRS is known.
    """
    with open_source(source, role) as file, as_scene(file, source, role) as scene:
        yield scene


def open_source(source: RasterInput, role: str = "INPUT") -> AbstractContextManager[RasterFile]:
    """Open the file of a raster, wherever it may lie.

    Raises:
        EngineError: GDAL cannot open it.
    """
    return open_file(source.path, f"{role}: {source.shown}", source.options)


@contextmanager
def as_scene(file: RasterFile, source: RasterInput, role: str = "INPUT") -> Iterator[Scene]:
    """Establish the CRS of an open raster.

    Raises:
        EngineError: No CRS is known, or no place on Earth.
    """
    with ExitStack() as stack:
        dataset, options = file, source.options
        if source.no_data:
            dataset = stack.enter_context(with_no_data(file, source.no_data, options))
            options = {}
        if dataset.count == 0:
            raise EngineError(
                f"{role}: {source.shown} has only subdatasets: choose one of them "
                f"({', '.join(dataset.subdatasets) or 'it has none'})."
            )
        if dataset.transform.is_identity and (dataset.gcps[0] or dataset.rpcs):
            raise EngineError(
                f"{role}: {source.shown} is not geocoded (it has only control points or a sensor "
                "model). Warp it first (Raster > Projections > Warp), or apply a terrain "
                "correction with the software of the space agency."
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
                f"{role}: {source.shown} is in the local system '{crs.name}', without a position "
                "on Earth. Georeference it first."
            )
        if dataset.transform.is_identity:
            raise EngineError(
                f"{role}: {source.shown} has no georeference (its pixels have no coordinates). "
                "Georeference it first."
            )
        if source.band is not None and source.band > dataset.count:
            raise EngineError(
                f"{role}: band {source.band} of {source.shown} was chosen, but there are "
                f"{dataset.count}. Choose another one in the layer's properties."
            )
        heights = _with_heights(crs, dataset)
        yield Scene(
            crs=(flat := horizontal(crs)),
            transform=turned(dataset.transform, dataset.width, flat),
            width=dataset.width,
            height=dataset.height,
            role=role,
            name=str(dataset.origin or dataset.name),
            dataset=dataset,
            heights=heights,
            options=options,
            band=source.band,
        )


def _with_heights(crs: CRS, dataset: RasterFile) -> CRS | None:
    """Return the given CRS or the file's own, whichever has a vertical axis."""
    if len(crs.axis_info) > 2:
        return crs
    stored = dataset.crs
    own = read_crs(stored.to_wkt(), str(dataset.name)) if stored else None
    return own if own is not None and len(own.axis_info) > 2 else None


def _scales(transform: Affine, coarser: float) -> dict[str, str]:
    """Return GDAL's warp options for the width of the filter, if GDAL's choice is wrong.

    GDAL compares the numbers of rows and columns, which fails for a raster whose rows run from
    north to south.
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
    """Open `scene` warped to `grid`: 32-bit floats, NaN where there is no data.

    Args:
        scene: The raster.
        grid: The grid to warp to; windows are warped when they are read.
        resampling: None to average if the grid is coarser than the raster by more than
            `AVERAGE_FROM`, otherwise to interpolate bilinearly.
    """
    dataset = scene.dataset
    if any(kind.startswith("complex") for kind in dataset.dtypes):
        raise EngineError(
            f"{scene.role}: {scene.name} holds complex (SLC) values. Choose a raster of real "
            "values."
        )
    coarser = grid.cell_size / cell_size_under(scene, grid)
    require_memory(
        PIXEL_BYTES * min(coarser**2 * BLOCK_CELLS, dataset.width * dataset.height),
        f"{scene.role}: {scene.name}, with {coarser:.0f} times more pixels per side than cells,",
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
            UNIFIED_SRC_NODATA="NO",  # no data in each band by itself
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
