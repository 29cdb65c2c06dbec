"""Where the numbers of another model's output lie: on a grid, or on the nodes of a mesh."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

import netCDF4
import numpy as np
from affine import Affine
from pyproj import CRS
from pyproj.exceptions import CRSError
from rasterio.features import rasterize
from scipy.interpolate import LinearNDInterpolator
from scipy.spatial import Delaunay
from shapely import Polygon

from glacier_qgis.models.compute.arrays import Float64Array, Mask
from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.iceflow.snapshots.units import convert, parse_unit, unit
from glacier_qgis.models.raster.crs import horizontal, in_metres, read_crs
from glacier_qgis.models.raster.grid import Grid

Variable: TypeAlias = Any
"""One of netCDF4, which publishes no type of it that mypy follows."""
CRS_ROLE = "MODEL_CRS"
EVEN = 1e-3
"""Share of a cell by which distances between the centres of cells may differ."""
AXES = {"x": ("x", "x1", "easting"), "y": ("y", "y1", "northing")}
STATED = ("crs_wkt", "spatial_ref", "proj_params", "proj4", "proj", "projection", "pyproj_srs")
"""Attributes in which files state their CRS."""


class Place(Protocol):
    """Brings fields to the grid that they are wanted on."""

    @property
    def grid(self) -> Grid:
        """North-up."""

    @property
    def dimensions(self) -> tuple[str, ...]:
        """Of the fields, those that are not along the states."""

    def placed(self, values: Float64Array) -> Float64Array:
        """Return a field on the grid, NaN where it is not known; its axes are `dimensions`."""


@dataclass(frozen=True)
class OnGrid:
    """Fields on a regular grid, whose axes may run either way."""

    grid: Grid
    dimensions: tuple[str, str]
    northwards: bool
    westwards: bool

    def placed(self, values: Float64Array) -> Float64Array:
        """See :class:`Place`; `dimensions` are y and x."""
        rows = values[::-1] if self.northwards else values
        return rows[:, ::-1] if self.westwards else rows


@dataclass(frozen=True)
class OnMesh:
    """Fields on the nodes of a mesh of triangles, linear between them."""

    grid: Grid
    dimensions: tuple[str]
    triangles: Delaunay
    inside: Mask

    def placed(self, values: Float64Array) -> Float64Array:
        """See :class:`Place`."""
        x, y = np.meshgrid(self.grid.x, self.grid.y)
        found = LinearNDInterpolator(self.triangles, values)(x, y)
        return np.where(self.inside, found, np.nan)


def place_of(file: netCDF4.Dataset, name: str, crs: str | None, cell_size: float) -> Place:
    """Return where a variable's numbers lie.

    Args:
        file: of another model.
        name: of the variable.
        crs: CRS of its coordinates, where the file does not say it.
        cell_size: of the grid for a mesh, m.

    Raises:
        EngineError: Neither grid nor mesh is there, cells are no squares, or no CRS is known.
    """
    variable = file[name]
    axes = {axis: _axis(file, variable.dimensions, axis) for axis in AXES}
    system = _crs(file, variable, crs)
    if axes["x"] and axes["y"]:
        return _on_grid(file, axes["y"], axes["x"], system)
    return _on_mesh(file, variable, system, cell_size)


def _axis(file: netCDF4.Dataset, dimensions: Iterable[str], axis: str) -> str | None:
    """Return which of a variable's dimensions is an axis of the map."""
    for name in dimensions:
        if name not in file.variables or file[name].dimensions != (name,):
            continue
        coordinate = file[name]
        standard = getattr(coordinate, "standard_name", "")
        if (
            standard == f"projection_{axis}_coordinate"
            or getattr(coordinate, "axis", "").lower() == axis
            or name.lower() in AXES[axis]
        ):
            return name
    return None


def _on_grid(file: netCDF4.Dataset, rows: str, columns: str, crs: CRS) -> OnGrid:
    x, y = _metres(file, columns), _metres(file, rows)
    steps = _step(x, columns), _step(y, rows)
    size = abs(steps[0])
    if abs(abs(steps[1]) - size) > EVEN * size:
        raise EngineError(
            f"The cells of {file.filepath()} are {size:g} × {abs(steps[1]):g} m. Training "
            "snapshots need squares: regrid the file first, such as with CDO."
        )
    corner = float(x.min()) - size / 2, float(y.max()) + size / 2
    transform = Affine(size, 0.0, corner[0], 0.0, -size, corner[1])
    grid = Grid(crs, transform, len(y), len(x))
    return OnGrid(grid, (rows, columns), northwards=steps[1] > 0, westwards=steps[0] < 0)


def _step(values: Float64Array, name: str) -> float:
    """Return the distance between centres, m, negative where they fall.

    Coordinates in single precision are rounded, by half a metre in the northings of UTM.
    """
    rounding = float(np.spacing(np.float32(np.abs(values).max())))
    count = len(values) - 1
    step = float(values[-1] - values[0]) / count if count else 0.0
    apart = np.abs(values - (values[0] + step * np.arange(len(values)))).max()
    if not step or apart > EVEN * abs(step) + rounding:
        raise EngineError(
            f"The coordinate {name} is not evenly spaced. Regrid the file first, such as with CDO."
        )
    round_step = float(f"{step:.4g}")
    return round_step if abs(round_step - step) * count <= 2 * rounding else step


def _on_mesh(file: netCDF4.Dataset, variable: Variable, crs: CRS, size: float) -> OnMesh:
    (along,) = variable.dimensions[-1:] or ("",)
    x, y = (_node_coordinate(file, variable, along, axis) for axis in AXES)
    west, north = np.floor(x.min() / size) * size, np.ceil(y.max() / size) * size
    columns, rows = (int(np.ceil(extent / size)) for extent in (x.max() - west, north - y.min()))
    transform = Affine(size, 0.0, float(west), 0.0, -size, float(north))
    grid = Grid(crs, transform, rows, columns)
    return OnMesh(grid, (along,), Delaunay(np.stack([x, y], 1)), _covered(file, x, y, grid))


def _node_coordinate(
    file: netCDF4.Dataset, variable: Variable, along: str, axis: str
) -> Float64Array:
    """Return a coordinate of a mesh's nodes, m.

    Raises:
        EngineError: There is none.
    """
    listed = getattr(variable, "coordinates", "").split()
    candidates = [*listed, *(name for name in file.variables if name not in listed)]
    for name in candidates:
        if name in file.variables and file[name].dimensions == (along,):
            standard = getattr(file[name], "standard_name", "")
            named = name.lower() == axis or name.lower().endswith(f"_{axis}")
            if standard == f"projection_{axis}_coordinate" or (named and not standard):
                return _metres(file, name)
    raise EngineError(
        f"{variable.name} of {file.filepath()} has the dimensions {', '.join(variable.dimensions)},"
        f" and no coordinate {axis} in metres goes with them. Give a file with the dimensions y "
        "and x, or with the nodes of a mesh and their projected coordinates (UGRID)."
    )


def _covered(file: netCDF4.Dataset, x: Float64Array, y: Float64Array, grid: Grid) -> Mask:
    """Return which cells a mesh covers; all where the file does not tell its faces."""
    for variable in file.variables.values():
        if getattr(variable, "cf_role", "") == "face_node_connectivity":
            faces = np.ma.filled(variable[:], -1).astype(int) - int(
                getattr(variable, "start_index", 0)
            )
            whole = faces[(faces >= 0).all(axis=1)]
            shapes = [Polygon(corners) for corners in np.stack([x[whole], y[whole]], axis=-1)]
            burnt = rasterize(
                [(shape, 1) for shape in shapes],
                out_shape=grid.shape,
                transform=grid.transform,
                dtype="uint8",
            )
            return np.asarray(burnt == 1)
    return np.ones(grid.shape, dtype=bool)


def _metres(file: netCDF4.Dataset, name: str) -> Float64Array:
    """Return a coordinate in m; metres are assumed where the file states no unit.

    Raises:
        EngineError: It is in degrees, or another unit of no length.
    """
    stated = getattr(file[name], "units", "") or "m"
    source = parse_unit(stated)
    factor = None if source is None else convert(source, unit("m"))
    if factor is None:
        raise EngineError(
            f"The coordinate {name} of {file.filepath()} is in {stated!r}, and metres are needed. "
            "Project the file to a metric CRS first."
        )
    return np.asarray(np.ma.filled(file[name][:], np.nan), dtype=np.float64) * factor


def _crs(file: netCDF4.Dataset, variable: Variable, given: str | None) -> CRS:
    """Return the CRS of the coordinates.

    Raises:
        EngineError: Nothing tells it, or it is none in metres.
    """
    mapping = getattr(variable, "grid_mapping", "")
    holders = [file[mapping]] if mapping in file.variables else []
    holders += [file[name] for name in ("mapping", "crs") if name in file.variables]
    stated = next(filter(None, (_stated_crs(holder) for holder in [*holders, file])), None)
    crs = read_crs(given, CRS_ROLE) if given else stated
    if crs is None:
        raise EngineError(
            f"{file.filepath()} does not say which CRS its coordinates are in: give {CRS_ROLE}."
        )
    crs = horizontal(crs)
    if not in_metres(crs):
        raise EngineError(
            f"{CRS_ROLE}: '{crs.name}' does not measure in metres. Choose the projected CRS of the "
            "file's coordinates."
        )
    return crs


def _stated_crs(holder: netCDF4.Dataset | Variable) -> CRS | None:
    attributes = {name: holder.getncattr(name) for name in holder.ncattrs()}
    for name in STATED:
        text = attributes.get(name)
        if isinstance(text, str) and text.strip():
            with suppress(EngineError):
                return read_crs(text, CRS_ROLE)
    try:
        return CRS.from_cf(attributes) if "grid_mapping_name" in attributes else None
    except (CRSError, KeyError, ValueError):
        return None
