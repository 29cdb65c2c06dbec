"""A network of a model, and what it is trained on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from glacier_qgis.models.package.building import build
from glacier_qgis.models.package.card import Architecture
from glacier_qgis.models.review.retraining.samples import SceneInPlace
from glacier_qgis.models.training.data.samples import Labelled
from glacier_qgis.models.training.fitting.batch_and_rate import CPU_BATCH
from glacier_qgis.models.training.views.augment import Augmentation
from glacier_qgis.models.training.views.rock import RockAugmentation, SeriesRockAugmentation
from glacier_qgis.models.training.views.sampling import Batches, sampler
from glacier_qgis.models.training.views.series import SeriesAugmentation, SeriesScenes

PATCH = 192
"""Rows and columns of the largest patch: a front and three kilometres on either side."""


@dataclass(frozen=True)
class Network:
    """One of a model's networks.

    Attributes:
        title: What it is for.
        architecture: The network.
        weights: Its weights.
        beside: Whether it sees the other scenes of a series.
        rock: Whether it sees a channel of rock.
    """

    title: str
    architecture: Architecture
    weights: Mapping[str, Tensor]
    beside: bool
    rock: bool

    def with_weights(self, weights: Mapping[str, Tensor]) -> Network:
        """Return the network after a training."""
        return Network(self.title, self.architecture, weights, self.beside, self.rock)

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
        held: Whether what the network knew is held, see `holding`.
    """

    corrected: Sequence[Labelled]
    known: Sequence[Sequence[Labelled]]
    held: bool


def batches_of(network: Network, material: Material, stride: int, device: torch.device) -> Batches:
    """Draw a half of the patches from the corrected scenes, the other from what is known."""
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
    return sampler(pools, CPU_BATCH, size, cell, augmentation, device=device)
