"""The initial network of a training: random weights, or those of another model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.networks.unet import with_more_bands
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
        rock: Whether it sees a channel of known rock.
    """

    architecture: Architecture
    network: nn.Module
    origin: ModelCard | None = None
    fresh: tuple[str, ...] = ()
    rock: bool = False


def begin(
    name: str, bands: int, seed: int, origin: Model | None = None, *, rock: bool = False
) -> Start:
    """Build a network; with a model, use the weights of all matching layers.

    Args:
        name: Of the architecture.
        bands: Bands of the scenes; the input has one more channel, the mask.
        seed: Seed of random weights.
        origin: The model to start from. If it does not see rock, a U-Net's weights for it are zero.
        rock: Whether there is a channel of known rock.

    Raises:
        EngineError: The model has another architecture or other classes.
    """
    torch.manual_seed(seed)
    parameters: dict[str, object] = {
        "bands": bands + rock + 1,
        "classes": len(CLASS_NAMES),
    }
    if origin is None:
        architecture = Architecture.model_validate({"name": name, "parameters": parameters})
        return Start(architecture, build(architecture), rock=rock)
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
    given = taught.state_dict()
    if rock and not card.rock and card.has_mask and name == "unet":
        given = with_more_bands(given, 1, int(getattr(taught, "stem", 1)))
    return Start(architecture, network, card, _take_over(network, given), rock)


def _take_over(network: nn.Module, given: Mapping[str, Tensor]) -> tuple[str, ...]:
    """Copy the tensors with equal shapes; return the names of the others."""
    state = network.state_dict()
    matching = {
        name: given[name]
        for name, value in state.items()
        if name in given and given[name].shape == value.shape
    }
    network.load_state_dict({**state, **matching})
    return tuple(name for name in state if name not in matching)
