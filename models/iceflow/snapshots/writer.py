"""Training snapshots on their way into a file, one at a time."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import netCDF4
import numpy as np

from glacier_qgis.models.iceflow.calendar import CALENDAR, EPOCH, days
from glacier_qgis.models.iceflow.snapshots.layout import FIELDS, NEEDED, Field
from glacier_qgis.models.iceflow.snapshots.state import TrainingState
from glacier_qgis.models.raster.cf import MAPPING, write_grid
from glacier_qgis.models.raster.grid import Grid

STATE = "state"
_AUXILIARY = "time model_year run"
_WIDEST_CHUNK = 512


class SnapshotWriter:
    """An open file that states are appended to."""

    def __init__(self, file: netCDF4.Dataset, fields: Collection[str]) -> None:
        self._file = file
        self._fields = fields

    def append(self, state: TrainingState) -> None:
        """Write a state; it must have the fields that the file was created for."""
        index = len(self._file.dimensions[STATE])
        self._file["time"][index] = days(state.year)
        self._file["model_year"][index] = state.year
        self._file["run"][index] = state.run
        self._file["residual"][index] = state.residual
        fields = state.fields
        for name in self._fields:
            self._file[name][index] = fields[name]
        self._file.sync()


@contextmanager
def create_snapshots(
    path: Path,
    grid: Grid,
    instructor: str,
    provenance: Mapping[str, str],
    more: Collection[str] = (),
) -> Iterator[SnapshotWriter]:
    """Create a file of training snapshots.

    Args:
        path: where to write.
        grid: of all fields, north-up.
        instructor: what found the velocities.
        provenance: where they come from; becomes global attributes.
        more: names of fields beyond those that every file has.
    """
    names = (*NEEDED, *(name for name in FIELDS if name in more and name not in NEEDED))
    with netCDF4.Dataset(path, "w", format="NETCDF4") as file:
        file.setncatts(
            {
                "Conventions": "CF-1.10",
                "title": "Training snapshots of ice flow",
                "instructor": instructor,
                "source": f"{provenance['SOFTWARE']}, {instructor}",
                "history": f"{provenance['CREATED']} {provenance['ALGORITHM']}",
                **{name.lower(): value for name, value in provenance.items()},
            }
        )
        file.createDimension(STATE, None)
        write_grid(file, grid)
        _write_each(file)
        size = file.createVariable("cell_size", "f8", ())
        size.setncatts({"long_name": "edge of a cell", "units": "m"})
        size[...] = grid.cell_size
        for name in names:
            _create_field(file, name, FIELDS[name], grid)
        yield SnapshotWriter(file, names)


def _write_each(file: netCDF4.Dataset) -> None:
    """Create what a state has one value of."""
    time = file.createVariable("time", "f8", (STATE,))
    time.setncatts(
        {"standard_name": "time", "long_name": "time", "units": EPOCH, "calendar": CALENDAR}
    )
    year = file.createVariable("model_year", "f8", (STATE,))
    year.setncatts({"long_name": "model year", "units": "year"})
    file.createVariable("run", str, (STATE,)).long_name = "run that the state is of"
    residual = file.createVariable("residual", "f8", (STATE,), fill_value=np.nan)
    residual.setncatts({"long_name": "imbalance of forces over the driving stress", "units": "1"})


def _create_field(file: netCDF4.Dataset, name: str, field: Field, grid: Grid) -> None:
    chunks = (1, *(min(size, _WIDEST_CHUNK) for size in grid.shape))
    variable = file.createVariable(
        name, "f4", (STATE, "y", "x"), zlib=True, complevel=4, chunksizes=chunks, fill_value=np.nan
    )
    variable.setncatts(
        {
            "long_name": field.title,
            "units": field.unit,
            "grid_mapping": MAPPING,
            "coordinates": _AUXILIARY,
        }
        | ({"standard_name": field.standard} if field.standard else {})
    )
