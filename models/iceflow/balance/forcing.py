"""Forcing of a mass balance over time: numbers from a table, fields from raster bands."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.engine.job import VectorInput
from glacier_qgis.models.vector.file import read_frame

YEAR = "year"
"""The column of a table with the time."""


@dataclass(frozen=True)
class TimeCurve:
    """A number over time, linear between given years.

    Attributes:
        years: Ascending, a.
        values: One per year; a single one is constant.
    """

    years: tuple[float, ...]
    values: tuple[float, ...]

    @classmethod
    def constant(cls, value: float) -> TimeCurve:
        """Return a constant number."""
        return cls((0.0,), (value,))

    def plus(self, offset: float) -> TimeCurve:
        """Return it with `offset` added at all times."""
        return TimeCurve(self.years, tuple(value + offset for value in self.values))

    @property
    def steady(self) -> bool:
        """Whether it is constant."""
        return len(self.values) == 1

    def __call__(self, time: float) -> float:
        """Return the value at a time (a)."""
        if self.steady:
            return self.values[0]
        return float(np.interp(time, self.years, self.values))


@dataclass(frozen=True)
class RasterSeries:
    """A field over time, linear between given years.

    Attributes:
        years: Ascending, a.
        fields: Of shape (years, rows, columns), north-up; a single one is constant.
    """

    years: tuple[float, ...]
    fields: Tensor

    def plus(self, offset: float) -> RasterSeries:
        """Return it with `offset` added everywhere and at all times."""
        return RasterSeries(self.years, self.fields + offset)

    @property
    def steady(self) -> bool:
        """Whether it is constant."""
        return len(self.fields) == 1

    def __call__(self, time: float) -> Tensor:
        """Return the field at a time (a), of shape (rows, columns)."""
        if self.steady:
            return self.fields[0]
        position = float(np.interp(time, self.years, range(len(self.years))))
        before = min(int(position), len(self.years) - 2)
        return torch.lerp(self.fields[before], self.fields[before + 1], position - before)


@dataclass(frozen=True)
class SeriesBalance:
    """A prescribed mass balance, which does not depend on the surface.

    Attributes:
        series: In m of ice a⁻¹.
    """

    series: RasterSeries

    @property
    def steady(self) -> bool:
        """Whether it is constant."""
        return self.series.steady

    def __call__(self, surface: Tensor, time: float) -> Tensor:
        """Return the mass balance in m of ice a⁻¹."""
        return self.series(time)


def read_curves(
    source: VectorInput, role: str, names: Collection[str], times: tuple[float, float] | None
) -> dict[str, TimeCurve]:
    """Read numeric columns over time from a table.

    Args:
        source: A table with the column `year` and at least one of `names`; case-insensitive.
        role: The parameter's name, for messages.
        names: Columns to read; others are ignored.
        times: As in :func:`check_years`.

    Raises:
        EngineError: The table cannot be read, lacks columns or years, or has values that are not
            numbers.
    """
    table = read_table(source, role)
    found = [name for name in names if name in table]
    if YEAR not in table or not found:
        raise EngineError(
            f"{role}: {source.shown} has the columns {', '.join(map(str, table))}. It needs "
            f"'{YEAR}' and at least one of {', '.join(names)}."
        )
    numbers = table[[YEAR, *found]].apply(pd.to_numeric, errors="coerce").astype(float)
    for name in numbers:
        wrong = table.loc[~np.isfinite(numbers[name]), name]
        if len(wrong):
            raise EngineError(
                f"{role}: row {wrong.index[0] + 1} of {source.shown} has {wrong.iloc[0]!r} as "
                f"'{name}', which is not a number. Enter a number, or delete the row."
            )
    numbers = numbers.sort_values(YEAR)
    years = tuple(numbers[YEAR])
    check_years(years, times, role)
    return {name: TimeCurve(years, tuple(numbers[name])) for name in found}


def check_years(years: Sequence[float], times: tuple[float, float] | None, role: str) -> None:
    """Make sure that `years` are ascending and cover the required time.

    Args:
        years: In a.
        times: The first and the last time, a; None if any years suffice.
        role: The parameter's name, for messages.

    Raises:
        EngineError: They are not.
    """
    for year, following in pairwise(years):
        if following == year:
            raise EngineError(f"{role} has the year {year:g} twice: remove one of the two.")
        if following < year:
            raise EngineError(
                f"{role}: the year {following:g} comes after {year:g}. Sort the years in ascending "
                "order."
            )
    if times is None:
        return
    begin, end = times
    if years[0] > begin or years[-1] < end:
        raise EngineError(
            f"{role} covers the years {years[0]:g} to {years[-1]:g}, but {begin:g} to {end:g} are "
            "needed (values are not extrapolated). Add the missing years, or change the time of "
            "the run."
        )


def read_table(source: VectorInput, role: str) -> pd.DataFrame:
    """Return the attributes of a layer or table, with names in lower case and rows numbered from 0.

    Raises:
        EngineError: It cannot be read, or has no rows.
    """
    _, table = read_frame(source, role, geometry=False)
    table.columns = [str(name).strip().lower() for name in table.columns]
    if table.empty:
        raise EngineError(f"{role}: {source.shown} has no rows: choose another table.")
    return table
