"""Surface, bed and layers of frames that follow each other along a track."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np

from glacier_qgis.models.compute.arrays import Float32Array
from glacier_qgis.models.radar.echogram.axes import Axes
from glacier_qgis.models.radar.layers.codes import BED, LAYER, SURFACE
from glacier_qgis.models.radar.layers.peaks import Array, Peaks, find_peaks
from glacier_qgis.models.radar.layers.predict import CHANNELS
from glacier_qgis.models.radar.layers.tracker import Line, Tracker, Tracking

SURFACE_ID, BED_ID = 1, 2
"""Ids of surface and bed, as in Open Polar Radar; layers follow."""
CODES = (LAYER, SURFACE, BED)
STEEPER = 8.0
"""Search window of surface and bed, samples: they may be steep, and there is one of each."""


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
    _trackers: dict[int, Tracker] = field(init=False)
    _length: int = 0
    _axes: Axes | None = None

    def __post_init__(self) -> None:
        single = Tracking(
            STEEPER, self.options.bridge, self.options.shortest, self.options.confidence
        )
        self._trackers = {
            code: Tracker(self.options if code == LAYER else single) for code in CODES
        }

    def add(self, axes: Axes, strips: Iterable[tuple[int, Float32Array]]) -> None:
        """Continue with the next frame.

        Args:
            axes: Of the frame.
            strips: First trace and probabilities (classes, rows, traces), from left to right.
        """
        if self._axes is not None:
            for tracker in self._trackers.values():
                tracker.move(_rows_between(self._axes, axes))
        self.starts.append(self._length)
        for first, probability in strips:
            self._strip(self._length + first, probability)
        self._length += axes.traces
        self._axes = axes

    def finish(self) -> None:
        """End all lines."""
        for code, tracker in self._trackers.items():
            self.lines[code] += tracker.finish()

    def _strip(self, first: int, probability: Float32Array) -> None:
        for code, tracker in self._trackers.items():
            peaks = find_peaks(probability[CHANNELS.index(code)], self.least)
            for offset, found in enumerate(peaks):
                seen = found if code == LAYER else _strongest(found)
                self.lines[code] += tracker.add(first + offset, seen)


def _strongest(peaks: Peaks) -> Peaks:
    return peaks.of(np.array([peaks.values.argmax()])) if len(peaks) else peaks


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
    rows = np.array([line.across(start, stop) for line in lines]).reshape(len(lines), stop - start)
    for line, own in zip(lines, rows, strict=True):
        held = _within(line, start, stop)
        for before, after in pairwise(held):
            if after - before > 1:
                gap = slice(before, after + 1)
                if _crosses(rows[:, gap], own[gap]):
                    own[before + 1 : after] = np.nan
    for line, own in zip(lines, rows, strict=True):
        known = np.flatnonzero(np.isfinite(own))
        for part in np.split(known, np.flatnonzero(np.diff(known) > 1) + 1):
            if part.size > 1:
                yield Piece(line, part.astype(float), own[part])


def _within(line: Line, start: int, stop: int) -> list[int]:
    """Return the traces with points of a line, counted within a frame."""
    traces = np.array(line.traces)
    return [int(trace) for trace in traces[(traces >= start) & (traces < stop)] - start]


def _crosses(rows: Array, own: Array) -> bool:
    """Whether a line passes or touches another one within a gap."""
    with np.errstate(invalid="ignore"):
        apart = rows - own
        return bool((((apart > 0).any(axis=1)) & ((apart < 0).any(axis=1))).any())
