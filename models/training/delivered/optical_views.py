"""Patches of optical scenes: open water with icebergs, haze, and other shares of the zones."""

from __future__ import annotations

import torch
from torch import Tensor

from glacier_qgis.models.fronts.scene.radiometry import LEVELS
from glacier_qgis.models.training.views.augment import Augmentation, Patches, blurred
from glacier_qgis.models.zones.codes import OCEAN


class OpticalAugmentation(Augmentation):
    """Random patches of optical scenes with one band."""

    def _augmented(self, images: Tensor, zones: Tensor) -> Patches:
        """Change patches, and rank most of them again, as if they were a whole scene.

        One with another share of water, rock and ice, and so with other ranks of each.
        """
        images, zones = super()._augmented(images, zones)
        values, valid = images.unbind(1)
        again = torch.stack([ranked(values, valid), valid], 1)
        return torch.where(self._chance.happens(0.6)[:, None], again, images), zones

    def _radiometry(self, value: Tensor, zones: Tensor) -> Tensor:
        chance = self._chance
        value = self._open_water(value, zones)
        value = self._one_zone(value, zones, 0.4, 0.35)
        value = self._hazy(self._lit(value))
        value = torch.where(chance.happens(0.2), blurred(value), value)
        noise = chance.field(chance.size) * chance.uniform(0, 0.25)
        value = self._contrast(torch.where(chance.happens(0.3), value + noise, value))
        return torch.where(chance.happens(0.08), -value, value)

    def _hazy(self, value: Tensor) -> Tensor:
        """Sometimes put haze or thin cloud over a part of the patch."""
        chance = self._chance
        veil = torch.sigmoid(2 * chance.field(3) + chance.normal(1.0)) * chance.uniform(0, 0.8)
        hazy = value + veil * (chance.uniform(0, 1) - value)
        return torch.where(chance.happens(0.2), hazy, value)

    def _open_water(self, value: Tensor, zones: Tensor) -> Tensor:
        """Sometimes replace a part of the ocean by dark water with icebergs, or by young ice."""
        chance = self._chance
        part = (zones == OCEAN) & (chance.field(3) > chance.normal(1.0) - 0.5)
        grey = torch.where(chance.happens(0.75), chance.uniform(-1, -0.6), chance.uniform(-1, 1))
        water = grey + chance.uniform(0, 0.15) * chance.field(4)
        water = water + chance.uniform(0, 0.1) * chance.field(chance.size)
        icebergs = chance.field_of(8, 7 + chance.size // 4) > chance.uniform(1.2, 3.0)
        sea = torch.where(icebergs, chance.uniform(0, 1), water)
        return torch.where(part & chance.happens(0.4), sea, value)


def ranked(value: Tensor, valid: Tensor) -> Tensor:
    """Replace the valid values of each patch by their ranks in it; see `equalise`.

    Args:
        value: (N, P, P).
        valid: (N, P, P), 1 or 0.

    Returns:
        (N, P, P), -1 to 1, 0 where not valid.
    """
    inside = valid > 0
    flat = torch.where(inside, value, torch.inf).flatten(1)
    count = inside.flatten(1).sum(1, keepdim=True).clamp(min=1)
    steps = torch.linspace(0, 1, LEVELS + 1, device=value.device)
    quantiles = flat.sort(1).values.gather(1, (steps * (count - 1)).round().long())
    below, up_to = (torch.searchsorted(quantiles, flat, right=right) for right in (False, True))
    ranks = ((below + up_to) / (LEVELS + 1) - 1).view_as(value)
    return torch.where(inside, ranks, 0.0)
