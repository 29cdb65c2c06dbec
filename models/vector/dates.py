"""Dates in the attributes of features, however they are stored."""

from __future__ import annotations

import pandas as pd

from glacier_qgis.models.engine.errors import EngineError


def read_dates(frame: pd.DataFrame, field: str, role: str) -> pd.Series[pd.Timestamp]:
    """Return the times in a field: dates, times, or text and numbers such as 2018-06-02, 20180602.

    Numbers with a fraction, such as 2018.42, are years of which a part has passed.

    Returns:
        Without time zone (UTC where there was one); NaT for what is no date.

    Raises:
        EngineError: There is no such field.
    """
    if field not in frame:
        others = ", ".join(name for name in frame.columns if name != "geometry") or "none"
        raise EngineError(f"{role} has no field '{field}'; it has {others}. Choose one with dates.")
    values = frame[field]
    if pd.api.types.is_float_dtype(values.dtype) and (values % 1 > 0).any():
        return _of_years(values)
    if not pd.api.types.is_datetime64_any_dtype(values.dtype):
        values = values.astype("string").str.strip().str.removesuffix(".0")
    times = pd.to_datetime(values, format="ISO8601", errors="coerce", utc=True)
    return times.dt.tz_localize(None).astype("datetime64[ms]")


def _of_years(years: pd.Series[float]) -> pd.Series[pd.Timestamp]:
    """Return the times that years with a fraction say; NaT for what is no year of this era."""
    whole = years.where(years.between(1000, 3000)) // 1

    def start(year: pd.Series[float]) -> pd.Series[pd.Timestamp]:
        text = year.astype("Int64").astype("string")
        return pd.to_datetime(text, format="%Y", errors="coerce").astype("datetime64[ms]")

    first = start(whole)
    return first + (start(whole + 1) - first) * (years - whole)
