"""Echograms with fewer samples, for pulses longer than those that a network was trained on."""

from __future__ import annotations

import numpy as np

from glacier_qgis.models.compute.arrays import Float32Array


def coarser(power: Float32Array, samples: int) -> Float32Array:
    """Average the power of so many samples together; what is left at the end is dropped.

    Args:
        power: (rows, traces) in dB, NaN where there is no echo.
        samples: At least 1.

    Returns:
        (rows // samples, traces) in dB, NaN where one of the samples has no echo.
    """
    if samples == 1:
        return power
    rows = len(power) // samples
    groups = power[: rows * samples].reshape(rows, samples, -1).astype(np.float64)
    return np.asarray(10 * np.log10((10 ** (groups / 10)).mean(axis=1)), np.float32)


def finer(values: Float32Array, samples: int, rows: int) -> Float32Array:
    """Interpolate linearly between the centres of samples that were averaged.

    Args:
        values: (channels, rows, traces) of the coarser echogram.
        samples: How many were averaged.
        rows: Of the echogram before.

    Returns:
        (channels, rows, traces).
    """
    if samples == 1:
        return values
    last = values.shape[1] - 1
    place = np.clip((np.arange(rows) - (samples - 1) / 2) / samples, 0, last)
    above = np.minimum(place.astype(int), max(last - 1, 0))
    share = (place - above).astype(np.float32)[:, None]
    below = np.minimum(above + 1, last)
    return np.asarray(values[:, above] * (1 - share) + values[:, below] * share)
