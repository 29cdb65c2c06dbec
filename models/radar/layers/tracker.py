"""Lines from peaks, trace by trace along the track.

A line continues with the peak nearest to the place where it is expected: its last row plus the dip
of the layers at that depth. Both must be nearest to each other, so lines keep their order. A line
without a peak follows the dip of its neighbours until it finds one again, up to a largest gap.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from glacier_qgis.models.radar.layers.peaks import Array, Peaks

MEMORY = 0.15
"""Weight of the newest trace in the running mean of a line's dip."""
WIDER = 0.03
"""Growth of the search window with each trace of a gap, samples."""
APART = 1.5
"""A line in a gap ends where it comes nearer to another one than this, samples."""


@dataclass(frozen=True)
class Tracking:
    """How peaks become lines.

    Attributes:
        window: Largest distance of a peak from where a line is expected, samples.
        bridge: Largest gap, traces.
        shortest: Shortest line, traces from its first to its last.
        confidence: Lowest mean probability of a line; missing traces count as 0.
    """

    window: float = 2.5
    bridge: int = 30
    shortest: int = 20
    confidence: float = 0.4

    def accept(self, line: Line) -> bool:
        """Return whether a line is long and certain enough."""
        return line.length >= self.shortest and line.confidence >= self.confidence


@dataclass
class Line:
    """One line: its points, in the order of the traces.

    Attributes:
        number: Its id.
        traces: Of its points; those of a gap are missing.
        rows: Of its points, samples.
        values: Probability at its points.
        widths: Standard deviation of the probability there, samples.
    """

    number: int
    traces: array[int] = field(default_factory=lambda: array("q"))
    rows: array[float] = field(default_factory=lambda: array("d"))
    values: array[float] = field(default_factory=lambda: array("f"))
    widths: array[float] = field(default_factory=lambda: array("f"))

    def append(self, trace: int, row: float, value: float, width: float) -> None:
        """Add a point."""
        self.traces.append(trace)
        self.rows.append(row)
        self.values.append(value)
        self.widths.append(width)

    @property
    def length(self) -> int:
        """Traces from its first to its last."""
        return self.traces[-1] - self.traces[0] + 1

    @property
    def confidence(self) -> float:
        """Mean probability along the line; missing traces count as 0."""
        return sum(self.values) / self.length

    def across(self, first: int, last: int) -> Array:
        """Return its rows at traces `first` to `last` - 1, interpolated in gaps, NaN beyond it."""
        return np.interp(np.arange(first, last), self.traces, self.rows, left=np.nan, right=np.nan)


class Tracker:
    """Follows lines along a track, of any length, in memory for the lines only.

    The lines are kept from top to bottom, and none passes another.
    """

    def __init__(self, options: Tracking) -> None:
        """Start without lines."""
        self._options = options
        self._last = 0
        self._lines: list[Line] = []
        self._rows = np.empty(0)
        self._dips = np.empty(0)

    def add(self, trace: int, peaks: Peaks) -> list[Line]:
        """Continue the lines with the peaks of the next trace; return those that have ended."""
        expected = np.maximum.accumulate(self._rows + self._dips)
        found = self._match(trace, expected, peaks)
        on = found >= 0
        rows = expected.copy()
        rows[on] = peaks.rows[found[on]]
        self._dips[on] += MEMORY * (rows - expected)[on]
        if on.any():
            self._dips[~on] = np.interp(rows[~on], rows[on], self._dips[on])
        self._rows = rows
        for index in np.flatnonzero(on):
            _append(self._lines[index], trace, peaks, int(found[index]))
        ended = self._end(trace, on)
        self._begin(trace, peaks, np.setdiff1d(np.arange(len(peaks)), found[on]))
        return [line for line in ended if self._options.accept(line)]

    def move(self, rows: Callable[[Array], Array]) -> None:
        """Continue in a frame with other rows.

        Args:
            rows: From rows of the frame before to rows of the next one.
        """
        ahead = rows(self._rows + self._dips)
        self._rows = rows(self._rows)
        self._dips = ahead - self._rows

    def finish(self) -> list[Line]:
        """End all lines and return them."""
        ended = self._lines
        self._keep(np.zeros(len(ended), np.bool_))
        return [line for line in ended if self._options.accept(line)]

    def _match(self, trace: int, expected: Array, peaks: Peaks) -> npt.NDArray[np.int64]:
        """Return the peak of each line, -1 for none."""
        found = np.full(len(self._lines), -1)
        if not found.size or not len(peaks):
            return found
        away = np.abs(expected[:, None] - peaks.rows)
        own, theirs = away.argmin(axis=1), away.argmin(axis=0)
        index = np.arange(found.size)
        window = self._options.window + WIDER * (self._gaps(trace) - 1)
        taken = (theirs[own] == index) & (away[index, own] <= window)
        found[taken] = own[taken]
        return found

    def _gaps(self, trace: int) -> npt.NDArray[np.int64]:
        """Return how many traces ago each line had its last point."""
        return trace - np.array([line.traces[-1] for line in self._lines], int)

    def _end(self, trace: int, on: npt.NDArray[np.bool_]) -> list[Line]:
        """Take away lines whose gap is too long, and those that run into another in a gap."""
        above = np.maximum.accumulate(np.where(on, self._rows, -np.inf))
        below = np.minimum.accumulate(np.where(on, self._rows, np.inf)[::-1])[::-1]
        hit = (self._rows - above < APART) | (below - self._rows < APART)
        over = ~on & (hit | (self._gaps(trace) > self._options.bridge))
        ended = [line for line, out in zip(self._lines, over, strict=True) if out]
        self._keep(~over)
        return ended

    def _keep(self, chosen: npt.NDArray[np.bool_]) -> None:
        self._lines = [line for line, on in zip(self._lines, chosen, strict=True) if on]
        self._rows, self._dips = self._rows[chosen], self._dips[chosen]

    def _begin(self, trace: int, peaks: Peaks, new: npt.NDArray[np.int64]) -> None:
        """Begin a line at each peak that belongs to none, with the dip of its neighbours."""
        for peak in new:
            row = peaks.rows[peak]
            place = int(np.searchsorted(self._rows, row))
            dip = np.interp(row, self._rows, self._dips) if self._rows.size else 0.0
            self._last += 1
            line = Line(self._last)
            _append(line, trace, peaks, int(peak))
            self._lines.insert(place, line)
            self._rows = np.insert(self._rows, place, row)
            self._dips = np.insert(self._dips, place, dip)


def _append(line: Line, trace: int, peaks: Peaks, peak: int) -> None:
    line.append(
        trace, float(peaks.rows[peak]), float(peaks.values[peak]), float(peaks.widths[peak])
    )
