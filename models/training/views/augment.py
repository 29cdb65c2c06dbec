"""Random patches of labelled scenes: where they lie, and how their radiometry is changed.

All patches of a batch are made together, with decisions per patch: several times as fast as one
after another.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d

from glacier_qgis.models.training.data.samples import UNLABELLED, Labelled
from glacier_qgis.models.training.views.chance import Chance
from glacier_qgis.models.training.views.look import View, look
from glacier_qgis.models.zones.codes import OCEAN, ROCK


@dataclass(frozen=True)
class Framing:
    """How the cells of patches may lie.

    Attributes:
        octaves: Range of the ratio of a patch's cell size to the model's, as powers of two.
        stretch: Largest stretch along a row, and compression along a column, as power of two.
        turn: Largest rotation to either side, radians.
        mirrored: Share of the patches that are mirrored.
    """

    octaves: tuple[float, float]
    stretch: float
    turn: float
    mirrored: float


ANYHOW = Framing((-0.6, 0.7), 0.15, math.pi, 0.5)
"""For any glacier: nothing may depend on how a scene lies."""
AS_IT_LIES = Framing((-0.15, 0.15), 0.05, math.radians(10), 0.0)
"""For one glacier: in which direction the fjord opens, where the light or the radar comes from, and
what lies where are the same in all of its scenes. The rest is what maps and sensors differ by."""

Patches = tuple[Tensor, Tensor]
"""Images (N, bands + 1, P, P), the mask last, and zones (N, P, P) int64."""


class Augmentation:
    """Random patches of scenes.

    Args:
        chance: Draws all that is random; it knows the number and the size of the patches.
        cell_size: The model's cell size, m.
        framing: How the cells of the patches may lie.
    """

    def __init__(self, chance: Chance, cell_size: float, framing: Framing = ANYHOW) -> None:
        self._chance = chance
        self._cell_size = cell_size
        self._framing = framing

    def __call__(self, scenes: Sequence[Labelled]) -> Patches:
        """Return one patch of each scene."""
        return self._augmented(*self._seen(scenes))

    def _augmented(self, images: Tensor, zones: Tensor) -> Patches:
        valid, zones = self._edge_of_scene(images[:, -1], zones)
        values = self._changed(images[:, :-1], zones) * valid[:, None]
        return torch.cat([values, valid[:, None]], 1), zones

    def _seen(self, scenes: Sequence[Labelled]) -> Patches:
        """Look at each scene through a window of its own."""
        seen = [
            self._look(scene, view) for scene, view in zip(scenes, self._views(scenes), strict=True)
        ]
        images, zones = zip(*seen, strict=True)
        return torch.stack(images), torch.stack(zones)

    def _look(self, scene: Labelled, view: View) -> tuple[Tensor, Tensor]:
        return look(scene, view, self._chance.device)

    def _changed(self, values: Tensor, zones: Tensor) -> Tensor:
        """Change the radiometry of every band, (N, bands, P, P)."""
        return torch.stack([self._radiometry(band, zones) for band in values.unbind(1)], 1)

    def _views(self, scenes: Sequence[Labelled]) -> list[View]:
        """Draw a window on each scene, most of them at a front."""
        size = self._chance.size
        fronts = [scene.front for scene in scenes]
        angles, cells, mirrored = (drawn.tolist() for drawn in self.windows())
        at_front = self._chance.happens(0.6).flatten().tolist()
        anywhere = self._chance.uniform(0.1, 0.9, 2).tolist()
        beside = self._chance.uniform(-0.3 * size, 0.3 * size, 2).tolist()
        pixels = self._chance.uniform(0, 1, 1)[:, 0].tolist()
        views = []
        for index, scene in enumerate(scenes):
            centre = [
                share * count for share, count in zip(anywhere[index], scene.shape, strict=True)
            ]
            if at_front[index] and len(front := fronts[index]):
                pixel = front[int(pixels[index] * len(front))]
                centre = [float(at) + off for at, off in zip(pixel, beside[index], strict=True)]
            views.append(
                View(
                    (centre[0], centre[1]),
                    (size, size),
                    (cells[index][0], cells[index][1]),
                    angles[index],
                    mirrored[index],
                )
            )
        return views

    def windows(self) -> tuple[Tensor, Tensor, Tensor]:
        """Draw angle (N,), cell size along a row and a column (N, 2), m, and mirroring (N,)."""
        chance, framing = self._chance, self._framing
        scale = self._cell_size * 2 ** chance.uniform(*framing.octaves, 1)
        stretch = 2 ** chance.uniform(-framing.stretch, framing.stretch, 1)
        cells = torch.cat([scale * stretch, scale / stretch], 1)
        angle = chance.uniform(-framing.turn, framing.turn, 1)[:, 0]
        return angle, cells, chance.happens(framing.mirrored).flatten()

    def _edge_of_scene(self, valid: Tensor, zones: Tensor) -> tuple[Tensor, Tensor]:
        """Sometimes cut a patch by a straight edge, beyond which it is not valid."""
        chance = self._chance
        angle = chance.uniform(0, 2 * math.pi)
        offset = torch.linspace(-1, 1, chance.size, device=chance.device)
        across = angle.cos() * offset[:, None] + angle.sin() * offset
        outside = chance.happens(0.2) & (across > chance.uniform(0.3, 1.0))
        return torch.where(outside, 0.0, valid), torch.where(outside, UNLABELLED, zones)

    def _radiometry(self, value: Tensor, zones: Tensor) -> Tensor:
        """Change what ranks do not normalise: shares of zones in a scene, illumination, noise."""
        chance = self._chance
        dark = value <= -0.98
        value = self._open_water(value, zones)
        value = self._one_zone(value, zones, 0.2, 0.25)
        value = self._lit(value)
        value = torch.where(chance.happens(0.15), blurred(value), value)
        # Ranks amplify the speckle of a scene with little contrast.
        speckle = chance.field(chance.size) * chance.uniform(0, 0.6) ** 1.5
        value = torch.where(chance.happens(0.6), value + speckle, value)
        return torch.where(dark, -1.0, self._contrast(value))

    def _one_zone(self, value: Tensor, zones: Tensor, often: float, deviation: float) -> Tensor:
        """Sometimes darken or brighten one zone."""
        zone = ROCK + self._chance.below(OCEAN + 1 - ROCK)[:, None, None]
        changed = value + self._chance.normal(deviation) * (zones == zone)
        return torch.where(self._chance.happens(often), changed, value)

    def _lit(self, value: Tensor) -> Tensor:
        """Sometimes change the illumination."""
        light = self._chance.field_of(2, 5) * self._chance.uniform(0, 0.3)
        return torch.where(self._chance.happens(0.3), value + light, value)

    def _contrast(self, value: Tensor) -> Tensor:
        """Darken or brighten medium values."""
        return 2 * ((value.clamp(-1, 1) + 1) / 2) ** self._chance.normal(0.3).exp() - 1

    def _open_water(self, value: Tensor, zones: Tensor) -> Tensor:
        """Sometimes replace a part of the ocean by water or young ice: any grey, little texture."""
        chance = self._chance
        part = (zones == OCEAN) & (chance.field(3) > chance.normal(1.0)) & chance.happens(0.25)
        swell = chance.uniform(0, 0.3) * chance.field(4)
        speckle = chance.uniform(0, 0.3) * chance.field(chance.size)
        return torch.where(part, chance.uniform(-1, 1) + swell + speckle, value)


def blurred(value: Tensor) -> Tensor:
    """Return the mean of 3 × 3 cells, (N, P, P)."""
    return avg_pool2d(value[:, None], 3, stride=1, padding=1, count_include_pad=False)[:, 0]


def pasted(patches: Patches, chance: Chance, share: float) -> Patches:
    """Paste zones of other patches of a batch into some of them: new boundaries and neighbours.

    In half of the cases whole zones are pasted, otherwise only the texture of a zone that both
    patches have (ClassMix; Olsson et al. 2021, doi:10.1109/WACV48630.2021.00141, with true labels).

    Args:
        patches: The batch.
        chance: Draws which.
        share: Of the patches in which something is pasted.
    """
    images, zones = patches
    others, other_zones = images.roll(1, 0), zones.roll(1, 0)
    first, second = (ROCK + chance.below(OCEAN + 1 - ROCK)[:, None, None] for _ in range(2))
    over = other_zones == first
    whole = over | (other_zones == second)
    over = torch.where(chance.happens(0.5), whole, over & (zones == first))
    over &= chance.happens(share)
    return torch.where(over[:, None], others, images), torch.where(over, other_zones, zones)
