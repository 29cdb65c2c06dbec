"""Where the layers of a stack of convolutions are needed, and how that is laid out in memory.

See :mod:`glacier_qgis.models.networks.strips`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

HEIGHT = 8
"""Rows of a strip: fewer follow the shape more closely, more have fewer borders to copy."""
LAYERS_A_STAGE = 4
"""Layers between one packing and the next."""

Integers = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]


class Share(NamedTuple):
    """What concerns one part of an atlas; its own cells are counted from its first.

    Attributes:
        source: Where each cell is in the atlas before; for the first in the grid.
        border: Own cells that follow another cell of the atlas.
        followed: The cells of the whole atlas that they follow.
        fresh: Own cells that are not in the atlas before.
        fresh_in_grid: Where they are in the grid.
        rim: Own cells of the border that follow none, within the grid.
        rim_in_grid: Where they are in the grid.
    """

    source: Tensor
    border: Tensor
    followed: Tensor
    fresh: Tensor
    fresh_in_grid: Tensor
    rim: Tensor
    rim_in_grid: Tensor


@dataclass(frozen=True)
class Stage:
    """Some consecutive layers that share an atlas.

    Attributes:
        layers: Their numbers.
        columns: Columns of each part.
        shares: The parts.
    """

    layers: range
    columns: int
    shares: tuple[Share, ...]


@dataclass(frozen=True)
class Plan:
    """How to compute a stack of convolutions for some cells of a grid.

    Attributes:
        key: What the stages follow from.
        height: Rows of a strip.
        stages: In order.
        places: Of the last atlas.
        picked: Where the wanted cells, row by row, are in it.
    """

    key: tuple[object, ...]
    height: int
    stages: tuple[Stage, ...]
    places: Places
    picked: Tensor


def remembered_layers(layers: int) -> int:
    """Return of how many layers it pays to remember the features."""
    return max((last for first, last in _stages(layers) if first + last < layers - 1), default=0)


def make_plan(
    wanted: Mask,
    layers: int,
    changed: Mask | None = None,
    parts: int = 1,
    earlier: Plan | None = None,
) -> Plan:
    """Return how to compute `layers` convolutions for the cells where `wanted` is True.

    Args:
        wanted: Which cells, (row, column).
        layers: Number of convolutions.
        changed: Where inputs may differ from those whose features are remembered; None if none
            are.
        parts: How many threads are to share the work.
        earlier: Another plan, whose stages are taken over where they would be the same: ice that
            grows or melts by a few cells rarely changes them.

    Raises:
        ValueError: No cell is wanted.
    """
    if not wanted.any():
        raise ValueError("no cell is wanted")
    strips = Strips(wanted.shape[0], wanted.shape[1])
    needed = _needed(strips, wanted, layers, changed)
    key = (wanted.shape, layers, parts, *(mask.tobytes() for mask in needed))
    if earlier is None or earlier.key != key:
        places = [Places(strips, Atlas.pack(mask, parts)) for mask in needed]
        stages = tuple(
            here.stage(range(first, last), before)
            for (first, last), here, before in zip(
                _stages(layers), places, [None, *places[:-1]], strict=True
            )
        )
        earlier = Plan(key, strips.height, stages, places[-1], torch.empty(0))
    picked = earlier.places.find(*wanted.nonzero())
    return replace(earlier, picked=torch.from_numpy(picked))


def _needed(strips: Strips, wanted: Mask, layers: int, changed: Mask | None) -> list[Mask]:
    """Return of which columns of the strips the first layer of each stage is needed."""
    wanted_counts = strips.counts(wanted)
    changed_counts = None if changed is None else strips.counts(changed)
    found = []
    for first, last in _stages(layers):
        needed = strips.near(wanted_counts, layers - 1 - first)
        if changed_counts is not None and last <= remembered_layers(layers):
            needed &= strips.near(changed_counts, last)
            needed[0, 0] |= not needed.any()  # an atlas has to hold something
        found.append(needed)
    return found


def _stages(layers: int) -> list[tuple[int, int]]:
    """Return the first layer of each stage and that after its last."""
    return list(pairwise([*range(0, layers, LAYERS_A_STAGE), layers]))


@dataclass(frozen=True)
class Atlas:
    """Which cells of the grid lie in each column of an atlas.

    Attributes:
        parts: How many parts of equal size it has.
        strip: Number of the strip.
        column: Column of the grid; −1 and the number of columns are the border's.
        inner: False in the first and the last column of a run, which are border, and behind the
            runs of a part that is filled up.
    """

    parts: int
    strip: Integers
    column: Integers
    inner: Mask

    @classmethod
    def pack(cls, needed: Mask, parts: int) -> Atlas:
        """Lay the runs of True of all strips, (strips, columns), side by side.

        Each part takes as many of the needed columns, up to one, for which runs may be cut.
        """
        taken = needed.cumsum().reshape(needed.shape)
        labels = np.where(needed, 1 + (taken - 1) * parts // taken[-1, -1], 0)
        labels = np.pad(labels, ((0, 0), (1, 1)))
        edges = labels[:, 1:] != labels[:, :-1]
        strip, first = (edges & (labels[:, 1:] > 0)).nonzero()
        last = (edges & (labels[:, :-1] > 0)).nonzero()[1]
        part = labels[strip, first + 1] - 1
        lengths = last - first + 2
        widths = np.bincount(part, lengths, parts).astype(np.int64)
        width = int(widths.max())
        filled = part * width - (widths.cumsum() - widths)[part]
        place = np.arange(lengths.sum()) + np.repeat(filled, lengths)
        ends = lengths.cumsum()
        column = np.full(parts * width, -1)
        column[place] = np.arange(len(place)) + np.repeat(first - 1 - (ends - lengths), lengths)
        atlas = cls(parts, np.zeros_like(column), column, np.zeros(len(column), dtype=bool))
        atlas.strip[place] = np.repeat(strip, lengths)
        atlas.inner[place] = True
        atlas.inner[place[ends - 1]] = atlas.inner[place[ends - lengths]] = False
        return atlas


class Strips:
    """A grid cut into strips of equal height; where that does not fit the last two overlap.

    Attributes:
        shape: Rows and columns of the grid.
        size: How many cells that are; the index of those beyond.
        height: Rows of a strip.
        first: First row of each strip.
    """

    def __init__(self, rows: int, columns: int) -> None:
        """Cut a grid of so many rows and columns."""
        self.shape = rows, columns
        self.size = rows * columns
        self.height = min(HEIGHT, rows)
        self.first = np.minimum(np.arange(0, rows, self.height, dtype=np.int64), rows - self.height)

    def counts(self, wanted: Mask) -> npt.NDArray[np.int32]:
        """Return how many True lie above each row, and above the end, of every column."""
        counts = np.zeros((self.shape[0] + 1, self.shape[1]), dtype=np.int32)
        wanted.cumsum(axis=0, out=counts[1:])
        return counts

    def near(self, counts: npt.NDArray[np.int32], reach: int) -> Mask:
        """Return, (strips, columns), where a row of a strip is within `reach` of those counted."""
        rows, columns = self.shape
        last = np.minimum(self.first + self.height + reach, rows)
        found = counts[last] > counts[np.maximum(self.first - reach, 0)]
        counts = np.zeros((len(found), columns + 1), dtype=np.int32)
        found.cumsum(axis=1, out=counts[:, 1:])
        places = np.arange(columns)
        right, left = np.minimum(places + reach + 1, columns), np.maximum(places - reach, 0)
        near: Mask = counts[:, right] > counts[:, left]
        return near

    def in_grid(self, atlas: Atlas) -> Integers:
        """Return where the cells of an atlas are in the grid, row by row; its size for none."""
        rows, columns = self.shape
        row = self.first[atlas.strip] + np.arange(-1, self.height + 1)[:, np.newaxis]
        valid = (row >= 0) & (row < rows) & (atlas.column >= 0) & (atlas.column < columns)
        return np.where(valid, row * columns + atlas.column, self.size)


class Places:
    """Where cells of the grid are in an atlas.

    Attributes:
        nowhere: The index of cells that are not in it.
    """

    def __init__(self, strips: Strips, atlas: Atlas) -> None:
        """Index the columns of `atlas`."""
        self._strips = strips
        self._atlas = atlas
        self._width = len(atlas.column) // atlas.parts
        size = (strips.height + 2) * self._width
        self.nowhere = atlas.parts * size
        self._place = np.full((len(strips.first), strips.shape[1]), -1)
        inner = atlas.inner.nonzero()[0]
        part, column = np.divmod(inner, self._width)
        self._place[atlas.strip[inner], atlas.column[inner]] = part * size + column

    def find(self, rows: Integers, columns: Integers) -> Integers:
        """Return the places of cells of the grid; the zeros' for cells that are in no strip."""
        height, (most, wide) = self._strips.height, self._strips.shape
        strip = rows.clip(0, most - 1) // height
        place = self._place[strip, columns.clip(0, wide - 1)]
        inside = (rows >= 0) & (rows < most) & (columns >= 0) & (columns < wide) & (place >= 0)
        row = rows - self._strips.first[strip] + 1
        return np.where(inside, row * self._width + place, self.nowhere)

    def stage(self, layers: range, before: Places | None) -> Stage:
        """Return the stage of these layers that follows that of another atlas, or begins."""
        grid = self._strips.in_grid(self._atlas)
        own = self.surrounding(self._atlas)
        source = grid if before is None else before.surrounding(self._atlas)
        fresh = (grid < self._strips.size) & (before is not None and source == before.nowhere)
        border = np.ones(grid.shape, dtype=bool)
        border[1:-1] = ~self._atlas.inner
        rim = border & (own == self.nowhere) & (grid < self._strips.size)
        fields = (grid, own, source, border, fresh, rim)
        parts = zip(*(np.split(field, self._atlas.parts, axis=1) for field in fields), strict=True)
        return Stage(layers, self._width, tuple(self._share(*part) for part in parts))

    @staticmethod
    def _share(
        grid: Integers, own: Integers, source: Integers, border: Mask, fresh: Mask, rim: Mask
    ) -> Share:
        """Return what concerns a part, of fields over its cells."""
        arrays = (
            source.ravel(),
            border.ravel().nonzero()[0],
            own[border],
            fresh.ravel().nonzero()[0],
            grid[fresh],
            rim.ravel().nonzero()[0],
            grid[rim],
        )
        return Share(*map(torch.from_numpy, arrays))

    def surrounding(self, atlas: Atlas) -> Integers:
        """Return where the cells of another atlas, borders included, are in this one."""
        height = self._strips.height
        first = self._strips.first[atlas.strip]
        column = atlas.column.clip(0, self._strips.shape[1] - 1)
        place = np.where(column == atlas.column, self._place[atlas.strip, column], -1)
        rows = np.arange(1, height + 1)[:, np.newaxis]
        return np.concatenate(
            [
                self.find(first - 1, atlas.column)[np.newaxis],
                np.where(place >= 0, rows * self._width + place, self.nowhere),
                self.find(first + height, atlas.column)[np.newaxis],
            ]
        )
