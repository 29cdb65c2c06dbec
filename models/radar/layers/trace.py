"""Surface, bed and layers of frames that follow each other along a track."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from glacier_qgis.models.radar.echogram.axes import Axes
from glacier_qgis.models.radar.layers.codes import BED, LAYER, SURFACE
from glacier_qgis.models.radar.layers.outer import Outer
from glacier_qgis.models.radar.layers.peaks import Array, find_peaks
from glacier_qgis.models.radar.layers.predict import CHANNELS, Strip
from glacier_qgis.models.radar.layers.tracker import Line, Tracker, Tracking

SURFACE_ID, BED_ID = 1, 2
"""Ids of surface and bed, as in Open Polar Radar; layers follow."""
CODES = (LAYER, SURFACE, BED)


@dataclass
class Segment:
    """Lines through frames that follow each other, traces counted over all of them.

    Attributes:
        options: How peaks become lines.
        least: Lowest probability of a point of a line.
        starts: First trace of each frame.
        lines: Ended lines by class.
    """

    options: Tracking
    least: float
    starts: list[int] = field(default_factory=list)
    lines: dict[int, list[Line]] = field(default_factory=lambda: {code: [] for code in CODES})
    _layers: Tracker = field(init=False)
    _outer: Outer = field(init=False)
    _length: int = 0
    _axes: Axes | None = None

    def __post_init__(self) -> None:
        self._layers = Tracker(self.options)
        self._outer = Outer(self.options, self.least)

    def add(self, axes: Axes, strips: Iterable[Strip]) -> None:
        """Continue with the next frame.

        Args:
            axes: Of the frame.
            strips: Its strips, from left to right.
        """
        if self._axes is not None:
            self._layers.move(_rows_between(self._axes, axes))
        self.starts.append(self._length)
        for strip in strips:
            first = self._length + strip.first
            peaks = find_peaks(strip.probability[CHANNELS.index(LAYER)], self.least)
            for offset, found in enumerate(peaks):
                self.lines[LAYER] += self._layers.add(first + offset, found)
            self._keep(self._outer.add(first, strip))
        self._keep(self._outer.finish())
        self._length += axes.traces
        self._axes = axes

    def finish(self) -> None:
        """End all lines."""
        self.lines[LAYER] += self._layers.finish()

    def _keep(self, ended: dict[int, list[Line]]) -> None:
        for code, lines in ended.items():
            self.lines[code] += lines


@dataclass(frozen=True)
class _Moved:
    """From rows at the end of one frame to rows at the start of the next, by travel time."""

    before: Axes
    after: Axes

    def __call__(self, rows: Array) -> Array:
        last = np.full(rows.shape, self.before.traces - 1)
        times = self.before.times(last, rows)
        moved = self.after.sample_of(np.zeros(rows.shape, int), times)
        outside = np.where(rows < self.before.samples / 2, -1e6, 1e6)
        return np.where(np.isnan(moved), outside, moved)


def _rows_between(before: Axes, after: Axes) -> _Moved:
    return _Moved(before, after)


@dataclass(frozen=True)
class Piece:
    """A part of a line without a break, in one frame.

    Attributes:
        line: The line.
        trace: Of each point, counted within the frame.
        row: Of each point.
    """

    line: Line
    trace: Array
    row: Array


def pieces(lines: Sequence[Line], start: int, stop: int) -> Iterator[Piece]:
    """Return the lines within traces `start` to `stop` - 1, bridged where none is crossed."""
    drawn = [_Drawn(line, held) for line in lines if (held := _held(line, start, stop)).size]
    first = np.array([each.first for each in drawn])
    last = np.array([each.last for each in drawn])
    for each in drawn:
        for before, after in pairwise(each.held):
            if after - before > 1:
                beside = np.flatnonzero((first <= after) & (last >= before))
                if any(each.crosses(drawn[other], before, after) for other in beside):
                    each.rows[before + 1 - each.first : after - each.first] = np.nan
    for each in drawn:
        known = np.flatnonzero(np.isfinite(each.rows))
        for part in np.split(known, np.flatnonzero(np.diff(known) > 1) + 1):
            if part.size > 1:
                trace = (each.first - start + part).astype(float)
                yield Piece(each.line, trace, each.rows[part])


def _held(line: Line, start: int, stop: int) -> npt.NDArray[np.int64]:
    """Return the traces with points of a line in a frame."""
    traces = np.array(line.traces)
    return traces[(traces >= start) & (traces < stop)]


class _Drawn:
    """A line in one frame, without breaks from its first trace there to its last."""

    def __init__(self, line: Line, held: npt.NDArray[np.int64]) -> None:
        self.line = line
        self.held = held
        self.first, self.last = int(held[0]), int(held[-1])
        self.rows = line.across(self.first, self.last + 1)

    def crosses(self, other: _Drawn, before: int, after: int) -> bool:
        """Return whether the other line lies on both sides between two traces."""
        low, high = max(before, other.first), min(after, other.last) + 1
        own = self.rows[low - self.first : high - self.first]
        apart = other.rows[low - other.first : high - other.first] - own
        return bool((apart > 0).any() and (apart < 0).any())
