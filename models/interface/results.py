"""What a job wrote, as objects in memory."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import rasterio
import xarray as xr
from pyproj import CRS
from rasterio.io import DatasetReader

from glacier_qgis.models.engine.events import JsonValue, Result
from glacier_qgis.models.raster.cf import MAPPING, axis_attributes, mapping_attributes

CONVENTIONS = "CF-1.10"
UNITS = {"m/a": "m year-1"}
"""Units as UDUNITS, which CF names, spells them."""
TEXTS = {"reason"}
"""Results that are sentences, not files."""


def frame(path: Path, result: Result) -> gpd.GeoDataFrame:
    """Read a layer; the job's numbers are in its `attrs`."""
    layer = gpd.read_file(path)
    layer.attrs.update(numbers(result))
    return layer


def dataset(paths: Mapping[str, Path], result: Result, bands: str = "band") -> xr.Dataset:
    """Read rasters of one grid after the CF conventions.

    Args:
        paths: A file for each variable.
        result: The job's numbers go into the attributes.
        bands: Name of the dimension of rasters with several bands, whose descriptions are its
            coordinates.

    Returns:
        Variables of shape (y, x) or (`bands`, y, x). The CRS is the coordinate `crs`.
    """
    fields = {}
    attributes: dict[str, object] = {"Conventions": CONVENTIONS}
    for name, path in paths.items():
        with rasterio.open(path) as file:
            fields[name] = _field(file, name, bands)
            attributes["source"] = file.tags().get("SOFTWARE", "")
            attributes["history"] = " ".join(
                file.tags().get(tag, "") for tag in ("CREATED", "ALGORITHM")
            )
    return xr.Dataset(fields, attrs=attributes | numbers(result))


def numbers(result: Result) -> dict[str, JsonValue]:
    """Return what a job found besides files, named in lower case."""
    named = {name.lower(): value for name, value in result.items()}
    return {
        name: value
        for name, value in named.items()
        if isinstance(value, int | float) or name in TEXTS
    }


def _field(file: DatasetReader, name: str, bands: str) -> xr.DataArray:
    """Return the values of a raster; those without data are NaN if they are no integers."""
    place = file.transform
    y = place.f + place.e * (np.arange(file.height) + 0.5)
    x = place.c + place.a * (np.arange(file.width) + 0.5)
    mapping = mapping_attributes(CRS.from_wkt(file.crs.to_wkt()), place)
    array = xr.DataArray(
        _cells(file),
        {
            bands: list(file.descriptions),
            "y": ("y", y, axis_attributes("y")),
            "x": ("x", x, axis_attributes("x")),
            MAPPING: ((), np.int32(0), mapping),
        },
        (bands, "y", "x"),
    )
    array.attrs = {"long_name": file.descriptions[0] or name, "grid_mapping": MAPPING}
    if unit := file.units[0]:
        array.attrs["units"] = UNITS.get(unit, unit)
    return array if file.count > 1 else array.isel({bands: 0}, drop=True)


def _cells(file: DatasetReader) -> npt.NDArray[np.generic]:
    """Return what the numbers in a raster stand for, of shape (bands, rows, columns)."""
    stored: npt.NDArray[np.generic] = file.read()
    if file.scales[0] == 1:
        return stored
    values: npt.NDArray[np.float32] = (stored * file.scales[0]).astype(np.float32)
    values[stored == file.nodata] = np.nan
    return values
