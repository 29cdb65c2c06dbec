"""Resuming from the NetCDF of an earlier run, finished or interrupted."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import netCDF4
import numpy as np

from glacier_qgis.models.compute.arrays import Float32Array
from glacier_qgis.models.compute.memory import require_memory
from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.gdal.hdf5 import check_self_contained
from glacier_qgis.models.iceflow.balance.scenarios import read_futures
from glacier_qgis.models.iceflow.dynamics.conservation import Budget
from glacier_qgis.models.iceflow.dynamics.simulation import Snapshot, measures
from glacier_qgis.models.iceflow.ground.topography import Topography
from glacier_qgis.models.iceflow.ground.units import NOT_STATED
from glacier_qgis.models.iceflow.results.netcdf import COUNTS, FIELDS, MEMORY
from glacier_qgis.models.raster.cf import MAPPING, read_grid

_NEEDED = ("topg", MAPPING, "model_year", *FIELDS, *COUNTS)
_OTHERWISE = (
    *("start", "end", "resume", "save_interval", "device"),
    *("bed", "surface", "initial_thickness", "uniform_thickness", "extent", "resolution"),
    *("observed_outline", "observed_surface", "observed_time", "vertical_unit"),
)
"""Parameters that may differ in a resumed run, and those that define its ground and grid."""

FIELDS_OF_STATE = 8
"""Number of fields of a state in memory at once."""


@dataclass(frozen=True)
class History:
    """The states saved by an earlier run, up to the one to resume from.

    Attributes:
        path: The NetCDF file.
        years: Of the states, a; the run resumes from the last.
        topography: Ground and ice of the first state.
        parameters: Of the earlier run.
        scenario: Its scenario in that run; blank if that had none.
        offsets: The offsets of that scenario, in words.
    """

    path: Path
    years: tuple[float, ...]
    topography: Topography
    parameters: Mapping[str, object]
    scenario: str = ""
    offsets: str = ""

    @property
    def last(self) -> Snapshot:
        """The state to resume from."""
        with _opened(self.path) as file:
            return self._read(file, len(self.years) - 1)

    def earlier(self) -> Iterator[Snapshot]:
        """Yield the earlier states, one at a time."""
        with _opened(self.path) as file:
            for index in range(len(self.years) - 1):
                yield self._read(file, index)

    def differences(self, parameters: Mapping[str, object]) -> list[str]:
        """Return in words which `parameters` differ from the earlier run.

        Args:
            parameters: All parameters; None for blank ones.
        """
        words = {
            name: (_short(self.parameters.get(name)), _short(value))
            for name, value in parameters.items()
            if name not in _OTHERWISE and (name in self.parameters or not _may_be_a_default(value))
        }
        return [
            f"{name.upper()} was {before} and is now {now}"
            for name, (before, now) in words.items()
            if before != now
        ]

    def _read(self, file: netCDF4.Dataset, index: int) -> Snapshot:
        h, s, u, v, b = (
            np.nan_to_num(_values(file[name][index]))
            for name in ("thk", "usurf", "ubar", "vbar", "smb")
        )
        volume, area, mean_speed = measures(h, u, v, self.topography.grid.cell_size)
        initial = measures(self.topography.thickness, u, v, self.topography.grid.cell_size)[0]
        gained, lost, added, steps = (float(file[name][index]) for name in COUNTS)
        budget = Budget(initial, volume, gained, lost, added)
        year = self.years[index]
        memory = str(file[MEMORY][index]) if MEMORY in file.variables else ""
        return Snapshot(
            year, h, s, u, v, b, volume, area, mean_speed, budget, int(steps), memory=memory
        )


def read_history(path: Path, start: float | None) -> History:
    """Open the file of an earlier run.

    Args:
        path: Written by `simulateglacier`.
        start: The year to resume from; None for the last saved one.

    Raises:
        EngineError: It is not such a file, or has no state of that year.
    """
    with _opened(path) as file:
        missing = [name for name in _NEEDED if name not in file.variables]
        if missing:
            raise EngineError(
                f"RESUME: {path} has no {', '.join(missing)}: give a NetCDF file from 'Simulate "
                "glacier'."
            )
        require_memory(
            FIELDS_OF_STATE * 4 * file["topg"].size + 8 * file["model_year"].size,
            f"RESUME: the state in {path}",
            "Close other programs",
        )
        years = tuple(float(year) for year in file["model_year"][:])
        count = _position(years, start, path) + 1
        topography = Topography(
            read_grid(file[MAPPING], file["topg"].shape),
            _values(file["topg"][:]),
            _values(file["thk"][0]),
            getattr(file, "vertical_datum", NOT_STATED),
        )
        parameters = json.loads(getattr(file, "parameters", "{}"))
        scenario = getattr(file, "scenario", "")
        offsets = read_futures(getattr(file, "scenario_offsets", "")).get(scenario, "")
    return History(path, years[:count], topography, parameters, scenario, offsets)


@contextmanager
def _opened(path: Path) -> Iterator[netCDF4.Dataset]:
    """Open the file of an earlier run, and convert errors of a damaged file to one error."""
    check_self_contained(path, f"RESUME: {path}")
    try:
        with netCDF4.Dataset(path) as file:
            yield file
    except EngineError:
        raise
    except (OSError, RuntimeError, LookupError, AttributeError, TypeError, ValueError) as error:
        reason = (getattr(error, "strerror", None) or str(error) or repr(error)).splitlines()[0]
        raise EngineError(
            f"RESUME: {path} is not a NetCDF file, or is damaged ({reason}): give a file from "
            "'Simulate glacier', or copy it again."
        ) from error


def _position(years: tuple[float, ...], start: float | None, path: Path) -> int:
    if not years:
        raise EngineError(f"RESUME: {path} has no saved year: start the run again without RESUME.")
    if start is None:
        return len(years) - 1
    for index, year in enumerate(years):
        if math.isclose(year, start, abs_tol=1e-6):
            return index
    raise EngineError(
        f"START ({start:g}) is not among the years saved in {path}: {_list(years)}. Choose one of "
        "them, or leave START blank for the last."
    )


def _values(field: Any) -> Float32Array:  # noqa: ANN401  netCDF4 publishes no type
    return np.asarray(np.ma.filled(field, np.nan), dtype=np.float32)


def _list(years: tuple[float, ...]) -> str:
    words = [f"{year:.10g}" for year in years]
    return ", ".join(words if len(words) <= 12 else [*words[:5], "…", *words[-5:]])


def _may_be_a_default(value: object) -> bool:
    """Whether a value may be the default of a parameter that is missing in an older version."""
    return isinstance(value, int | float | str)


def _short(value: object) -> str:
    if value is None:
        return "blank"
    if isinstance(value, dict):
        source = value.get("name") or value["path"]
        return f"{source} ({value['layer']})" if value.get("layer") else str(source)
    return f"{value:g}" if isinstance(value, float) else str(value)
