"""Training of a network for layers on a data set of echograms, resumable."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from pydantic import JsonValue
from safetensors.torch import save_file
from torch import Tensor, nn

from glacier_qgis.models.compute.unfinished import BEST, RECIPE, UnfinishedTraining
from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.engine.events import Reporter
from glacier_qgis.models.package.building import build
from glacier_qgis.models.package.card import Architecture, ModelCard
from glacier_qgis.models.package.folder import Model
from glacier_qgis.models.radar.layers.codes import CLASS_NAMES
from glacier_qgis.models.radar.layers.contrast import CHANNELS as INPUTS
from glacier_qgis.models.radar.layers.labels import Codes
from glacier_qgis.models.training.data.card import Part
from glacier_qgis.models.training.data.dataset import Dataset, LabelledTile
from glacier_qgis.models.training.echograms.measure import (
    inputs_of,
    labelled_tiles,
    measure,
)
from glacier_qgis.models.training.echograms.patches import Draw, Inputs, sampler
from glacier_qgis.models.training.fitting.fit import Fit, Schedule
from glacier_qgis.models.training.losses.layers import layer_loss
from glacier_qgis.models.training.views.sampling import Batches

RATE = 2e-3
BATCH = 4
PATCH = 192
LEAST_PATCHES = 256
"""Patches per epoch of a small data set."""
KEPT_TILES = 64
"""Tiles that are kept in memory."""


@dataclass(frozen=True)
class LayerTraining:
    """What is asked of a training.

    Attributes:
        data: Echograms with labels.
        architecture: Name of the network; ignored with an origin.
        origin: The model whose weights it starts from, or None.
        epochs: Largest number of epochs.
        patience: Epochs without a better F-score after which it ends; 0 for never.
        batch: Patches per batch; 0 for automatic.
        rate: Highest learning rate; 0 for automatic.
        seed: Of the patches and of random weights.
    """

    data: Dataset
    architecture: str
    origin: Model | None
    epochs: int
    patience: int
    batch: int
    rate: float
    seed: int

    def network(self) -> tuple[Architecture, nn.Module]:
        """Return the network before its first step.

        Raises:
            EngineError: The origin is for scenes, or has another architecture.
        """
        torch.manual_seed(self.seed)
        parameters: dict[str, JsonValue] = {"bands": len(INPUTS), "classes": len(CLASS_NAMES)}
        if self.origin is None:
            plan = Architecture(name=self.architecture, parameters=parameters)
            return plan, build(plan)
        card = self.origin.card
        if card.input_values.kind != "echo":
            raise EngineError(
                f"START_FROM: {card.name} is for {card.task}, but the data set holds echograms. "
                "Choose a model for echograms, or leave START_FROM empty."
            )
        if card.architecture.name != self.architecture:
            raise EngineError(
                f"START_FROM: {card.name} has the architecture {card.architecture.name}, but "
                f"ARCHITECTURE is {self.architecture}. Choose the same."
            )
        network = build(card.architecture)
        network.load_state_dict(self.origin.network.state_dict())
        return card.architecture, network

    def batches(self, network: nn.Module) -> Batches:
        """Return the function that draws the batches of the training part."""
        tiles = labelled_tiles(self.data, "training")
        return sampler(_reader(tiles), len(tiles), self.batch or BATCH, _patch(self.data, network))

    def run(
        self, device: torch.device, output: Path, reporter: Reporter
    ) -> tuple[ModelCard | None, Architecture, dict[str, Tensor], list[dict[str, float]]]:
        """Train; return the origin's card, the network, its best weights and the epochs."""
        plan, network = self.network()
        training = labelled_tiles(self.data, "training")
        part: Part = "validation" if self.data.tiles("validation") else "training"
        if part == "training":
            reporter.warning(
                "The data set has no validation part, so the weights are chosen by the F-score on "
                "the training part. Prepare it with echograms of more segments."
            )
        waiting = UnfinishedTraining.open(output, self._identity(), reporter)
        waiting.decide({"batch": self.batch or BATCH, "rate": self.rate or RATE})
        steps = max(LEAST_PATCHES, len(training)) // (self.batch or BATCH)
        schedule = Schedule(steps=steps * self.epochs, rate=self.rate or RATE, averaging=0.99)
        fit = Fit(network, schedule, waiting.folder, self.seed, device, layer_loss)
        batches = self.batches(network)
        judge = build(plan).to(device)
        epochs: list[dict[str, float]] = fit.notes.setdefault("epochs", [])  # type: ignore[assignment]
        while len(epochs) < self.epochs and not self._tired(epochs):
            loss = fit.learn(batches, (len(epochs) + 1) * steps - fit.step)
            judge.load_state_dict(fit.average)
            scores = measure(judge, device, labelled_tiles(self.data, part))
            better = not epochs or scores.edges.ods > max(each["ods"] for each in epochs)
            epochs.append({"epoch": len(epochs) + 1, "loss": loss, **scores.values})
            if better:
                _keep(fit.average, waiting.folder)
            fit.save()
            reporter.progress(len(epochs) / self.epochs, f"Training: epoch {len(epochs)}")
            reporter.log(_line(epochs[-1], self.epochs, better))
        weights = waiting.best()
        waiting.remove()
        return self.origin.card if self.origin else None, plan, weights, epochs

    def _tired(self, epochs: list[dict[str, float]]) -> bool:
        if not self.patience or not epochs:
            return False
        best = max(epochs, key=lambda each: each["ods"])
        return len(epochs) - best["epoch"] >= self.patience

    def _identity(self) -> dict[str, JsonValue]:
        return {
            "dataset": self.data.card.complete,
            "architecture": self.architecture,
            "start_from": self.origin.card.weights.sha256 if self.origin else "",
            "epochs": self.epochs,
            "batch_size": self.batch,
            "learning_rate": self.rate,
            "seed": self.seed,
            RECIPE: "class-balanced cross-entropy of layers",
        }


def _reader(tiles: list[LabelledTile]) -> Draw:
    """Return a function that reads a tile, and keeps the first of them."""
    kept: dict[int, tuple[Inputs, Codes]] = {}

    def read(index: int) -> tuple[Inputs, Codes]:
        if index in kept:
            return kept[index]
        found = inputs_of(tiles[index]), tiles[index].zones
        if index < KEPT_TILES:
            kept[index] = found
        return found

    return read


def _patch(data: Dataset, network: nn.Module) -> int:
    stride = int(getattr(network, "stride", 1))
    return max(min(data.card.tile_size, PATCH) // stride, 1) * stride


def _keep(weights: Mapping[str, Tensor], folder: Path) -> None:
    draft = folder / f"{BEST}.part"
    save_file({name: value.cpu().contiguous() for name, value in weights.items()}, draft)
    draft.replace(folder / BEST)


def _line(epoch: dict[str, float], epochs: int, better: bool) -> str:
    return (
        f"Epoch {epoch['epoch']}/{epochs}: loss {epoch['loss']:.3f}, ODS {epoch['ods']:.3f}"
        f"{', best so far' if better else ''}"
    )
