"""Simulations through the years, alone or several on the same ground together."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import suppress

import torch

from glacier_qgis.models.compute.workers import threads_an_operation
from glacier_qgis.models.engine.events import Reporter
from glacier_qgis.models.iceflow.dynamics.simulation import SAME_TIME, Simulation, Snapshot
from glacier_qgis.models.iceflow.velocity.flow import NoFlowFoundError


def save_times(start: float, end: float, interval: float) -> list[float]:
    """Return start, every `interval` after it, and end (a)."""
    count = math.ceil((end - start) / interval - SAME_TIME)
    return [start + index * interval for index in range(count)] + [end]


def run(simulation: Simulation, times: Sequence[float], reporter: Reporter) -> Iterator[Snapshot]:
    """Advance a simulation through `times`, which start at its present; yield snapshots."""
    for (snapshot,) in run_together([simulation], times, reporter):
        yield snapshot


def run_together(
    simulations: Sequence[Simulation], times: Sequence[float], reporter: Reporter
) -> Iterator[list[Snapshot]]:
    """Advance simulations on the same grid through `times`; yield their snapshots.

    The flow of all is evaluated at once. Each takes its own time steps, as if it were alone, and
    waits for the slower ones at the times to save.
    """
    begin, end = times[0], times[-1]
    for time in times:
        while late := _late(simulations, time):
            for one in late:
                one.step(time)
            now = sum(one.time for one in simulations) / len(simulations)
            reporter.progress(
                (now - begin) / (end - begin), f"Simulating: year {now:.1f} of {end:g}"
            )
        yield [one.snapshot() for one in simulations]


def _late(simulations: Sequence[Simulation], time: float) -> list[Simulation]:
    """Give velocities to all; return those that have not come to `time` (a) yet."""
    _move_together(simulations)
    for one in simulations:
        one.move()
    return [one for one in simulations if one.time < time]


@threads_an_operation(1)
@torch.inference_mode()
def _move_together(simulations: Sequence[Simulation]) -> None:
    """Set missing velocities from one common evaluation, where they share a flow.

    A simulation that is alone, or has a flow of its own, finds its velocity itself.
    """
    still = [one for one in simulations if one.velocity is None]
    if len(still) < 2 or any(one.flow is not still[0].flow for one in still):
        return
    thickness = torch.stack([one.thickness for one in still])
    surface = torch.stack([one.surface for one in still])
    with suppress(NoFlowFoundError):  # each then asks for itself
        for one, u, v in zip(still, *still[0].flow(thickness, surface), strict=True):
            one.velocity = u, v
