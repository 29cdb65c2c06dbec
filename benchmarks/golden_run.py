"""Time of the golden run: the engine's torch against TensorFlow with the same scheme.

All compute the same 100 years of the Aletsch glacier on all cores, in turn, and are timed without
imports and after one warm-up evaluation. TensorFlow evaluates the network on the whole grid, as
the Instructed Glacier Model does, and once more in the rectangle around the ice::

    GLACIER_DATA=... GLACIER_TENSORFLOW_PYTHON=... \
        build/engine/bin/python benchmarks/golden_run.py [--rounds N]
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import netCDF4
import numpy as np


def prepare(folder: Path, target: Path) -> None:
    """Write the inputs, row 0 in the south, for both sides."""
    with netCDF4.Dataset(folder / "geology.nc") as file:
        names = ("usurf", "thk", "icemask")
        np.savez(target, **{name: np.asarray(file[name][:], "f4") for name in names})


def run(python: str, script: str, *arguments: object) -> dict[str, float]:
    """Run one side and return what it printed last."""
    command = [python, str(Path(__file__).with_name(script)), *map(str, arguments)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)  # noqa: S603
    result: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return result


def main() -> None:
    """Run the sides in turn; print the ratios of their median times."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--end", type=float, default=200.0, help="last year (starts in 100)")
    options = parser.parse_args()
    data = Path(os.environ["GLACIER_DATA"]) / "iceflow"
    weights = data / "emulators" / "f15_cfsflow_GJ_22_a" / "100" / "model.h5"
    tensorflow = (os.environ["GLACIER_TENSORFLOW_PYTHON"], "golden_run_tensorflow.py")
    sides = {
        "torch": (sys.executable, "golden_run_torch.py"),
        "TensorFlow": tensorflow,
        "TensorFlow around the ice": (*tensorflow, "around"),
    }
    results: dict[str, list[dict[str, float]]] = {name: [] for name in sides}
    with tempfile.TemporaryDirectory() as folder:
        inputs = Path(folder) / "inputs.npz"
        prepare(data / "aletsch_golden", inputs)
        for _ in range(options.rounds):
            for name, (python, script, *more) in sides.items():
                result = run(python, script, inputs, weights, options.end, *more)
                print(name, json.dumps(result), flush=True)
                results[name].append(result)
    for measure in ("seconds", "processor_seconds"):
        median = {
            name: statistics.median(result[measure] for result in of)
            for name, of in results.items()
        }
        for name in list(sides)[1:]:
            print(f"{measure}: {name} takes {median[name] / median['torch']:.2f} × torch")


if __name__ == "__main__":
    main()
