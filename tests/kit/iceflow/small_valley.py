"""Ice in a valley that falls to the south, in numbers."""

from __future__ import annotations

import numpy as np
from affine import Affine

Inputs = dict[str, dict[str, str]]
UPRIGHT = Affine(100, 0, 400_000, 0, -100, 5_150_000)


def valley(rows: int = 64, columns: int = 48) -> np.ndarray:
    """A valley that falls to the south, m."""
    row, column = np.indices((rows, columns), dtype="f4")
    return 3400 - 18 * row + 1.2 * (column - columns / 2) ** 2


def tongue(rows: int = 64, columns: int = 48) -> np.ndarray:
    """Ice in that valley, m."""
    row, column = np.indices((rows, columns), dtype="f4")
    return (180 - ((row - 25) / 1.5) ** 2 - (1.3 * (column - columns / 2)) ** 2).clip(0)
