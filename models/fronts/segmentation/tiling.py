"""Tiles that cover a scene, and the smooth weights with which their predictions are blended.

Each tile has `padding` cells of context around the cells it predicts. Neighbouring predictions
overlap and are blended with weights that add up to one. If the padding covers the network's
receptive field, the result equals a prediction of the whole scene at once.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from rasterio.windows import Window

from glacier_qgis.models.compute.arrays import Float32Array
from glacier_qgis.models.compute.pipeline import ahead
from glacier_qgis.models.engine.errors import EngineError

Predict = Callable[[Float32Array, int], Float32Array]
"""From inputs (N, bands, rows, columns) and their row of tiles to class probabilities (N, classes,
rows, columns)."""
Read = Callable[[Window], Float32Array]
"""The input (bands, rows, columns) under a window, which may extend beyond the scene; its last band
is 1 where the scene has data, otherwise 0."""

OVERLAP_STRIDES = 2
"""Width of the overlap, in strides of the network: wide enough to hide seams if the padding is
smaller than the receptive field, narrow enough to cost little time."""


@dataclass(frozen=True)
class Span:
    """One tile along one axis, in cells of the scene.

    Attributes:
        first: First cell that it sees.
        start: First cell that it predicts.
        stop: End of these.
        ramp_in: Cells from `start` over which the tile before fades out.
        ramp_out: Cells before `stop` over which it fades out itself.
    """

    first: int
    start: int
    stop: int
    ramp_in: int
    ramp_out: int

    @property
    def done(self) -> int:
        """Cells from `start` to which no later tile contributes."""
        return self.stop - self.start - self.ramp_out

    @property
    def inner(self) -> slice:
        """The cells that it predicts, among those that it sees."""
        return slice(self.start - self.first, self.stop - self.first)

    def weights(self) -> Float32Array:
        """Weight of each predicted cell: sine-squared ramps where neighbours overlap."""
        weights = np.ones(self.stop - self.start, dtype=np.float32)
        if self.ramp_in:
            weights[: self.ramp_in] = ramp(self.ramp_in)
        if self.ramp_out:
            weights[-self.ramp_out :] = 1 - ramp(self.ramp_out)
        return weights


def ramp(length: int) -> Float32Array:
    """Rise from 0 to 1 over `length` cells: sin² at the cells' centres."""
    phase = (np.arange(length, dtype=np.float32) + 0.5) / length
    return np.asarray(np.sin(phase * np.pi / 2) ** 2, dtype=np.float32)


@dataclass(frozen=True)
class TilePlan:
    """The tiling of a scene.

    Attributes:
        tile: Largest edge of a tile with its padding, cells.
        padding: Context on each side that is not predicted, cells.
        overlap: Cells over which neighbouring predictions are blended.
        stride: Cells by which the network's coarsest level samples its input.
        framed: Whether a tile sees its padding beyond the scene too, where nothing is. A network
            that knows one place as it lies is led astray by that far inside.
    """

    tile: int
    padding: int
    overlap: int
    stride: int
    framed: bool

    @classmethod
    def choose(
        cls, shape: tuple[int, int], stride: int, tile: int, padding: int, *, framed: bool = True
    ) -> TilePlan:
        """Round to the network's stride; a small scene gets a small tile.

        Args:
            shape: Rows and columns of the scene.
            stride: Cells by which the network's coarsest level samples its input.
            tile: Requested edge.
            padding: Requested context.
            framed: See `TilePlan`.

        Raises:
            EngineError: The padding leaves no cells of the tile.
        """
        padding = -(-padding // stride) * stride
        whole = -(-max(shape) // stride) * stride + 2 * padding * framed
        tile = min(-(-tile // stride) * stride, whole)
        answered = tile - 2 * padding * (framed or tile < whole)
        if answered < 2 * stride and tile < whole:
            raise EngineError(
                f"TILE_SIZE {tile} is too small for PADDING {padding}: no cells would remain. "
                f"Choose a TILE_SIZE of at least {2 * padding + 4 * stride}."
            )
        overlap = min(OVERLAP_STRIDES, answered // stride // 4) * stride
        return cls(tile, padding, overlap, stride, framed)

    def edge(self, length: int) -> int:
        """Return the edge of the tiles along an axis of `length` cells."""
        return self.tile if self.framed else min(self.tile, self._rounded(length))

    def _rounded(self, length: int) -> int:
        return -(-length // self.stride) * self.stride

    def spans(self, length: int) -> list[Span]:
        """Tiles along an axis of `length` cells."""
        room = self._rounded(length) - self.edge(length)
        if not (self.framed or room):
            return [Span(0, 0, length, 0, 0)]
        answered = self.tile - 2 * self.padding
        step = answered - self.overlap
        starts = [0]
        while starts[-1] + answered < length:
            starts.append(starts[-1] + step)
        stops = [min(start + answered, length) for start in starts]
        ramps = [0, *(stop - start for stop, start in zip(stops, starts[1:], strict=False)), 0]
        return [
            Span(self._first(start, room), start, stop, ramp_in, ramp_out)
            for start, stop, (ramp_in, ramp_out) in zip(starts, stops, pairwise(ramps), strict=True)
        ]

    def _first(self, start: int, room: int) -> int:
        first = start - self.padding
        return first if self.framed else min(max(first, 0), room)

    def window(self, rows: Span, columns: Span, shape: tuple[int, int]) -> Window:
        """The window that a tile of a scene sees.

        If not `framed`, less than a stride of it lies beyond the scene.
        """
        height, width = map(self.edge, shape)
        return Window(columns.first, rows.first, width, height)


def blend(
    read: Read, predict: Predict, shape: tuple[int, int], classes: int, plan: TilePlan, batch: int
) -> Generator[tuple[Window, Float32Array], None, None]:
    """Predict a scene tile by tile, reading ahead in a separate thread.

    Only one row of overlaps is kept, so memory grows with the scene's width times the overlap, not
    with its area. Tiles without data are skipped. Close the iterator before the source of `read`.

    Args:
        read: Returns inputs.
        predict: The network.
        shape: Rows and columns of the scene.
        classes: Number of classes.
        plan: The tiling.
        batch: Tiles per batch.

    Yields:
        Windows that cover the scene once, with probabilities (classes, rows, columns), zero
        where the scene has no data.
    """
    columns = plan.spans(shape[1])
    above = np.zeros((classes, 0, shape[1]), dtype=np.float32)
    with closing(ahead(_batches(read, plan, shape, batch))) as batches:
        for row, rows in enumerate(plan.spans(shape[0])):
            below = np.zeros((classes, rows.ramp_out, shape[1]), dtype=np.float32)
            left = np.zeros((classes, rows.stop - rows.start, 0), dtype=np.float32)
            for first in range(0, len(columns), batch):
                inputs = next(batches)
                answers = _answers(inputs, predict, row, classes)
                tiles = columns[first : first + batch]
                for tile, seen, answer in zip(tiles, inputs, answers, strict=True):
                    inner = rows.inner, tile.inner
                    sums = answer[:, *inner] * rows.weights()[:, None] * tile.weights()
                    sums[:, :, : tile.ramp_in] += left
                    left = sums[:, :, tile.done :].copy()
                    sums = sums[:, :, : tile.done]
                    across = slice(tile.start, tile.start + tile.done)
                    sums[:, : rows.ramp_in] += above[:, :, across]
                    below[:, :, across] = sums[:, rows.done :]
                    valid = seen[-1][inner][: rows.done, : tile.done]
                    window = Window(tile.start, rows.start, tile.done, rows.done)
                    yield window, sums[:, : rows.done] * valid
            above = below


def _batches(
    read: Read, plan: TilePlan, shape: tuple[int, int], batch: int
) -> Iterator[list[Float32Array]]:
    """Read the tiles of a scene row by row, at most `batch` of one row at once."""
    columns = plan.spans(shape[1])
    for rows in plan.spans(shape[0]):
        for first in range(0, len(columns), batch):
            yield [read(plan.window(rows, tile, shape)) for tile in columns[first : first + batch]]


def _answers(
    inputs: Sequence[Float32Array], predict: Predict, row: int, classes: int
) -> list[Float32Array]:
    """Predict those tiles that hold a valid cell."""
    answers = [np.zeros((classes, *tile.shape[1:]), dtype=np.float32) for tile in inputs]
    seen = [index for index, tile in enumerate(inputs) if tile[-1].any()]
    if seen:
        predicted = predict(np.stack([inputs[index] for index in seen]), row)
        for index, answer in zip(seen, predicted, strict=True):
            answers[index] = answer
    return answers
