"""What one evaluation of the flow costs: the delivered emulator beside f15, in one run.

Usage: ``GLACIER_DATA=… python emulator_cost.py [--emulator FOLDER] [--repeats 20]
[--instructor]``. Prints a table
in Markdown: processor time on one thread, the least of all repeats, which take turns, per cell of
ice; both are computed around the ice only. "In time" is the mean over the states of a simulation,
of which most begin with the motion of the one before; so does the instructor beside it, of which
the least of `SOLVED` runs counts. The Great Aletsch Glacier with its ground (a third of the grid
has ice), and a square full of ice.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path

sys.path.append(str(Path(__file__).parent.parent / "build" / "plugins"))

import torch
import xarray as xr

from glacier_qgis.models.compute.device import tune_allocator
from glacier_qgis.models.iceflow.emulators.card import MEAN_FLOW, FlowParameters
from glacier_qgis.models.iceflow.instructors.higher_order import higher_order
from glacier_qgis.models.iceflow.velocity.catalogue import installed_emulators
from glacier_qgis.models.iceflow.velocity.emulator import Emulator
from glacier_qgis.models.iceflow.velocity.flow import RENEWED, flow_in_time

CELL = 100.0
PARAMETERS = FlowParameters(CELL, rate_factor=78.0, sliding=12.0)
PUBLISHED = "f15_cfsflow_GJ_22_a/100"
FULL = 192
SOLVED = 3
"""Runs of the instructor."""
SIMILAR = 2e-3
"""Share of the thickness that melts from one state to the next."""


def aletsch() -> tuple[torch.Tensor, torch.Tensor]:
    """Return thickness and surface (m) of the golden run, north-up."""
    data = Path(os.environ["GLACIER_DATA"]) / "iceflow" / "aletsch_golden"
    with xr.open_dataset(data / "geology.nc") as file:
        step = -1 if file.y.values[0] < file.y.values[-1] else 1
        fields = [torch.from_numpy(file[name].values[::step].copy()) for name in ("thk", "usurf")]
    return fields[0].float(), fields[1].float()


def full() -> tuple[torch.Tensor, torch.Tensor]:
    """Return a square of ice without ground that is bare."""
    place = torch.arange(FULL) * CELL
    waves = 40 * torch.sin(place / 700)[:, None] * torch.sin(place / 900)
    surface = 4000 - 0.08 * place[:, None] + 0 * place + waves / 4
    return 250 + waves, surface


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--emulator", type=Path, help="folder; the delivered one by default")
    parser.add_argument("--repeats", type=int, default=20)
    parser.add_argument("--instructor", action="store_true", help="solve Aletsch, too")
    options = parser.parse_args()
    ours = Emulator.read(options.emulator or installed_emulators()["blatter_pattyn"])
    theirs = Emulator.read(installed_emulators()[PUBLISHED], PUBLISHED)
    instructor = ""
    print("| ice | cells of ice | f15, µs per cell | f15, ground remembered |", end="")
    print(" ours | ours in time | f15 / ours | f15 / ours in time |")
    print("|---|---|---|---|---|---|---|---|")
    for name, (thickness, surface) in (("Aletsch", aletsch()), ("full square", full())):
        ice = int((thickness > 0).sum())
        ground = surface - thickness
        state = (thickness, surface, PARAMETERS, MEAN_FLOW)
        flow = flow_in_time(ours, PARAMETERS)
        calls = (
            lambda state=state: theirs.velocity(*state),
            lambda state=state, ground=ground: theirs.velocity(*state, ground),
            lambda state=state: ours.velocity(*state),
            lambda state=state, flow=flow: [flow(*state[:2]) for _ in range(RENEWED)],
        )
        least = [float("inf")] * len(calls)
        for _ in range(options.repeats + 1):
            for place, call in enumerate(calls):
                begin = time.process_time()
                call()
                least[place] = min(least[place], time.process_time() - begin)
        plain, remembered, own, several = (1e6 * seconds / ice for seconds in least)
        best, later = min(plain, remembered), several / RENEWED
        print(
            f"| {name} | {ice} | {plain:.2f} | {remembered:.2f} | {own:.2f} | {later:.2f} "
            f"| {best / own:.1f} | {best / later:.1f} |",
            flush=True,
        )
        if options.instructor and name == "Aletsch":
            rest, near = (1e6 * seconds / ice for seconds in solved(thickness, ground))
            instructor = (
                f"\nThe instructor on {name}: {rest:.0f} µs per cell from rest, {rest / own:.0f} "
                f"times ours; {near:.0f} from the solution of a similar state, {near / later:.0f} "
                "times ours in time."
            )
    print(instructor)


def solved(thickness: torch.Tensor, ground: torch.Tensor) -> tuple[float, float]:
    """Return the processor time (s) of the instructor from rest, and from a similar state."""
    rest, near = [], []
    thinner = (1 - SIMILAR) * thickness
    for _ in range(SOLVED):
        begin = time.process_time()
        found = higher_order(thickness, ground + thickness, *PARAMETERS)
        rest.append(time.process_time() - begin)
        begin = time.process_time()
        higher_order(thinner, ground + thinner, *PARAMETERS, start=found.modes)
        near.append(time.process_time() - begin)
    return min(rest), min(near)


if __name__ == "__main__":
    tune_allocator()
    torch.set_num_threads(1)
    main()
