"""Write the practice data of the tutorial: a frame of a simulated snow radar, and its layer file.

    PYTHONPATH=build/plugins build/engine/bin/python -P docs/tutorials/radargram.py FOLDER

with the engine's Python, after ``tools/link.py``. In FOLDER there will be an echogram in the format
of CReSIS and a layer file of Open Polar Radar with other trace spacing: the surface and the annual
layers below it, each as old as its number says.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
from pyproj import Geod
from scipy import io
from scipy.constants import speed_of_light

from glacier_qgis.models.radar.formats.layer_file import AUTOMATIC, LayerFile, write_layer_file
from glacier_qgis.models.radar.simulate.settings import SNOW_RADAR, Setting
from glacier_qgis.models.radar.simulate.tracks import Snow

TRACES, SEED = 1200, 3
START, HEADING = (-45.0, 71.0), 60.0
"""Longitude, latitude and heading of the first trace, degrees."""
FLIGHT = 1_778_150_400.0
"""2026-05-07 10:40 UTC, seconds since 1970."""
SPEED, HEIGHT = 130.0, 500.0
"""Of the aircraft, m/s, and above the ice, m."""
ICE, PERMITTIVITY = 2600.0, 2.0
"""Elevation of the ice, m, and relative permittivity of its firn."""
EVERY = 3
"""A layer file has one trace where the echogram has so many."""
FIRST_LAYER = 3
"""Id of the youngest layer: 1 is the surface, 2 would be the bed."""
FRAME = "20260507_01_001"


def main(folder: Path) -> None:
    """Write both files."""
    geometry = SNOW_RADAR.geometry
    assert isinstance(geometry, Snow)  # noqa: S101  # a snow radar sees snow
    setting = Setting(replace(geometry, years=12, rows=420.0, broken=0.0), SNOW_RADAR.echoes)
    reflectors, echogram = setting.simulate(TRACES, SEED)
    along = reflectors.trace_m * np.arange(TRACES)
    longitude, latitude, _ = Geod(ellps="WGS84").fwd(
        np.full(TRACES, START[0]), np.full(TRACES, START[1]), np.full(TRACES, HEADING), along
    )
    step = 2 * reflectors.sample_m * np.sqrt(PERMITTIVITY) / speed_of_light
    above = 2 * HEIGHT / speed_of_light - step * float(reflectors.surface.mean())
    track = {
        "GPS_time": FLIGHT + along / SPEED,
        "Latitude": latitude,
        "Longitude": longitude,
        "Elevation": np.full(TRACES, ICE + HEIGHT),
        "Surface": above + step * reflectors.surface,
    }
    time = above + step * np.arange(len(echogram))
    content = {name: values[np.newaxis] for name, values in track.items()}
    content |= {"Data": 10 ** (echogram / 10), "Time": time[:, np.newaxis]}
    io.savemat(folder / f"Data_{FRAME}.mat", content, do_compression=True)
    rows = np.vstack([reflectors.surface, reflectors.layers])[:, ::EVERY]
    layers = LayerFile(
        ids=np.array([1, *range(FIRST_LAYER, FIRST_LAYER + len(rows) - 1)]),
        time=above + step * rows,
        quality=np.ones(rows.shape, np.int64),
        kinds=np.full(rows.shape, AUTOMATIC),
        gps_time=track["GPS_time"][::EVERY],
        latitude=latitude[::EVERY],
        longitude=longitude[::EVERY],
        elevation=track["Elevation"][::EVERY],
    )
    write_layer_file(folder / f"layers_{FRAME}.mat", layers)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
