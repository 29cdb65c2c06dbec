"""Paths and objects in memory as the inputs of a job."""

from __future__ import annotations

import math
import os
from collections.abc import Hashable, Mapping, Sequence
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import get_args

import geopandas as gpd
import numpy as np
import rasterio
import shapely
import xarray as xr
from affine import Affine
from pyproj import CRS
from rasterio.errors import RasterioError
from shapely import Geometry

from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.engine.job import Extent, Job, RasterInput, VectorInput

SIDES = ("xmin", "ymin", "xmax", "ymax")
UNEVEN = 1e-3
"""Share of a cell by which coordinates may be off from a regular grid."""
Raster = str | os.PathLike[str] | xr.DataArray
"""A file, or an array with the dimensions y and x (before them, bands) and a CRS."""
Vector = str | os.PathLike[str] | gpd.GeoDataFrame | gpd.GeoSeries
"""A file, or a layer in memory."""


class GivenValues:
    """Turns values that a caller gives into those of a job; what is in memory is written down."""

    def __init__(self, folder: Path) -> None:
        """Begin.

        Args:
            folder: For files of objects in memory.
        """
        self._folder = folder
        self._number = count(1)

    def of(self, job: type[Job], values: Mapping[str, object]) -> dict[str, object]:
        """Return parameters for `job` out of the values of the same names.

        Raises:
            EngineError: An object has no CRS, or is no regular north-up grid.
        """
        kinds = {name: _kinds(job, name) for name in values}
        rasters = [values[name] for name in values if RasterInput in kinds[name]]
        return {
            name: None if value is None else self._converted(name, value, kinds[name], rasters)
            for name, value in values.items()
        }

    def _converted(
        self, name: str, value: object, kinds: set[object], rasters: Sequence[object]
    ) -> object:
        if RasterInput in kinds:
            if isinstance(value, list | tuple):
                return tuple(self._raster(name, each) for each in value)
            return self._raster(name, value)
        if VectorInput in kinds:
            return self._vector(name, value)
        return _extent(value, rasters) if Extent in kinds else value

    def _raster(self, name: str, value: object) -> object:
        if isinstance(value, str | os.PathLike):
            return RasterInput(path=os.fspath(value))
        if not isinstance(value, xr.DataArray):
            return value
        label = str(value.name or name)
        path = self._path(label, ".tif")
        _write(value, name, path)
        return RasterInput(path=str(path), name=label)

    def _vector(self, name: str, value: object) -> object:
        if isinstance(value, str | os.PathLike):
            return VectorInput(path=os.fspath(value))
        if isinstance(value, gpd.GeoSeries):
            value = value.to_frame("geometry")
        if not isinstance(value, gpd.GeoDataFrame):
            return value
        if value.crs is None:
            raise EngineError(
                f"{name.upper()} has no coordinate reference system: set it with `set_crs`."
            )
        path = self._path(name, ".gpkg")
        value.to_file(path, layer=name)
        return VectorInput(path=str(path), name=name)

    def _path(self, label: str, suffix: str) -> Path:
        folder = self._folder / f"input-{next(self._number)}"
        folder.mkdir()
        safe = "".join(sign if sign.isalnum() or sign in "-_." else "_" for sign in label)
        return folder / f"{safe}{suffix}"


def _kinds(job: type[Job], name: str) -> set[object]:
    """Return the types that a parameter of a job takes; none for a name that it does not know."""
    field = job.model_fields.get(name)
    return set() if field is None else {field.annotation, *_parts(field.annotation)}


def _parts(annotation: object) -> set[object]:
    inside = get_args(annotation)
    return {*inside, *(part for each in inside for part in _parts(each))}


def _raster_crs(value: object) -> CRS | None:
    """Return the CRS of a raster in a file or in memory, or of the first of several."""
    match value:
        case list() | tuple():
            return next((crs for each in value if (crs := _raster_crs(each))), None)
        case xr.DataArray():
            return _array_crs(value)
        case str() | os.PathLike():
            with suppress(RasterioError), rasterio.open(value) as file:
                return CRS.from_user_input(file.crs) if file.crs else None
    return None


def _array_crs(array: xr.DataArray) -> CRS | None:
    """Return the CRS that a grid mapping of an array states (CF conventions, section 5.6)."""
    for coordinate in array.coords.values():
        wkt = coordinate.attrs.get("crs_wkt") or coordinate.attrs.get("spatial_ref")
        if wkt:
            return CRS.from_wkt(wkt)
    stated = array.attrs.get("crs")
    return CRS.from_user_input(stated) if stated else None


def _extent(value: object, rasters: Sequence[object]) -> object:
    """Return a rectangle out of its west, south, east and north, or around what is drawn.

    Numbers are in the CRS of the first of `rasters` that has one.

    Raises:
        EngineError: No CRS is known.
    """
    crs = None
    if isinstance(value, gpd.GeoDataFrame | gpd.GeoSeries):
        crs, value = value.crs, value.total_bounds
    elif isinstance(value, Geometry):
        value = shapely.bounds(value)
    if not isinstance(value, tuple | list | np.ndarray) or len(value) != len(SIDES):
        return value
    crs = crs or _raster_crs(rasters)
    if crs is None:
        raise EngineError(
            "EXTENT: the CRS of the rectangle is not known. Give a GeoDataFrame with a CRS, or a "
            "dictionary with xmin, ymin, xmax, ymax and crs."
        )
    return {**dict(zip(SIDES, map(float, value), strict=True)), "crs": crs.to_wkt()}


def _write(array: xr.DataArray, name: str, path: Path) -> None:
    """Write an array as a GeoTIFF, the north at the top.

    Raises:
        EngineError: It has no CRS, or is no regular grid of y and x.
    """
    crs = _array_crs(array)
    if crs is None:
        raise EngineError(
            f"{name.upper()}: the array has no coordinate reference system. Open the file with "
            "`decode_coords='all'`, or set `attrs['crs']`, as to 'EPSG:32622'."
        )
    if array.ndim not in (2, 3):
        raise EngineError(
            f"{name.upper()}: the array has the dimensions {array.dims}: choose one time or layer, "
            "so that (y, x) or (band, y, x) is left."
        )
    north_up = array.sortby(array.dims[-2], ascending=False).sortby(array.dims[-1])
    cells = north_up.to_numpy()
    cells = cells[np.newaxis] if cells.ndim == 2 else cells
    top, height = _axis(north_up, north_up.dims[-2], name)
    left, width = _axis(north_up, north_up.dims[-1], name)
    with rasterio.open(
        path,
        "w",
        driver="GTiff",
        crs=crs.to_wkt(),
        transform=Affine(width, 0, left, 0, height, top),
        height=cells.shape[1],
        width=cells.shape[2],
        count=len(cells),
        dtype=cells.dtype,
        nodata=math.nan if np.issubdtype(cells.dtype, np.floating) else None,
        bigtiff="if_safer",
    ) as file:
        file.write(cells)


def _axis(array: xr.DataArray, dimension: Hashable, name: str) -> tuple[float, float]:
    """Return where the first cell of an axis begins, and the width of a cell with its sign.

    Raises:
        EngineError: The cells have no coordinates, or uneven ones.
    """
    stated = array[dimension].to_numpy() if dimension in array.coords else np.empty(0)
    centres = stated.astype(np.float64)
    steps = np.diff(centres)
    if not len(steps) or np.ptp(steps) > UNEVEN * abs(steps[0]):
        raise EngineError(
            f"{name.upper()}: the array has no evenly spaced coordinates along '{dimension}'. "
            "Interpolate it to a regular grid."
        )
    step = float(steps.mean())
    return float(centres[0]) - step / 2, step
