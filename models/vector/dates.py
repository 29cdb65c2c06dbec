"""Dates in the attributes of features, however they are stored."""

from __future__ import annotations

import pandas as pd

from glacier_qgis.models.engine.errors import EngineError


def read_dates(frame: pd.DataFrame, field: str, role: str) -> pd.Series[pd.Timestamp]:
    """Return the times in a field: dates, times, or text and numbers such as 2018-06-02, 20180602.

    Returns:
        Without time zone (UTC where there was one); NaT for what is no date.

    Raises:
        EngineError: There is no such field.
    """
    if field not in frame:
        others = ", ".join(name for name in frame.columns if name != "geometry") or "none"
        raise EngineError(f"{role} has no field '{field}'; it has {others}. Choose one with dates.")
    values = frame[field]
    if not pd.api.types.is_datetime64_any_dtype(values.dtype):
        values = values.astype("string").str.strip().str.removesuffix(".0")
    times = pd.to_datetime(values, format="ISO8601", errors="coerce", utc=True)
    return times.dt.tz_localize(None).astype("datetime64[ms]")
