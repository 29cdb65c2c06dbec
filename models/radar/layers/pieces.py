"""The parts of lines that lie in one frame of a segment, drawn up to its borders."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from glacier_qgis.models.radar.layers.borders import Border
from glacier_qgis.models.radar.layers.peaks import Array
from glacier_qgis.models.radar.layers.tracker import Line


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


@dataclass(frozen=True)
class Stretch:
    """The traces of one frame in its segment.

    Attributes:
        start: Its first trace.
        stop: The one behind its last.
        left: Border to the frame before; None if there is none.
        right: Border to the next frame; None if there is none.
    """

    start: int
    stop: int
    left: Border | None = None
    right: Border | None = None

    def pieces(self, lines: Sequence[Line]) -> Iterator[Piece]:
        """Return what of lines lies in the frame, bridged where none is crossed.

        A line that goes on in the frame before or behind reaches the border to it.
        """
        drawn = [_Drawn(line, known) for line in lines if (known := self._known(line)).inside]
        first = np.array([each.first for each in drawn])
        last = np.array([each.last for each in drawn])
        for each in drawn:
            for before, after in pairwise(each.ends):
                if after - before > 1:
                    beside = np.flatnonzero((first <= after) & (last >= before))
                    if any(each.crosses(drawn[other], before, after) for other in beside):
                        each.cut(before, after)
        for each in drawn:
            for part in _unbroken(each.rows):
                if part.size > 1:
                    trace = (each.first - self.start + part).astype(float)
                    yield Piece(each.line, trace, each.rows[part])

    def _known(self, line: Line) -> _Known:
        """Return the points of a line in the frame, and its next ones beyond the borders."""
        traces, rows = np.array(line.traces, np.int64), np.array(line.rows)
        low, high = np.searchsorted(traces, [self.start, self.stop])
        known = _Known(self, traces[low:high], rows[low:high])
        if low == high:
            return known
        if self.left is not None and low > 0:
            known = known.with_point(0, traces[low - 1], self.left.onward(rows[low - 1 : low]))
        if self.right is not None and high < traces.size:
            end = len(known.traces)
            known = known.with_point(end, traces[high], self.right.back(rows[high : high + 1]))
        return known


@dataclass(frozen=True)
class _Known:
    """Points of a line, in the rows of one frame."""

    frame: Stretch
    traces: npt.NDArray[np.int64]
    rows: Array

    @property
    def inside(self) -> bool:
        """Whether there is any."""
        return self.traces.size > 0

    def with_point(self, place: int, trace: int, row: Array) -> _Known:
        """Return them with one more, unless its row lies outside of the frame's rows."""
        if np.isnan(row).any():
            return self
        traces, rows = np.insert(self.traces, place, trace), np.insert(self.rows, place, row)
        return _Known(self.frame, traces, rows)


class _Drawn:
    """A line in one frame, without breaks from its first trace there to its last."""

    def __init__(self, line: Line, known: _Known) -> None:
        frame = known.frame
        self.line = line
        self.ends = np.clip(known.traces, frame.start - 1, frame.stop)
        self.first = max(int(self.ends[0]), frame.start)
        self.last = min(int(self.ends[-1]), frame.stop - 1)
        at = np.arange(self.first, self.last + 1)
        self.rows = np.interp(at, known.traces, known.rows)

    def crosses(self, other: _Drawn, before: int, after: int) -> bool:
        """Return whether the other line lies on both sides between two traces."""
        low = max(before, other.first, self.first)
        high = min(after, other.last, self.last) + 1
        own = self.rows[low - self.first : high - self.first]
        apart = other.rows[low - other.first : high - other.first] - own
        return bool((apart > 0).any() and (apart < 0).any())

    def cut(self, before: int, after: int) -> None:
        """Take away what was bridged between two traces."""
        self.rows[max(before + 1 - self.first, 0) : after - self.first] = np.nan


def _unbroken(rows: Array) -> list[npt.NDArray[np.int64]]:
    """Return the indices of rows that are known, those of each unbroken part."""
    known: npt.NDArray[np.int64] = np.flatnonzero(np.isfinite(rows))
    return np.split(known, np.flatnonzero(np.diff(known) > 1) + 1)
