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
import numpy.typing as npt
import rasterio
import shapely
import xarray as xr
from affine import Affine
from pyogrio.errors import DataSourceError, FeatureError, FieldError
from pyproj import CRS
from rasterio.errors import RasterioError
from shapely import Geometry

from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.engine.job import Extent, Job, RasterInput, VectorInput
from glacier_qgis.models.raster.crs import read_crs

SIDEWAYS = (["x", "y"], ["lon", "lat"], ["longitude", "latitude"], ["easting", "northing"])
SIDES = ("xmin", "ymin", "xmax", "ymax")
WIDER = {np.dtype(bool): np.uint8, np.dtype(np.float16): np.float32}
"""What stands in a GeoTIFF for types that it does not know."""
LONGEST = 60
"""Characters of a name that go into the name of a file, of which systems take 255 bytes."""
ROW_NUMBER = "_row"
"""Name of the key column in a file, so that a column "fid" of the caller stays a column."""
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
        if isinstance(value, RasterInput | dict):
            return value
        if not isinstance(value, xr.DataArray):
            raise EngineError(
                f"{name.upper()} is of the type {type(value).__name__}: give the path of a raster, "
                "or an xarray.DataArray such as one variable of a Dataset."
            )
        label = str(value.name or name)
        path = self._path(label, ".tif")
        _write(value, name, path)
        return RasterInput(path=str(path), name=label)

    def _vector(self, name: str, value: object) -> object:
        if isinstance(value, str | os.PathLike):
            return VectorInput(path=os.fspath(value))
        if isinstance(value, gpd.GeoSeries):
            value = value.to_frame("geometry")
        if isinstance(value, VectorInput | dict):
            return value
        if not isinstance(value, gpd.GeoDataFrame):
            raise EngineError(
                f"{name.upper()} is of the type {type(value).__name__}: give the path of a layer, "
                "a GeoDataFrame or a GeoSeries."
            )
        if value.crs is None:
            raise EngineError(
                f"{name.upper()} has no coordinate reference system: set it with `set_crs`."
            )
        path = self._path(name, ".gpkg")
        _write_layer(value, name, path)
        return VectorInput(path=str(path), name=name)

    def _path(self, label: str, suffix: str) -> Path:
        folder = self._folder / f"input-{next(self._number)}"
        folder.mkdir()
        safe = "".join(sign if sign.isalnum() or sign in "-_." else "_" for sign in label)
        return folder / f"{safe[:LONGEST]}{suffix}"


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
                return read_crs(file.crs, str(value)) if file.crs else None
    return None


def _array_crs(array: xr.DataArray) -> CRS | None:
    """Return the CRS that a grid mapping of an array states (CF conventions, section 5.6)."""
    attributes = [coordinate.attrs for coordinate in array.coords.values()]
    stated = [each.get("crs_wkt") or each.get("spatial_ref") for each in attributes]
    crs = next(filter(None, stated), array.attrs.get("crs"))
    try:
        return read_crs(crs, "array") if crs else None
    except EngineError as error:
        raise EngineError(f"The CRS of an array is not understood: {error.__cause__}") from error


def _extent(value: object, rasters: Sequence[object]) -> object:
    """Return a rectangle out of its west, south, east and north, or around what is drawn.

    Numbers are in the CRS of the first of `rasters` that has one.

    Raises:
        EngineError: It is no rectangle, or no CRS is known.
    """
    crs = None
    if isinstance(value, gpd.GeoDataFrame | gpd.GeoSeries):
        crs, value = value.crs, value.total_bounds
    elif isinstance(value, Geometry):
        value = shapely.bounds(value)
    if isinstance(value, Extent | dict):
        return value
    if not isinstance(value, tuple | list | np.ndarray) or len(value) != len(SIDES):
        raise EngineError(
            f"EXTENT is {value!r}: give (west, south, east, north), a geometry or a GeoDataFrame."
        )
    crs = crs or _raster_crs(rasters)
    if crs is None:
        raise EngineError(
            "EXTENT: the CRS of the rectangle is not known. Give a GeoDataFrame with a CRS, or a "
            "dictionary with xmin, ymin, xmax, ymax and crs."
        )
    return {**dict(zip(SIDES, value, strict=True)), "crs": crs.to_wkt()}


def _write_layer(layer: gpd.GeoDataFrame, name: str, path: Path) -> None:
    """Write a layer with its one active geometry as a GeoPackage.

    Raises:
        EngineError: A column is of a type, or has a name, that a GeoPackage does not hold.
    """
    further = layer.columns[layer.dtypes == "geometry"].drop(layer.geometry.name)
    plain = layer.drop(columns=further).rename(columns=str)
    try:
        plain.to_file(path, layer=name, FID=ROW_NUMBER)
    except (FeatureError, FieldError, DataSourceError) as error:
        raise EngineError(
            f"{name.upper()}: {error}. Rename or drop the column that is not needed."
        ) from error


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
    if array.ndim not in (2, 3) or _several_times(array):
        raise EngineError(
            f"{name.upper()}: the array has the dimensions {array.dims}: choose one time or layer, "
            "so that (y, x) or (band, y, x) is left."
        )
    rows_last = _rows_before_columns(array)
    north_up = rows_last.sortby(rows_last.dims[-2], ascending=False).sortby(rows_last.dims[-1])
    cells, no_data = _as_stored(north_up, name)
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
        nodata=no_data,
        bigtiff="if_safer",
    ) as file:
        file.write(cells)


def _several_times(array: xr.DataArray) -> bool:
    """Return whether the first of three dimensions is time, of which a raster shows one moment."""
    first = array.dims[0]
    if array.ndim == 2 or array.sizes[first] == 1:
        return False
    return first == "time" or np.issubdtype(array[first].dtype, np.datetime64)


def _rows_before_columns(array: xr.DataArray) -> xr.DataArray:
    """Return an array of (x, y), as its names or CF's attribute `axis` tell, as one of (y, x)."""
    *bands, rows, columns = array.dims
    axes = [array[each].attrs.get("axis", str(each)).lower() for each in (rows, columns)]
    return array.transpose(*bands, columns, rows) if axes in SIDEWAYS else array


def _as_stored(array: xr.DataArray, name: str) -> tuple[npt.NDArray[np.generic], float | None]:
    """Return numbers of shape (bands, rows, columns) as a GeoTIFF holds them, and its no data.

    Raises:
        EngineError: They are not numbers.
    """
    cells = array.to_numpy()
    if cells.dtype in WIDER:
        cells = cells.astype(WIDER[cells.dtype])
    if not np.issubdtype(cells.dtype, np.number):
        raise EngineError(
            f"{name.upper()}: the array holds values of the type {cells.dtype}. Convert it to "
            "numbers with `astype`."
        )
    cells = cells.reshape(-1, *cells.shape[-2:])
    fill = array.attrs.get("_FillValue", array.attrs.get("missing_value"))
    if not np.issubdtype(cells.dtype, np.integer):
        return (cells if fill is None else np.where(cells == fill, math.nan, cells)), math.nan
    limits = np.iinfo(cells.dtype)
    if fill is None or not limits.min <= fill <= limits.max:
        return cells, None
    return cells, float(fill)


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
