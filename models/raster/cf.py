"""The grid of a NetCDF file after the CF conventions."""

from __future__ import annotations

import math
import warnings
from typing import Any

import netCDF4
from affine import Affine
from pyproj import CRS

from glacier_qgis.models.raster.grid import Grid

MAPPING = "crs"
"""Name of the variable that says where the grid lies."""


def write_grid(file: netCDF4.Dataset, grid: Grid) -> None:
    """Create the dimensions y and x, their coordinates, and the grid mapping."""
    for name, values in (("y", grid.y), ("x", grid.x)):
        file.createDimension(name, len(values))
        axis = file.createVariable(name, "f8", (name,))
        axis.setncatts(axis_attributes(name))
        axis[:] = values
    mapping = file.createVariable(MAPPING, "i4", ())
    mapping.setncatts(mapping_attributes(grid.crs, grid.transform))


def read_grid(mapping: Any, shape: tuple[int, int]) -> Grid:  # noqa: ANN401  netCDF4 publishes no type
    """Return the grid that :func:`write_grid` wrote, from its mapping; `shape` is (rows, columns).

    Raises:
        AttributeError: The variable is no such mapping.
        ValueError: Its attributes are damaged.
    """
    numbers = [float(word) for word in mapping.GeoTransform.split()]
    return Grid(CRS.from_wkt(mapping.spatial_ref), Affine.from_gdal(*numbers), *shape)


def axis_attributes(name: str) -> dict[str, str]:
    """Return what CF says of the axis x or y."""
    return {
        "standard_name": f"projection_{name}_coordinate",
        "long_name": f"{name} coordinate of the cell centre",
        "units": "m",
        "axis": name.upper(),
    }


def mapping_attributes(crs: CRS, transform: Affine) -> dict[str, Any]:
    """Return where a grid lies, for CF readers and, by the last two, for GDAL.

    CF's parameters cannot describe some projections fully, and pyproj warns; ``crs_wkt``, which has
    priority, can.
    """
    with warnings.catch_warnings(action="ignore", category=UserWarning):
        attributes = crs.to_cf()
    if "standard_parallel" in attributes and "polar" in attributes["grid_mapping_name"]:
        pole = math.copysign(90.0, attributes["standard_parallel"])
        attributes["latitude_of_projection_origin"] = pole  # CF requires it, pyproj leaves it out
    place = " ".join(repr(float(value)) for value in transform.to_gdal())
    return {**attributes, "spatial_ref": crs.to_wkt(), "GeoTransform": place}
