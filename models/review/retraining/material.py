"""A network of a model, and what it is trained on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum, auto

import torch
from torch import Tensor, nn

from glacier_qgis.models.package.building import build
from glacier_qgis.models.package.card import Architecture
from glacier_qgis.models.review.retraining.labels import FEWEST_OF_A_PLACE
from glacier_qgis.models.review.retraining.samples import SceneInPlace
from glacier_qgis.models.training.data.samples import Labelled
from glacier_qgis.models.training.fitting.batch_and_rate import CPU_BATCH
from glacier_qgis.models.training.views.augment import ANYHOW, AS_IT_LIES, Augmentation
from glacier_qgis.models.training.views.rock import RockAugmentation, SeriesRockAugmentation
from glacier_qgis.models.training.views.sampling import COMPOSED, Batches, sampler
from glacier_qgis.models.training.views.series import SeriesAugmentation, SeriesScenes

PATCH = 192
"""Rows and columns of the largest patch: a front and three kilometres on either side."""


class Aim(Enum):
    """What a network shall be good for after a training."""

    ONE_PLACE = auto()
    """The place of the corrected scenes."""
    REPLAYED = auto()
    """Any place; the data that it was trained on are at hand."""
    HELD = auto()
    """Any place, without these data: see `holding`."""

    @classmethod
    def of(cls, fronts: int, *, adapt: bool, replayed: bool) -> Aim:
        """Return the aim of a training.

        Args:
            fronts: Corrected scenes that show one.
            adapt: Whether a model of their place is wanted. With fewer than `FEWEST_OF_A_PLACE` the
                networks stay close to what they were.
            replayed: Whether the data are at hand that the model was trained on.
        """
        if adapt and fronts >= FEWEST_OF_A_PLACE:
            return cls.ONE_PLACE
        return cls.REPLAYED if replayed else cls.HELD


@dataclass(frozen=True)
class Network:
    """One of a model's networks.

    Attributes:
        title: What it is for.
        architecture: The network.
        weights: Its weights.
        beside: Whether it sees the other scenes of a series.
        rock: Whether it sees a channel of rock.
        oriented: Whether it knows one place as it lies.
        coast: Where it sees ice meet water and nobody draws a front, as in `ModelCard`.
    """

    title: str
    architecture: Architecture
    weights: Mapping[str, Tensor]
    beside: bool
    rock: bool
    oriented: bool = False
    coast: str = ""

    def with_weights(self, weights: Mapping[str, Tensor]) -> Network:
        """Return the network with other weights."""
        return replace(self, weights=weights)

    def built(self) -> nn.Module:
        """Return the network, ready to predict."""
        network = build(self.architecture)
        network.load_state_dict(dict(self.weights))
        return network.eval()

    def samples(self, scenes: Sequence[SceneInPlace]) -> list[Labelled]:
        """Return the scenes of one place as this network sees them, each beside all others.

        A network for series leaves out scenes without a date.
        """
        if not self.beside:
            return [*scenes]
        dated = [scene for scene in scenes if scene.date]
        return [*SeriesScenes(dated).members()] if dated else []


@dataclass(frozen=True)
class Material:
    """What one network is trained on.

    Attributes:
        corrected: Scenes with corrected fronts.
        known: Pools of what holds what the model knew.
        aim: What the network shall be good for.
    """

    corrected: Sequence[Labelled]
    known: Sequence[Sequence[Labelled]]
    aim: Aim


def batches_of(network: Network, material: Material, stride: int, device: torch.device) -> Batches:
    """Draw a half of the patches from the corrected scenes, the other from what is known.

    Patches for one place, or a network that knows one, show it as it lies, and are not composed of
    several.
    """
    known = [pool for pool in material.known if pool]
    pools = [*[material.corrected] * max(1, len(known)), *known]
    scene = material.corrected[0]
    size = max(1, min(PATCH, *scene.shape) // stride) * stride
    kinds: dict[tuple[bool, bool], type[Augmentation]] = {
        (False, False): Augmentation,
        (False, True): RockAugmentation,
        (True, False): SeriesAugmentation,
        (True, True): SeriesRockAugmentation,
    }
    augmentation = kinds[network.beside, network.rock]
    cell = scene.cell_size[0]
    as_it_lies = network.oriented or material.aim is Aim.ONE_PLACE
    framing, composed = (AS_IT_LIES, 0.0) if as_it_lies else (ANYHOW, COMPOSED)
    return sampler(pools, CPU_BATCH, size, cell, augmentation, framing, composed, device)
