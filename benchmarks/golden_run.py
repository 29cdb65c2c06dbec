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
import time
from pathlib import Path

import netCDF4
import numpy as np
import torch

sys.path.append(str(Path(__file__).parent.parent / "build" / "plugins"))

from glacier_qgis.models.engine.device import choose_device, tune_allocator
from glacier_qgis.models.iceflow.emulator import Emulator
from glacier_qgis.models.iceflow.simulation import Simulation

CELL, RATE, CFL, START, INTERVAL = 100.0, 78.0, 0.3, 100.0, 10.0


def load(folder: Path) -> dict[str, np.ndarray]:
    """Read the inputs, row 0 in the south."""
    with netCDF4.Dataset(folder / "geology.nc") as file:
        return {name: np.asarray(file[name][:], "f4") for name in ("usurf", "thk", "icemask")}


def run_torch(fields: dict[str, np.ndarray], weights: Path, end: float) -> dict[str, float]:
    """Run the engine's own simulation."""
    tune_allocator()
    device = choose_device("automatic")
    emulator = Emulator.read(weights, device=device)
    surface, thickness, mask = (
        torch.from_numpy(fields[name][::-1].copy()).to(device)
        for name in ("usurf", "thk", "icemask")
    )

    def flow(h: torch.Tensor, s: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        velocity = emulator.velocity(h, s, CELL, RATE, 0.0, ("ubar", "vbar"))
        return velocity["ubar"], velocity["vbar"]

    def balance(s: torch.Tensor, year: float) -> torch.Tensor:
        height = s - 2000
        rate = (height * torch.where(height < 0, 0.006, 0.009)).clamp(-100, 2)
        return torch.where(mask > 0.5, rate, -10.0)

    flow(thickness, surface)
    simulation = Simulation(
        surface - thickness, thickness, flow, balance, cell_size=CELL, cfl=CFL, start=START
    )
    begin = time.perf_counter()
    for target in np.arange(START + INTERVAL, end + INTERVAL / 2, INTERVAL):
        while simulation.time < target:
            simulation.step(float(target))
    volume = simulation.budget().final
    return {
        "seconds": time.perf_counter() - begin,
        "steps": simulation.steps,
        "volume_km3": volume,
    }


def run_tensorflow(
    fields: dict[str, np.ndarray], weights: Path, end: float, python: str
) -> dict[str, float]:
    """Run the TensorFlow script in its own interpreter."""
    script = Path(__file__).with_name("golden_run_tensorflow.py")
    with tempfile.TemporaryDirectory() as folder:
        inputs = Path(folder) / "inputs.npz"
        np.savez(inputs, **fields)
        done = subprocess.run(  # noqa: S603  the interpreter that the user named
            [python, script, inputs, weights, str(end)], check=True, capture_output=True, text=True
        )
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
    fields = load(data / "aletsch_golden")
    python = os.environ["GLACIER_TENSORFLOW_PYTHON"]
    best: dict[str, float] = {}
    for _ in range(options.rounds):
        for name, result in (
            ("torch", run_torch(fields, weights, options.end)),
            ("TensorFlow", run_tensorflow(fields, weights, options.end, python)),
        ):
            print(name, json.dumps(result), flush=True)
            best[name] = min(best.get(name, result["seconds"]), result["seconds"])
    print(f"torch takes {best['torch'] / best['TensorFlow']:.2f} of TensorFlow's time")


if __name__ == "__main__":
    main()
