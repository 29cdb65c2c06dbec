"""Model years as dates of a calendar whose years all have 365 days."""

from __future__ import annotations

import math
from datetime import date, timedelta

DAYS_A_YEAR = 365
CALENDAR = "365_day"
"""The calendar's name in the CF conventions."""
EPOCH = "days since 0001-01-01"
"""Unit of the numbers that :func:`days` returns."""
_COMMON_YEAR = 2001


def days(year: float) -> float:
    """Return the days from the beginning of year 1 to a time in years."""
    return (year - 1) * DAYS_A_YEAR


def iso_date(year: float) -> str:
    """Return the ISO 8601 date of a time in years: 1880.5 is 1880-07-02."""
    whole = math.floor(year + 1e-9)
    day = date(_COMMON_YEAR, 1, 1) + timedelta(
        math.floor(max(year - whole, 0) * DAYS_A_YEAR + 1e-6)
    )
    sign = "-" if whole < 0 else ""
    return f"{sign}{abs(whole):04d}-{day:%m-%d}"
