"""From the values of an echogram to power in dB."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.signal import hilbert

from glacier_qgis.models.radar.echogram.axes import Values

Array = npt.NDArray[np.float32]


def decibels(values: Array, kind: Values) -> Array:
    """Return the power in dB, NaN where there is no echo.

    The power of a signed amplitude is that of its envelope, the magnitude of its analytic signal.
    The grey of a picture is taken as it is: it rises with the power.

    Args:
        values: (samples, traces), NaN where there is no echo.
        kind: What they are.
    """
    if kind == "power":
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(values > 0, 10 * np.log10(values), np.nan).astype(np.float32)
    if kind != "amplitude":
        return values
    known = np.isfinite(values)
    amplitude = np.where(known, values, 0).astype(np.float64)
    if (amplitude < 0).any():
        amplitude = np.abs(hilbert(amplitude, axis=0))
    with np.errstate(divide="ignore"):
        power = 20 * np.log10(np.abs(amplitude))
    return np.where(known & np.isfinite(power), power, np.nan).astype(np.float32)
