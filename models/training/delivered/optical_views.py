"""Patches of optical scenes: open water with icebergs, haze, and other shares of the zones."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d

from glacier_qgis.models.fronts.scene.radiometry import equalise, scene_quantiles
from glacier_qgis.models.training.data.samples import Labelled
from glacier_qgis.models.training.views.augment import Augmentation
from glacier_qgis.models.zones.codes import OCEAN, ROCK


class OpticalAugmentation(Augmentation):
    """Random patches of optical scenes."""

    def __call__(self, scene: Labelled) -> tuple[Tensor, Tensor]:
        """Return an image (bands + 1, size, size) and zones (size, size).

        Most patches are ranked again, as if they were a whole scene: one with another share of
        water, rock and ice, and so with other ranks of each.
        """
        image, zones = super().__call__(scene)
        if self._chance(0.6):
            *bands, valid = image
            image = torch.stack([*(_ranked(band, valid) for band in bands), valid])
        return image, zones

    def _radiometry(self, value: Tensor, zones: Tensor) -> Tensor:
        value = self._open_water(value, zones)
        if self._chance(0.4):
            zone = ROCK + int(self._uniform(0, OCEAN - ROCK + 1))
            value = value + self._normal(0.35) * (zones == zone)
        value = self._hazy(self._lit(value))
        if self._chance(0.2):
            value = avg_pool2d(value[None], 3, stride=1, padding=1, count_include_pad=False)[0]
        if self._chance(0.3):
            value = value + self._field(self._size) * self._uniform(0, 0.25)
        value = self._contrast(value)
        return -value if self._chance(0.08) else value

    def _hazy(self, value: Tensor) -> Tensor:
        """Sometimes put haze or thin cloud over a part of the patch."""
        if not self._chance(0.2):
            return value
        veil = torch.sigmoid(2 * self._field(3) + self._normal(1.0)) * self._uniform(0, 0.8)
        return value + veil * (self._uniform(0, 1) - value)

    def _open_water(self, value: Tensor, zones: Tensor) -> Tensor:
        """Sometimes replace a part of the ocean by dark water with icebergs, or by young ice."""
        if self._chance(0.6):
            return value
        part = (zones == OCEAN) & (self._field(3) > self._normal(1.0) - 0.5)
        grey = self._uniform(-1, -0.6) if self._chance(0.75) else self._uniform(-1, 1)
        water = grey + self._uniform(0, 0.15) * self._field(4)
        water = water + self._uniform(0, 0.1) * self._field(self._size)
        floes = self._field(8 + int(self._uniform(0, self._size / 4)))
        icebergs = floes > self._uniform(1.2, 3.0)
        return torch.where(part, torch.where(icebergs, self._uniform(0, 1), water), value)


def _ranked(band: Tensor, valid: Tensor) -> Tensor:
    """Replace the valid values of a patch by their ranks in it."""
    inside = valid > 0
    if not inside.any():
        return band
    values = torch.where(inside, band, torch.nan).cpu().numpy()
    ranks = equalise(values, scene_quantiles(values[np.isfinite(values)]))
    return torch.from_numpy(ranks).to(band.device)
