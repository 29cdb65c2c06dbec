"""Echograms in NetCDF: NSIDC's, and Open Polar Radar's (xOPR)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import cftime
import netCDF4
import numpy as np
from numpy.typing import NDArray

from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.gdal.hdf5 import check_self_contained
from glacier_qgis.models.radar.formats.cresis import power
from glacier_qgis.models.radar.formats.radargram import (
    Floats,
    Radargram,
    Recorded,
    damaged,
    surface_and_bed,
)

FORMAT = "NetCDF echogram"
NAMES = {
    "data": ("amplitude", "Data", "data"),
    "time": ("fasttime", "twtt", "Time", "fast_time"),
    "gps_time": ("time", "slow_time", "GPS_time", "gps_time"),
    "longitude": ("lon", "Longitude", "longitude"),
    "latitude": ("lat", "Latitude", "latitude"),
    "elevation": ("altitude", "Elevation", "elevation"),
    "surface": ("Surface", "surface"),
    "bed": ("Bottom", "bottom", "Bed"),
}
SECONDS = {
    **dict.fromkeys(("s", "sec", "second", "seconds"), 1.0),
    **dict.fromkeys(("ms", "millisecond", "milliseconds"), 1e-3),
    **dict.fromkeys(("us", "µs", "microsecond", "microseconds"), 1e-6),
    **dict.fromkeys(("ns", "nanosecond", "nanoseconds"), 1e-9),
}
LONGEST = 1e-3
"""Two-way travel time that no radar on ice reaches (84 km), s."""


@contextmanager
def open_netcdf(path: Path, shown: str) -> Iterator[Radargram]:
    """Open an echogram in NetCDF.

    Raises:
        EngineError: It is none, or damaged.
    """
    check_self_contained(path, shown)
    try:
        file = netCDF4.Dataset(path)
    except OSError as error:
        raise damaged(shown, error) from error
    with file:
        found = {
            role: next((file[name] for name in names if name in file.variables), None)
            for role, names in NAMES.items()
        }
        data, time = found["data"], found["time"]
        if data is None or time is None or data.ndim != 2 or time.ndim != 1:
            raise EngineError(
                f"{shown} holds no echogram: among its variables "
                f"({', '.join(file.variables) or 'none'}) there is no matrix named "
                f"{' or '.join(NAMES['data'])} with a time axis named "
                f"{' or '.join(NAMES['time'])}. Choose another file."
            )
        yield _radargram(found, shown)


def _radargram(found: dict[str, Any], shown: str) -> Radargram:
    data, time = found["data"], found["time"]
    if len(time) not in data.shape:
        raise EngineError(
            f"{shown}: its echogram is {data.shape[0]} × {data.shape[1]}, and its time axis has "
            f"{len(time)} values. Choose a complete echogram."
        )
    dimension = time.dimensions[0]
    axis = data.dimensions.index(dimension) if dimension in data.dimensions else 0
    if data.shape[axis] != len(time):
        axis = data.shape.index(len(time))
    traces = data.shape[1 - axis]
    along = {role: _along(found[role], traces) for role in ("longitude", "latitude", "elevation")}
    doubts: list[str] = []
    surface, bed = (_picked(found[role], traces, shown, doubts) for role in ("surface", "bed"))

    def block(first: int, last: int) -> NDArray[Any]:
        try:
            part = data[:, first:last] if axis == 0 else data[first:last].T
        except (OSError, RuntimeError) as error:
            raise damaged(shown, error) from error
        return power(_filled(part))

    return Radargram(
        format=FORMAT,
        recorded=_recorded(data),
        time=_seconds(time, shown, doubts),
        traces=traces,
        samples=len(time),
        block=block,
        gps_time=_epoch(found["gps_time"], traces),
        surface_time=surface,
        picks=surface_and_bed(surface, bed),
        doubts=tuple(doubts),
        **along,
    )


def _recorded(data: Any) -> Recorded:  # noqa: ANN401  # netCDF4 publishes no types
    unit = str(getattr(data, "units", "")).lower()
    return "power_db" if "db" in unit.replace("decibel", "db") else "power"


def _filled(values: Any) -> NDArray[Any]:  # noqa: ANN401  # masked or not
    if not np.ma.isMaskedArray(values):
        return np.asarray(values)
    kind = np.complex128 if np.iscomplexobj(values) else np.float64
    return np.asarray(np.ma.filled(np.ma.asarray(values, kind), np.nan))


def _along(variable: Any, traces: int) -> Floats | None:  # noqa: ANN401
    if variable is None or variable.ndim != 1 or len(variable) != traces:
        return None
    return _filled(variable[:]).astype(np.float64)


def _picked(variable: Any, traces: int, shown: str, doubts: list[str]) -> Floats | None:  # noqa: ANN401
    values = _along(variable, traces)
    return None if values is None else values * _factor(variable, values, shown, doubts)


def _seconds(variable: Any, shown: str, doubts: list[str]) -> Floats:  # noqa: ANN401
    values = _filled(variable[:]).astype(np.float64)
    return values * _factor(variable, values, shown, doubts)


def _factor(variable: Any, values: Floats, shown: str, doubts: list[str]) -> float:  # noqa: ANN401
    unit = str(getattr(variable, "units", "")).strip().lower()
    if unit in SECONDS:
        return SECONDS[unit]
    if not np.nanmax(np.abs(values), initial=0) > LONGEST:
        return 1.0
    doubts.append(
        f"{shown}: assuming microseconds for '{variable.name}' because its unit is "
        f"'{unit or 'not given'}' and its values are too large for seconds."
    )
    return 1e-6


def _epoch(variable: Any, traces: int) -> Floats | None:  # noqa: ANN401
    """Return times as seconds since 1970-01-01."""
    values = _along(variable, traces)
    unit = str(getattr(variable, "units", ""))
    if values is None or " since " not in unit:
        return values
    step, _, start = unit.partition(" since ")
    first = cftime.num2date(0, f"seconds since {start}", only_use_cftime_datetimes=True)
    offset = cftime.date2num(first, "seconds since 1970-01-01 00:00:00")
    length = {"minutes": 60.0, "hours": 3600.0, "days": 86_400.0}
    return values * (length | SECONDS).get(step.strip().lower(), 1.0) + float(offset)
