"""Speed and memory of `tracelayers` on long frames.

    build/engine/bin/python benchmarks/layer_speed.py --kilometres 10 100

Each frame is traced in a process of its own; the frames repeat a simulated one.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "build" / "plugins"))

import numpy as np
import torch

from glacier_qgis.models.engine.events import Silent
from glacier_qgis.models.engine.job import RasterInput
from glacier_qgis.models.engine.outputs import Outputs
from glacier_qgis.models.radar.echogram.axes import Axes
from glacier_qgis.models.radar.echogram.raster import create_echogram
from glacier_qgis.models.radar.jobs.trace_layers import TraceLayers
from glacier_qgis.models.radar.simulate.settings import RADIOSTRATIGRAPHY

PIECE = 400


def main() -> None:
    """Write a frame, or trace one that was written."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kilometres", type=float, nargs="+", default=[10.0, 100.0])
    parser.add_argument("--frame", type=Path, help="trace this one")
    asked = parser.parse_args()
    if asked.frame:
        trace(asked.frame)
        return
    for length in asked.kilometres:
        with tempfile.TemporaryDirectory() as folder:
            frame = write(Path(folder) / "frame.tif", length)
            command = [sys.executable, "-P", __file__, "--frame", str(frame)]
            out = subprocess.run(command, check=True, capture_output=True, text=True).stdout  # noqa: S603
            seconds, mebibytes = map(float, out.split())
            print(f"{length:g} km: {length / seconds:.2f} km/s, peak memory {mebibytes:.0f} MiB")


def write(path: Path, kilometres: float) -> Path:
    """Write a frame of so many kilometres: a simulated piece, mirrored at each border."""
    _, piece = RADIOSTRATIGRAPHY.simulate(PIECE, 1)
    traces = int(1000 * kilometres / RADIOSTRATIGRAPHY.geometry.trace_m)
    axes = Axes(frame_id="long", time=3.3e-8 * np.arange(len(piece)), traces=traces)
    with create_echogram(path, axes, {}) as target:
        for number, first in enumerate(range(0, traces, PIECE)):
            part = piece if number % 2 else piece[:, ::-1]
            target.write(first, part[:, : min(PIECE, traces - first)])
    return path


def trace(frame: Path) -> None:
    """Trace a frame; print seconds and peak resident memory, MiB."""
    torch.set_num_threads(2)
    output = frame.with_name("lines.gpkg")
    start = time.perf_counter()
    with Outputs("0" * 8) as outputs:
        job = TraceLayers(input=[RasterInput(path=str(frame))], output=output)
        job.run(Silent(), outputs)
    seconds = time.perf_counter() - start
    print(seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


if __name__ == "__main__":
    main()
