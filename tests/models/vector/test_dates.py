"""Dates as tables hold them: as dates, as text, as numbers, as years with a fraction."""

from __future__ import annotations

import datetime

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from glacier_qgis.models.vector.dates import read_dates


@pytest.mark.parametrize(
    "values",
    [
        ["2018-06-02", "2019-12-31"],
        ["20180602", "20191231"],
        [20180602, 20191231],
        [20180602.0, 20191231.0],
        ["2018/06/02", "2019-12-31T00:00:00Z"],
    ],
)
def test_all_that_says_a_day_is_read_as_that_day(values: list[object]) -> None:
    found = read_dates(pd.DataFrame({"when": values}), "when", "TERMINI")
    assert found.dt.strftime("%Y-%m-%d").tolist() == ["2018-06-02", "2019-12-31"]


@given(st.lists(st.dates(datetime.date(1900, 1, 1), datetime.date(2100, 1, 1)), min_size=2))
def test_years_with_a_fraction_are_not_taken_for_months(days: list[datetime.date]) -> None:
    years = [
        day.year + (day.timetuple().tm_yday - 1) / (366 if day.year % 4 == 0 else 365)
        for day in days
        if day.year != 1900
    ]
    table = pd.DataFrame({"when": [*years, 2018.2, None]}, dtype=float)
    found = read_dates(table, "when", "TERMINI")
    kept = [pd.Timestamp(day) for day in days if day.year != 1900]
    assert [time.round("h") for time in found[: len(kept)]] == kept
    assert found.iloc[-2].strftime("%Y-%m-%d") == "2018-03-15"
    assert pd.isna(found.iloc[-1])
