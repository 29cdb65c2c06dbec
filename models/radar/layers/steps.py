"""Where the echo rises with depth: the bed scatters more than the ice above it.

The rise is a property of the echoes alone. It shows a bed that a network has not been trained on:
dim, broad, or below ice without layers.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.ndimage import uniform_filter1d

from glacier_qgis.models.radar.layers.contrast import TRACES

Power = npt.NDArray[np.float32]
Array = npt.NDArray[np.float64]

ABOVE, BELOW = (-34, -4), (-2, 10)
"""Samples that are compared, relative to each sample: first, and one behind the last."""
LEAST_SHARE = 1e-6


def averaged(power: Power) -> Power:
    """Average an echogram along the track, (rows, traces) in dB; NaN without any echo."""
    known = np.isfinite(power)
    total = _along(np.where(known, power, 0))
    share = _along(known)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(share > LEAST_SHARE, total / share, np.nan).astype(np.float32)


def steps(mean: Power) -> Power:
    """Return by how many dB the echo rises at each sample.

    Args:
        mean: (rows, traces) in dB, averaged along the track, NaN where there is no echo.

    Returns:
        (rows, traces); 0 where the samples above or below lie outside the echogram.
    """
    known = np.isfinite(mean)
    values = _from_top(np.where(known, mean, 0))
    shares = _from_top(known)
    above, below = (_between(values, shares, *rows) for rows in (ABOVE, BELOW))
    return np.nan_to_num(below - above).astype(np.float32)


def _along(values: npt.NDArray[np.generic]) -> Array:
    return np.asarray(uniform_filter1d(values.astype(np.float64), TRACES, axis=1, mode="nearest"))


def _from_top(values: npt.NDArray[np.generic]) -> Array:
    """Sum from the top down to each row, (rows + 1, traces)."""
    return np.pad(np.cumsum(values, axis=0, dtype=np.float64), ((1, 0), (0, 0)))


def _between(values: Array, shares: Array, first: int, last: int) -> Array:
    """Return the mean of rows r + `first` to r + `last` - 1 for each row r, NaN outside."""
    rows = len(values) - 1
    at = np.arange(rows)
    start, stop = at + first, at + last
    inside = (start >= 0) & (stop <= rows)
    start, stop = np.where(inside, start, 0), np.where(inside, stop, 0)
    share = shares[stop] - shares[start]
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(share > 0, (values[stop] - values[start]) / share, np.nan)
