"""The initial network of a training: random weights, or those of another model."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn

from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.package.building import build
from glacier_qgis.models.package.card import Architecture, ModelCard
from glacier_qgis.models.package.folder import Model, Unmasked
from glacier_qgis.models.zones.codes import CLASS_NAMES

TITLES = {"unet": "U-Net", "hrnet": "HRNet", "hed": "HED"}
"""Names of the networks in dialogs; `ARCHITECTURES` builds them."""


@dataclass(frozen=True)
class Start:
    """A network before its first step.

    Attributes:
        architecture: Its architecture.
        network: The network.
        origin: The card of the model of its weights, or None.
        fresh: Names of the layers that have random weights in spite of an origin.
    """

    architecture: Architecture
    network: nn.Module
    origin: ModelCard | None = None
    fresh: tuple[str, ...] = ()


def begin(name: str, bands: int, seed: int, origin: Model | None = None) -> Start:
    """Build a network; with a model, use the weights of all matching layers.

    Args:
        name: Of the architecture.
        bands: Bands of the scenes; the input has one more channel, the mask.
        seed: Seed of random weights.
        origin: The model to start from.

    Raises:
        EngineError: The model has another architecture or other classes.
    """
    torch.manual_seed(seed)
    parameters: dict[str, object] = {"bands": bands + 1, "classes": len(CLASS_NAMES)}
    if origin is None:
        architecture = Architecture.model_validate({"name": name, "parameters": parameters})
        return Start(architecture, build(architecture))
    card = origin.card
    if card.architecture.name != name:
        theirs = TITLES.get(card.architecture.name, card.architecture.name)
        remedy = f"Choose {theirs}, or another" if theirs in TITLES.values() else "Choose another"
        raise EngineError(
            f"START_FROM: the model {card.name} has the architecture {theirs}, but ARCHITECTURE is "
            f"{TITLES[name]}. {remedy} model."
        )
    codes = [zone.value for zone in card.classes]
    if codes != list(CLASS_NAMES):
        named = ", ".join(f"{zone.name} ({zone.value})" for zone in card.classes)
        raise EngineError(
            f"START_FROM: the classes of the model {card.name} are {named}, not those of a "
            "calving-front data set. Choose another model."
        )
    architecture = Architecture.model_validate(
        {"name": name, "parameters": {**card.architecture.parameters, **parameters}}
    )
    network = build(architecture)
    taught = origin.network.inner if isinstance(origin.network, Unmasked) else origin.network
    return Start(architecture, network, card, _take_over(network, taught))


def _take_over(network: nn.Module, origin: nn.Module) -> tuple[str, ...]:
    """Copy the tensors with equal shapes; return the names of the others."""
    state, given = network.state_dict(), origin.state_dict()
    matching = {
        name: given[name]
        for name, value in state.items()
        if name in given and given[name].shape == value.shape
    }
    network.load_state_dict({**state, **matching})
    return tuple(name for name in state if name not in matching)
