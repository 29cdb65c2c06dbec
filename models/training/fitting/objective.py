"""Training configuration of a network for zones: its outputs during training, and its loss."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from glacier_qgis.models.package.building import build
from glacier_qgis.models.package.card import Architecture
from glacier_qgis.models.training.data.samples import OPEN, UNLABELLED
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
        fronts_alone: Whether there are images whose only labels are all of their fronts: except in
            `OPEN` cells, glacier and ocean touch nowhere else.
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
    without_contact = _of_labels(loss)
    if not fronts_alone:
        return Objective(network, without_contact, recipe, second_head)
    zones_end = -1 if second_head else None

    def with_contact(logits: Tensor, zones: Tensor) -> Tensor:
        contact = stray_contact(logits[:, :zones_end], zones)
        return without_contact(logits, zones) + WEIGHT * contact

    return Objective(network, with_contact, recipe + CONTACT, second_head)


def _of_labels(loss: Loss) -> Loss:
    """Return a loss for which `OPEN` cells are unlabelled."""
    return lambda logits, zones: loss(logits, torch.where(zones == OPEN, UNLABELLED, zones))
