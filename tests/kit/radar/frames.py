"""Small frames with a known geometry."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from glacier_qgis.models.radar.echogram.axes import Axes, along_track
from glacier_qgis.models.radar.echogram.raster import create_echogram

FRAME = "20120507_07_004"


def axes_of(traces: int = 300, samples: int = 120, **changes: object) -> Axes:
    """Axes of a flight to the north over Greenland, with the surface at a tilt."""
    latitude = 70 + 0.0002 * np.arange(traces)
    longitude = np.full(traces, -45.0)
    time = 2e-6 + 1e-9 * np.arange(samples)
    values: dict[str, object] = {
        "frame_id": FRAME,
        "segment_id": "20120507_07",
        "time": time,
        "traces": traces,
        "gps_time": 1.336e9 + 0.25 * np.arange(traces),
        "longitude": longitude,
        "latitude": latitude,
        "elevation": np.full(traces, 3000.0),
        "distance": along_track(longitude, latitude),
        "surface_time": 2.01e-6 + 1e-11 * np.arange(traces),
    }
    return Axes(**(values | changes))  # type: ignore[arg-type]


def write_frame(path: Path, axes: Axes, seed: int = 0) -> NDArray[np.float32]:
    """Write noise with these axes; return it."""
    rows = axes.samples + (int(axes.shift.max()) if axes.shift.size else 0)
    echo = np.random.default_rng(seed).normal(-100, 5, (rows, axes.traces)).astype(np.float32)
    with create_echogram(path, axes, {}) as target:
        for first in range(0, axes.traces, 256):
            target.write(first, echo[:, first : first + 256])
    return echo
