"""What a training and a range test have in common: data, network, device, views."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import torch
from pydantic import Field

from glacier_qgis.models.compute.device import DeviceName, choose_device
from glacier_qgis.models.compute.precision import reduced_precision
from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.engine.events import Reporter
from glacier_qgis.models.engine.job import Parameters, Seed
from glacier_qgis.models.engine.provenance import software_version
from glacier_qgis.models.package.folder import Model, load_package
from glacier_qgis.models.package.registry import find_model
from glacier_qgis.models.training.data.dataset import Dataset
from glacier_qgis.models.training.data.parts import TrainingParts, leaked_groups, training_parts
from glacier_qgis.models.training.data.samples import Labelled
from glacier_qgis.models.training.fitting.batch_and_rate import batch_size, view_size
from glacier_qgis.models.training.fitting.objective import Objective, objective
from glacier_qgis.models.training.fitting.start import TITLES, Start, begin
from glacier_qgis.models.training.publishing.report import hardware
from glacier_qgis.models.training.views.sampling import Batches, pools_by_group, sampler


class Learning(Parameters):
    """What to learn, from what, and on what."""

    dataset: Path
    architecture: Literal["U-Net", "HRNet", "HED"] = "U-Net"
    batch_size: Annotated[int, Field(ge=0, le=1024)] = 0
    start_from: str = ""
    seed: Seed = 1
    device: DeviceName = "automatic"


@dataclass(frozen=True)
class TrainingSetup:
    """Everything that a first step needs.

    Attributes:
        data: The data set.
        parts: Its parts.
        start: The network.
        device: To learn on.
        size: Rows and columns of a view.
        warnings: What may make the result wrong; all have been reported.
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
        """Return how the network learns."""
        fronts_alone = self.data.card.labels == "lines"
        return objective(self.start.architecture, self.start.network, fronts_alone=fronts_alone)

    def largest_batch(self) -> int:
        """Return how many views to learn from at once, unless something else is asked for."""
        return batch_size(self.start.network, self.bands, self.size, self.device)

    def batches(self, batch: int) -> Batches:
        """Return the source of batches of so many views, all groups drawn equally often.

        Raises:
            EngineError: A batch would leave the network's coarsest level a single cell.
        """
        if batch == 1 and self.size <= self.stride:
            raise EngineError(
                f"BATCH_SIZE: a single view of {self.size} × {self.size} cells is too little to "
                "learn from at once, as the network normalises over all of a batch. Choose 2 or "
                "more, or prepare the data with a larger TILE_SIZE."
            )
        pools = pools_by_group(self.parts.training)
        return sampler(pools, batch, self.size, self.data.card.cell_size_m)


def settle(asked: Learning, reporter: Reporter) -> TrainingSetup:
    """Open the data set and build the network.

    Args:
        asked: The parameters.
        reporter: Told about everything doubtful.

    Raises:
        EngineError: See `Dataset.open`, `training_parts`, `begin` and `choose_device`.
    """
    data = Dataset.open(asked.dataset)
    parts = training_parts(data)
    device = choose_device(asked.device)
    names = {title: name for name, title in TITLES.items()}
    origin = load_package(find_model(asked.start_from)) if asked.start_from.strip() else None
    bands = len(data.card.bands)
    start = begin(names[asked.architecture], bands, asked.seed, origin)
    warnings = [*parts.warnings, *(_about_origin(origin, start, data, parts) if origin else [])]
    for warning in warnings:
        reporter.warning(warning)
    size = view_size(data.card.tile_size, int(getattr(start.network, "stride", 1)))
    return TrainingSetup(data, parts, start, device, size, warnings)


def _about_origin(origin: Model, start: Start, data: Dataset, parts: TrainingParts) -> list[str]:
    """Say what a person should know of the model that a training starts from."""
    card, warnings = origin.card, []
    if start.fresh:
        mask = "" if card.has_mask else " without a mask"
        warnings.append(
            f"START_FROM: the model {card.name} was made for {card.bands} band(s){mask} and the "
            f"data set has {len(data.card.bands)}: {len(start.fresh)} layer tensor(s) start anew "
            f"({', '.join(start.fresh)}), the others with its weights."
        )
    if card.input_values.kind != "rank":
        warnings.append(
            f"START_FROM: the model {card.name} was taught with {card.normalisation}, and will see "
            "ranks: it has to learn anew what values mean."
        )
    if card.cell_size_m != data.card.cell_size_m:
        warnings.append(
            f"START_FROM: the model {card.name} was made for cells of {card.cell_size_m:g} m and "
            f"the data set has {data.card.cell_size_m:g} m; the new model will be for the latter."
        )
    leaked = leaked_groups(card, [*parts.validation, *data.tiles("test")])
    if leaked:
        warnings.append(
            f"START_FROM: the model {card.name} has learnt from {', '.join(leaked)}, which are "
            "kept out of this training to measure it: the figures will be too good. Start from "
            "another model, or choose other groups for validation and test."
        )
    return warnings


def facts(asked: Learning, algorithm: str, setting: TrainingSetup, batch: int) -> dict[str, str]:
    """Return what a reader needs to know to judge a training, and to repeat it."""
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
        "Views": f"{setting.size} × {setting.size} cells, {batch} in a batch, all groups drawn "
        "equally often; random turns, flips, scales, stretches and radiometry",
        "Seed": str(asked.seed),
        **hardware(setting.device, reduced_precision(setting.device)),
        "Software": software_version(),
        "Command": command(algorithm, asked),
    }


def command(algorithm: str, asked: Parameters) -> str:
    """Return the command that does the same again."""
    given = asked.model_dump(mode="json", exclude_defaults=True)
    options = [f"--{name.upper()}={shlex.quote(str(value))}" for name, value in given.items()]
    return " ".join(["qgis_process run", f"glacier:{algorithm}", *options])


def _groups(tiles: Sequence[Labelled]) -> str:
    """Name the groups of tiles and how many each has."""
    counts = Counter(tile.group for tile in tiles)
    return ", ".join(f"{group} ({count} tiles)" for group, count in sorted(counts.items()))
