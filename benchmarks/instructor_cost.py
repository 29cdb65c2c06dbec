"""What the instructors cost against the number of cells.

Usage: ``python instructor_cost.py [--cells 25 50 100] [--modes 2 3 4]``. Prints a table in
Markdown: seconds of processor time on one thread, to a residual of 1e-4, and the process's peak
memory up to then. The ice is a rough valley glacier of 100 m cells that fills nine tenths of a
square grid.
"""

from __future__ import annotations

import argparse
import math
import resource
import sys
import time
from functools import partial
from pathlib import Path

sys.path.append(str(Path(__file__).parent.parent / "build" / "plugins"))

import torch

from glacier_qgis.models.iceflow.instructors.higher_order import higher_order
from glacier_qgis.models.iceflow.instructors.hybrid import hybrid
from glacier_qgis.models.iceflow.instructors.shallow_ice import shallow_ice

CELL, RATE, SLIDING = 100.0, 78.0, 12.0
TOLERANCE = 1e-4


def glacier(cells: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Return thickness and surface (m) of a valley glacier on a square grid."""
    place = torch.arange(cells, dtype=torch.float64) * CELL
    down, across = place[:, None], place[None] - place[-1] / 2
    bumps = 30 * torch.sin(2 * math.pi * down / 1300) * torch.sin(2 * math.pi * across / 900)
    width = 0.45 * cells * CELL
    surface = 4000 - 0.1 * down + 0 * across
    thickness = 300 * (1 - (across / width).square()) + bumps - 1
    return thickness.clamp(min=0), torch.where(thickness > 0, surface, surface + 100)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cells", type=int, nargs="+", default=(25, 50, 100))
    parser.add_argument("--modes", type=int, nargs="+", default=(2, 3, 4))
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


if __name__ == "__main__":
    torch.set_num_threads(1)
    main()
