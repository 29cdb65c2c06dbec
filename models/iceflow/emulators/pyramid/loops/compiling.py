"""How loops are compiled, and what they have in common.

Numba compiles a loop at its first call and keeps the code in the folder of the environment. So
that a compiler uses the whole width of a processor, loops run over blocks of one flat array with
rows of a constant length: it then knows which numbers do not overlap. For the same reason a loop
runs over slices rather than from a given place, and places in lists are unsigned: a negative one
would count from the end, and whether it is must be asked for each number.

Lists of cells begin at column 1. Column 0 and the one after the last are zero, so a neighbour that
is not there has place 0.
"""

from __future__ import annotations

import math
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
Columns = npt.NDArray[np.uint32]
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

THIRD, ONE, FOUR = np.float32(1 / 3), np.float32(1), np.float32(4)
GUESS, PARTS = np.int32(0x54A2FA8C), np.int32(3)
"""For the exponent and first digits of x^(-1/3)."""
SPLIT, DIGITS = np.int32(0x3F2AAAAB), np.int32(23)
"""2/3, as its bits, and the bits of digits."""
LOG_TWO = np.float32(math.log(2))
SERIES = tuple(np.float32(2 / power) for power in (1, 3, 5, 7, 9))
"""Of log((1 + x) / (1 - x))."""


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


@inlined
def logarithm(x: np.float32) -> np.float32:
    """Return the natural logarithm of a positive number, from its exponent and a series."""
    bits = np.float32(x).view(np.int32)
    exponent = np.int32(np.int32(bits - SPLIT) >> DIGITS)
    part = np.int32(bits - np.int32(exponent << DIGITS)).view(np.float32)  # 2/3 to 4/3
    x = (part - ONE) / (part + ONE)
    square = x * x
    tail = SERIES[2] + square * (SERIES[3] + square * SERIES[4])
    return np.float32(exponent) * LOG_TWO + x * (SERIES[0] + square * (SERIES[1] + square * tail))
