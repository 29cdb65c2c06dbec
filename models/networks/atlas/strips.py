"""A grid cut into strips of a few rows."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from glacier_qgis.models.compute.arrays import Mask

STRIP_HEIGHT = 8
"""Rows per strip: fewer follow the wanted cells more closely, more need fewer halo copies."""

Integers = npt.NDArray[np.int64]


class Strips:
    """A grid cut into strips of equal height; where the rows do not divide, the last two overlap.

    Attributes:
        shape: Rows and columns of the grid.
        outside: Number of cells of the grid, which is also the index of every cell outside it.
        height: Rows of a strip.
        first_row: First row of each strip, (strip,).
    """

    def __init__(self, rows: int, columns: int) -> None:
        """Cut a grid of `rows` × `columns` cells."""
        self.shape = rows, columns
        self.outside = rows * columns
        self.height = min(STRIP_HEIGHT, rows)
        starts = np.arange(0, rows, self.height, dtype=np.int64)
        self.first_row = np.minimum(starts, rows - self.height)

    def count_above(self, mask: Mask) -> npt.NDArray[np.int32]:
        """Return how many cells of `mask` lie above each row: (row + 1, column)."""
        counts = np.zeros((self.shape[0] + 1, self.shape[1]), dtype=np.int32)
        mask.cumsum(axis=0, out=counts[1:])
        return counts

    def columns_within(self, counts: npt.NDArray[np.int32], reach: int) -> Mask:
        """Return which columns of each strip lie within `reach` cells of a mask: (strip, column).

        Args:
            counts: `count_above` of the mask, which serves for any number of reaches.
            reach: Cells, in rows and in columns (Chebyshev distance).
        """
        rows, columns = self.shape
        stop = np.minimum(self.first_row + self.height + reach, rows)
        in_rows = counts[stop] > counts[np.maximum(self.first_row - reach, 0)]
        left_of = np.zeros((len(in_rows), columns + 1), dtype=np.int32)
        in_rows.cumsum(axis=1, out=left_of[:, 1:])
        column = np.arange(columns)
        right, left = np.minimum(column + reach + 1, columns), np.maximum(column - reach, 0)
        within: Mask = left_of[:, right] > left_of[:, left]
        return within
