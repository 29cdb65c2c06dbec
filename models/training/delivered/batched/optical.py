"""Patches of optical scenes, a whole batch at once: `optical_views`."""

from __future__ import annotations

import torch
from torch import Tensor

from glacier_qgis.models.fronts.scene.radiometry import LEVELS
from glacier_qgis.models.training.delivered.batched.patches import Patches, blurred
from glacier_qgis.models.zones.codes import OCEAN


class OpticalPatches(Patches):
    """Batches of random patches of optical scenes; see `OpticalAugmentation`."""

    def _radiometry(self, value: Tensor, zones: Tensor) -> Tensor:
        value = self._open_water(value, zones)
        value = self._one_zone(value, zones, 0.4, 0.35)
        value = self._hazy(self._lit(value))
        value = torch.where(self._chance(0.2), blurred(value), value)
        noise = self._field(self._size) * self._uniform(0, 0.25)
        value = self._contrast(torch.where(self._chance(0.3), value + noise, value))
        return torch.where(self._chance(0.08), -value, value)

    def _finished(self, image: Tensor) -> Tensor:
        """Rank most patches again, as if they were a whole scene; the sign remains."""
        again = torch.cat([ranked(image[:, 0], image[:, -1])[:, None], image[:, 1:]], 1)
        return torch.where(self._chance(0.6)[:, None], again, image)

    def _hazy(self, value: Tensor) -> Tensor:
        """Sometimes put haze or thin cloud over a part of the patch."""
        veil = torch.sigmoid(2 * self._field(3) + self._normal(1.0)) * self._uniform(0, 0.8)
        return torch.where(self._chance(0.2), value + veil * (self._uniform(0, 1) - value), value)

    def _open_water(self, value: Tensor, zones: Tensor) -> Tensor:
        """Sometimes replace a part of the ocean by dark water with icebergs, or by young ice."""
        part = (zones == OCEAN) & (self._field(3) > self._normal(1.0) - 0.5) & self._chance(0.4)
        grey = torch.where(self._chance(0.75), self._uniform(-1, -0.6), self._uniform(-1, 1))
        water = grey + self._uniform(0, 0.15) * self._field(4)
        water = water + self._uniform(0, 0.1) * self._field(self._size)
        icebergs = self._field_of(8, 8 + self._size // 4) > self._uniform(1.2, 3.0)
        return torch.where(part, torch.where(icebergs, self._uniform(0, 1), water), value)


def ranked(value: Tensor, valid: Tensor) -> Tensor:
    """Replace the valid values of patches by their ranks in it, (N, P, P); see `equalise`."""
    flat = torch.where(valid > 0, value, torch.inf).flatten(1)
    count = (valid > 0).flatten(1).sum(1, keepdim=True).clamp(min=1)
    steps = torch.linspace(0, 1, LEVELS + 1, device=value.device)
    places = (steps * (count - 1)).round().long()
    quantiles = flat.sort(1).values.gather(1, places)
    below, up_to = (
        torch.searchsorted(quantiles, flat, right=right) for right in (False, True)
    )
    ranks = ((below + up_to) / (LEVELS + 1) - 1).view_as(value)
    return torch.where(valid > 0, ranks, 0.0)
