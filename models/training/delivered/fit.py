"""Trains one network on the benchmark's radar images and the Landsat images."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor

from glacier_qgis.models.engine.events import Reporter
from glacier_qgis.models.networks.unet import FIRST, with_more_bands
from glacier_qgis.models.package.building import build
from glacier_qgis.models.package.card import Architecture
from glacier_qgis.models.package.weights import read_weights
from glacier_qgis.models.training.data.samples import Labelled, LabelledScene
from glacier_qgis.models.training.delivered.batched.fit import train
from glacier_qgis.models.training.delivered.batched.optical import OpticalPatches
from glacier_qgis.models.training.delivered.batched.patches import Patches
from glacier_qgis.models.training.delivered.batched.series import SeriesPatches
from glacier_qgis.models.training.delivered.batched.stack import Stack
from glacier_qgis.models.training.delivered.coast_lines import is_coast
from glacier_qgis.models.training.delivered.front_lines import is_optical, with_drawn_zones
from glacier_qgis.models.training.delivered.networks import IN_SERIES, NETWORKS, STEM
from glacier_qgis.models.training.delivered.optical_views import OpticalAugmentation
from glacier_qgis.models.training.fitting.fit import Fit, Schedule
from glacier_qgis.models.training.fitting.objective import objective
from glacier_qgis.models.training.views.augment import CPU, Augmentation
from glacier_qgis.models.training.views.sampling import (
    COMPOSED,
    pools_by_group,
    sampler,
    with_negatives,
)
from glacier_qgis.models.training.views.series import SIGNED, SeriesAugmentation, SeriesScenes

BATCH, WINDOW, RATE = 4, 256, 1.5e-3
VIEW_CELL_M = 60.0
"""Size of the cells of a patch, before it is scaled."""
OPTICAL_VIEW_CELL_M, OPTICAL_COMPOSED = 45.0, 0.3
"""The same for optical images, and the share of patches with pasted zones."""


@dataclass(frozen=True)
class TrainingRun:
    """What one training is asked for.

    Attributes:
        network: A name among `NETWORKS`.
        output: Folder of its weights and its state; it is resumed from what that holds.
        schedule: How long, and how fast.
        seed: Of the first weights and of the patches.
        start_from: Weights of an earlier run, or None.
        optical: Most patches come from optical images, each glacier of Landsat as often as the
            radar images, the crops with coastlines twice as often; there are no negatives.
        batch: Patches per step.
        device: Where to train.
    """

    network: str
    output: Path
    schedule: Schedule
    seed: int
    start_from: Path | None
    optical: bool
    batch: int = BATCH
    device: torch.device = CPU


def fit(run: TrainingRun, scenes: Sequence[LabelledScene], reporter: Reporter) -> None:
    """Train on `scenes`; write the averaged weights as ``weights.safetensors``."""
    torch.manual_seed(run.seed)
    coasts: list[Labelled] = [scene for scene in scenes if is_coast(scene)]
    optical: list[Labelled] = [scene for scene in scenes if is_optical(scene)]
    radar: list[Labelled] = [
        scene for scene in scenes if not (is_coast(scene) or is_optical(scene))
    ]
    series = run.network == "series"
    if series:
        radar, optical = _beside(radar), _beside(optical)
    pools: list[Sequence[Labelled]] = [*pools_by_group(radar), optical]
    if run.optical:
        fully = [with_drawn_zones(scene) for scene in scenes if is_optical(scene)]
        pools = [*pools_by_group(fully), *[coasts] * (2 * bool(coasts)), radar]
    architecture = NETWORKS[run.network]
    network = build(architecture)
    if run.start_from:
        network.load_state_dict(_beginning(read_weights(run.start_from), architecture))
    taught = objective(architecture, network, fronts_alone=bool(optical))
    if run.device != CPU:
        stack, patches = _batched(run, scenes)
        weights = train(taught.network, taught.loss, patches, run.schedule, run.device, reporter)
        _save(taught, weights, run)
        return
    fitting = Fit(
        taught.network, run.schedule, run.output / "state", run.seed, run.device, taught.loss
    )
    if run.optical:
        cell, composed = OPTICAL_VIEW_CELL_M, OPTICAL_COMPOSED
        augmentation: type[Augmentation] = OpticalAugmentation
    else:
        augmentation = SeriesAugmentation if series else Augmentation
        cell, composed = VIEW_CELL_M, COMPOSED
    batches = sampler(pools, run.batch, WINDOW, cell, augmentation, composed, run.device)
    if not run.optical:
        batches = with_negatives(batches, SIGNED if series else -1)
    weights = fitting.run(batches, reporter)
    _save(taught, weights, run)
    reporter.log(f"Trained on {sum(map(len, pools))} images.")


def _batched(run, scenes):
    seen = [with_drawn_zones(s) if run.optical and is_optical(s) else s for s in scenes]
    stack = Stack.of(seen, run.device)
    at = range(len(seen))
    groups = lambda some: [[i for i in some if seen[i].group == g] for g in sorted({seen[i].group for i in some})]
    radar = [i for i in at if not (is_coast(seen[i]) or is_optical(seen[i]))]
    optical = [i for i in at if is_optical(seen[i])]
    coasts = [i for i in at if is_coast(seen[i])]
    if run.optical:
        pools = [*groups(optical), *[coasts] * (2 * bool(coasts)), radar]
        return stack, OpticalPatches(stack, pools, run.batch, WINDOW, OPTICAL_VIEW_CELL_M, OPTICAL_COMPOSED)
    kind = SeriesPatches if run.network == "series" else Patches
    return stack, kind(stack, [*groups(radar), optical], run.batch, WINDOW, VIEW_CELL_M)


def _save(taught, weights, run):
    zones_alone = {name: value.cpu() for name, value in taught.zones_alone(weights).items()}
    run.output.mkdir(parents=True, exist_ok=True)
    save_file(zones_alone, run.output / "weights.safetensors")


def _beside(scenes: Sequence[Labelled]) -> list[Labelled]:
    """Return each scene with the others of its group, of one place and grid, as companions."""
    return [beside for place in pools_by_group(scenes) for beside in SeriesScenes(place).members()]


def _beginning(weights: Mapping[str, Tensor], architecture: Architecture) -> dict[str, Tensor]:
    """Return initial weights: a network for series ignores companions at first."""
    if architecture != NETWORKS["series"]:
        return dict(weights)
    bands = weights[FIRST].shape[1] // STEM**2
    return with_more_bands(weights, IN_SERIES - bands, STEM)
