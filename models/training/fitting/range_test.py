"""The learning-rate range test: raise the rate until training diverges, and stay below.

Smith (2017), Cyclical Learning Rates for Training Neural Networks, doi 10.1109/WACV.2017.58: one
short run in which the rate grows exponentially. The loss falls fastest at a suitable rate, and
rises where steps are too long to be stable.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter1d

from glacier_qgis.models.compute.arrays import Float64Array
from glacier_qgis.models.engine.errors import EngineError

LOWEST, HIGHEST = 1e-6, 1.0
STEPS = 100
FEWEST = 3
"""Default number of rates."""
SMOOTHING = 0.02
"""Standard deviation of the Gaussian that smooths the losses, as a share of the steps."""

BROKEN = 1.5
"""The test ends when the loss is this many times the initial one."""

RISE = 0.1
"""Training is unstable once the smoothed loss has risen by this share of its previous fall."""

SAFE_SHARE = 0.25
"""Largest suggestion as a share of the rate at which training becomes unstable, or of the highest
tried rate: the instability is detected some steps late, and a long run is more likely to diverge
than a short one."""


@dataclass(frozen=True)
class RangeTest:
    """Results of a range test.

    Attributes:
        rates: The tried rates, ascending.
        losses: The loss after the step at each rate.
        smoothed: The same, smoothed, clipped to the initial loss.
        steepest: The rate at which the smoothed loss falls fastest.
        unstable: The rate from which it rises, or None if it does not.
    """

    rates: Float64Array
    losses: Float64Array
    smoothed: Float64Array
    steepest: float
    unstable: float | None

    @property
    def suggested(self) -> float:
        """The suggested rate."""
        highest = self.rates[-1] if self.unstable is None else self.unstable
        return min(self.steepest, SAFE_SHARE * float(highest))


def range_test(
    learn: Callable[[float], float],
    lowest: float = LOWEST,
    highest: float = HIGHEST,
    steps: int = STEPS,
) -> RangeTest:
    """Train with exponentially increasing rates.

    Args:
        learn: Takes one step at a rate and returns the loss before it.
        lowest: First rate.
        highest: Last rate.
        steps: Rates to try, evenly spaced in their logarithm.

    Raises:
        EngineError: Training diverges from the beginning.
    """
    rates = np.geomspace(lowest, highest, steps)
    losses = [learn(rates[0])]
    for rate in rates[1:]:
        loss = learn(rate)
        if not math.isfinite(loss):
            break
        losses.append(loss)
        if np.mean(losses[-3:]) > BROKEN * np.mean(losses[:3]):
            break
    if len(losses) <= FEWEST:
        raise EngineError(
            f"The loss is not a number in the first steps, at a learning rate of {lowest:g}: the "
            "initial weights or the images are damaged. Check the images with 'Inspect training "
            "data', and try without START_FROM."
        )
    return read_curve(rates[: len(losses) - 1], np.array(losses[1:]))


def read_curve(rates: Float64Array, losses: Float64Array) -> RangeTest:
    """Find where a curve falls fastest and where it starts to rise.

    Args:
        rates: Ascending, at least two.
        losses: The loss after one step at each.
    """
    capped = np.minimum(
        losses, losses[:3].mean()
    )  # otherwise smoothing would spread a divergence to lower rates
    smoothed = gaussian_filter1d(capped, SMOOTHING * STEPS, mode="nearest")
    lowest = int(smoothed.argmin())
    slope = np.gradient(smoothed, np.log(rates))
    steepest = int(slope[: lowest + 1].argmin())
    fall = smoothed[: lowest + 1].max() - smoothed[lowest]
    risen = smoothed[lowest:] > smoothed[lowest] + RISE * fall
    unstable = float(rates[lowest + int(risen.argmax())]) if risen.any() else None
    return RangeTest(rates, losses, smoothed, float(rates[steepest]), unstable)
