"""How a network that predicts zones is taught: what it answers meanwhile, and its loss."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from glacier_qgis.models.package.building import build
from glacier_qgis.models.package.card import Architecture
from glacier_qgis.models.training.fitting.fit import Loss
from glacier_qgis.models.training.losses.distance import two_heads_loss
from glacier_qgis.models.training.losses.stray_contact import WEIGHT, stray_contact
from glacier_qgis.models.training.losses.zones import zone_loss

ZONES = "cross-entropy (more near fronts) plus Dice loss"
SECOND_HEAD = ", plus the distance to the front by a second head that is then cut off"
CONTACT = ", plus the contact of glacier and ocean where no front was drawn"
HEAD = ("head.weight", "head.bias")
"""What a second head makes longer by one channel."""


@dataclass(frozen=True)
class Objective:
    """How a network learns.

    Attributes:
        network: With a second head, where its kind can have one.
        loss: What is made small.
        recipe: The same in words, for the model's card.
        second_head: Whether the network has one.
    """

    network: nn.Module
    loss: Loss
    recipe: str
    second_head: bool

    def zones_alone(self, weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Return the weights of a network that predicts zones and nothing else."""
        if not self.second_head:
            return dict(weights)
        return {**weights, **{name: weights[name][:-1].contiguous() for name in HEAD}}


def objective(architecture: Architecture, network: nn.Module, *, fronts_alone: bool) -> Objective:
    """Return how to teach a network, beginning with the weights that it has.

    Args:
        architecture: Of the network. The side outputs of a HED learn zones alone.
        network: What predicts zones; it is left as it is.
        fronts_alone: Whether there are images whose fronts, all of them, are the only labels.
    """
    recipe = ZONES
    loss: Loss = zone_loss
    weights = network.state_dict()
    second_head = set(HEAD) <= set(weights)
    if second_head:
        classes = len(weights["head.bias"])
        parameters = architecture.parameters | {"classes": classes + 1}
        network = build(architecture.model_copy(update={"parameters": parameters}))
        added = {name: torch.cat([weights[name], weights[name][:1] * 0]) for name in HEAD}
        network.load_state_dict({**weights, **added})
        loss = two_heads_loss
        recipe += SECOND_HEAD
    else:
        network = copy.deepcopy(network)
    if fronts_alone:
        loss = _without_stray_contact(loss, -1 if second_head else None)
        recipe += CONTACT
    return Objective(network, loss, recipe, second_head)


def _without_stray_contact(loss: Loss, zones_end: int | None) -> Loss:
    """Add the contact of glacier and ocean in unlabelled cells to a loss."""

    def both(logits: Tensor, zones: Tensor) -> Tensor:
        return loss(logits, zones) + WEIGHT * stray_contact(logits[:, :zones_end], zones)

    return both
