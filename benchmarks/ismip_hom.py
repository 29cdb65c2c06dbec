"""ISMIP-HOM experiments A to D (Pattyn et al. 2008, doi 10.5194/tc-2-95-2008) with Blatter-Pattyn.

Usage: ``python ismip_hom.py [--cells 60] [--modes 4] [--lengths 5 10 …]``, with GLACIER_DATA set.
Prints a table in Markdown: surface speed at y = L/4 beside the published higher-order models, and
the difference to a full-Stokes model over the whole surface.
"""

from __future__ import annotations

import argparse
import math
import os
import re
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

sys.path.append(str(Path(__file__).parent.parent / "build" / "plugins"))

import numpy as np
import numpy.typing as npt
import torch

from glacier_qgis.models.iceflow.instructors.column import column
from glacier_qgis.models.iceflow.instructors.elements import Elements, Ice
from glacier_qgis.models.iceflow.instructors.energy import Energy
from glacier_qgis.models.iceflow.instructors.newton import minimise
from glacier_qgis.models.iceflow.physics import WEIGHT

Array = npt.NDArray[np.float64]

LENGTHS = (5, 10, 20, 40, 80, 160)
"""L in km."""
RATE = 100.0
"""A in MPa⁻³ a⁻¹."""
SMOOTHING = 1e-6
"""Strain rate below which ice no longer gets stiffer, a⁻¹."""
REFERENCE_CELLS = 60
"""Cells along L of the full-Stokes fields of A and C."""


class Published(NamedTuple):
    """Speed at the surface, m a⁻¹, at y = L/4: median of the higher-order models, and range."""

    highest: float
    least_highest: float
    most_highest: float
    lowest: float
    mean: float


@dataclass(frozen=True)
class Run:
    """What was computed.

    Attributes:
        velocity: at the surface, m a⁻¹, (2, rows, columns), row 0 at y = 0.
        residual: reached.
        steps: of Newton's method.
        seconds: of processor time.
    """

    velocity: Array
    residual: float
    steps: int
    seconds: float

    @property
    def line(self) -> Array:
        """Speed at y = L/4, with that at x = 0 again at x = L, as the submissions have it."""
        speed = np.hypot(*self.velocity[:, self.velocity.shape[1] // 4])
        return np.append(speed, speed[0])


def experiment(name: str, length: float, cells: int, modes: int) -> Run:
    """Solve experiment A, B, C or D at a length (km) with `cells` along it."""
    size = 1000 * length / cells
    across = 2 if name in "BD" else cells
    wave = torch.sin(2 * math.pi / cells * torch.arange(cells, dtype=torch.float64))
    bumps = wave.expand(across, cells) if name in "BD" else wave[:, None] * wave
    no_slip = name in "AB"
    unit = RATE * (WEIGHT * size) ** 3  # of strain rates, a⁻¹
    thickness = 1000 - 500 * bumps if no_slip else torch.full_like(bumps, 1000.0)
    linear = (1000 + 1000 * bumps) * 1e-6  # β² in MPa a m⁻¹
    friction = torch.full_like(bumps, math.inf) if no_slip else linear * unit / WEIGHT
    ice = Ice(
        thickness=thickness / size,
        surface=torch.zeros_like(bumps),
        stiffness=torch.ones_like(bumps),
        friction=friction,
        tilt=(-math.tan(math.radians(0.5 if no_slip else 0.1)), 0.0),
        periodic=True,
    )
    begin = time.process_time()
    energy = Energy(
        Elements.of(ice), column(modes), (SMOOTHING / unit) ** 2, slowest=0.0, exponent=1.0
    )
    minimum = minimise(energy, 1e-6)
    seconds = time.process_time() - begin
    velocity = minimum.velocity.unflatten(0, (modes, 2))
    surface = torch.einsum("k,kcyx->cyx", energy.column.surface, velocity) * unit * size
    return Run(surface.numpy(), minimum.residual, minimum.steps, seconds)


def published(reference: Path) -> dict[tuple[str, int], Published]:
    """Return what the higher-order models found, by experiment and length (km)."""
    pattern = (
        r"([AC]) L= *(\d+)km .*HO n=\d+ max: med (\S+) \[(\S+),(\S+)\] "
        r"min: med (\S+) mean: med (\S+)"
    )
    text = (reference / "ismip_hom_ranges.txt").read_text()
    return {
        (name, int(length)): Published(*map(float, numbers))
        for name, length, *numbers in re.findall(pattern, text)
    }


def full_stokes(reference: Path, name: str, length: int, cells: int) -> Array:
    """Return the surface velocity of the full-Stokes model oga1 at the nodes, m a⁻¹.

    The shape is (2, cells, cells) for A and C, and (1, 1, cells) for B and D.
    """
    file = reference / "ismip_hom_stokes" / f"oga1{name.lower()}{length:03}.txt"
    table = np.loadtxt(file)
    if name in "BD":
        return np.interp(np.arange(cells) / cells, table[:, 0], table[:, 1])[None, None]
    every, rest = divmod(REFERENCE_CELLS, cells)
    if rest:
        raise ValueError(f"{cells} cells do not divide the {REFERENCE_CELLS} of the reference.")
    side = REFERENCE_CELLS + 1
    fields = table[:, 2:4].T.reshape(2, side, side).transpose(0, 2, 1)  # x runs slowest
    return fields[:, :-1:every, :-1:every]


def difference(run: Run, stokes: Array) -> float:
    """Return the mean difference of the vectors over the surface, relative to the mean speed."""
    velocity = run.velocity[:1, :1] if len(stokes) == 1 else run.velocity
    error = np.linalg.norm(velocity - stokes, axis=0).mean()
    return float(error / np.linalg.norm(stokes, axis=0).mean())


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cells", type=int, default=REFERENCE_CELLS)
    parser.add_argument("--modes", type=int, default=4)
    parser.add_argument("--lengths", type=int, nargs="+", default=LENGTHS)
    parser.add_argument("--experiments", default="ABCD")
    options = parser.parse_args()
    reference = Path(os.environ["GLACIER_DATA"]) / "iceflow" / "reference"
    ranges = published(reference)
    print(f"{options.cells} cells along L, {options.modes} modes. Speeds in m/a.\n")
    print(
        "| | L, km | highest | higher order | mean | higher order | from full Stokes | steps | s |"
    )
    print("|---|---|---|---|---|---|---|---|---|")
    for name in options.experiments:
        for length in options.lengths:
            run = experiment(name, length, options.cells, options.modes)
            off = difference(run, full_stokes(reference, name, length, options.cells))
            highest = mean = ""
            if (name, length) in ranges:
                known = ranges[name, length]
                highest = (
                    f"{known.highest:.2f} [{known.least_highest:.2f}, {known.most_highest:.2f}]"
                )
                mean = f"{known.mean:.2f}"
            print(
                f"| {name} | {length} | {run.line.max():.2f} | {highest} | {run.line.mean():.2f} "
                f"| {mean} | {100 * off:.1f} % | {run.steps} | {run.seconds:.1f} |",
                flush=True,
            )


if __name__ == "__main__":
    torch.set_num_threads(1)
    main()
