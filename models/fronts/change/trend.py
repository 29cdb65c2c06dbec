"""How fast a front moves: a straight line through its positions, with or without a season."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

SEASON_SPAN = 2.0
"""Years that positions must span before a yearly cycle is told from a trend."""

SEASON_POSITIONS = 12
"""Positions that there must be for it: four for each of the quantities that it has."""

SEASON_CONDITION = 10.0
"""Largest condition number of the fit with a cycle: beyond, the dates do not cover the year."""


@dataclass(frozen=True)
class Trend:
    """A least-squares fit.

    Attributes:
        rate_m_a: Slope, metres a year, seaward positive.
        error_m_a: Its standard error; NaN if there is nothing to tell it from.
        amplitude_m: Half the range of the yearly cycle; NaN for a fit without one.
        coefficients: Of the terms in :func:`_terms`.
        centre: The time, in years, about which the fit is made.
    """

    rate_m_a: float
    error_m_a: float
    amplitude_m: float
    coefficients: NDArray[np.float64]
    centre: float

    def at(self, years: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the fitted positions, m, at some times."""
        seasonal = self.coefficients.size > 2
        return np.asarray(_terms(years - self.centre, years, seasonal) @ self.coefficients)

    def line(self, years: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the fit without its cycle, m, at some times."""
        return np.asarray(self.coefficients[0] + self.rate_m_a * (years - self.centre))


def fit_trend(
    years: NDArray[np.float64],
    positions: NDArray[np.float64],
    uncertainties: NDArray[np.float64],
) -> Trend | None:
    """Fit a trend, and with it a yearly cycle where the dates tell the two apart.

    The standard error is the larger of what the scatter about the fit and what the
    uncertainties of the positions say. Positions count as independent: where successive ones
    resemble each other, the error is larger than stated.

    Args:
        years: Times, shape (positions,).
        positions: m, shape (positions,).
        uncertainties: m, standard deviations, shape (positions,); NaN where unknown.

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
