"""Rate of a front: a linear trend of its positions, with or without a seasonal cycle."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

SEASON_SPAN = 2.0
"""Least time span of positions for a seasonal cycle, in years."""

SEASON_POSITIONS = 12
"""Least number of positions for a seasonal cycle: four per fitted quantity."""

SEASON_CONDITION = 10.0
"""Largest condition number of the fit with a cycle; beyond it, the dates do not cover the year."""


@dataclass(frozen=True)
class Trend:
    """A least-squares fit.

    Attributes:
        rate_m_a: Slope, m a⁻¹, positive seaward.
        error_m_a: Its standard error; NaN if it cannot be estimated.
        amplitude_m: Half the range of the seasonal cycle; NaN without a cycle.
        coefficients: Of the terms in :func:`_terms`.
        centre: Reference time of the fit, in years.
    """

    rate_m_a: float
    error_m_a: float
    amplitude_m: float
    coefficients: NDArray[np.float64]
    centre: float

    def at(self, years: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the fitted positions at given times, m."""
        seasonal = self.coefficients.size > 2
        return np.asarray(_terms(years - self.centre, years, seasonal) @ self.coefficients)

    def line(self, years: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the fit without its cycle at given times, m."""
        return np.asarray(self.coefficients[0] + self.rate_m_a * (years - self.centre))


def fit_trend(
    years: NDArray[np.float64],
    positions: NDArray[np.float64],
    uncertainties: NDArray[np.float64],
) -> Trend | None:
    """Fit a trend, together with a seasonal cycle if the dates allow it.

    The standard error is the larger of the estimates from the scatter about the fit and from the
    uncertainties of the positions. Positions are assumed to be independent; if successive errors
    are correlated, the true error is larger.

    Args:
        years: Times, shape (positions,).
        positions: m, shape (positions,).
        uncertainties: Standard deviations, m, shape (positions,); NaN if not known.

    Returns:
        None for fewer than two different times.
    """
    if np.unique(years).size < 2:
        return None
    centre = float(years.mean())
    seasonal = _covers_the_year(years, centre)
    terms = _terms(years - centre, years, seasonal)
    inverse = np.linalg.pinv(terms)
    coefficients = inverse @ positions
    free = positions.size - terms.shape[1]
    residuals = positions - terms @ coefficients
    scatter = (
        math.sqrt(residuals @ residuals / free) * float(np.linalg.norm(inverse[1]))
        if free
        else math.nan
    )
    stated = float(np.linalg.norm(inverse[1] * uncertainties))
    return Trend(
        rate_m_a=float(coefficients[1]),
        error_m_a=float(np.fmax(scatter, stated)),
        amplitude_m=float(np.hypot(*coefficients[2:])) if seasonal else math.nan,
        coefficients=coefficients,
        centre=centre,
    )


def _terms(
    elapsed: NDArray[np.float64], years: NDArray[np.float64], seasonal: bool
) -> NDArray[np.float64]:
    """One, time, and the sine and cosine of the year."""
    columns = [np.ones_like(elapsed), elapsed]
    if seasonal:
        columns += [np.sin(2 * np.pi * years), np.cos(2 * np.pi * years)]
    return np.column_stack(columns)


def _covers_the_year(years: NDArray[np.float64], centre: float) -> bool:
    if np.ptp(years) < SEASON_SPAN or np.unique(years).size < SEASON_POSITIONS:
        return False
    terms = _terms(years - centre, years, seasonal=True)
    return bool(np.linalg.cond(terms / np.linalg.norm(terms, axis=0)) < SEASON_CONDITION)
