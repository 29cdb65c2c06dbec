"""What glaciers evolve from: their mass balances, and their simulations at the start of a run."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from glacier_qgis.models.engine.events import Reporter
from glacier_qgis.models.iceflow.balance.build import BalanceDomain, build_balance
from glacier_qgis.models.iceflow.balance.model import Held, Masked, MassBalance
from glacier_qgis.models.iceflow.balance.options import DEGREE_DAYS
from glacier_qgis.models.iceflow.balance.scenarios import NAMELESS, Scenario
from glacier_qgis.models.iceflow.dynamics.simulation import (
    MAX_FORCED_STEP,
    MAX_STEP,
    Simulation,
    Snapshot,
)
from glacier_qgis.models.iceflow.dynamics.transport import TRANSPORTS
from glacier_qgis.models.iceflow.ground.topography import Topography, polygon_mask
from glacier_qgis.models.iceflow.jobs.evolution_options import EvolutionOptions
from glacier_qgis.models.iceflow.results.resume import History
from glacier_qgis.models.iceflow.velocity.ice_model import IceModel, Remembers


def mass_balances(
    job: EvolutionOptions,
    scenarios: Sequence[Scenario],
    topography: Topography,
    begins: tuple[float, float],
    device: torch.device,
    reporter: Reporter,
) -> list[MassBalance]:
    """Return the mass balances; where inputs have no data, ice is removed as outside a mask.

    `begins` are the first years of the first run and of this one.
    """
    first, now = begins
    outline = (
        None if job.ice_mask is None else polygon_mask(job.ice_mask, topography.grid, "ICE_MASK")
    )
    place = BalanceDomain(
        topography.grid,
        topography.surface,
        ice=topography.thickness > 0,
        unit=job.vertical_unit,
        times=(now, job.end),
        device=device,
        mask=outline,
    )
    covered = build_balance(job, place, reporter)
    mask = covered.within(outline)
    balances = []
    for scenario in scenarios:
        balance = covered.balance if scenario is NAMELESS else scenario.applied(covered.balance)
        if job.mass_balance == DEGREE_DAYS:
            balance = Held(balance, job.update_interval, first)
        if mask is not None:
            balance = Masked(balance, torch.from_numpy(mask).to(device))
        balances.append(balance)
    return balances


def simulations(
    job: EvolutionOptions,
    topography: Topography,
    histories: Sequence[History],
    models: Sequence[IceModel],
    balances: Sequence[MassBalance],
) -> list[Simulation]:
    """Return one simulation per mass balance, at the end of its history, if any."""
    pasts: list[Snapshot | None] = [history.last for history in histories] or [None] * len(balances)
    for model, past in zip(models, pasts, strict=True):
        if past and past.memory and isinstance(model, Remembers):
            model.recall(past.memory)
    cell_size = topography.grid.cell_size
    bed = torch.from_numpy(topography.bed).to(models[0].device)
    return [
        Simulation(
            bed,
            torch.from_numpy(earlier.thickness if earlier else topography.thickness).to(
                model.device
            ),
            model.flow,
            balance,
            cell_size=cell_size,
            cfl=job.cfl,
            start=earlier.time if earlier else job.first,
            max_step=MAX_STEP if balance.steady else MAX_FORCED_STEP,
            transport=TRANSPORTS[job.transport],
            limit=model.longest_step,
            earlier=earlier,
        )
        for model, balance, earlier in zip(models, balances, pasts, strict=True)
    ]
