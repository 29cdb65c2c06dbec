"""The golden run with the engine's own simulation; started by ``golden_run.py``.

Usage: ``python golden_run_torch.py INPUTS.npz EMULATOR END``.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import numpy as np

sys.path.append(str(Path(__file__).parent.parent / "build" / "plugins"))

from glacier_qgis.models.compute.device import choose_device, rest_idle_threads, tune_allocator

rest_idle_threads()
tune_allocator()

import torch  # noqa: E402  after the threads are set up

from glacier_qgis.models.iceflow.dynamics.simulation import Simulation  # noqa: E402
from glacier_qgis.models.iceflow.emulators.card import FlowParameters  # noqa: E402
from glacier_qgis.models.iceflow.velocity.emulator import Emulator  # noqa: E402
from glacier_qgis.models.iceflow.velocity.flow import flow_in_time  # noqa: E402

CELL, RATE, CFL, START, INTERVAL = 100.0, 78.0, 0.3, 100.0, 10.0


def main(inputs: str, weights: str, end: float) -> None:
    """Run and print seconds, steps and the final volume as JSON."""
    device = choose_device("automatic")
    emulator = Emulator.read(Path(weights), device=device)
    fields = np.load(inputs)
    surface, thickness, mask = (
        torch.from_numpy(fields[name][::-1].copy()).to(device)
        for name in ("usurf", "thk", "icemask")
    )

    bed = surface - thickness
    flow = flow_in_time(emulator, FlowParameters(CELL, RATE, 0.0), bed)

    def balance(s: torch.Tensor, year: float) -> torch.Tensor:
        height = s - 2000
        rate = (height * torch.where(height < 0, 0.006, 0.009)).clamp(-100, 2)
        return torch.where(mask > 0.5, rate, -10.0)

    flow(thickness, surface)
    simulation = Simulation(bed, thickness, flow, balance, cell_size=CELL, cfl=CFL, start=START)
    begin, used = time.perf_counter(), time.process_time()
    for target in np.arange(START + INTERVAL, end + INTERVAL / 2, INTERVAL):
        while simulation.time < target:
            simulation.step(float(target))
    volume = simulation.budget().final
    result = {
        "seconds": time.perf_counter() - begin,
        "processor_seconds": time.process_time() - used,
        "steps": simulation.steps,
        "volume_km3": volume,
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], float(sys.argv[3]))
