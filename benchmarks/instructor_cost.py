"""What the instructors cost against the number of cells.

Usage: ``python instructor_cost.py [--cells 25 50 100] [--modes 2 3 4] [--peer PYTHON]``. Prints a
table in Markdown: seconds of processor time on one thread, to a residual of 1e-4, and the process's
peak memory up to then. The ice is a rough valley glacier of 100 m cells that fills nine tenths of a
square grid. With a PYTHON that has TensorFlow and igm-model, ``igm_solver.py`` solves the same
states with the solver of the Instructed Glacier Model; it stops after PATIENCE seconds.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import resource
import subprocess
import sys
import time
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

sys.path.append(str(Path(__file__).parent.parent / "build" / "plugins"))

import numpy as np
import torch

from glacier_qgis.models.iceflow.instructors.higher_order import higher_order
from glacier_qgis.models.iceflow.instructors.hybrid import hybrid
from glacier_qgis.models.iceflow.instructors.shallow_ice import shallow_ice

CELL, RATE, SLIDING = 100.0, 78.0, 12.0
TOLERANCE = 1e-4
PEER = Path(__file__).with_name("igm_solver.py")
PATIENCE = 60


def glacier(cells: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Return thickness and surface (m) of a valley glacier on a square grid."""
    place = torch.arange(cells, dtype=torch.float64) * CELL
    down, across = place[:, None], place[None] - place[-1] / 2
    bumps = 30 * torch.sin(2 * math.pi * down / 1300) * torch.sin(2 * math.pi * across / 900)
    width = 0.45 * cells * CELL
    surface = 4000 - 0.1 * down + 0 * across
    thickness = 300 * (1 - (across / width).square()) + bumps - 1
    return thickness.clamp(min=0), torch.where(thickness > 0, surface, surface + 100)


def beside(python: Path, cells: int, modes: int) -> None:
    """Print how igm-model solves the state of a grid, row 0 in the south."""
    thickness, surface = (field.flip(0).numpy() for field in glacier(cells))
    ice = int((thickness > 0).sum())
    friction = (0.1 / SLIDING) ** (1 / 3)  # MPa at 100 m a⁻¹, the reference speed
    numbers = {"arrhenius": RATE, "tau_ref": friction, "dX": CELL}
    with TemporaryDirectory() as folder:
        state = Path(folder) / "state.npz"
        fields = {name: np.full(thickness.shape, value) for name, value in numbers.items()}
        np.savez(state, thk=thickness, usurf=surface, modes=modes, **fields)
        one = ("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS")
        done = subprocess.run(  # noqa: S603  no word comes from outside
            [python, "-W", "ignore", PEER, state, f"{TOLERANCE}", f"{PATIENCE}"],
            env=os.environ | dict.fromkeys(one, "1"),
            capture_output=True,
            text=True,
            check=True,
        )
        found = json.loads(done.stdout.splitlines()[-1])
        print(
            f"| {cells} × {cells} | {ice} | igm-model 3.2.1, L-BFGS, {modes} modes "
            f"| {found['residual']:.0e} | {found['iterations']} | {found['seconds']:.2f} "
            f"| {1000 * found['seconds'] / ice:.2f} | – |",
            flush=True,
        )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cells", type=int, nargs="+", default=(25, 50, 100))
    parser.add_argument("--modes", type=int, nargs="+", default=(2, 3, 4))
    parser.add_argument("--peer", type=Path)
    options = parser.parse_args()
    print("| grid | cells of ice | instructor | residual | steps | s | ms per cell | peak, MB |")
    print("|---|---|---|---|---|---|---|---|")
    for cells in options.cells:
        thickness, surface = glacier(cells)
        ice = int((thickness > 0).sum())
        state = (thickness, surface, CELL, RATE, SLIDING)
        runs = {"shallow ice": partial(shallow_ice, *state), "hybrid": partial(hybrid, *state)}
        for modes in options.modes:
            solve = partial(higher_order, *state, modes=modes, tolerance=TOLERANCE)
            runs[f"Blatter-Pattyn, {modes} modes"] = solve
        for name, solve in runs.items():
            begin = time.process_time()
            found = solve()
            seconds = time.process_time() - begin
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
            print(
                f"| {cells} × {cells} | {ice} | {name} | {found.residual:.0e} | {found.steps} "
                f"| {seconds:.2f} | {1000 * seconds / ice:.2f} | {peak:.0f} |",
                flush=True,
            )
        if options.peer is not None:
            beside(options.peer, cells, max(options.modes))


if __name__ == "__main__":
    torch.set_num_threads(1)
    main()
