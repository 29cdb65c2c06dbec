"""Raster files: opened with a list of allowed formats; damage is reported with its place."""

from __future__ import annotations

import io
import math
import os
import re
import warnings
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from rasterio.env import ensure_env
from rasterio.errors import CRSError, RasterioError
from rasterio.io import DatasetReader
from rasterio.vrt import WarpedVRT
from rasterio.warp import transform_bounds
from rasterio.windows import Window, from_bounds
from scipy.io import netcdf_file

from glacier_qgis.models.compute.memory import require_memory
from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.gdal.confine import ALLOWED_ADDRESS, NO_LISTING
from glacier_qgis.models.gdal.hdf5 import check_self_contained
from glacier_qgis.models.gdal.vrt import check_mosaic, describes_others, local_file

FORMATS = (
    *("GTiff", "COG", "netCDF", "HDF5", "HDF5Image", "GRIB", "Zarr", "HDF4", "HDF4Image"),
    *("JP2OpenJPEG", "JP2ECW", "JP2KAK", "JP2MrSID", "ECW", "MrSID", "JPEG", "PNG", "WEBP", "BMP"),
    *("GIF", "BIGGIF", "AVIF", "JPEGXL", "HFA", "ENVI", "EHdr", "ERS", "RST", "SAGA", "ILWIS"),
    *("AAIGrid", "AIG", "GSAG", "GSBG", "GS7BG", "GRASSASCIIGrid", "XYZ", "PCRaster", "RRASTER"),
    *("GPKG", "MBTiles", "Rasterlite", "SQLite", "OpenFileGDB", "KEA", "BAG", "PCIDSK", "BT"),
    *("NITF", "SRTMHGT", "DTED", "USGSDEM", "TIL", "DIMAP", "SENTINEL2", "SAFE", "RS2", "TSX"),
    *("COSAR", "CEOS", "SAR_CEOS", "AirSAR", "JAXAPALSAR", "ESAT", "FAST", "MSGN", "L1B", "NDF"),
    *("ROI_PAC", "ISCE", "GFF", "PDS", "PDS4", "ISIS2", "ISIS3", "VICAR", "ACE2", "SNODAS", "GTX"),
    *(
        "NTv2",
        "LCP",
        "MFF",
        "MFF2",
        "PAux",
        "PNM",
        "PRF",
        "RIK",
        "RMF",
        "SGI",
        "SIGDEM",
        "Leveller",
    ),
)
"""GDAL drivers whose files contain their data themselves."""
VIRTUAL = "VRT"
AS_NUMPY = {"complex_int16": "complex64"}
"""NumPy types for GDAL types that NumPy lacks."""
NETCDF_3 = (b"CDF\x01", b"CDF\x02")
SCAN = 1024
"""Edge of the windows in which damage is located."""
_REMOTE = re.compile(r"^(/vsi(curl|s3|gs|az|adls|oss|swift|webhdfs|hdfs)|(https?|ftp|s3|gs)://)")
_SCHEME = re.compile(r"^(https?|ftp)://")


class RasterFile(DatasetReader):  # type: ignore[misc]  # rasterio publishes no types
    """An open raster that reports where it is damaged.

    Attributes:
        shown: Its name for messages, with the parameter's name.
        origin: The file behind it, if it is a virtual raster of this software.
    """

    shown: str = ""
    origin: str = ""

    def read(self, *arguments: object, **options: object) -> Any:  # noqa: ANN401  # an array of any type
        """Read as rasterio does.

        Raises:
            EngineError: A block of the file cannot be read, or there is not enough memory.
        """
        _check_memory(self, self.shown, arguments, options)
        try:
            return super().read(*arguments, **options)
        except RasterioError as error:
            window = options.get("window") or Window(0, 0, self.width, self.height)
            raise self.damage(error, window) from error

    def damage(self, error: Exception, window: Window) -> EngineError:
        """Return the message for a window that could not be read."""
        place = self._first_damage(window)
        where = f" in {place}" if place else ""
        return EngineError(
            f"{self.shown} is damaged{where} ({reason(error)}). Copy or download the file again, "
            "or choose an EXTENT without that part."
        )

    def _first_damage(self, window: Window) -> str:
        for band in self.indexes:
            for part in _parts(window, SCAN):
                if not self._readable(band, part):
                    return _describe(band, self._narrowed(band, part))
        return ""

    def _narrowed(self, band: int, window: Window) -> Window:
        """Halve a window that cannot be read until it is no larger than a block of the file."""
        rows, columns = self.block_shapes[band - 1]
        while window.height > rows or window.width > columns:
            edge = -(-max(window.height, window.width) // 2)
            broken = (part for part in _parts(window, edge) if not self._readable(band, part))
            window, before = next(broken, window), window
            if window == before:
                return window
        top, left = window.row_off // rows * rows, window.col_off // columns * columns
        return Window(left, top, min(columns, self.width - left), min(rows, self.height - top))

    def _readable(self, band: int, window: Window) -> bool:
        try:
            super().read(band, window=window)
        except RasterioError:
            return False
        return True


class RasterView(WarpedVRT):  # type: ignore[misc]  # rasterio publishes no types
    """A raster file warped to another grid; reports where the file is damaged."""

    def read(self, *arguments: object, **options: object) -> Any:  # noqa: ANN401  # an array of any type
        """Read as rasterio does.

        Raises:
            EngineError: A block of the file cannot be read, or there is not enough memory.
        """
        _check_memory(self, self.src_dataset.shown, arguments, options)
        try:
            return super().read(*arguments, **options)
        except RasterioError as error:
            raise self.src_dataset.damage(error, self._seen(options.get("window"))) from error

    def _seen(self, window: Window | None) -> Window:
        """Return the pixels of the file that lie under a window."""
        file = self.src_dataset
        whole = Window(0, 0, file.width, file.height)
        transform = file.transform
        if window is None or transform.b or transform.d:
            return whole
        box = transform_bounds(self.crs, self.src_crs, *self.window_bounds(window))
        seen = from_bounds(*box, transform=transform).round_offsets().round_lengths(op="ceil")
        return seen.intersection(whole) if rasterio.windows.intersect(seen, whole) else whole


@contextmanager
def open_file(
    path: str, shown: str, options: Mapping[str, str] | None = None
) -> Iterator[RasterFile]:
    """Open a raster from QGIS: a file, a part of one, or an address that the user gave.

    Args:
        path: GDAL's name of the raster.
        shown: Its name for messages, with the parameter's name.
        options: GDAL's open options.

    Raises:
        EngineError: It is not a raster of an allowed format, is damaged, or refers to other places.
    """
    file = Path(path)
    formats = [*FORMATS]
    if file.suffix.lower() == ".vrt" and file.is_file():
        check_mosaic(file, shown)
        formats = [VIRTUAL]
    elif describes_others(file):
        raise EngineError(
            f"{shown} was not opened: it is a description of other rasters or of a network "
            "service. Save the part that you need as GeoTIFF (Export > Save As) and use that."
        )
    check_self_contained(local_file(path), shown)
    _check_length(local_file(path), shown)
    try:
        with _address(path), _opened(path, formats, options or {}) as dataset:
            dataset.shown = shown
            yield dataset
    except _NotOpened as error:
        raise EngineError(
            f"{shown} cannot be opened as a raster ({error}). It is damaged, or the engine does "
            "not support its format: copy or download it again, or save it as GeoTIFF in QGIS."
        ) from error


def open_virtual(text: str, file: RasterFile) -> RasterFile:
    """Open the XML of a virtual raster of `file`, which replaces it."""
    view = _opened(text, [VIRTUAL], {})
    view.shown, view.origin = file.shown, file.origin or file.name
    return view


class _NotOpened(Exception):  # noqa: N818  # never leaves this file
    """GDAL could not open a file."""


def _opened(path: str, formats: list[str], options: Mapping[str, str]) -> RasterFile:
    try:
        file: RasterFile = ensure_env(RasterFile)(path, driver=formats, **options)
    except (RasterioError, CRSError, ValueError) as error:
        raise _NotOpened(reason(error)) from error
    return file


class _Bounded(io.FileIO):
    """A file that refuses reads beyond its size, so that no memory is allocated for them."""

    def read(self, size: int | None = -1, /) -> bytes:
        """Read as files do.

        Raises:
            ValueError: The file is smaller.
        """
        if size is not None and size > os.fstat(self.fileno()).st_size:
            raise ValueError(f"{size} bytes in one piece")
        return super().read(size)


def _check_length(path: Path, shown: str) -> None:
    """Refuse a truncated NetCDF 3 file: the library would read zeros beyond its end."""
    try:
        with path.open("rb") as file:
            classic = file.read(4) in NETCDF_3
    except OSError:
        return
    if not classic:
        return
    try:
        with warnings.catch_warnings(action="ignore"):
            netcdf_file(_Bounded(path), mmap=True).close()
    except (ValueError, TypeError, LookupError, OverflowError, OSError) as error:
        raise EngineError(f"{shown} is truncated ({error}). Copy or download it again.") from error


def _address(path: str) -> AbstractContextManager[object]:
    """Allow GDAL to open the address that the user gave, and no other."""
    settings: AbstractContextManager[object] = nullcontext()
    if _REMOTE.match(path):
        address = {ALLOWED_ADDRESS: _SCHEME.sub(r"/vsicurl/\g<0>", path)}
        settings = rasterio.Env(**address, **{NO_LISTING: "EMPTY_DIR"})
    return settings


def _check_memory(
    raster: DatasetReader, shown: str, arguments: tuple[Any, ...], options: Mapping[str, Any]
) -> None:
    """Refuse to read more than fits in memory."""
    shape = options.get("out_shape")
    if shape is None:
        window = options.get("window")
        cells = (window.height * window.width) if window else raster.height * raster.width
    else:
        cells = math.prod(shape[-2:])
    asked = arguments[0] if arguments else options.get("indexes")
    bands = 1 if isinstance(asked, int) else len(asked or raster.indexes)
    sizes = (np.dtype(AS_NUMPY.get(kind, kind)).itemsize for kind in raster.dtypes)
    require_memory(
        bands * cells * max(sizes),
        f"{shown}: {bands} band(s) of {cells:.4g} cells",
        "Choose a smaller EXTENT or larger cells (CELL_SIZE or RESOLUTION)",
    )


def reason(error: BaseException) -> str:
    """Return GDAL's error message, which is the cause of rasterio's."""
    while error.__cause__ is not None:
        error = error.__cause__
    return str(error).strip().rstrip(".") or type(error).__name__


def _parts(window: Window, edge: int) -> Iterator[Window]:
    bottom, right = window.row_off + window.height, window.col_off + window.width
    for row in range(int(window.row_off), int(bottom), edge):
        for column in range(int(window.col_off), int(right), edge):
            yield Window(column, row, min(edge, right - column), min(edge, bottom - row))


def _describe(band: int, window: Window) -> str:
    return (
        f"band {band}, rows {window.row_off} to {window.row_off + window.height - 1}, columns "
        f"{window.col_off} to {window.col_off + window.width - 1}"
    )
