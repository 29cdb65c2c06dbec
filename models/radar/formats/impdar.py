"""Radargrams of ImpDAR and StODeep in MATLAB files of version 5, with their picks."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.radar.formats.cresis import gps_seconds
from glacier_qgis.models.radar.formats.matlab import MatFile
from glacier_qgis.models.radar.formats.radargram import Floats, Pick, Radargram

FORMAT = "ImpDAR"
FIRST_ID = 3
"""Of a pick, which ImpDAR counts from 1: 1 and 2 are the surface and the bed."""


def is_impdar(file: MatFile) -> bool:
    """Whether a file has what ImpDAR writes."""
    return {"data", "travel_time", "snum", "tnum"} <= file.shapes.keys()


def read_impdar(file: MatFile) -> Radargram:
    """Read a radargram of ImpDAR; its values are amplitudes with a sign.

    Depth counts from the sample of the trigger, from time 0 if there is none.

    Raises:
        EngineError: Its axes do not fit its data.
    """
    data = file.array("data")
    time = file.numbers("travel_time")
    if data.ndim != 2 or time is None or len(time) != data.shape[0]:
        raise EngineError(
            f"{file.shown}: its 'data' {data.shape} and its {0 if time is None else len(time)} "
            "travel times do not fit. Save it again in ImpDAR."
        )
    traces = data.shape[1]
    time = time * 1e-6
    along = {name: _of_traces(file, name, traces) for name in ("lat", "long", "elev", "decday")}
    distance = _of_traces(file, "dist", traces)
    return Radargram(
        format=FORMAT,
        recorded="amplitude",
        time=time,
        traces=traces,
        samples=len(time),
        block=lambda first, last: data[:, first:last],
        gps_time=None if along["decday"] is None else gps_seconds(along["decday"]),
        longitude=along["long"],
        latitude=along["lat"],
        elevation=along["elev"],
        distance=None if distance is None else 1000 * distance,
        surface_time=_trigger(file, time, traces),
        picks=tuple(_picks(file, time, traces)),
    )


def _of_traces(file: MatFile, name: str, traces: int) -> Floats | None:
    """Return values along the track; None if there are none (ImpDAR writes a single 0)."""
    values = file.numbers(name)
    return values if values is not None and len(values) == traces else None


def _trigger(file: MatFile, time: Floats, traces: int) -> Floats | None:
    trigger = _of_traces(file, "trig", traces)
    if trigger is None or not trigger.any():
        return None
    return np.asarray(time[np.clip(np.nan_to_num(trigger), 0, len(time) - 1).astype(int)])


def _picks(file: MatFile, time: Floats, traces: int) -> list[Pick]:
    if "picks" not in file:
        return []
    stored = file.array("picks")
    if not stored.dtype.names or not {"samp2", "picknums"} <= set(stored.dtype.names):
        return []
    samples: NDArray[Any] = np.asarray(stored["samp2"].flat[0], np.float64)
    numbers = np.asarray(stored["picknums"].flat[0]).ravel()
    if samples.ndim != 2 or samples.shape != (len(numbers), traces):
        return []  # ImpDAR writes a single 0 for no picks
    rows = np.arange(len(time))
    return [
        Pick(
            layer_id=int(number) + FIRST_ID - 1,
            kind="layer",
            name=f"pick {int(number)}",
            time=np.interp(row, rows, time, np.nan, np.nan),
        )
        for number, row in zip(numbers, samples, strict=True)
        if np.isfinite(row).any()
    ]
