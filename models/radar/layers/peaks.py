"""Local maxima of a probability in each trace: where lines may pass."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Probability = npt.NDArray[np.float32]

LEAST = 0.6
"""Lowest probability of a point of a line: the default of 'Trace layers'."""
_REACH = 2
"""Samples on each side of a maximum from which its position and width are computed."""


@dataclass(frozen=True)
class Peaks:
    """The local maxima of one trace, from top to bottom.

    Attributes:
        rows: Positions between the samples: the centre of the probability around each maximum.
        values: Probability at each maximum.
        widths: Standard deviation of the probability around each maximum, samples.
    """

    rows: Array
    values: Array
    widths: Array

    def __len__(self) -> int:
        return self.rows.size

    def of(self, chosen: npt.NDArray[np.generic]) -> Peaks:
        """Return some of them, by index or mask."""
        return Peaks(self.rows[chosen], self.values[chosen], self.widths[chosen])

    @classmethod
    def none(cls) -> Peaks:
        """Return the peaks of a trace without any."""
        return cls(np.empty(0), np.empty(0), np.empty(0))


def find_peaks(probability: Probability, least: float) -> list[Peaks]:
    """Return the peaks of each trace.

    There is none in the first and the last row: what lies beyond them is unknown, and a network
    may see a layer along the edge of a frame.

    Args:
        probability: (rows, traces).
        least: Lowest probability of a peak.
    """
    padded = np.pad(probability, ((_REACH, _REACH), (0, 0)))
    inner = padded[_REACH:-_REACH]
    above, below = padded[_REACH - 1 : -_REACH - 1], padded[_REACH + 1 : len(padded) - _REACH + 1]
    highest = (inner >= least) & (inner > above) & (inner >= below)
    highest[[0, -1]] = False
    traces, rows = np.nonzero(highest.T)
    around = rows[:, None] + np.arange(2 * _REACH + 1)
    weights = padded[around, traces[:, None]].astype(np.float64)
    offsets = np.arange(-_REACH, _REACH + 1)
    weights = _falling(weights)
    total = np.maximum(weights.sum(axis=1), 1e-12)
    shift = weights @ offsets / total
    spread = np.sqrt(np.maximum(weights @ offsets**2 / total - shift**2, 1 / 12))
    found = Peaks(rows + shift, inner[rows, traces].astype(np.float64), spread)
    bounds = np.searchsorted(traces, np.arange(probability.shape[1] + 1))
    return [found.of(np.arange(first, last)) for first, last in pairwise(bounds)]


def _falling(weights: Array) -> Array:
    """Keep only what falls away from the centre: the rest belongs to the next peak.

    Args:
        weights: (peaks, 2 reach + 1).
    """
    centre = weights.shape[1] // 2
    result = weights.copy()
    for step in range(1, centre + 1):
        for sign in (-1, 1):
            here, before = centre + sign * step, centre + sign * (step - 1)
            rising = result[:, here] > result[:, before]
            result[rising, here] = 0
    return result
