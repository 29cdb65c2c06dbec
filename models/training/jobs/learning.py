"""Shared parts of training and range test: data, network, device, patches."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import torch
from pydantic import Field

from glacier_qgis.models.compute.device import DeviceName, choose_device
from glacier_qgis.models.compute.hardware import hardware
from glacier_qgis.models.compute.precision import reduced_precision
from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.engine.events import Reporter
from glacier_qgis.models.engine.job import Parameters, Seed
from glacier_qgis.models.engine.provenance import command, software_version
from glacier_qgis.models.package.folder import Model, load_package
from glacier_qgis.models.package.registry import find_model
from glacier_qgis.models.training.data.dataset import Dataset
from glacier_qgis.models.training.data.parts import TrainingParts, leaked_groups, training_parts
from glacier_qgis.models.training.data.samples import Labelled
from glacier_qgis.models.training.fitting.batch_and_rate import batch_size, view_size
from glacier_qgis.models.training.fitting.objective import Objective, objective
from glacier_qgis.models.training.fitting.start import TITLES, Start, begin
from glacier_qgis.models.training.views.augment import Augmentation
from glacier_qgis.models.training.views.rock import RockAugmentation
from glacier_qgis.models.training.views.sampling import Batches, pools_by_group, sampler


class Learning(Parameters):
    """Parameters of data, network and device."""

    dataset: Path
    architecture: Literal["U-Net", "HRNet", "HED"] = "U-Net"
    batch_size: Annotated[int, Field(ge=0, le=1024)] = 0
    start_from: str = ""
    seed: Seed = 1
    device: DeviceName = "automatic"


@dataclass(frozen=True)
class TrainingSetup:
    """Everything needed for the first step.

    Attributes:
        data: The data set.
        parts: Its parts.
        start: The network.
        device: The device.
        size: Rows and columns of a patch.
        warnings: Reasons why the result may be wrong; all have been reported.
    """

    data: Dataset
    parts: TrainingParts
    start: Start
    device: torch.device
    size: int
    warnings: list[str]

    @property
    def bands(self) -> int:
        """Bands of the scenes."""
        return len(self.data.card.bands)

    @property
    def stride(self) -> int:
        """Of the network."""
        return int(getattr(self.start.network, "stride", 1))

    def objective(self) -> Objective:
        """Return the training configuration of the network."""
        fronts_alone = self.data.card.labels == "lines"
        return objective(self.start.architecture, self.start.network, fronts_alone=fronts_alone)

    def largest_batch(self) -> int:
        """Return the batch size: the requested one, or an automatic choice."""
        bands = self.bands + self.start.rock
        return batch_size(self.start.network, bands, self.size, self.device)

    def batches(self, batch: int) -> Batches:
        """Return the function that draws batches, with all groups drawn equally often.

        Raises:
            EngineError: A batch would leave only a single cell at the network's coarsest level.
        """
        if batch == 1 and self.size <= self.stride:
            raise EngineError(
                f"BATCH_SIZE 1 is too small for patches of {self.size} × {self.size} cells, "
                "because of batch normalisation. Choose 2 or more, or prepare the data with a "
                "larger TILE_SIZE."
            )
        pools = pools_by_group(self.parts.training)
        augmentation = RockAugmentation if self.start.rock else Augmentation
        cell = self.data.card.cell_size_m
        return sampler(pools, batch, self.size, cell, augmentation, device=self.device)


def settle(asked: Learning, reporter: Reporter) -> TrainingSetup:
    """Open the data set and build the network.

    Args:
        asked: The parameters.
        reporter: Receives warnings.

    Raises:
        EngineError: See `Dataset.open`, `training_parts`, `begin` and `choose_device`.
    """
    data = Dataset.open(asked.dataset)
    device = choose_device(asked.device)
    names = {title: name for name, title in TITLES.items()}
    origin = load_package(find_model(asked.start_from)) if asked.start_from.strip() else None
    rock = data.card.rock or bool(origin and origin.card.rock)
    parts = training_parts(data, rock=rock)
    bands = len(data.card.bands)
    start = begin(names[asked.architecture], bands, asked.seed, origin, rock=rock)
    warnings = [*parts.warnings, *(_about_origin(origin, start, data, parts) if origin else [])]
    for warning in warnings:
        reporter.warning(warning)
    size = view_size(data.card.tile_size, int(getattr(start.network, "stride", 1)))
    return TrainingSetup(data, parts, start, device, size, warnings)


def _about_origin(origin: Model, start: Start, data: Dataset, parts: TrainingParts) -> list[str]:
    """Warn of differences between the data and the model of START_FROM."""
    card, warnings = origin.card, []
    if start.fresh:
        mask = "" if card.has_mask else " without a mask"
        warnings.append(
            f"START_FROM: the model {card.name} has {card.bands} band(s){mask}, but the data set "
            f"has {len(data.card.bands)}: {len(start.fresh)} layer tensor(s) start with random "
            f"weights ({', '.join(start.fresh)}), the others with those of the model."
        )
    if card.input_values.kind != "rank":
        warnings.append(
            f"START_FROM: the model {card.name} was trained with {card.normalisation}, but this "
            "training uses ranks, so the start is less useful."
        )
    if card.cell_size_m != data.card.cell_size_m:
        warnings.append(
            f"START_FROM: the model {card.name} has cells of {card.cell_size_m:g} m and the data "
            f"set {data.card.cell_size_m:g} m; the new model will have the latter."
        )
    leaked = leaked_groups(card, [*parts.validation, *data.tiles("test")])
    if leaked:
        warnings.append(
            f"START_FROM: the model {card.name} was trained on {', '.join(leaked)}, which are held "
            "out here for validation or test, so the metrics will be too good. Start from another "
            "model, or choose other groups for validation and test."
        )
    return warnings


def facts(asked: Learning, algorithm: str, setting: TrainingSetup, batch: int) -> dict[str, str]:
    """Return the facts that are needed to judge and repeat a training."""
    parts, card = setting.parts, setting.data.card
    origin = setting.start.origin
    weights = sum(parameter.numel() for parameter in setting.start.network.parameters())
    return {
        "Network": f"{asked.architecture}, {weights / 1e6:.2f} million weights "
        f"({setting.start.architecture.model_dump_json()})",
        "Started from": f"{origin.name} {origin.version} (weights {origin.weights.sha256[:12]}…)"
        if origin
        else "random weights",
        "Data set": f"{card.name}, index {card.complete[:12]}…, {len(card.scenes)} scenes",
        "Cells": f"{card.cell_size_m:g} m, tiles of {card.tile_size} × {card.tile_size}",
        "Trained on": _groups(parts.training),
        "Validated on": _groups(parts.validation),
        "Tested on": _groups(setting.data.tiles("test")) or "no test part",
        "Split": parts.split,
        "Views": f"{setting.size} × {setting.size} cells, {batch} per batch, all groups drawn "
        "equally often; random rotations, flips, scales, stretches and radiometry",
        "Seed": str(asked.seed),
        **hardware(setting.device, reduced_precision(setting.device)),
        "Software": software_version(),
        "Command": command(algorithm, asked),
    }


def _groups(tiles: Sequence[Labelled]) -> str:
    """Return the groups of tiles and their numbers of tiles."""
    counts = Counter(tile.group for tile in tiles)
    return ", ".join(f"{group} ({count} tiles)" for group, count in sorted(counts.items()))
