"""Batches of random patches, with each pool of scenes drawn equally often."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import torch
from torch import Tensor

from glacier_qgis.models.training.data.samples import Labelled
from glacier_qgis.models.training.views.augment import ANYHOW, Augmentation, Framing, pasted
from glacier_qgis.models.training.views.chance import Chance
from glacier_qgis.models.training.views.look import CPU

Batch = tuple[Tensor, Tensor]
Batches = Callable[[torch.Generator], Batch]
"""Draws images and zones, with all random numbers from the generator."""

COMPOSED = 0.15
"""Share of the patches with pasted zones of another patch."""


def pools_by_group(scenes: Iterable[Labelled]) -> list[list[Labelled]]:
    """Collect scenes by their group, so that a glacier with many images does not dominate."""
    pools: dict[str, list[Labelled]] = {}
    for scene in scenes:
        pools.setdefault(scene.group, []).append(scene)
    return [pools[group] for group in sorted(pools)]


def sampler(
    pools: Sequence[Sequence[Labelled]],
    batch: int,
    size: int,
    cell_size: float,
    augmentation: type[Augmentation] = Augmentation,
    framing: Framing = ANYHOW,
    composed: float = COMPOSED,
    device: torch.device = CPU,
) -> Batches:
    """Return a function that draws batches.

    Args:
        pools: Scenes; each pool is drawn equally often, whatever its size.
        batch: Patches per batch.
        size: Rows and columns of a patch.
        cell_size: The model's cell size, m.
        augmentation: Makes patches of scenes.
        framing: How the patches may lie.
        composed: Share of the patches with pasted zones of another patch.
        device: Where to make the patches.
    """

    def draw(generator: torch.Generator) -> Batch:
        chance = Chance(batch, size, on(device, generator))
        chosen = [pools[index] for index in chance.below(len(pools)).tolist()]
        shares = chance.uniform(0, 1, 1)[:, 0].tolist()
        scenes = [pool[int(share * len(pool))] for pool, share in zip(chosen, shares, strict=True)]
        return pasted(augmentation(chance, cell_size, framing)(scenes), chance, composed)

    return draw


def on(device: torch.device, generator: torch.Generator) -> torch.Generator:
    """Return a generator on a device that depends on another one."""
    if generator.device == device:
        return generator
    seed = int(torch.randint(2**62, (), generator=generator))
    return torch.Generator(device).manual_seed(seed)


def with_negatives(batches: Batches, signed: int = -1) -> Batches:
    """Invert half of the patches: the ranks change their sign, the mask does not.

    In a radar scene, water may be darker or brighter than ice, depending on wind, sea ice and snow.
    A network trained on both relies on texture and shape instead.

    Args:
        batches: Draws images, (N, channels, rows, columns) with the mask last, and their zones.
        signed: The first channel that keeps its sign; the mask, or one before it.
    """

    def draw(generator: torch.Generator) -> Batch:
        images, zones = batches(generator)
        chance = Chance(len(images), images.shape[-1], on(images.device, generator))
        sign = torch.where(chance.happens(0.5), -1.0, 1.0)[:, None]
        return torch.cat([images[:, :signed] * sign, images[:, signed:]], dim=1), zones

    return draw
