"""Trains one network on the benchmark's radar images and the Landsat images."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor

from glacier_qgis.models.engine.events import Reporter
from glacier_qgis.models.networks.unet import FIRST, with_more_bands
from glacier_qgis.models.package.building import build
from glacier_qgis.models.package.card import Architecture
from glacier_qgis.models.package.weights import read_weights
from glacier_qgis.models.training.data.samples import LabelledScene
from glacier_qgis.models.training.delivered.captured import train
from glacier_qgis.models.training.delivered.coast_lines import is_coast
from glacier_qgis.models.training.delivered.front_lines import is_optical, with_drawn_zones
from glacier_qgis.models.training.delivered.networks import IN_SERIES, NETWORKS, STEM
from glacier_qgis.models.training.delivered.stack import (
    OnStack,
    OpticalOnStack,
    SeriesOnStack,
    Stack,
    stacked,
)
from glacier_qgis.models.training.fitting.fit import Fit, Schedule
from glacier_qgis.models.training.fitting.objective import objective
from glacier_qgis.models.training.views.look import CPU
from glacier_qgis.models.training.views.sampling import Batches, with_negatives
from glacier_qgis.models.training.views.series import SIGNED

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
    architecture = NETWORKS[run.network]
    network = build(architecture)
    if run.start_from:
        network.load_state_dict(_beginning(read_weights(run.start_from), architecture))
    fronts_alone = any(map(is_optical, scenes))
    taught = objective(architecture, network, fronts_alone=fronts_alone)
    batches, state = _batches(run, scenes), run.output / "state"
    if run.device.type == "cuda":
        weights = train(taught.network, taught.loss, batches, run.schedule, run.device, reporter)
    else:
        fitting = Fit(taught.network, run.schedule, state, run.seed, run.device, taught.loss)
        weights = fitting.run(batches, reporter)
    run.output.mkdir(parents=True, exist_ok=True)
    zones_alone = {name: value.cpu() for name, value in taught.zones_alone(weights).items()}
    save_file(zones_alone, run.output / "weights.safetensors")
    reporter.log(f"Trained on {len(scenes)} images.")


def _batches(run: TrainingRun, scenes: Sequence[LabelledScene]) -> Batches:
    """Return what draws the batches of a training, with all scenes in memory."""
    seen = [
        with_drawn_zones(scene) if run.optical and is_optical(scene) else scene for scene in scenes
    ]
    groups: dict[str, list[int]] = {}
    for index, scene in enumerate(seen):
        groups.setdefault(scene.group, []).append(index)
    optical = [own for own in groups.values() if is_optical(seen[own[0]])]
    coasts = [own for own in groups.values() if is_coast(seen[own[0]])]
    radar = [own for own in groups.values() if own not in optical + coasts]
    stack = Stack.of(seen, run.device)
    if run.optical:
        pools = [*optical, *[[*chain(*coasts)]] * (2 * bool(coasts)), [*chain(*radar)]]
        cell, share = OPTICAL_VIEW_CELL_M, OPTICAL_COMPOSED
        return stacked(stack, pools, run.batch, WINDOW, cell, OpticalOnStack, share)
    pools = [*radar, [*chain(*optical)]]
    kind, signed = (SeriesOnStack, SIGNED) if run.network == "series" else (OnStack, -1)
    return with_negatives(stacked(stack, pools, run.batch, WINDOW, VIEW_CELL_M, kind), signed)


def _beginning(weights: Mapping[str, Tensor], architecture: Architecture) -> dict[str, Tensor]:
    """Return initial weights: a network for series ignores companions at first."""
    if architecture != NETWORKS["series"]:
        return dict(weights)
    bands = weights[FIRST].shape[1] // STEM**2
    return with_more_bands(weights, IN_SERIES - bands, STEM)
