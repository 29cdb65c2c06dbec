"""How loops are compiled, and what they have in common.

Numba compiles a loop at its first call and keeps the code in the folder of the environment. So
that a compiler uses the whole width of a processor, loops run over blocks of one flat array with
rows of a constant length: it then knows which numbers do not overlap.

Lists of cells begin at column 1. Column 0 and the one after the last are zero, so a neighbour that
is not there has place 0.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import ParamSpec, TypeVar

import numpy as np
import numpy.typing as npt
from numba import njit
from numba.core import config

from glacier_qgis.models.compute.arrays import Float32Array

Int32Array = npt.NDArray[np.int32]
Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")

settings = vars(config)
if not settings["CACHE_DIR"]:  # unless NUMBA_CACHE_DIR names another folder
    settings["CACHE_DIR"] = str(Path(sys.prefix) / "compiled")

BLOCK = 256
"""Cells that are computed together."""
ROW = BLOCK + 8
"""Numbers of a row of a block."""
UNALIGNED = 80, 1024
"""Remainder of the length of long rows: of rows a power of two apart, a cache holds few."""

THIRD, FOUR = np.float32(1 / 3), np.float32(4)
GUESS, PARTS = np.int32(0x54A2FA8C), np.int32(3)
"""For the exponent and first digits of x^(-1/3)."""


def compiled(function: Callable[Arguments, Result]) -> Callable[Arguments, Result]:
    """Return a function that is compiled. It may reorder sums, and knows NaN."""
    compiler: Callable[[Callable[Arguments, Result]], Callable[Arguments, Result]] = njit(
        cache=True,
        nogil=True,
        error_model="numpy",
        fastmath={"contract", "reassoc", "nsz", "arcp"},
    )
    return compiler(function)


def inlined(function: Callable[Arguments, Result]) -> Callable[Arguments, Result]:
    """Return a function that becomes part of the loop that calls it."""
    compiler: Callable[[Callable[Arguments, Result]], Callable[Arguments, Result]] = njit(
        inline="always"
    )
    return compiler(function)


def rows_of(count: int, cells: int) -> Float32Array:
    """Return `count` rows for a number of cells; the columns before and after these are zero."""
    rest, span = UNALIGNED
    rows = np.empty((count, (cells + 1 + span) // span * span + rest), np.float32)
    rows[:, 0] = 0
    rows[:, cells + 1 :] = 0
    return rows


@inlined
def inverse_cube_root(x: np.float32) -> np.float32:
    """Return x^(-1/3) of a positive number, by Newton's method."""
    y = np.int32(GUESS - np.float32(x).view(np.int32) // PARTS).view(np.float32)
    y = y * (FOUR - x * y * y * y) * THIRD
    y = y * (FOUR - x * y * y * y) * THIRD
    return y * (FOUR - x * y * y * y) * THIRD
