"""Dates in the attributes of features, however they are stored."""

from __future__ import annotations

import datetime

import pandas as pd

from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.engine.listing import listed

FIRST_YEAR, LAST_YEAR = 1500, 2200
"""Range of plausible years; later ones such as 9999 are fill values."""
STARTS_OF_COUNTING = (
    datetime.date(1899, 12, 30),
    datetime.date(1900, 1, 1),
    datetime.date(1970, 1, 1),
)
"""Dates that spreadsheets, databases and operating systems use for 0 or an empty value."""


def is_plausible(day: datetime.date) -> bool:
    """Whether a date is a plausible observation, not a fill value."""
    return FIRST_YEAR <= day.year <= LAST_YEAR and day not in STARTS_OF_COUNTING


def read_dates(frame: pd.DataFrame, field: str, role: str) -> pd.Series[pd.Timestamp]:
    """Return the times in a field: dates, times, or text and numbers such as 2018-06-02, 20180602.

    Numbers with a fraction, such as 2018.42, are decimal years.

    Returns:
        Without time zone (converted to UTC if there was one); NaT for values that are not dates or
        not plausible, see `is_plausible`. A year alone, such as 1900, is a date.

    Raises:
        EngineError: There is no such field.
    """
    if field not in frame:
        others = ", ".join(name for name in frame.columns if name != "geometry") or "none"
        raise EngineError(f"{role} has no field '{field}'. Choose one with dates from: {others}.")
    values = frame[field]
    if pd.api.types.is_float_dtype(values.dtype) and (values % 1 > 0).any():
        return _of_years(values)
    if pd.api.types.is_datetime64_any_dtype(values.dtype):
        alone = pd.Series(data=False, index=values.index)
    else:
        values = values.astype("string").str.strip().str.removesuffix(".0")
        values = values.where(values.str.match(r"[12]\d{3}").fillna(value=False))
        alone = (values.str.len() == len("1900")).fillna(value=False)
    times = pd.to_datetime(values, format="ISO8601", errors="coerce", utc=True)
    times = times.dt.tz_localize(None).astype("datetime64[ms]")
    counted = times.dt.normalize().isin(pd.to_datetime(list(STARTS_OF_COUNTING))) & ~alone
    return times.where(times.dt.year.between(FIRST_YEAR, LAST_YEAR) & ~counted)


def undated(
    frame: pd.DataFrame, field: str, dates: pd.Series[pd.Timestamp], what: str = "lines"
) -> str:
    """Return how many features have no date, and the values of their field; blank for none.

    Args:
        frame: The features.
        field: The field that was read.
        dates: The result of `read_dates`.
        what: Name of the features, for the message.
    """
    missing = dates.isna()
    if not missing.any():
        return ""
    words = frame.loc[missing, field].astype("string").str.strip().fillna("").replace("", "blank")
    held = listed([str(word) for word in words.value_counts().index])
    return f"{missing.sum()} of {len(frame)} {what} have no date in '{field}' ({held})"


def _of_years(years: pd.Series[float]) -> pd.Series[pd.Timestamp]:
    """Return the times of decimal years; NaT if not plausible."""
    whole = years.where(years.between(FIRST_YEAR, LAST_YEAR)) // 1

    def start(year: pd.Series[float]) -> pd.Series[pd.Timestamp]:
        text = year.astype("Int64").astype("string")
        return pd.to_datetime(text, format="%Y", errors="coerce").astype("datetime64[ms]")

    first = start(whole)
    return first + (start(whole + 1) - first) * (years - whole)
