"""A simulation as NetCDF (CF conventions 1.10), written during the run."""

from __future__ import annotations

import errno
import shutil
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import netCDF4
import numpy as np

from glacier_qgis.models.compute.arrays import Float32Array
from glacier_qgis.models.iceflow.calendar import CALENDAR, EPOCH, days
from glacier_qgis.models.iceflow.dynamics.simulation import Snapshot
from glacier_qgis.models.raster.cf import MAPPING, write_grid
from glacier_qgis.models.raster.grid import Grid

REFERENCES = "Jouvet et al. (2022), J. Glaciol., https://doi.org/10.1017/jog.2021.120"

FIELDS = {
    "thk": ("land_ice_thickness", "ice thickness", "m"),
    "usurf": ("surface_altitude", "surface elevation", "m"),
    "ubar": ("land_ice_vertical_mean_x_velocity", "depth-averaged velocity in x", "m year-1"),
    "vbar": ("land_ice_vertical_mean_y_velocity", "depth-averaged velocity in y", "m year-1"),
    "velbar_mag": (None, "magnitude of the depth-averaged velocity", "m year-1"),
    "smb": (
        "land_ice_surface_specific_mass_balance_rate",
        "surface mass balance as ice",
        "m year-1",
    ),
}
"""Standard name, long name and unit of each field that changes with time."""

LEVEL_FIELDS = {
    "basal_velocity": ("velbase_mag", "magnitude of the velocity at the bed"),
    "surface_velocity": ("velsurf_mag", "magnitude of the velocity at the surface"),
}
"""Name and long name of optional fields, in m year-1."""

COUNTS = {
    "gained": ("ice gained from the surface mass balance since the start", "km3"),
    "lost": ("ice lost at the border of the domain since the start", "km3"),
    "added": ("ice added by clipping negative thickness since the start", "km3"),
    "steps": ("time steps since the start", "1"),
}
"""Long name and unit of each number that changes with time: the mass budget so far."""
MODELS = ("EMULATOR", "INSTRUCTOR")
"""Names of the facts that say what moved the ice, and how the names of more about it begin."""
MEMORY = "ice_model_memory"
"""What a model of ice flow that changes with the run has become, to resume from."""
_MEGABYTE = 1_000_000


class SimulationFile:
    """An open NetCDF file to which saved states are appended."""

    def __init__(self, dataset: netCDF4.Dataset) -> None:
        self._dataset = dataset

    def append(self, snapshot: Snapshot, levels: Mapping[str, Float32Array]) -> None:
        """Write one saved time and flush it.

        Velocity is missing where there is no ice.

        Args:
            snapshot: The state.
            levels: Speeds (m a⁻¹) by key of `LEVEL_FIELDS`, as requested when the file was created.

        Raises:
            OSError: The disk has too little space. A failed write would damage the file, so it is
                not attempted.
        """
        file = self._dataset
        fields = snapshot.thickness.nbytes * (len(FIELDS) + len(levels))
        self._check_room(fields + len(snapshot.memory) + _MEGABYTE)
        index = len(file.dimensions["time"])
        ice = snapshot.thickness > 0
        values = {
            "thk": snapshot.thickness,
            "usurf": snapshot.surface,
            "ubar": np.where(ice, snapshot.u, np.nan),
            "vbar": np.where(ice, snapshot.v, np.nan),
            "velbar_mag": np.where(ice, snapshot.speed, np.nan),
            "smb": snapshot.balance,
            **{
                LEVEL_FIELDS[name][0]: np.where(ice, field, np.nan)
                for name, field in levels.items()
            },
        }
        file["time"][index] = days(snapshot.time)
        file["model_year"][index] = snapshot.time
        for name, field in values.items():
            file[name][index] = field
        budget = snapshot.budget
        counts = (budget.balance, budget.lost, budget.added, snapshot.steps)
        for name, count in zip(COUNTS, counts, strict=True):
            file[name][index] = count
        if snapshot.memory:
            self._memory[index] = snapshot.memory
        file.sync()

    @property
    def _memory(self) -> Any:  # noqa: ANN401  as below
        if MEMORY not in self._dataset.variables:
            texts = self._dataset.createVariable(MEMORY, str, ("time",))
            texts.setncatts({"long_name": "state of the refined emulator, as JSON"})
        return self._dataset[MEMORY]

    def _check_room(self, size: int) -> None:
        folder = Path(self._dataset.filepath()).parent
        if shutil.disk_usage(folder).free < size:
            raise OSError(errno.ENOSPC, "No space left on device", str(folder))


@contextmanager
def create_simulation_file(
    path: Path,
    grid: Grid,
    bed: Float32Array,
    provenance: Mapping[str, str],
    levels: Collection[str] = (),
) -> Iterator[SimulationFile]:
    """Create a file with the bed (m) for states on `grid`.

    Args:
        path: where to write.
        grid: of all fields, north-up.
        bed: bedrock elevation, m.
        provenance: of the result; becomes global attributes.
        levels: keys of `LEVEL_FIELDS` that states will have.
    """
    with netCDF4.Dataset(path, "w", format="NETCDF4") as file:
        _describe_file(file, provenance)
        _write_times(file)
        write_grid(file, grid)
        field = _create_field(file, "topg", ("y", "x"), grid)
        field.setncatts(_names("bedrock_altitude", "bed elevation", "m"))
        field[:] = bed
        more = {LEVEL_FIELDS[key][0]: (None, LEVEL_FIELDS[key][1], "m year-1") for key in levels}
        for name, (standard, long, unit) in (FIELDS | more).items():
            _create_field(file, name, ("time", "y", "x"), grid).setncatts(
                _names(standard, long, unit)
            )
        yield SimulationFile(file)


def _names(standard: str | None, long: str, unit: str) -> dict[str, str]:
    names = {"long_name": long, "units": unit, "grid_mapping": MAPPING}
    return names | ({"standard_name": standard} if standard else {})


def _create_field(file: netCDF4.Dataset, name: str, dimensions: tuple[str, ...], grid: Grid) -> Any:  # noqa: ANN401  netCDF4 publishes no type of a variable that mypy follows
    chunks = (1,) * (len(dimensions) - 2) + tuple(min(size, 512) for size in grid.shape)
    return file.createVariable(
        name, "f4", dimensions, zlib=True, complevel=4, chunksizes=chunks, fill_value=np.nan
    )


def _describe_file(file: netCDF4.Dataset, provenance: Mapping[str, str]) -> None:
    file.setncatts(
        {
            "Conventions": "CF-1.10",
            "title": "Glacier simulation",
            "source": f"{provenance['SOFTWARE']}, {_model(provenance)}",
            "history": f"{provenance['CREATED']} {provenance['ALGORITHM']}",
            "references": REFERENCES,
            **{name.lower(): value for name, value in provenance.items()},
        }
    )


def _model(provenance: Mapping[str, str]) -> str:
    """Return what moved the ice, in words."""
    kind = next(name for name in MODELS if name in provenance)
    return f"{kind.lower()} {provenance[kind]}"


def _write_times(file: netCDF4.Dataset) -> None:
    file.createDimension("time", None)
    time = file.createVariable("time", "f8", ("time",))
    time.setncatts(
        {
            "standard_name": "time",
            "long_name": "time",
            "units": EPOCH,
            "calendar": CALENDAR,
            "axis": "T",
        }
    )
    year = file.createVariable("model_year", "f8", ("time",))
    year.setncatts({"long_name": "model year", "units": "year"})
    for name, (long, unit) in COUNTS.items():
        file.createVariable(name, "f8", ("time",)).setncatts({"long_name": long, "units": unit})
