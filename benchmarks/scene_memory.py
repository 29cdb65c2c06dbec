"""Resident memory of `segmentcalvingfront` against the size of the scene.

    build/engine/bin/python benchmarks/scene_memory.py --sizes 5000 10000 20000

Scenes are simulated; the peak is that of the engine's process as the kernel counts it.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

TREE = Path(__file__).parents[1] / "build" / "plugins"
LAUNCH = TREE / "glacier_qgis" / "launch.py"
SIMULATOR = "glacier_qgis.models.fronts.scene.synthetic"
CELL_SIZE_M = 20


def simulate(path: Path, size: int) -> None:
    """Write a scene in a process of its own."""
    command = [sys.executable, "-P", "-m", SIMULATOR, str(path), "--size", str(size)]
    command += ["--cell-size", str(CELL_SIZE_M), "--form", "uint8"]
    environment = {**os.environ, "PYTHONPATH": str(TREE)}
    subprocess.run(command, check=True, env=environment, stdout=subprocess.DEVNULL)  # noqa: S603


def peak_gib(job: Path) -> float:
    """Run a job and return the peak of its resident memory in GiB."""
    process = subprocess.Popen(  # noqa: S603
        [sys.executable, "-I", str(LAUNCH), str(job)], stdout=subprocess.DEVNULL
    )
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"the engine ended with status {process.returncode}")
    unit = 1 if sys.platform == "darwin" else 1024
    return usage.ru_maxrss * unit / 2**30


def main() -> None:
    """Print a line per size, and each peak as a ratio to the first."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=[5000, 10_000, 20_000])
    parser.add_argument("--folder", type=Path, default=None, help="for scenes and results")
    given = parser.parse_args()
    sys.stdout.write(f"{'cells':>16} {'peak GiB':>9} {'ratio':>6} {'minutes':>8}\n")
    first = None
    for size in given.sizes:
        with tempfile.TemporaryDirectory(dir=given.folder) as folder:
            scene, job = Path(folder) / "scene.tif", Path(folder) / "job.json"
            simulate(scene, size)
            parameters = {"input": {"path": str(scene)}, "output": str(Path(folder) / "zones.tif")}
            order = {"job": "segmentcalvingfront", "id": "0123abcd", "parameters": parameters}
            job.write_text(json.dumps(order))
            start = time.perf_counter()
            peak = peak_gib(job)
            minutes = (time.perf_counter() - start) / 60
        first = first or peak
        line = f"{size:>7} × {size:<6} {peak:>9.2f} {peak / first:>6.2f} {minutes:>8.1f}\n"
        sys.stdout.write(line)
        sys.stdout.flush()


if __name__ == "__main__":
    main()
