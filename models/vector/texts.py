"""Attributes of features as texts."""

from __future__ import annotations

import numpy as np
import pandas as pd


def value_text(value: object) -> str:
    """Return an attribute as text: 3, 3.0 and "3" are equal; a missing value is empty.

    A field of whole numbers with a missing value is read as floating point.
    """
    if value is None or value is pd.NA or value != value:
        return ""
    if isinstance(value, float | np.floating) and value.is_integer():
        return str(int(value))
    return str(value).strip()
