"""Model years as dates of the proleptic Gregorian calendar, which has a year 0."""

from __future__ import annotations

import math
from datetime import timedelta

import cftime

CALENDAR = "proleptic_gregorian"
"""The calendar's name in the CF conventions."""
EPOCH = "days since 1850-01-01"
"""Unit of the numbers that :func:`days` returns. QGIS' meshes do not read dates of an earlier epoch
(MDAL of QGIS 3.40)."""
_EPOCH_YEAR = 1850
_ALMOST = 1e-9
"""Rounding error, in years, by which a time may be less than a whole year."""


def days(year: float) -> float:
    """Return the days from the beginning of 1850 to a time in years: 1850.5 is 182.5."""
    whole, into = _split(year)
    return float((_beginning(whole) - _beginning(_EPOCH_YEAR)).days + into)


def iso_date(year: float) -> str:
    """Return the ISO 8601 date of a time in years: 1880.5 is 1880-07-02."""
    whole, into = _split(year)
    day = _beginning(whole) + timedelta(math.floor(into + 1e-6))
    return str(day.isoformat(timespec="days"))


def _split(year: float) -> tuple[int, float]:
    """Return the whole year of a time, and the days from its beginning."""
    whole = math.floor(year + _ALMOST)
    length = (_beginning(whole + 1) - _beginning(whole)).days
    return whole, max(year - whole, 0) * length


def _beginning(year: int) -> cftime.datetime:
    return cftime.datetime(year, 1, 1, calendar=CALENDAR, has_year_zero=True)
