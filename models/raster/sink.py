"""GeoTIFFs as results: tiled, compressed, with band names and provenance."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import numpy.typing as npt
import rasterio
from rasterio.io import DatasetWriter

from glacier_qgis.models.raster.grid import Grid

BLOCK = 256


@contextmanager
def create_raster(
    path: Path | str,
    grid: Grid,
    *,
    dtype: str,
    nodata: float,
    bands: Sequence[str],
    tags: Mapping[str, str],
    unit: str = "",
) -> Iterator[DatasetWriter]:
    """Open a GeoTIFF on `grid` for writing window by window.

    Args:
        path: A staged path (see `Outputs.stage`), or GDAL's name of a file in memory.
        grid: The grid.
        dtype: GDAL's name of the data type.
        nodata: Value of cells without data.
        bands: A description for each band.
        tags: Provenance for the file's metadata.
        unit: Unit of the values.
    """
    with rasterio.open(
        path,
        "w",
        driver="GTiff",
        crs=grid.crs.to_wkt(),
        transform=grid.transform,
        height=grid.height,
        width=grid.width,
        count=len(bands),
        dtype=dtype,
        nodata=nodata,
        tiled=True,
        blockxsize=BLOCK,
        blockysize=BLOCK,
        compress="deflate",
        predictor=3 if dtype.startswith("float") else 2,
        bigtiff="if_safer",
        interleave="band",
    ) as target:
        target.descriptions = tuple(bands)
        target.units = (unit,) * len(bands)
        target.update_tags(**tags)
        yield target


def write_raster(
    path: Path,
    grid: Grid,
    values: npt.NDArray[np.generic],
    *,
    nodata: float,
    bands: Sequence[str],
    tags: Mapping[str, str],
    unit: str = "",
) -> None:
    """Write an array of shape (bands, rows, columns) as a GeoTIFF on `grid`."""
    with create_raster(
        path, grid, dtype=str(values.dtype), nodata=nodata, bands=bands, tags=tags, unit=unit
    ) as target:
        target.write(values)
