"""How long the panel's preview takes: with an engine of its own, and with one that stays warm.

    build/engine/bin/python benchmarks/preview.py [--threads 2]

Two views, side by side: the Sentinel-1 scene over Helheim of the folder that ``GLACIER_DATA``
names (without it, a synthetic scene of that size), and a view over a synthetic scene that is wide
enough for the largest picture that a preview makes. The warm engine's times are from the order
to the answer, as the panel waits for them. "prepared" is what the panel does as soon as a scene
is chosen; "first" is the first preview after it.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import IO

LAUNCH = Path(__file__).parents[1] / "build" / "plugins" / "glacier_qgis" / "launch.py"
HELHEIM = Path("helheim_s1") / "helheim_S1_20180602.tif"
ASPECT = 0.6
"""Height of a map to its width."""


class WarmEngine:
    """An engine that takes orders until its input is closed."""

    def __init__(self) -> None:
        command = [sys.executable, "-I", str(LAUNCH), "--warm", "600"]
        self._process = subprocess.Popen(  # noqa: S603
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def seconds(self, job: str, parameters: Mapping[str, object]) -> float:
        """Run a job and return how long it took."""
        start = time.perf_counter()
        stdin: IO[str] = self._process.stdin  # type: ignore[assignment]
        stdout: IO[str] = self._process.stdout  # type: ignore[assignment]
        stdin.write(json.dumps({"job": job, "id": "0123abcd", "parameters": parameters}) + "\n")
        stdin.flush()
        for line in stdout:
            event = json.loads(line)
            if event["event"] == "error":
                raise SystemExit(event["message"])
            if event["event"] == "result":
                return time.perf_counter() - start
        raise SystemExit("the engine ended without an answer")

    def memory(self) -> str:
        """Return what it holds, where the system tells."""
        status = Path(f"/proc/{self._process.pid}/status")
        lines = status.read_text().splitlines() if status.exists() else []
        kilobytes = [int(line.split()[1]) for line in lines if line.startswith("VmRSS")]
        return f"{kilobytes[0] / 1024:.0f} MiB" if kilobytes else "unknown"

    def close(self) -> None:
        """End it."""
        self._process.communicate()


def cold(job: str, parameters: Mapping[str, object], folder: Path) -> float:
    """Return how long a job takes in an engine of its own."""
    order = folder / "job.json"
    order.write_text(json.dumps({"job": job, "id": "0123abcd", "parameters": parameters}))
    start = time.perf_counter()
    subprocess.run(  # noqa: S603
        [sys.executable, "-I", str(LAUNCH), str(order)], check=True, stdout=subprocess.DEVNULL
    )
    return time.perf_counter() - start


def synthetic(path: Path, cells: int) -> Path:
    """Simulate a scene with the cells that the delivered model was trained with."""
    from glacier_qgis.models.fronts.scene.synthetic import SyntheticScene

    SyntheticScene(size=cells, cell_size=66.0).write(path)
    return path


def views(folder: Path) -> dict[str, dict[str, object]]:
    """Return what a preview is asked for, by title."""
    import rasterio

    data = os.environ.get("GLACIER_DATA")
    real = Path(data, HELHEIM) if data else None
    small = real if real and real.is_file() else synthetic(folder / "small.tif", 160)
    looks: dict[str, dict[str, object]] = {}
    for title, path in {
        f"all of {small.name}": small,
        "a wide view": synthetic(folder / "wide.tif", 1024),
    }.items():
        with rasterio.open(path) as raster:
            west, south, east, north = raster.bounds
            crs = raster.crs.to_wkt()
        if path != small:
            north = south + ASPECT * (north - south)
        view = {"xmin": west, "ymin": south, "xmax": east, "ymax": north, "crs": crs}
        looks[title] = {"input": {"path": str(path)}, "view": view}
    return looks


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--threads", type=int, default=2, help="cores that the network may use")
    options = parser.parse_args()
    os.environ["OMP_NUM_THREADS"] = str(options.threads)
    sys.path.append(str(LAUNCH.parents[1]))
    with tempfile.TemporaryDirectory() as name:
        say = sys.stdout.write
        say(f"{'s, on ' + str(options.threads) + ' cores':32}")
        say("".join(f"{title:>10}" for title in ("cold", "prepared", "first", "again", "slowest")))
        say("\n")
        engine = WarmEngine()
        engine.seconds("ping", {})
        for title, look in views(Path(name)).items():
            scene = {"input": look["input"]}
            times = [cold("previewtermini", look, Path(name))]
            times.append(engine.seconds("preparepreview", scene))
            times.append(engine.seconds("previewtermini", look))
            again = [engine.seconds("previewtermini", look) for _ in range(options.rounds)]
            times += [statistics.median(again), max(again)]
            say(f"{title:32}" + "".join(f"{seconds:10.2f}" for seconds in times) + "\n")
        say(f"The warm engine holds {engine.memory()} in the end.\n")
        engine.close()


if __name__ == "__main__":
    main()
