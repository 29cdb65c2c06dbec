"""Which columns of which strips lie where in an atlas.

An atlas is one wide image, as high as a strip with a halo row above and below. Every run of needed
columns lies in it with a halo column on either side. The atlas consists of parts of equal width,
one per thread.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from glacier_qgis.models.compute.arrays import Mask
from glacier_qgis.models.networks.atlas.strips import Integers, Strips


@dataclass(frozen=True)
class Layout:
    """What each column of an atlas holds, part after part.

    Attributes:
        parts: Number of parts.
        strip: Number of the strip, (atlas column,).
        column: Column of the grid; −1 and the number of columns lie outside it, (atlas column,).
        inner: False in halo columns and in the padding of parts that have fewer columns than the
            widest, (atlas column,).
    """

    parts: int
    strip: Integers
    column: Integers
    inner: Mask

    @property
    def width(self) -> int:
        """Columns of a part."""
        return len(self.column) // self.parts

    def in_grid(self, strips: Strips) -> Integers:
        """Return the index in the grid of each cell: (height + 2, atlas column).

        Cells outside the grid have the index `strips.outside`.
        """
        rows, columns = strips.shape
        row = strips.first_row[self.strip] + np.arange(-1, strips.height + 1)[:, np.newaxis]
        valid = (row >= 0) & (row < rows) & (self.column >= 0) & (self.column < columns)
        return np.where(valid, row * columns + self.column, strips.outside)


class Runs(NamedTuple):
    """Runs of consecutive columns that belong to one strip and one part, in order: (run,) each."""

    part: Integers
    strip: Integers
    start: Integers
    stop: Integers

    @property
    def lengths(self) -> Integers:
        """Columns of each run with its two halo columns."""
        return self.stop - self.start + 2


def pack(needed: Mask, parts: int) -> Layout:
    """Lay all runs of needed columns side by side.

    Args:
        needed: At least one True, (strip, column).
        parts: Number of parts; each gets the same number of needed columns, up to one, for which
            runs may be cut.
    """
    runs = _find_runs(needed, parts)
    lengths = runs.lengths
    ends = lengths.cumsum()  # of each run among the filled columns, before padding
    starts = ends - lengths
    widths = np.bincount(runs.part, lengths, parts).astype(np.int64)
    width = int(widths.max())
    padding_before = runs.part * width - (widths.cumsum() - widths)[runs.part]
    filled = np.arange(ends[-1])
    place = filled + np.repeat(padding_before, lengths)

    strip = np.zeros(parts * width, dtype=np.int64)
    column = np.full(parts * width, -1)
    inner = np.zeros(parts * width, dtype=bool)
    strip[place] = np.repeat(runs.strip, lengths)
    column[place] = filled + np.repeat(runs.start - 1 - starts, lengths)
    inner[place] = True
    inner[place[starts]] = inner[place[ends - 1]] = False
    return Layout(parts, strip, column, inner)


def _find_runs(needed: Mask, parts: int) -> Runs:
    """Return the runs of True per strip, cut where the next part begins."""
    rank = needed.cumsum().reshape(needed.shape)
    label = np.where(needed, 1 + (rank - 1) * parts // rank[-1, -1], 0)  # 1 + part; 0 not needed
    label = np.pad(label, ((0, 0), (1, 1)))
    before, after = label[:, :-1], label[:, 1:]
    strip, start = ((before != after) & (after > 0)).nonzero()
    stop = ((before != after) & (before > 0)).nonzero()[1]
    return Runs(after[strip, start] - 1, strip, start, stop)
