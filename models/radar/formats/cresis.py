"""Echograms of CReSIS and Open Polar Radar in MATLAB files."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.radar.formats.matlab import MatFile
from glacier_qgis.models.radar.formats.radargram import Floats, Radargram, surface_and_bed

FORMAT = "CReSIS / Open Polar Radar"


def is_echogram(file: MatFile) -> bool:
    """Whether a file has what an echogram needs."""
    return "Data" in file and ("Time" in file or "Depth" in file)


def read_echogram(file: MatFile) -> Radargram:
    """Read an echogram; its values are linear power, or complex.

    Raises:
        EngineError: Its axes do not fit its data.
    """
    shape = file.shapes["Data"]
    time, gps_time = file.numbers("Time"), file.numbers("GPS_time", "UTC_time")
    along = {name: file.numbers(name.title()) for name in ("latitude", "longitude", "elevation")}
    surface, bed = file.numbers("Surface"), file.numbers("Bottom", "Bed")
    if time is None or len(shape) != 2:
        raise EngineError(
            f"{file.shown}: its echogram 'Data' has {len(shape)} dimensions and "
            f"{'no' if time is None else len(time)} two-way travel times ('Time'). Choose a "
            "complete echogram."
        )
    axis = _time_axis(file, shape, len(time))
    traces = shape[1 - axis]
    known = {"GPS_time": gps_time, "Surface": surface, "Bottom": bed} | along
    for name, values in known.items():
        if values is not None and len(values) != traces:
            raise EngineError(
                f"{file.shown}: {len(values)} values of '{name}' for {traces} traces. Choose a "
                "complete echogram."
            )
    doubts: tuple[str, ...] = ()
    if axis == 1:
        doubts = (f"{file.shown} stores its traces as rows, and was transposed.",)
    return Radargram(
        format=FORMAT,
        recorded="power",
        time=time,
        traces=traces,
        samples=len(time),
        block=_block(file, axis),
        gps_time=gps_time,
        surface_time=surface,
        picks=surface_and_bed(surface, bed),
        doubts=doubts,
        **along,
    )


def _time_axis(file: MatFile, shape: tuple[int, ...], times: int) -> int:
    """Return along which dimension of the data time runs."""
    if times not in shape:
        raise EngineError(
            f"{file.shown}: 'Data' is {shape[0]} × {shape[1]}, and 'Time' has {times} values. "
            "Choose a complete echogram."
        )
    return shape.index(times)


def _block(file: MatFile, time_axis: int) -> Any:  # noqa: ANN401  # a Block
    if file.hdf5 is not None:
        return partial(_part, file, 1 - time_axis)
    whole = file.array("Data")
    return partial(_columns, whole if time_axis == 0 else whole.T)


def _part(file: MatFile, along: int, first: int, last: int) -> NDArray[Any]:
    return power(file.traces_of("Data", first, last, along))


def _columns(whole: NDArray[Any], first: int, last: int) -> NDArray[Any]:
    return power(whole[:, first:last])


def power(values: NDArray[Any]) -> NDArray[Any]:
    """Return the power of complex values; real ones are power."""
    return np.abs(values) ** 2 if np.iscomplexobj(values) else values


def gps_seconds(days: Floats) -> Floats:
    """Seconds since 1970-01-01 of MATLAB's day numbers."""
    return (days - DAY_1970) * 86_400.0


DAY_1970 = 719_529
"""MATLAB's day number of 1970-01-01."""
