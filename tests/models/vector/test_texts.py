"""Attributes as texts: what is equal as a value is equal as a text."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from glacier_qgis.models.vector.texts import value_text


@pytest.mark.parametrize("value", [3, 3.0, np.int64(3), np.float32(3), "3", " 3 "])
def test_a_whole_number_is_one_text_however_it_is_held(value: object) -> None:
    assert value_text(value) == "3"


@pytest.mark.parametrize("value", [None, np.nan, pd.NA, pd.NaT, "", " "])
def test_what_is_missing_is_empty(value: object) -> None:
    assert value_text(value) == ""


@pytest.mark.parametrize(
    ("value", "text"), [(2.5, "2.5"), (np.inf, "inf"), ("Jökull", "Jökull"), ("1.0", "1.0")]
)
def test_all_else_stays_as_it_is(value: object, text: str) -> None:
    assert value_text(value) == text
