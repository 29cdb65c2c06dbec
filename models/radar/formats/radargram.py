"""What every reader returns."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from glacier_qgis.models.engine.errors import EngineError

Floats = NDArray[np.float64]
Recorded = Literal["power", "power_db", "amplitude", "intensity"]
"""What the values of a file are."""
Block = Callable[[int, int], NDArray[Any]]
"""Reads the traces from the first number up to, not including, the second: (samples, traces)."""

FRAME = re.compile(r"(\d{8}_\d{2})_(\d{3})")
"""Segment and frame in names of CReSIS and Open Polar Radar."""


@dataclass(frozen=True, kw_only=True)
class Pick:
    """A layer that a file has, at each of its traces.

    Attributes:
        layer_id: In Open Polar Radar's numbers: 1 is the surface, 2 the bed.
        kind: "surface", "bed" or "layer".
        time: Two-way travel time, s; NaN where it is not picked.
        name: As in the file.
        quality: 1 good, 2 moderate, 3 derived; 0 where nobody said.
    """

    layer_id: int
    kind: Literal["surface", "bed", "layer"]
    time: Floats
    name: str = ""
    quality: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))


@dataclass(frozen=True, kw_only=True)
class Radargram:
    """A radargram in an open file.

    Attributes:
        format: Its name, for messages.
        recorded: What its values are.
        time: Two-way travel time of each sample, s; None if the file does not say.
        traces: How many there are.
        samples: How many each has.
        block: Reads its values.
        gps_time: Of each trace, s since 1970-01-01; None if the file has none.
        longitude: Of each trace, degrees; None if the file has none.
        latitude: Of each trace, degrees.
        easting: Of each trace, in a projection that the file does not name; None if there is none.
        northing: Of each trace, likewise.
        elevation: Of the antenna, m.
        distance: Along the track, m, where it is not computed from positions.
        surface_time: Two-way travel time of the surface, s; NaN where unknown.
        picks: Its layers.
        doubts: What may be wrong, for warnings.
    """

    format: str
    recorded: Recorded
    time: Floats | None
    traces: int
    samples: int
    block: Block
    gps_time: Floats | None = None
    longitude: Floats | None = None
    latitude: Floats | None = None
    easting: Floats | None = None
    northing: Floats | None = None
    elevation: Floats | None = None
    distance: Floats | None = None
    surface_time: Floats | None = None
    picks: tuple[Pick, ...] = ()
    doubts: tuple[str, ...] = ()


def frame_and_segment(path: Path) -> tuple[str, str]:
    """Return the names of the frame and of its segment, as the file's name says them."""
    found = FRAME.search(path.stem)
    return (found[0], found[1]) if found else (path.stem, "")


def damaged(shown: str, error: object) -> EngineError:
    """Return the error of a file that ends too early, or cannot be decoded."""
    return EngineError(f"{shown} is damaged ({error}). Copy or download the file again.")


def surface_and_bed(surface: Floats | None, bed: Floats | None) -> tuple[Pick, ...]:
    """Return what CReSIS stores beside an echogram as layers, if it is picked anywhere."""
    given = (("surface", 1, surface), ("bed", 2, bed))
    return tuple(
        Pick(layer_id=number, kind=kind, name=kind, time=time)  # type: ignore[arg-type]
        for kind, number, time in given
        if time is not None and np.isfinite(time).any()
    )
