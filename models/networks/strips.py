"""A stack of convolutions that is computed only where its answer can depend on it.

An answer is wanted in some cells of a grid. The last of n layers is then needed there alone, the
one before it a cell further, and the first n − 1 cells further. The grid is cut into strips of a
few rows; of each strip only the needed runs of columns are kept, and the runs of all strips lie
side by side in one wide image, an atlas, with a border of one cell around each. A layer is one
convolution of the atlas, after which the borders between strips are copied anew. Every few layers
the atlas is packed again, as less of the grid is needed. Values are those of the whole grid.

Where most inputs stay as they are from one evaluation to the next, the features of the first
layers are remembered; then layer n is computed at most n cells around the inputs that changed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import cast

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from glacier_qgis.models.networks.igm import LEAK, IgmCnn

HEIGHT = 8
"""Rows of a strip: fewer follow the shape more closely, more have fewer borders to copy."""
LAYERS_A_STAGE = 4
"""Layers between one packing and the next."""

Integers = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Stage:
    """Some consecutive layers that share an atlas of (height + 2) × columns cells.

    Attributes:
        layers: Their numbers.
        columns: Columns of the atlas.
        source: Where each cell of the atlas is in the atlas before; for the first in the grid.
        border: Cells that follow another cell of the atlas.
        followed: The cells that they follow.
        fresh: Cells that are not in the atlas before.
        fresh_in_grid: Where they are in the grid.
        rim: Cells of the border that follow none, within the grid.
        rim_in_grid: Where they are in the grid.
    """

    layers: range
    columns: int
    source: Tensor
    border: Tensor
    followed: Tensor
    fresh: Tensor
    fresh_in_grid: Tensor
    rim: Tensor
    rim_in_grid: Tensor


@dataclass(frozen=True)
class Plan:
    """How to compute a stack of convolutions for some cells of a grid.

    Attributes:
        height: Rows of a strip.
        stages: In order.
        picked: Where the wanted cells, row by row, are in the last atlas.
    """

    height: int
    stages: tuple[Stage, ...]
    picked: Tensor


Features = Sequence[Tensor]
"""What the first layers give for some inputs: (row × column, filter) each."""


def remembered_layers(layers: int) -> int:
    """Return of how many layers it pays to remember the features."""
    return max((last for first, last in _stages(layers) if first + last < layers - 1), default=0)


@torch.inference_mode()
def features(network: IgmCnn, fields: Tensor) -> Features:
    """Return what there is to remember of the network on `fields` (inputs, rows, columns)."""
    found = []
    fields = fields[None].contiguous(memory_format=torch.channels_last)
    for index in range(remembered_layers(network.radius)):
        answer = network.hidden[index](fields)
        fields = torch.nn.functional.leaky_relu(answer, LEAK, inplace=True)
        found.append(fields.permute(0, 2, 3, 1).flatten(0, 2))
    return found


@torch.inference_mode()
def evaluate(
    network: IgmCnn, fields: Tensor, plan: Plan, remembered: Features | None = None
) -> Tensor:
    """Return the network's answer in the wanted cells: (outputs, cells).

    Args:
        network: The stack.
        fields: Its inputs on the grid that the plan was made for: (inputs, rows, columns).
        plan: From :func:`make_plan`, for this network's number of layers.
        remembered: Features for inputs that differ only where the plan was told.
    """
    cells = torch.nn.functional.pad(fields.flatten(1).mT, (0, 0, 0, 1))
    rows = plan.height + 2
    for stage in plan.stages:
        cells = _gather(cells, stage.source)
        if remembered is not None and 0 < stage.layers.start <= len(remembered):
            known = remembered[stage.layers.start - 1]
            cells.index_copy_(0, stage.fresh, known.index_select(0, stage.fresh_in_grid))
        for layer in stage.layers:
            convolution = cast(nn.Conv2d, network.hidden[layer])
            image = cells[:-1].view(1, rows, stage.columns, -1).permute(0, 3, 1, 2)
            answer = torch.conv2d(image, convolution.weight, convolution.bias)
            if cells.shape[1] != answer.shape[1]:
                cells = answer.new_zeros(len(cells), answer.shape[1])
            inner = cells[:-1].view(1, rows, stage.columns, -1)[:, 1:-1, 1:-1]
            torch.ops.aten.leaky_relu.out(answer, LEAK, out=inner.permute(0, 3, 1, 2))
            cells.index_copy_(0, stage.border, cells.index_select(0, stage.followed))
            if remembered is not None and layer < len(remembered):
                known = remembered[layer].index_select(0, stage.rim_in_grid)
                cells.index_copy_(0, stage.rim, known)
    wanted = cells.index_select(0, plan.picked)
    head = torch.nn.functional.linear(wanted, network.head.weight.flatten(1), network.head.bias)
    return head.mT


def _gather(cells: Tensor, source: Tensor) -> Tensor:
    """Return some cells and, behind them, one of zeros that stands for all beyond the grid."""
    gathered = cells.new_empty(len(source) + 1, cells.shape[1])
    torch.index_select(cells, 0, source, out=gathered[:-1])
    gathered[-1] = 0
    return gathered


def make_plan(wanted: Mask, layers: int, changed: Mask | None = None) -> Plan:
    """Return how to compute `layers` convolutions for the cells where `wanted` is True.

    Args:
        wanted: Which cells, (row, column).
        layers: Number of convolutions.
        changed: Where inputs may differ from those whose features are remembered; None if none
            are.

    Raises:
        ValueError: No cell is wanted.
    """
    if not wanted.any():
        raise ValueError("no cell is wanted")
    strips = Strips(wanted.shape[0], wanted.shape[1])
    stages: list[Stage] = []
    before: Places | None = None
    for first, last in _stages(layers):
        needed = strips.near(wanted, layers - 1 - first)
        if changed is not None and last <= remembered_layers(layers):
            needed &= strips.near(changed, last)
            needed[0, 0] |= not needed.any()  # an atlas has to hold something
        places = Places(strips, Atlas.pack(needed))
        stages.append(places.stage(range(first, last), before))
        before = places
    picked = places.find(*wanted.nonzero())
    return Plan(strips.height, tuple(stages), torch.from_numpy(picked))


def _stages(layers: int) -> list[tuple[int, int]]:
    """Return the first layer of each stage and that after its last."""
    return list(pairwise([*range(0, layers, LAYERS_A_STAGE), layers]))


@dataclass(frozen=True)
class Atlas:
    """Which cells of the grid lie in each column of an atlas.

    Attributes:
        strip: Number of the strip.
        column: Column of the grid; −1 and the number of columns are the border's.
        inner: False in the first and the last column of a run, which are border.
    """

    strip: Integers
    column: Integers
    inner: Mask

    @classmethod
    def pack(cls, needed: Mask) -> Atlas:
        """Lay the runs of True of all strips, (strips, columns), side by side."""
        edges = np.diff(np.pad(needed, ((0, 0), (1, 1))).astype(np.int8), axis=1)
        strip, first = (edges == 1).nonzero()
        last = (edges == -1).nonzero()[1]
        lengths = last - first + 2
        ends = lengths.cumsum()
        shift = np.repeat(first - 1 - (ends - lengths), lengths)
        inner = np.ones(int(ends[-1]), dtype=bool)
        inner[ends - 1] = inner[ends - lengths] = False
        return cls(np.repeat(strip, lengths), np.arange(ends[-1]) + shift, inner)


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

    def near(self, wanted: Mask, reach: int) -> Mask:
        """Return, (strips, columns), where a row of a strip is within `reach` of the wanted."""
        rows, columns = self.shape
        counts = np.zeros((rows + 1, columns), dtype=np.int32)
        wanted.cumsum(axis=0, out=counts[1:])
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
        self._width = len(atlas.column)
        self.nowhere = (strips.height + 2) * self._width
        self._place = np.full((len(strips.first), strips.shape[1]), -1)
        inner = atlas.inner.nonzero()[0]
        self._place[atlas.strip[inner], atlas.column[inner]] = inner

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
        inside = grid < self._strips.size
        source = grid if before is None else before.surrounding(self._atlas)
        fresh = np.zeros_like(inside)
        if before is not None:
            fresh = inside & (source == before.nowhere)
        border, followed = self._borders()
        lonely = followed == self.nowhere
        rim = border[lonely & inside.ravel()[border]]
        arrays = (
            source.ravel(),
            border,
            followed,
            fresh.ravel().nonzero()[0],
            grid[fresh],
            rim,
            grid.ravel()[rim],
        )
        return Stage(layers, self._width, *map(torch.from_numpy, arrays))

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

    def _borders(self) -> tuple[Integers, Integers]:
        """Return the atlas' own border cells and the cells that they follow."""
        own = self.surrounding(self._atlas)
        places = np.arange(own.size).reshape(own.shape)
        border = np.zeros(own.shape, dtype=bool)
        border[[0, -1]] = True
        border[:, ~self._atlas.inner] = True
        return places[border], own[border]
