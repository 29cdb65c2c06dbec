"""The one path along the track on which most of the evidence lies, by dynamic programming."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np
import numpy.typing as npt

from glacier_qgis.models.radar.layers.peaks import Array

STEEPEST = 6
"""Largest change of the row from one trace to the next, samples."""
SLOPE = 0.3
"""Evidence that a sample of that change costs."""
LAG = 256
"""Traces that are still open: the path farther back does not change any more."""
CHANGES = np.arange(-STEEPEST, STEEPEST + 1)

Seen = TypeVar("Seen")


@dataclass(frozen=True)
class _Open(Generic[Seen]):
    """A trace through which paths still lead: from each row back to that of the trace before."""

    back: npt.NDArray[np.int8]
    seen: Seen


class BestPath(Generic[Seen]):
    """Follows a path along a track of any length, with about `LAG` traces in memory.

    The best path to each row of the newest trace is known at any time (Viterbi 1967,
    doi:10.1109/TIT.1967.1054010). They all come from one path farther back, which is returned.
    """

    def __init__(self) -> None:
        """Start without a trace."""
        self._score = np.empty(0)
        self._open: list[_Open[Seen]] = []

    def add(self, evidence: Array, seen: Seen) -> int:
        """Continue by one trace; return the row where the best path ends.

        Args:
            evidence: For each row.
            seen: What is kept of the trace until its row is known.
        """
        if self._score.size:
            padded = np.pad(self._score, STEEPEST, constant_values=-np.inf)
            before = np.lib.stride_tricks.sliding_window_view(padded, CHANGES.size)
            reached = before - SLOPE * np.abs(CHANGES)
            best = reached.argmax(axis=1)
            score = reached[np.arange(best.size), best] + evidence
            back = CHANGES[best].astype(np.int8)
        else:
            score, back = evidence, np.zeros(evidence.size, np.int8)
        self._score = score - score.max()
        self._open.append(_Open(back, seen))
        return int(self._score.argmax())

    def settle(self, lag: int = LAG) -> list[tuple[Seen, int]]:
        """Take away all but the last `lag` traces; return what was seen there, and the row."""
        done = len(self._open) - lag
        if done <= 0:
            return []
        row = int(self._score.argmax())
        rows = [row]
        for trace in reversed(self._open[1:]):
            row += int(trace.back[row])
            rows.append(row)
        settled = [
            (trace.seen, row)
            for trace, row in zip(self._open[:done], rows[::-1][:done], strict=True)
        ]
        del self._open[:done]
        return settled

    def move(self, before: Array) -> None:
        """Continue where the rows are others, once all traces are settled.

        Args:
            before: For each new row, where it was among the old ones; NaN outside of them.
        """
        if self._score.size:
            known, worst = np.isfinite(before), self._score.min()
            old = np.interp(before, np.arange(self._score.size), self._score)
            self._score = np.where(known, old, worst)

    def finish(self) -> list[tuple[Seen, int]]:
        """Return what is left, and start again."""
        settled = self.settle(0)
        self._score = np.empty(0)
        return settled
