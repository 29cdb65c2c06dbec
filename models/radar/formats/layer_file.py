"""Layer files of Open Polar Radar: `id`, `twtt[layer, trace]`, `quality`, `type`, and the track."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import io

from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.radar.formats.matlab import MatFile, open_mat
from glacier_qgis.models.radar.formats.radargram import Floats

SURFACE, BED = 1, 2
"""Ids that Open Polar Radar reserves."""
MANUAL, AUTOMATIC = 1, 2
"""Types of a pick."""


@dataclass(frozen=True, kw_only=True)
class LayerFile:
    """The layers of a frame.

    Attributes:
        ids: Of each layer.
        time: Two-way travel time, s, shape (layers, traces); NaN where it is not picked.
        quality: 1 good, 2 moderate, 3 derived, shape (layers, traces).
        kinds: 1 by a person, 2 automatic, shape (layers, traces); `type` in the file.
        gps_time: Of each trace, s since 1970-01-01.
        latitude: Of each trace, degrees.
        longitude: Of each trace, degrees.
        elevation: Of each trace, m.
    """

    ids: NDArray[np.int64]
    time: Floats
    quality: NDArray[np.int64]
    kinds: NDArray[np.int64]
    gps_time: Floats
    latitude: Floats
    longitude: Floats
    elevation: Floats


def is_layer_file(file: MatFile) -> bool:
    """Whether a MATLAB file holds layers without an echogram."""
    return {"twtt", "gps_time", "id"} <= file.shapes.keys() or "layerData" in file


def read_layer_file(path: Path, shown: str) -> LayerFile:
    """Read a layer file.

    Raises:
        EngineError: It is none, or its parts do not fit together.
    """
    with open_mat(path, shown) as file:
        if "layerData" in file:
            raise EngineError(
                f"{shown} is a layer file in the format before 2021 ('layerData'). Download the "
                "frame's file of the present format (id, twtt)."
            )
        ids, gps_time = file.numbers("id"), file.numbers("gps_time")
        if "twtt" not in file or ids is None or gps_time is None:
            raise EngineError(
                f"{shown} is not a layer file: of id, twtt and gps_time, it lacks "
                f"{', '.join(n for n in ('id', 'twtt', 'gps_time') if n not in file) or 'values'}. "
                "Choose a layer file of Open Polar Radar."
            )
        shape = (len(ids), len(gps_time))
        time = _matrix(file, "twtt", shape)
        if time is None:
            raise EngineError(
                f"{shown}: twtt is {' × '.join(map(str, file.shapes['twtt']))}, for {shape[0]} "
                f"layers and {shape[1]} GPS times. Choose a complete layer file."
            )
        codes = {}
        for name in ("quality", "type"):
            matrix = _matrix(file, name, shape)
            codes[name] = np.nan_to_num(np.zeros(shape) if matrix is None else matrix)
        return LayerFile(
            ids=ids.astype(np.int64),
            time=time,
            quality=codes["quality"].astype(np.int64),
            kinds=codes["type"].astype(np.int64),
            gps_time=gps_time,
            latitude=_along(file, "lat", shape[1]),
            longitude=_along(file, "lon", shape[1]),
            elevation=_along(file, "elev", shape[1]),
        )


def _matrix(file: MatFile, name: str, shape: tuple[int, int]) -> Floats | None:
    if name not in file or tuple(file.shapes[name]) != shape:
        return None
    return np.asarray(file.array(name), np.float64)


def _along(file: MatFile, name: str, traces: int) -> Floats:
    values = file.numbers(name)
    return values if values is not None and len(values) == traces else np.full(traces, np.nan)


def write_layer_file(path: Path, layers: LayerFile) -> None:
    """Write a layer file, as MATLAB's version 5; every number comes back to the bit."""
    content: dict[str, Any] = {
        "id": layers.ids.astype(np.float64)[:, np.newaxis],
        "twtt": layers.time,
        "quality": layers.quality.astype(np.uint8),
        "type": layers.kinds.astype(np.uint8),
        "gps_time": layers.gps_time[np.newaxis],
        "lat": layers.latitude[np.newaxis],
        "lon": layers.longitude[np.newaxis],
        "elev": layers.elevation[np.newaxis],
        "file_type": "layer",
        "file_version": "1",
    }
    with path.open("wb") as file:
        io.savemat(file, content, do_compression=True)
