"""Time of the golden run: the engine's torch against TensorFlow with the same scheme.

Both compute the same 100 years of the Aletsch glacier, one after the other on all cores, work
only around the ice, and are timed without imports and after one warm-up evaluation::

    GLACIER_DATA=... GLACIER_TENSORFLOW_PYTHON=... \
        build/engine/bin/python benchmarks/golden_run.py [--rounds N]
"""

from __future__ import annotations

import argparse
import json
import os
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
    """Run both sides in turn and print the ratio of their best times."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--end", type=float, default=200.0, help="last year (starts in 100)")
    options = parser.parse_args()
    data = Path(os.environ["GLACIER_DATA"]) / "iceflow"
    weights = data / "emulators" / "f15_cfsflow_GJ_22_a" / "100" / "model.h5"
    sides = {
        "torch": (sys.executable, "golden_run_torch.py"),
        "TensorFlow": (os.environ["GLACIER_TENSORFLOW_PYTHON"], "golden_run_tensorflow.py"),
    }
    best = dict.fromkeys(sides, float("inf"))
    with tempfile.TemporaryDirectory() as folder:
        inputs = Path(folder) / "inputs.npz"
        prepare(data / "aletsch_golden", inputs)
        for _ in range(options.rounds):
            for name, (python, script) in sides.items():
                result = run(python, script, inputs, weights, options.end)
                print(name, json.dumps(result), flush=True)
                best[name] = min(best[name], result["seconds"])
    print(f"torch takes {best['torch'] / best['TensorFlow']:.2f} of TensorFlow's time")


if __name__ == "__main__":
    main()
