"""Time of the golden run: the engine's torch against TensorFlow with the same scheme.

All compute the same 100 years of the Aletsch glacier on all cores, in turn, and are timed without
imports and after one warm-up evaluation. TensorFlow evaluates f15 on the whole grid, as the
Instructed Glacier Model does, and once more in the rectangle around the ice; the engine moves the
ice with f15, and with the delivered emulator::

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
from itertools import product
from pathlib import Path

import netCDF4
import numpy as np

DELIVERED = Path(__file__).parent.parent / "models" / "zoo" / "emulators" / "blatter_pattyn"


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
    f15 = data / "emulators" / "f15_cfsflow_GJ_22_a" / "100" / "model.h5"
    tensorflow = (os.environ["GLACIER_TENSORFLOW_PYTHON"], "golden_run_tensorflow.py", f15)
    engine = (sys.executable, "golden_run_torch.py")
    ours = {"the engine with f15": (*engine, f15), "the engine": (*engine, DELIVERED)}
    theirs = {"TensorFlow": tensorflow, "TensorFlow around the ice": (*tensorflow, "around")}
    results: dict[str, list[dict[str, float]]] = {name: [] for name in ours | theirs}
    with tempfile.TemporaryDirectory() as folder:
        inputs = Path(folder) / "inputs.npz"
        prepare(data / "aletsch_golden", inputs)
        for _ in range(options.rounds):
            for name, (python, script, weights, *more) in (ours | theirs).items():
                result = run(python, script, inputs, weights, options.end, *more)
                print(name, json.dumps(result), flush=True)
                results[name].append(result)
    for measure in ("seconds", "processor_seconds"):
        median = {
            name: statistics.median(result[measure] for result in of)
            for name, of in results.items()
        }
        for name, own in product(theirs, ours):
            print(f"{measure}: {name} takes {median[name] / median[own]:.2f} × {own}")


if __name__ == "__main__":
    main()
