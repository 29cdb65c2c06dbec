"""Model years as dates of the proleptic Gregorian calendar, which has a year 0."""

from __future__ import annotations

import math
from datetime import date, timedelta

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
    whole = math.floor(year + _ALMOST)
    into = max(year - whole, 0) * _length(whole)
    return _days_before(whole) - _days_before(_EPOCH_YEAR) + into


def iso_date(year: float) -> str:
    """Return the ISO 8601 date of a time in years: 1880.5 is 1880-07-02."""
    whole = math.floor(year + _ALMOST)
    into = math.floor(max(year - whole, 0) * _length(whole) + 1e-6)
    alike = 2000 if _length(whole) == _length(2000) else 2001
    sign = "-" if whole < 0 else ""
    return f"{sign}{abs(whole):04d}-{date(alike, 1, 1) + timedelta(into):%m-%d}"


def _length(year: int) -> int:
    """Days of a year."""
    return _days_before(year + 1) - _days_before(year)


def _days_before(year: int) -> int:
    """Days from the beginning of the year 1 to the beginning of a year."""
    past = year - 1
    return 365 * past + past // 4 - past // 100 + past // 400
