"""One glacier as PISM, IGM and Elmer/Ice would write it."""

from __future__ import annotations

from pathlib import Path

import netCDF4
import numpy as np
from affine import Affine
from pyproj import CRS

from glacier_qgis.models.iceflow.snapshots.state import TrainingState
from glacier_qgis.models.raster.grid import Grid

GRID = Grid(CRS.from_epsg(32632), Affine(100, 0, 400_000, 0, -100, 5_150_000), 12, 10)
YEAR = 365.2422 * 86_400
"""Seconds, as UDUNITS has it."""
RATE_FACTOR, SLIDING = 50.0, 8.0


def glacier(thicker: float = 0.0) -> TrainingState:
    """A glacier that flows southwards and a little eastwards, faster in the west."""
    row, column = np.indices(GRID.shape, dtype=np.float64)
    h = (100 + thicker - (row - 5) ** 2 - 2 * (column - 4) ** 2 * (column > 0)).clip(0)
    h[:, -1] = 0
    s = 3000 - 10 * row + 3 * column + h
    v = np.where(h > 0, -20.0 - column, 0)
    u = np.where(h > 0, 0.3 * (row + 1), 0)
    mean = np.stack([u, v])

    def single(values: np.ndarray) -> np.ndarray:
        return values.astype(np.float32)

    return TrainingState(
        single(h),
        single(s),
        single(np.full(GRID.shape, RATE_FACTOR)),
        single(np.full(GRID.shape, SLIDING)),
        single(mean),
        single(0.5 * mean),
        single(1.1 * mean),
    )


def write_pism(path: Path, *states: TrainingState) -> Path:
    """SI units, y northwards, seconds since year 1, hardness and drag in place of A and c."""
    with netCDF4.Dataset(path, "w") as file:
        file.source = "PISM v2.1"
        _axes(file, "time")
        file["time"].units = "seconds since 1-1-1"
        file["time"].calendar = "365_day"
        file.createVariable("mapping", "i4", ()).setncatts(GRID.crs.to_cf())
        for index, state in enumerate(states):
            file["time"][index] = (1999 + 10 * index) * 365 * 86_400.0
            ice = state.thickness > 0
            drag = (np.hypot(*state.base) / 1000 / SLIDING) ** (1 / 3) * 1e6
            hardness = (RATE_FACTOR * 1e-18 / YEAR) ** (-1 / 3)
            for name, unit, values in (
                ("thk", "m", state.thickness),
                ("usurf", "m", state.surface),
                ("ubar", "m s-1", np.where(ice, state.mean[0] / YEAR, -2e9)),
                ("vbar", "m s-1", np.where(ice, state.mean[1] / YEAR, -2e9)),
                ("uvelbase", "m year-1", np.where(ice, state.base[0], -2e9)),
                ("vvelbase", "m year-1", np.where(ice, state.base[1], -2e9)),
                ("uvelsurf", "m year-1", np.where(ice, state.top[0], -2e9)),
                ("vvelsurf", "m year-1", np.where(ice, state.top[1], -2e9)),
                ("taub_mag", "Pa", np.where(ice, drag, -2e9)),
                ("hardav", "Pa s^(1/3)", np.where(ice, hardness, -2e9)),
            ):
                if name not in file.variables:
                    field = file.createVariable(name, "f8", ("time", "y", "x"), fill_value=-2e9)
                    field.units = unit
                    field.grid_mapping = "mapping"
                file[name][index] = values[::-1]
    return path


def write_igm(path: Path, *states: TrainingState) -> Path:
    """Single precision throughout, the units of IGM 3, no CRS, the bed beside the thickness."""
    with netCDF4.Dataset(path, "w") as file:
        _axes(file, "time", "f4")
        file["time"].units = "yr"
        for index, state in enumerate(states):
            file["time"][index] = 2000 + 10 * index
            for name, unit, values in (
                ("topg", "m", state.surface - state.thickness),
                ("thk", "m", state.thickness),
                ("ubar", "m/y", state.mean[0]),
                ("vbar", "m/y", state.mean[1]),
                ("arrhenius", "MPa$^{-3}$ a$^{-1}$", state.rate_factor),
                ("tau_ref", "MPa", (0.1 / state.sliding) ** (1 / 3)),
            ):
                if name not in file.variables:
                    file.createVariable(name, "f4", ("time", "y", "x")).units = unit
                file[name][index] = values[::-1]
    return path


def write_elmer(path: Path, state: TrainingState) -> Path:
    """The nodes of a mesh of triangles (UGRID), without units; row by row, from the north."""
    rows, columns = GRID.shape
    x, y = np.meshgrid(GRID.x, GRID.y)
    corner = np.arange(rows * columns).reshape(rows, columns)
    a, b, c, d = corner[:-1, :-1], corner[:-1, 1:], corner[1:, :-1], corner[1:, 1:]
    faces = np.concatenate([np.stack([a, b, c], -1), np.stack([b, d, c], -1)]).reshape(-1, 3)
    with netCDF4.Dataset(path, "w") as file:
        file.createDimension("nodes", x.size)
        file.createDimension("faces", len(faces))
        file.createDimension("corners", 3)
        faces_of = file.createVariable("mesh_faces", "i4", ("faces", "corners"))
        faces_of.setncatts({"cf_role": "face_node_connectivity", "start_index": 1})
        faces_of[:] = faces + 1
        for name, values in (
            ("mesh_node_x", x),
            ("mesh_node_y", y),
            ("h", state.thickness),
            ("zs", state.surface),
            ("ssavelocity 1", state.mean[0]),
            ("ssavelocity 2", state.mean[1]),
        ):
            file.createVariable(name, "f8", ("nodes",))[:] = values.ravel()
    return path


def _axes(file: netCDF4.Dataset, time: str, kind: str = "f8") -> None:
    file.createDimension(time, None)
    file.createVariable(time, "f8", (time,))
    for name, values in (("y", GRID.y[::-1]), ("x", GRID.x)):
        file.createDimension(name, len(values))
        file.createVariable(name, kind, (name,))[:] = values
        file[name].units = "m"
