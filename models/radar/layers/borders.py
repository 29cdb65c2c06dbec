"""Where one frame of a segment ends and the next one begins."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from glacier_qgis.models.radar.echogram.axes import Axes
from glacier_qgis.models.radar.layers.peaks import Array


@dataclass(frozen=True)
class Border:
    """Between the last trace of a frame and the first one of the next.

    Attributes:
        before: Axes of the frame that ends.
        after: Axes of the frame that begins.
    """

    before: Axes
    after: Axes

    @property
    def is_even(self) -> bool:
        """Whether a travel time has the same row on both sides."""
        if self.before.samples != self.after.samples:
            return False
        rows = np.arange(self.after.samples, dtype=float)
        return bool(np.allclose(self.onward(rows), rows, rtol=0, atol=1e-3))

    def onward(self, rows: Array) -> Array:
        """Return rows of the frame that ends as rows of the next one; NaN outside of it."""
        return _moved(rows, self.before, self.before.traces - 1, self.after, 0)

    def back(self, rows: Array) -> Array:
        """Return rows of the frame that begins as rows of the one before; NaN outside of it."""
        return _moved(rows, self.after, 0, self.before, self.before.traces - 1)


def _moved(rows: Array, here: Axes, trace: int, there: Axes, other: int) -> Array:
    times = here.times(np.full(rows.shape, trace), rows)
    return there.sample_of(np.full(rows.shape, other), times)
