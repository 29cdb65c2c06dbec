"""What the network sees of an echogram: its contrast, independent of gain and attenuation.

The power of an echogram, in dB, falls with depth by attenuation and changes with the gain from
trace to trace. The first channel is therefore the deviation of each pixel from its surroundings,
in standard deviations of the surroundings; the second is the mean of the surroundings, relative to
the whole frame, by which the network tells ice from air and from the rock below the bed. Both
depend on `REACH` pixels around each pixel and on two numbers of the frame, so that parts of a frame
are scaled as the whole.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.ndimage import uniform_filter

ROWS, TRACES = 49, 9
"""Size of the surroundings, pixels."""
REACH = ROWS // 2
LEAST_DEVIATION_DB = 0.3
LARGEST = 5.0
"""Deviations are clipped at this many standard deviations, which become 1."""

CHANNELS = (
    "contrast of the power in dB: deviation from the surroundings in their standard deviations / 5",
    "mean of the surroundings relative to the frame, in its standard deviations / 5",
    "mask, 1 where there is an echo",
)
"""Meaning of the channels, for a model's card."""

Power = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Level:
    """Mean power and its standard deviation over a frame, dB."""

    mean: float
    deviation: float

    @classmethod
    def of(cls, power: Power) -> Level:
        """Measure a sample of a frame's power; NaN is ignored."""
        known = power[np.isfinite(power)].astype(np.float64)
        if not known.size:
            return cls(0.0, 1.0)
        return cls(float(known.mean()), max(float(known.std()), LEAST_DEVIATION_DB))


def channels(power: Power, level: Level) -> Power:
    """Return the network's input: contrast, mean of the surroundings, and the mask.

    Args:
        power: (rows, traces) in dB, NaN where there are no data.
        level: Of the whole frame.

    Returns:
        (3, rows, traces): two channels from -1 to 1, and 1 where there are data; all 0 elsewhere.
    """
    valid = np.isfinite(power)
    values = np.where(valid, power - level.mean, 0).astype(np.float64)
    share = np.maximum(_around(valid.astype(np.float64)), 1e-9)
    mean = _around(values) / share
    variance = _around(values**2) / share - mean**2
    deviation = np.sqrt(np.maximum(variance, LEAST_DEVIATION_DB**2))
    contrast = np.clip((values - mean) / deviation / LARGEST, -1, 1)
    background = np.clip(mean / level.deviation / LARGEST, -1, 1)
    return np.stack([contrast * valid, background * valid, valid]).astype(np.float32)


def _around(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Average over the surroundings of each pixel."""
    return np.asarray(uniform_filter(values, (ROWS, TRACES), mode="nearest"))
