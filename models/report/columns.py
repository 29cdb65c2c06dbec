"""Columns of a table: values of any kind as a person writes them, numbers aligned."""

from __future__ import annotations

import datetime
import math
import numbers
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

FIGURES = 4
"""Significant figures of a column's largest number; the others get as many decimals."""

SHORT = 24
"""Longest text, in characters, that stays on one line."""

MISSING = "–"
_NUMBER = re.compile(r"[-+−]?\d+(\.\d+)?")


@dataclass(frozen=True)
class Column:
    """A column of a table.

    Attributes:
        name: Heading.
        mark: Whether its cells are numbers, on the right, or short texts, on one line; else "".
        texts: One per row.
    """

    name: str
    mark: Literal["number", "short", ""]
    texts: Sequence[str]


def columns_of(rows: Sequence[Mapping[str, object]]) -> list[Column]:
    """Return the columns of a table, in the order in which the rows name them.

    The real numbers of a column have the same number of decimals, so that the largest has `FIGURES`
    significant figures; text stays as it is. Missing values show as a dash.
    """
    names = dict.fromkeys(name for row in rows for name in row)
    return [_column(name, [row.get(name) for row in rows]) for name in names]


def _column(name: str, values: Sequence[object]) -> Column:
    texts = _texts(values)
    if _is_numeric(values):
        return Column(name, "number", texts)
    return Column(name, "short" if max(map(len, texts), default=0) <= SHORT else "", texts)


def _is_missing(value: object) -> bool:
    return value is None or value != value  # NaN and NaT differ from themselves


def _is_numeric(column: Sequence[object]) -> bool:
    present = [value for value in column if not _is_missing(value)]
    return bool(present) and all(_is_number(value) for value in present)


def _is_number(value: object) -> bool:
    if isinstance(value, str):
        return _NUMBER.fullmatch(value) is not None
    return isinstance(value, numbers.Real) and not isinstance(value, bool)


def _texts(column: Sequence[object]) -> list[str]:
    reals = [
        abs(float(value))
        for value in column
        if isinstance(value, numbers.Real)
        and not isinstance(value, numbers.Integral)
        and math.isfinite(value)
    ]
    largest = max(reals, default=0.0)
    exponent = math.floor(math.log10(largest)) if largest else 0
    decimals = max(FIGURES - 1 - exponent, 0)
    layout = f"z.{decimals}f" if decimals < 9 and exponent < 9 else f".{FIGURES - 1}e"
    return [_text(value, layout) for value in column]


def _text(value: object, layout: str) -> str:
    if _is_missing(value):
        return MISSING
    match value:
        case bool() | np.bool_():
            return "yes" if value else "no"
        case numbers.Integral():
            return str(int(value))
        case numbers.Real():
            return format(float(value), layout).replace("-", "−")
        case datetime.datetime():
            midnight = value.time() == datetime.time()
            return value.date().isoformat() if midnight else value.isoformat(sep=" ")
    return str(value)
