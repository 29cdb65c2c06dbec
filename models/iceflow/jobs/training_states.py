"""The states that an emulator is trained on: of files, on topographies and in made valleys."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import torch

from glacier_qgis.models.engine.events import Reporter
from glacier_qgis.models.iceflow.jobs.training_options import TrainingOptions
from glacier_qgis.models.iceflow.teaching.states.glaciers import Topography, Where
from glacier_qgis.models.iceflow.teaching.states.prospects import Parts, Prospect, split
from glacier_qgis.models.iceflow.teaching.states.sources import Maker, Solving, read_ground, valleys
from glacier_qgis.models.iceflow.teaching.states.states import Ground

SIDE = 64
"""Cells along a side of the states that are made, at least."""
VALLEY_CELL = 100.0
"""Cells of made valleys where no size is given, m."""
PATCHES = {"plain convolutions": 32, "pyramid": 64}
"""Cells along a side of a patch, by network; 32 is that of Jouvet et al. (2022)."""
Warn = Callable[[str], None]


def training_parts(job: TrainingOptions, folder: Path, reporter: Reporter, warn: Warn) -> Parts:
    """Return the states to train on, and those that are held out.

    Args:
        job: what is asked for.
        folder: keeps the states that are made.
        reporter: receives the progress.
        warn: receives what speaks against the result.
    """
    prospects = _prospects(job, folder, reporter, warn)
    parts = split(
        prospects,
        job.held_out / 100,
        job.seed,
        reporter,
        unsolved=job.loss == "energy",
    )
    if not parts.check:
        name = parts.training[0].name
        reason = (
            "HELD_OUT is 0"
            if len(parts.training) > 1
            else f"all states are of one topography ({name}), and patches of one topography "
            "resemble each other, so it is not split"
        )
        warn(
            f"Nothing is held out, because {reason}: errors are those on the glaciers trained "
            "on, and smaller than on others. Give SNAPSHOTS or TOPOGRAPHIES of another place, "
            "or VALLEYS to be made."
        )
    return parts


def _prospects(
    job: TrainingOptions, folder: Path, reporter: Reporter, warn: Warn
) -> list[Prospect]:
    """Return what there is to train on."""
    patch = job.patch or PATCHES[job.network]
    found = []
    for topography, grid in job.files(job.cell_size or VALLEY_CELL, reporter):
        if min(grid.shape) < patch:
            warn(
                f"SNAPSHOTS: {topography.name} has {grid.width} × {grid.height} cells, less "
                f"than a patch of {patch} × {patch}: it fills a part of a patch only."
            )
        found.append(Prospect.of(topography))
    solving = Solving(
        job.instructor,
        job.modes,
        job.tolerance,
        max(SIDE, patch),
        job.states,
        job.max_sliding,
        job.seed,
    )
    maker = Maker(folder / "states", solving, reporter)
    grounds: list[tuple[str, Ground, float, Where | None]] = []
    for source in job.topographies:
        grid, ground = read_ground(
            source, job.cell_size or None, job.vertical_unit, patch, reporter
        )
        name = Path(source.shown).stem
        grounds.append((name, ground, grid.cell_size, Where.of(grid)))
    size = job.cell_size or (grounds[0][2] if grounds else VALLEY_CELL)
    grounds += [(*one, size, None) for one in valleys(job.valleys, job.seed, size)]
    for number, (name, ground, cell_size, where) in enumerate(grounds):
        make = partial(_made, maker, name, number, ground, cell_size)
        found.append(Prospect(name, job.states, make, where))
    return found


def tell_levels(parts: Parts, warn: Warn) -> None:
    """Warn of states whose velocity is known in its mean over depth alone."""
    missing = [
        one.name
        for one in parts.training
        if any(not bool(torch.isfinite(state.velocity).all()) for state in one.states)
    ]
    if missing:
        warn(
            f"{', '.join(missing)} has no velocity at the bed and the surface: the emulator is "
            "trained on the mean over depth alone there."
        )


def _made(
    maker: Maker,
    name: str,
    number: int,
    ground: Ground,
    cell_size: float,
    solved: bool,
    told: Callable[[int], None],
) -> Topography:
    return maker.topography(name, number, ground, cell_size, told, solved=solved)
