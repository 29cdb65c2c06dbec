"""Rock as a channel of training patches: sometimes there, sometimes not.

So one network works with and without it.
"""

from __future__ import annotations

import torch
from torch import Tensor

from glacier_qgis.models.training.views.augment import Augmentation
from glacier_qgis.models.training.views.series import SeriesAugmentation

UNKNOWN = 0.5
"""Share of the patches without the channel."""


class _RockLast(Augmentation):
    """Patches whose last band is rock, 1 or 0: it has no radiometry, and is sometimes left out."""

    def _changed(self, values: Tensor, zones: Tensor) -> Tensor:
        rock = values[:, -1:] * ~self._chance.happens(UNKNOWN)[:, None]
        return torch.cat([super()._changed(values[:, :-1], zones), rock], 1)


class RockAugmentation(_RockLast):
    """Random patches of single scenes with rock."""


class SeriesRockAugmentation(_RockLast, SeriesAugmentation):
    """Random patches of scenes with random companions and rock."""
