"""Dates as tables hold them: as dates, as text, as numbers, as years with a fraction."""

from __future__ import annotations

import datetime

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from glacier_qgis.models.vector.dates import read_dates, undated


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


FILLS = [0, -9999999, -999, -9999, 9999, 99999999, 99991231, 19000101, 19700101, 18991230]


@pytest.mark.parametrize("fill", FILLS)
@pytest.mark.parametrize("kind", [int, float, str])
def test_a_fill_value_is_no_date(fill: int, kind: type) -> None:
    table = pd.DataFrame({"when": [kind(20180602), kind(fill)]})
    found = read_dates(table, "when", "TERMINI")
    assert found.notna().tolist() == [True, False]
    assert undated(table, "when", found) == f"1 of 2 lines have no date in 'when' ({kind(fill)})"


@pytest.mark.parametrize("fill", ["1900-01-01", "1899-12-30", "1970-01-01", "9999-12-31", None])
def test_a_day_that_counting_starts_with_is_no_date(fill: str | None) -> None:
    days = pd.to_datetime(pd.Series(["1901-01-01", fill]), format="%Y-%m-%d")
    found = read_dates(pd.DataFrame({"when": days.astype("datetime64[ms]")}), "when", "TERMINI")
    assert found.notna().tolist() == [True, False]


def test_a_year_alone_is_a_date_although_counting_starts_with_it() -> None:
    table = pd.DataFrame({"when": ["1900", "1970", "1850", " "]})
    found = read_dates(table, "when", "TERMINI")
    assert found.dt.year.tolist()[:3] == [1900, 1970, 1850]
    assert undated(table, "when", found) == "1 of 4 lines have no date in 'when' (blank)"
