"""Where a cell of the grid lies in an atlas."""

from __future__ import annotations

import numpy as np

from glacier_qgis.models.networks.atlas.layout import Layout
from glacier_qgis.models.networks.atlas.strips import Integers, Strips


class Lookup:
    """The inverse of a layout: from a cell of the grid to its index in the flattened atlas.

    The flattened atlas is (part, height + 2, column of the part), followed by one cell of zeros.

    Attributes:
        layout: That of the atlas.
        strips: The grid, cut.
        absent: Index of the cell of zeros, which stands for every cell that the atlas lacks.
    """

    def __init__(self, strips: Strips, layout: Layout) -> None:
        """Index the inner columns of `layout`."""
        self.strips = strips
        self.layout = layout
        size = (strips.height + 2) * layout.width
        self.absent = layout.parts * size
        self._top = np.full((len(strips.first_row), strips.shape[1]), -1)  # index in the halo row
        inner = layout.inner.nonzero()[0]
        part, column = np.divmod(inner, layout.width)
        self._top[layout.strip[inner], layout.column[inner]] = part * size + column

    def find(self, rows: Integers, columns: Integers) -> Integers:
        """Return the index of each cell of the grid; `absent` where no strip holds it."""
        height, (last_row, last_column) = self.strips.height, (n - 1 for n in self.strips.shape)
        inside_row, inside_column = rows.clip(0, last_row), columns.clip(0, last_column)
        strip = inside_row // height
        top = self._top[strip, inside_column]
        held = (rows == inside_row) & (columns == inside_column) & (top >= 0)
        row = rows - self.strips.first_row[strip] + 1
        return np.where(held, row * self.layout.width + top, self.absent)

    def find_layout(self, other: Layout) -> Integers:
        """Return the index of each cell of another atlas, halo included: (height + 2, column).

        Rows of a strip are sought in the same strip of this atlas, as strips may overlap.
        """
        height = self.strips.height
        first = self.strips.first_row[other.strip]
        column = other.column.clip(0, self.strips.shape[1] - 1)
        top = np.where(column == other.column, self._top[other.strip, column], -1)
        rows = np.arange(1, height + 1)[:, np.newaxis]
        return np.concatenate(
            [
                self.find(first - 1, other.column)[np.newaxis],
                np.where(top >= 0, rows * self.layout.width + top, self.absent),
                self.find(first + height, other.column)[np.newaxis],
            ]
        )
