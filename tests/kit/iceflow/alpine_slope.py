"""A slope, and the climate of a station on it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from affine import Affine

UPRIGHT = Affine(100, 0, 400_000, 0, -100, 5_150_000)
SHAPE = (30, 24)
ALPS = np.array([-9, -9, -7, -4, 1, 4, 7, 7, 4, 1, -5, -8], dtype="f4")
"""°C at 2500 m."""
RAIN = np.array([120, 110, 130, 140, 160, 170, 180, 170, 130, 120, 140, 130], dtype="f4")
"""mm per month."""
STATION = {
    "mass_balance": "degree days",
    "monthly_temperature": ", ".join(f"{value:g}" for value in ALPS),
    "monthly_precipitation": " ".join(f"{value:g}" for value in RAIN),
    "precipitation_unit": "mm per month",
    "climate_height": 2500,
}
Write = Callable[..., dict[str, str]]


def slope() -> np.ndarray:
    """A surface from 3400 m in the north to 2240 m in the south."""
    return (3400 - 40 * np.indices(SHAPE, dtype="f4")[0]).astype("f4")


def monthly(values: np.ndarray) -> np.ndarray:
    return np.broadcast_to(values[:, None, None], (len(values), *SHAPE)).astype("f4")
