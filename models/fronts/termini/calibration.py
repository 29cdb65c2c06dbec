"""From the width of a transition to an uncertainty with the stated coverage.

Across a front, the probabilities change over a width (see `transition`). A network may be
overconfident, so the width is not an error. The relation is fitted where true fronts are known: for
each class of widths, the quantile of the true errors at the stated share; made monotonic in the
width (isotonic regression, Barlow et al. 1972, Statistical inference under order restrictions);
scaled by one factor so that the stated share is met over all points, as in quantile scaling of
prediction intervals (Romano et al. 2019, Conformalized quantile regression, arXiv:1905.03222).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import isotonic_regression

from glacier_qgis.models.compute.arrays import Float64Array
from glacier_qgis.models.package.card import Calibration

LEVEL = 0.68
"""Share of true errors that an uncertainty covers, as one standard deviation does."""

CLASSES = 12
LEAST_IN_CLASS = 50
"""Least number of points in a class of widths."""


@dataclass(frozen=True)
class Reliability:
    """How often the true error is within the stated uncertainty, by classes of uncertainty.

    Attributes:
        uncertainty_m: Mean uncertainty of each class, ascending.
        covered: Share of the points of each class whose true error is covered.
        points: Points in each class.
        overall: Share over all points.
    """

    uncertainty_m: Float64Array
    covered: Float64Array
    points: npt.NDArray[np.int64]
    overall: float


def calibrated(widths_m: Float64Array, calibration: Calibration | None) -> Float64Array:
    """Return the uncertainties of widths, m; NaN stays NaN.

    Args:
        widths_m: Of transitions, of any shape.
        calibration: Of the model; None returns the widths themselves.
    """
    if calibration is None:
        return widths_m
    return np.interp(widths_m, calibration.widths_m, calibration.uncertainties_m)


def fit_calibration(
    widths_m: Float64Array, distances_m: Float64Array, data: str, level: float = LEVEL
) -> Calibration:
    """Fit the monotonic relation with which uncertainties cover the stated share of true errors.

    Args:
        widths_m: (n,) of the transition at points of predicted fronts.
        distances_m: (n,) from those points to the true front.
        data: Description of the data, for the model's card.
        level: Share to cover, between 0 and 1.

    Raises:
        ValueError: There are fewer than `LEAST_IN_CLASS` points with both values.
    """
    known = np.isfinite(widths_m) & np.isfinite(distances_m)
    widths, distances = widths_m[known], distances_m[known]
    if widths.size < LEAST_IN_CLASS:
        raise ValueError(f"{widths.size} points are too few; {LEAST_IN_CLASS} are needed")
    classes = np.array_split(np.argsort(widths, kind="stable"), _class_count(widths.size))
    centres = np.array([np.median(widths[members]) for members in classes])
    quantiles = np.array([np.quantile(distances[members], level) for members in classes])
    knots, first = np.unique(centres, return_index=True)
    heights = np.array([part.mean() for part in np.split(quantiles, first[1:])])
    weights = np.diff(np.append(first, len(centres)))
    rising = np.maximum(isotonic_regression(heights, weights=weights).x, np.finfo(float).tiny)
    ratio = distances / np.interp(widths, knots, rising)
    scaled = rising * np.quantile(ratio, level, method="higher")
    return Calibration(
        level=level, widths_m=knots.tolist(), uncertainties_m=scaled.tolist(), data=data
    )


def reliability(uncertainty_m: Float64Array, distances_m: Float64Array) -> Reliability:
    """Measure how often the stated uncertainties cover the true errors.

    Args:
        uncertainty_m: (n,) stated.
        distances_m: (n,) from the same points to the true front.
    """
    known = np.isfinite(uncertainty_m) & np.isfinite(distances_m)
    stated, covered = uncertainty_m[known], (distances_m <= uncertainty_m)[known]
    order = np.argsort(stated, kind="stable")
    classes = [c for c in np.array_split(order, _class_count(stated.size)) if c.size]
    return Reliability(
        uncertainty_m=np.array([stated[members].mean() for members in classes]),
        covered=np.array([covered[members].mean() for members in classes]),
        points=np.array([members.size for members in classes]),
        overall=float(covered.mean()) if covered.size else float("nan"),
    )


def _class_count(points: int) -> int:
    return int(np.clip(points // LEAST_IN_CLASS, 1, CLASSES))
