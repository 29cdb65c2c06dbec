"""Training configuration of a network for zones: its outputs during training, and its loss."""

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
"""Tensors to which a second head adds one channel."""


@dataclass(frozen=True)
class Objective:
    """Training configuration of a network.

    Attributes:
        network: With a second head, if its architecture supports one.
        loss: The loss function.
        recipe: The same in words, for the model's card.
        second_head: Whether the network has one.
    """

    network: nn.Module
    loss: Loss
    recipe: str
    second_head: bool

    def zones_alone(self, weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Return the weights of a network that predicts only zones."""
        if not self.second_head:
            return dict(weights)
        return {**weights, **{name: weights[name][:-1].contiguous() for name in HEAD}}


def objective(architecture: Architecture, network: nn.Module, *, fronts_alone: bool) -> Objective:
    """Return the training configuration of a network, starting from its weights.

    Args:
        architecture: Of the network. The side outputs of HED are trained on zones only.
        network: Predicts zones; it is not changed.
        fronts_alone: Whether there are images whose only labels are all of their fronts.
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
