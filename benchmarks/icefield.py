"""Where the time of an icefield goes, as in Table 4 of Jouvet et al. (2022).

    GLACIER_DATA=... build/engine/bin/python benchmarks/icefield.py [--years 500] [--size 512]

A simulated mountain range, 512 × 512 cells of 2 km, with the emulator f14_pism and positive
degree days computed once a year, as `simulateglacier` does by default. From ice-free ground; the
time of each part is that of its calls.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
from scipy import ndimage

sys.path.append(str(Path(__file__).parents[1] / "build" / "plugins"))

from glacier_qgis.models.compute.device import rest_idle_threads, tune_allocator

rest_idle_threads()
tune_allocator()

import torch  # noqa: E402  after the threads are set up

from glacier_qgis.models.iceflow.balance.climate import Climate  # noqa: E402
from glacier_qgis.models.iceflow.balance.degree_days import DegreeDayBalance, MeltModel  # noqa: E402
from glacier_qgis.models.iceflow.balance.forcing import TimeCurve  # noqa: E402
from glacier_qgis.models.iceflow.balance.model import Held  # noqa: E402
from glacier_qgis.models.iceflow.dynamics.simulation import Simulation  # noqa: E402
from glacier_qgis.models.iceflow.emulators.card import FlowParameters  # noqa: E402
from glacier_qgis.models.iceflow.velocity.emulator import Emulator  # noqa: E402
from glacier_qgis.models.iceflow.velocity.flow import EmulatedFlow  # noqa: E402

CELL = 2000.0
SPACING = 10.0
"""Years between saved states."""
MELT = MeltModel(0.003, 0.008, 0.6, 5.0, 0.0, 2.0, 10)


def mountains(size: int) -> torch.Tensor:
    """Return the elevation of a range that runs from north to south, with side valleys, m."""
    noise = np.random.default_rng(1).normal(size=(size, size))
    rough = sum(
        weight * field / field.std()
        for weight, field in (
            (reach, ndimage.gaussian_filter(noise, reach)) for reach in (2.0, 5.0, 12.0)
        )
    )
    across = np.linspace(-1, 1, size)
    crest = np.exp(-((across / 0.35) ** 2)) * 1900
    relief = np.exp(-((across / 0.5) ** 2)) * 25 * rough
    return torch.from_numpy((crest + relief + 150).clip(0).astype(np.float32))


def climate(bed: torch.Tensor) -> Climate:
    """Return a cool, wet climate, warmer in the north, °C and m of water a⁻¹."""
    months = torch.arange(12.0)
    season = -7.0 * torch.cos((months - 0.5) / 12 * 2 * torch.pi)
    north = torch.linspace(4, -4, bed.shape[0])[:, None].expand_as(bed)
    return Climate(
        temperature=(season[:, None, None] + north + 1.0).contiguous(),
        precipitation=torch.full((12, 1, 1), 1.6),
        height=torch.zeros(1, 1),
        lapse_rate=6.5,
        temperature_offset=TimeCurve.constant(0.0),
        precipitation_offset=TimeCurve.constant(0.0),
    )


def timed(part: str, spent: Counter[str], function: Callable) -> Callable:
    """Return `function` that adds what it takes to `spent[part]`, s."""

    def call(*arguments: object) -> object:
        begin = time.perf_counter()
        result = function(*arguments)
        spent[part] += time.perf_counter() - begin
        return result

    return call


def main() -> None:
    """Run, and print the share of each part."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, default=512)
    parser.add_argument("--years", type=float, default=500.0)
    given = parser.parse_args()
    data = Path(os.environ["GLACIER_DATA"]) / "iceflow" / "emulators"
    emulator = Emulator.read(data / "f14_pism_GJ_21_a" / "2000")
    bed = mountains(given.size)
    spent: Counter[str] = Counter()
    flow = EmulatedFlow(emulator, FlowParameters(CELL, 78.0, 0.0), bed)
    balance = Held(DegreeDayBalance(climate(bed), MELT), 1.0, 0.0)
    simulation = Simulation(
        bed,
        torch.zeros_like(bed),
        timed("ice flow", spent, flow),
        timed("mass balance", spent, balance),
        cell_size=CELL,
        cfl=0.3,
        max_step=1.0,
    )
    begin = time.perf_counter()
    while simulation.time < given.years:
        simulation.step(min((simulation.time // SPACING + 1) * SPACING, given.years))
    whole = time.perf_counter() - begin
    spent["transport and the rest"] = whole - sum(spent.values())
    share = float((simulation.thickness > 0).double().mean())
    sys.stdout.write(
        f"{given.size} × {given.size} cells, {simulation.time:g} years, {simulation.steps} steps, "
        f"{whole:.0f} s; at the end {share:.0%} under ice, "
        f"{simulation.budget().final:.0f} km³, up to {simulation.thickness.max():.0f} m\n"
    )
    for part, seconds in spent.most_common():
        sys.stdout.write(f"{part:>24} {seconds / whole:>6.1%}\n")


if __name__ == "__main__":
    main()
