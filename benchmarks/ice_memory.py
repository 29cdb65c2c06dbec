"""Peak memory of an ice-flow simulation on a large grid.

    GLACIER_DATA=... build/engine/bin/python benchmarks/ice_memory.py --sizes 1000 2000 4000

Each size runs in a process of its own: all of a square of cells of 100 m under ice, a few steps
with f15 and the mass balance by height. The peak is that of the process as the kernel counts it.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
from pathlib import Path

PLUGINS = Path(__file__).parents[1] / "build" / "plugins"
CELL = 100.0


def simulate(size: int, steps: int) -> None:
    """Take some steps on a domed ice cap and print the peak in GiB."""
    sys.path.append(str(PLUGINS))
    from glacier_qgis.models.compute.device import tune_allocator

    tune_allocator()
    import torch

    from glacier_qgis.models.iceflow.dynamics.simulation import Simulation
    from glacier_qgis.models.iceflow.emulators.card import FlowParameters
    from glacier_qgis.models.iceflow.velocity.emulator import Emulator
    from glacier_qgis.models.iceflow.velocity.flow import EmulatedFlow

    data = Path(os.environ["GLACIER_DATA"]) / "iceflow" / "emulators"
    emulator = Emulator.read(data / "f15_cfsflow_GJ_22_a" / "100")
    away = torch.linspace(-1, 1, size).square()
    dome = 1 - (away[:, None] + away) / 3
    bed, ice = 1500 + 500 * dome, 400 * dome
    simulation = Simulation(
        bed,
        ice,
        EmulatedFlow(emulator, FlowParameters(CELL, 78.0, 0.0), bed),
        lambda surface, _: (0.007 * (surface - 2200)).clamp(max=2),
        cell_size=CELL,
        cfl=0.3,
    )
    for _ in range(steps):
        simulation.step(1000.0)
    unit = 1 if sys.platform == "darwin" else 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 2**30
    sys.stdout.write(f"{size:>6} × {size:<6} {peak:>8.2f}\n")


def main() -> None:
    """Print a line a size."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=[1000, 2000, 4000])
    parser.add_argument("--steps", type=int, default=2)
    parser.add_argument("--here", action="store_true", help="run in this process")
    given = parser.parse_args()
    if given.here:
        simulate(given.sizes[0], given.steps)
        return
    sys.stdout.write(f"{'cells':>15} {'peak GiB':>8}\n")
    sys.stdout.flush()
    for size in given.sizes:
        command = [sys.executable, __file__, "--here", "--steps", str(given.steps)]
        subprocess.run([*command, "--sizes", str(size)], check=True)  # noqa: S603


if __name__ == "__main__":
    main()
