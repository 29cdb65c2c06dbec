"""What the audit says of the scenes that nobody looked at: estimates with their intervals.

The scenes of the audit are a simple random sample, without replacement, of those that the queue
left out. The share of wrong fronts has the exact interval of Clopper and Pearson (1934, Biometrika
26, 404-413, doi:10.1093/biomet/26.4.404), the median error that of order statistics, exact for any
distribution (Conover 1999, Practical Nonparametric Statistics, section 3.2). The mean error has
Student's interval with the correction for a finite population (Neyman 1934, J. R. Stat. Soc. 97,
558-625, doi:10.2307/2342192); errors of fronts have a long tail, for which it is too narrow in
small samples.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

LEVEL = 0.95
"""Probability with which an interval covers the true value."""


@dataclass(frozen=True)
class Estimate:
    """A value with its interval; NaN where the sample is too small to tell."""

    value: float
    low: float = math.nan
    high: float = math.nan


@dataclass(frozen=True)
class Audit:
    """What a random sample says of the scenes that the queue left out.

    Attributes:
        scenes: Number of scenes that the sample stands for.
        sample: Number of scenes that were looked at and could be judged.
        mean_m: Mean error of the scenes with a front on both sides, m.
        median_m: Their median error, m.
        wrong: Share of scenes in which a front was missed, or one was predicted where none is.
    """

    scenes: int
    sample: int
    mean_m: Estimate
    median_m: Estimate
    wrong: Estimate


def estimate(errors: Sequence[float | None], wrong: Sequence[bool], scenes: int) -> Audit:
    """Estimate the error of the scenes that a sample was drawn from.

    Args:
        errors: Of each sampled scene, m; None if one side has no front.
        wrong: Whether only one side has a front, for each sampled scene.
        scenes: Number of scenes that the sample was drawn from.
    """
    known = np.array([error for error in errors if error is not None], dtype=float)
    return Audit(
        scenes=scenes,
        sample=len(errors),
        mean_m=mean_estimate(known, scenes),
        median_m=median_estimate(known),
        wrong=share_estimate(sum(wrong), len(wrong)),
    )


def mean_estimate(sample: np.typing.NDArray[np.float64], population: int) -> Estimate:
    """Return the mean of a sample, and Student's interval of that of the population."""
    if sample.size < 2:
        return Estimate(float(sample.mean()) if sample.size else math.nan)
    left = max(1 - sample.size / max(population, sample.size), 0.0)
    error = sample.std(ddof=1) * math.sqrt(left / sample.size)
    reach = float(stats.t.ppf((1 + LEVEL) / 2, sample.size - 1) * error)
    mean = float(sample.mean())
    return Estimate(mean, max(mean - reach, 0.0), mean + reach)


def median_estimate(sample: np.typing.NDArray[np.float64]) -> Estimate:
    """Return the median of a sample, and the interval between two of its values.

    The interval covers the true median with at least `LEVEL`; samples of fewer than six have none.
    """
    if not sample.size:
        return Estimate(math.nan)
    ordered = np.sort(sample)
    below = int(stats.binom.ppf((1 - LEVEL) / 2, sample.size, 0.5))
    while below and stats.binom.cdf(below - 1, sample.size, 0.5) > (1 - LEVEL) / 2:
        below -= 1
    value = float(np.median(ordered))
    if not below:
        return Estimate(value)
    return Estimate(value, float(ordered[below - 1]), float(ordered[-below]))


def share_estimate(count: int, size: int) -> Estimate:
    """Return the share of a sample that has a property, and Clopper and Pearson's interval."""
    if not size:
        return Estimate(math.nan)
    found = stats.binomtest(count, size).proportion_ci(LEVEL, method="exact")
    return Estimate(count / size, float(found.low), float(found.high))
