"""The network that a training starts from: drawn anew, or with the weights of another model."""

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
"""What each network is called in a dialog; `ARCHITECTURES` builds them."""


@dataclass(frozen=True)
class Start:
    """A network before its first step.

    Attributes:
        architecture: How to build it.
        network: Built.
        origin: The card of the model that its weights come from, or None.
        fresh: Names of the layers that start with random weights although there is an origin.
    """

    architecture: Architecture
    network: nn.Module
    origin: ModelCard | None = None
    fresh: tuple[str, ...] = ()


def begin(name: str, bands: int, seed: int, origin: Model | None = None) -> Start:
    """Build a network; where a model is given, with the weights of all layers that match.

    Args:
        name: Of the architecture.
        bands: Bands of the scenes; the input has one channel more, the mask.
        seed: Of the weights that are drawn.
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
        cure = f"Choose {theirs}, or another" if theirs in TITLES.values() else "Choose another"
        raise EngineError(
            f"START_FROM: the model {card.name} is of the kind {theirs}, and ARCHITECTURE is "
            f"{TITLES[name]}: their layers do not match. {cure} model."
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
    """Copy the tensors that both have in one shape; return the names of the others."""
    state, given = network.state_dict(), origin.state_dict()
    matching = {
        name: given[name]
        for name, value in state.items()
        if name in given and given[name].shape == value.shape
    }
    network.load_state_dict({**state, **matching})
    return tuple(name for name in state if name not in matching)
