"""Connected components of a mask that does not fit in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cached_property, lru_cache

import numpy as np
import numpy.typing as npt
from scipy import ndimage, sparse
from scipy.sparse import csgraph

from glacier_qgis.models.compute.arrays import Float64Array, Mask

ReadMask = Callable[[int, int], Mask]
"""Returns the rows of a mask from a first row to the row before a last, (rows, columns)."""

EIGHT_NEIGHBOURS = np.ones((3, 3), dtype=bool)


class Components:
    """The 8-connected components of a mask that is read strip by strip.

    Each strip is labelled separately; components that touch across a border between strips are then
    merged. Memory holds a few strips and one number per component of a strip.

    Attributes:
        sizes: Cells of each component; component 0 is the background and has none.
    """

    def __init__(self, read: ReadMask, height: int, strip: int) -> None:
        """Label the whole mask once.

        Args:
            read: Returns rows of the mask.
            height: Rows of the mask.
            strip: Rows held in memory at a time.
        """
        self._read = read
        self._height = height
        self._strip = strip
        counts, borders = [np.zeros(1, dtype=np.int64)], [np.zeros((0, 2), dtype=np.int64)]
        self._offsets: list[int] = []
        above: npt.NDArray[np.int64] | None = None
        offset = 0
        for start, stop in self._strips():
            local, number = _label(read(start, stop))
            self._offsets.append(offset)
            counts.append(np.bincount(local.ravel(), minlength=number + 1)[1:])
            if above is not None:
                borders.append(_touching(above, _shift(local[0], offset)))
            above = _shift(local[-1], offset)
            offset += number
        pairs = np.concatenate(borders)
        links = sparse.coo_array((np.ones(len(pairs)), pairs.T), shape=(offset + 1, offset + 1))
        _, self._component = csgraph.connected_components(links, directed=False)
        self.sizes = np.bincount(self._component, weights=np.concatenate(counts)).astype(np.int64)

    def select(self, kept: npt.NDArray[np.bool_]) -> ReadMask:
        """Return the mask of some components only.

        Args:
            kept: Whether to keep each component, as long as `sizes`.
        """

        @lru_cache(maxsize=3)
        def strip_mask(index: int) -> Mask:
            return np.asarray(kept[self._labels(index)])

        def read(start: int, stop: int) -> Mask:
            first, last = start // self._strip, (stop - 1) // self._strip
            rows = np.concatenate([strip_mask(index) for index in range(first, last + 1)])
            return rows[start - first * self._strip : stop - first * self._strip]

        return read

    @cached_property
    def rim(self) -> npt.NDArray[np.int64]:
        """Number of cell edges between each component and other cells or the border of the mask."""
        return self.edges_with(lambda start, stop: ~self._read(start, stop))

    def edges_with(self, touched: ReadMask) -> npt.NDArray[np.int64]:
        """Count the edges of cells that each component shares with another mask.

        Args:
            touched: Returns rows of that mask; everything outside the grid is part of it.
        """
        edges = np.zeros(self.sizes.size)
        for index, (start, stop) in enumerate(self._strips()):
            first, last = max(start - 1, 0), min(stop + 1, self._height)
            rows = ((int(start == 0), int(stop == self._height)), (1, 1))
            around = np.pad(touched(first, last), rows, constant_values=True).astype(np.int64)
            meeting = around[:-2, 1:-1] + around[2:, 1:-1] + around[1:-1, :-2] + around[1:-1, 2:]
            labels = self._labels(index).ravel()
            edges += np.bincount(labels, weights=meeting.ravel(), minlength=edges.size)
        edges[0] = 0
        return edges.astype(np.int64)

    def sums(self, values: Callable[[int, int], npt.NDArray[np.floating]]) -> Float64Array:
        """Return the sum of values over the cells of each component.

        Args:
            values: Returns rows of values, on the cells of the mask.
        """
        total = np.zeros(self.sizes.size)
        for index, (start, stop) in enumerate(self._strips()):
            labels = self._labels(index)
            inside = labels > 0
            weights = values(start, stop)[inside]
            total += np.bincount(labels[inside], weights=weights, minlength=total.size)
        return total

    def _strips(self) -> Iterator[tuple[int, int]]:
        for start in range(0, self._height, self._strip):
            yield start, min(start + self._strip, self._height)

    def _labels(self, index: int) -> npt.NDArray[np.int64]:
        start = index * self._strip
        local, _ = _label(self._read(start, min(start + self._strip, self._height)))
        return np.asarray(self._component[_shift(local, self._offsets[index])])


def _label(mask: Mask) -> tuple[npt.NDArray[np.int32], int]:
    labels = np.empty(mask.shape, dtype=np.int32)
    number = ndimage.label(mask, EIGHT_NEIGHBOURS, output=labels)
    return labels, int(number)


def _shift(local: npt.NDArray[np.int32], offset: int) -> npt.NDArray[np.int64]:
    """Make the labels of a strip unique among all strips; the background stays 0."""
    return np.where(local > 0, local + np.int64(offset), np.int64(0))


def _touching(above: npt.NDArray[np.int64], below: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Return pairs of labels that are neighbours across a border, shape (pairs, 2)."""
    width = above.size
    pairs = [
        np.column_stack(
            [
                above[max(0, -step) : width - max(0, step)],
                below[max(0, step) : width - max(0, -step)],
            ]
        )
        for step in (-1, 0, 1)
    ]
    both = np.concatenate(pairs)
    return np.unique(both[(both > 0).all(axis=1)], axis=0)
