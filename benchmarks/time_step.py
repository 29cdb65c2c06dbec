"""What the limit of diffusion is worth for emulated ice on cells of all sizes.

Usage: ``python time_step.py``. Made glaciers (those of ``emulator_fidelity.py``) spread for 15
years without mass balance, moved by the delivered emulator with c = 6: with the CFL number 0.3
alone, with the limit of diffusion as simulations have it, and with steps of a fifth, from which
errors of the thickness are measured. Prints a table in Markdown.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import NamedTuple

sys.path.append(str(Path(__file__).parent.parent / "build" / "plugins"))

import torch
from emulator_fidelity import made
from torch import Tensor

from glacier_qgis.models.iceflow.dynamics.simulation import Limit, Simulation
from glacier_qgis.models.iceflow.emulators.card import FlowParameters
from glacier_qgis.models.iceflow.velocity.catalogue import OWN
from glacier_qgis.models.iceflow.velocity.emulator import Emulator
from glacier_qgis.models.iceflow.velocity.flow import EmulatedFlow
from glacier_qgis.models.iceflow.velocity.ice_model import EmulatedIce

GLACIERS = ((100.0, 1), (200.0, 1), (500.0, 2), (1000.0, 2), (2000.0, 2))
YEARS, CFL, FINER = 15.0, 0.3, 0.2


class Run(NamedTuple):
    """A glacier after the years."""

    thickness: Tensor
    steps: int
    seconds: float

    def off(self, other: Run) -> str:
        """Return the largest and the root mean square difference, m, in words."""
        apart = self.thickness - other.thickness
        return f"{float(apart.abs().max()):.1f} / {float(apart.square().mean().sqrt()):.2f}"


def run(ice: EmulatedIce, bed: Tensor, thickness: Tensor, cfl: float, limit: Limit | None) -> Run:
    """Let a glacier spread."""
    simulation = Simulation(
        bed,
        thickness,
        ice.flow,
        lambda surface, _: torch.zeros_like(surface),
        cell_size=ice.flow.parameters.cell_size,
        cfl=cfl,
        limit=limit,
    )
    begin = time.process_time()
    while simulation.time < YEARS:
        simulation.step(YEARS)
    return Run(simulation.thickness, simulation.steps, time.process_time() - begin)


def main() -> None:
    """Print the table."""
    torch.set_num_threads(1)
    emulator = Emulator.read(OWN / "blatter_pattyn")
    print("| cells | steps | error, m: most / RMS | steps with the limit | error | time |")
    print("|---|---|---|---|---|---|")
    for cell_size, number in GLACIERS:
        state = made(cell_size, number)
        thickness = torch.from_numpy(state.thickness).float()
        bed = torch.from_numpy(state.surface).float() - thickness
        flow = EmulatedFlow(emulator, FlowParameters(cell_size, 78.0, 6.0), bed)
        ice = EmulatedIce(emulator, flow)
        alone = run(ice, bed, thickness, CFL, None)
        limited = run(ice, bed, thickness, CFL, ice.longest_step)
        fine = run(
            ice,
            bed,
            thickness,
            FINER * CFL,
            lambda *fields, ice=ice: FINER * ice.longest_step(*fields),
        )
        print(
            f"| {cell_size:g} m | {alone.steps} | {alone.off(fine)} | {limited.steps} | "
            f"{limited.off(fine)} | × {limited.seconds / alone.seconds:.1f} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
