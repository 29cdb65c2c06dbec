"""Rock as a channel of training patches: sometimes there, sometimes not.

So one network works with and without it.
"""

from __future__ import annotations

from torch import Tensor

from glacier_qgis.models.training.views.augment import Augmentation
from glacier_qgis.models.training.views.series import SeriesAugmentation

UNKNOWN = 0.5
"""Share of the patches without the channel."""


class _RockLast(Augmentation):
    """Patches whose last band is rock, 1 or 0: it has no radiometry, and is sometimes left out."""

    def _changed(self, bands: list[Tensor], zones: Tensor) -> list[Tensor]:
        *seen, rock = bands
        return [*super()._changed(seen, zones), rock * float(not self._chance(UNKNOWN))]


class RockAugmentation(_RockLast):
    """Random patches of single scenes with rock."""


class SeriesRockAugmentation(_RockLast, SeriesAugmentation):
    """Random patches of scenes with random companions and rock."""
