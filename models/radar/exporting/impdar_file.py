"""Picks for ImpDAR: the radargram with them, as its `save` writes it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from scipy import io

from glacier_qgis.models.compute.memory import require_memory
from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.radar.echogram.axes import Axes
from glacier_qgis.models.radar.echogram.coordinates import Floats
from glacier_qgis.models.radar.echogram.raster import Echogram
from glacier_qgis.models.radar.exporting.frame_layers import FrameLayers
from glacier_qgis.models.radar.formats.cresis import DAY_1970

LARGEST = 2**31
"""Bytes of a variable that MATLAB's version 5 holds."""
FLAGS = ("batch", "rgain", "agc", "restack", "reverse", "elev")
SERIES = {"bpass": 3, "hfilt": 2, "crop": 3, "nmo": 2, "interp": 2}
NOWHERE = -9999
"""ImpDAR's last trace of a pick that is not being drawn."""


def write_impdar(path: Path, echogram: Echogram, frame: FrameLayers) -> None:
    """Write a radargram with its picks; ImpDAR holds samples as whole numbers.

    Raises:
        EngineError: It is too large for the format.
    """
    axes = echogram.axes
    size = 4 * axes.samples * axes.traces
    if size > LARGEST:
        raise EngineError(
            f"IMPDAR_FOLDER: {axes.frame_id} has {size / 2**30:.1f} GiB, more than a file of "
            "ImpDAR holds. Import the frame in shorter parts, or leave this output out."
        )
    require_memory(2 * size, f"Writing {axes.frame_id} for ImpDAR", "Leave IMPDAR_FOLDER out")
    values = np.hstack([echogram.as_recorded(first, block) for first, block in echogram.blocks()])
    with path.open("wb") as file:
        io.savemat(file, _content(axes, values, frame), do_compression=True)


def _content(axes: Axes, values: Any, frame: FrameLayers) -> dict[str, Any]:  # noqa: ANN401
    every = np.arange(axes.traces)
    distance = axes.at("distance", every)
    spacing = np.diff(distance, prepend=distance[:1])
    content: dict[str, Any] = {
        "chan": 1,
        "data": values,
        "decday": axes.at("gps_time", every) / 86_400 + DAY_1970,
        "dt": axes.sample_interval,
        "pressure": np.zeros(axes.traces),
        "snum": axes.samples,
        "tnum": axes.traces,
        "trace_int": spacing,
        "trace_num": every + 1,
        "travel_time": 1e6 * axes.time,
        "trig": np.rint(_rows(axes)) if axes.surface_time is not None else np.zeros(axes.traces),
        "trig_level": 0.0,
        "lat": axes.at("latitude", every),
        "long": axes.at("longitude", every),
        "elev": axes.at("elevation", every),
        "dist": distance / 1000,
        "picks": _picks(axes, frame),
        "flags": dict.fromkeys(FLAGS, 0)
        | {name: np.zeros(length) for name, length in SERIES.items()}
        | {"mig": "none"},
    }
    return content


def _rows(axes: Axes) -> Floats:
    """Sample of the surface in the time axis."""
    return np.interp(axes.surface_at(np.arange(axes.traces)), axes.time, np.arange(axes.samples))


def _picks(axes: Axes, frame: FrameLayers) -> dict[str, Any]:
    """Return ImpDAR's structure: `samp2` is the pick, `samp1` and `samp3` its borders."""
    moved = axes.shift if axes.shift.size else 0
    samples = np.rint(frame.samples - moved)
    unknown = np.full(samples.shape, np.nan)
    count = len(frame.layers)
    return {
        "samp1": samples,
        "samp2": samples,
        "samp3": samples,
        "time": unknown,
        "power": unknown,
        "picknums": np.array(list(frame.layers), float),
        "lasttrace": {"snum": np.full(count, NOWHERE), "tnum": np.zeros(count)},
        "lt": {
            "llength": 0,
            "tlength": 0,
            "ltmatrix": 0,
            "crop": {"tnum": axes.traces, "maxsnum": axes.samples, "mintt": 0, "maxtt": 0},
        },
        "pickparams": {
            "apickthresh": 10,
            "freq": 4,
            "dt": axes.sample_interval,
            "plength": 3,
            "FWW": 1,
            "scst": 1,
            "pol": 1,
            "apickflag": 1,
            "addpicktype": "zero",
        },
    }
