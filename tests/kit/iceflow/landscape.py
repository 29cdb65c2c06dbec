"""A lopsided hill, and where the cells of a raster of it lie."""

from __future__ import annotations

import numpy as np
from affine import Affine

WEST, NORTH, CELL = 400_000.0, 5_150_000.0, 100.0
UPRIGHT = Affine(CELL, 0, WEST, 0, -CELL, NORTH)
SHAPE = (60, 50)
INNER = (slice(2, -2), slice(2, -2))
"""All but the edge, where a warped cell lies half outside of its source."""


def mountain(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """A lopsided hill (m) over UTM coordinates."""
    east, north = (x - WEST) / 5000, (y - NORTH + 6000) / 6000
    return (1500 + 900 * np.sin(2 * east + 0.3) * np.cos(1.5 * north) + 300 * north).astype("f4")


def cell_centres(transform: Affine, shape: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    rows, columns = np.indices(shape) + 0.5
    t = transform
    return t.a * columns + t.b * rows + t.c, t.d * columns + t.e * rows + t.f
