"""How well lines agree with true ones: precision, recall, F-score and errors in samples.

As for edges (Martin et al. 2004, doi:10.1109/TPAMI.2004.1273918): in each trace, predicted and true
points are matched one to one within a tolerance. ODS is the best F-score with one threshold for all
frames, OIS that with the best threshold for each frame, AP the mean precision over all recalls.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from glacier_qgis.models.radar.layers.peaks import Array, Peaks

TOLERANCE = 2.0
"""Largest distance of a match, samples."""
FAR = 10.0
"""Largest distance that counts as an error of position; beyond it a line is missed or false."""
THRESHOLDS = np.linspace(0.02, 0.98, 49)


def matched(found: Array, true: Array, tolerance: float) -> Array:
    """Match points of one trace one to one, as many as possible; return their distances.

    Args:
        found: Rows, ascending.
        true: Rows, ascending.
        tolerance: Largest distance of a match.

    Returns:
        Found minus true of each pair.
    """
    pairs = []
    first = second = 0
    while first < found.size and second < true.size:
        distance = found[first] - true[second]
        if distance > tolerance:
            second += 1
        elif distance < -tolerance:
            first += 1
        else:
            pairs.append(distance)
            first, second = first + 1, second + 1
    return np.array(pairs, float)


@dataclass
class Counts:
    """Matched, predicted and true points at each threshold."""

    matched: npt.NDArray[np.int64] = field(default_factory=lambda: np.zeros(THRESHOLDS.size, int))
    found: npt.NDArray[np.int64] = field(default_factory=lambda: np.zeros(THRESHOLDS.size, int))
    true: int = 0

    @classmethod
    def of(cls, peaks: Sequence[Peaks], lines: Array) -> Counts:
        """Count the points of a frame.

        Args:
            peaks: Of each trace.
            lines: (lines, traces) true rows, NaN where there is none.
        """
        counts = cls()
        for trace, peak in enumerate(peaks):
            true = np.sort(lines[:, trace][np.isfinite(lines[:, trace])])
            counts.true += true.size
            for index, threshold in enumerate(THRESHOLDS):
                rows = peak.rows[peak.values >= threshold]
                counts.found[index] += rows.size
                counts.matched[index] += matched(rows, true, TOLERANCE).size
        return counts

    def __add__(self, other: Counts) -> Counts:
        return Counts(
            self.matched + other.matched, self.found + other.found, self.true + other.true
        )

    @property
    def precision(self) -> Array:
        """Share of the predicted points that are true, at each threshold."""
        return np.asarray(self.matched / np.maximum(self.found, 1))

    @property
    def recall(self) -> Array:
        """Share of the true points that were predicted, at each threshold."""
        return np.asarray(self.matched / max(self.true, 1))

    @property
    def f_scores(self) -> Array:
        """F-score at each threshold."""
        return np.asarray(2 * self.matched / np.maximum(self.found + self.true, 1))

    @property
    def average_precision(self) -> float:
        """Area under precision over recall."""
        order = np.argsort(self.recall, kind="stable")
        recall, precision = self.recall[order], self.precision[order]
        envelope = np.maximum.accumulate(precision[::-1])[::-1]
        return float(np.sum(np.diff(np.concatenate([[0.0], recall])) * envelope))


@dataclass(frozen=True)
class EdgeScores:
    """Scores over frames; see the module."""

    ods: float
    ois: float
    average_precision: float
    threshold: float

    @classmethod
    def of(cls, frames: Sequence[Counts]) -> EdgeScores:
        """Return the scores of frames."""
        total = sum(frames[1:], frames[0])
        best = [counts.f_scores.argmax() for counts in frames]
        hits = sum(int(c.matched[i]) for c, i in zip(frames, best, strict=True))
        found = sum(int(c.found[i]) for c, i in zip(frames, best, strict=True))
        return cls(
            ods=float(total.f_scores.max()),
            ois=2 * hits / max(found + total.true, 1),
            average_precision=total.average_precision,
            threshold=float(THRESHOLDS[total.f_scores.argmax()]),
        )


@dataclass(frozen=True)
class LineScores:
    """Agreement of traced lines with true ones.

    Attributes:
        precision: Share of the traced points within `TOLERANCE` of a true one.
        recall: Share of the true points within `TOLERANCE` of a traced one.
        mean_error: Mean distance of matched points, samples; matches reach as far as `FAR`.
        within: Share of these distances within `TOLERANCE`.
    """

    precision: float
    recall: float
    mean_error: float
    within: float

    @property
    def f_score(self) -> float:
        """Harmonic mean of precision and recall."""
        return 2 * self.precision * self.recall / max(self.precision + self.recall, 1e-12)

    @classmethod
    def of(cls, found: Array, true: Array) -> LineScores:
        """Compare the lines of a frame, each (lines, traces), NaN where there is none."""
        return cls.of_frames([(found, true)])

    @classmethod
    def of_frames(cls, frames: Sequence[tuple[Array, Array]]) -> LineScores:
        """Compare the lines of several frames: found and true ones of each."""
        hits = points = total = 0
        errors = [np.empty(0)]
        for found, true in frames:
            points += int(np.isfinite(found).sum())
            total += int(np.isfinite(true).sum())
            for trace in range(true.shape[1]):
                here, there = (
                    np.sort(a[np.isfinite(a)]) for a in (found[:, trace], true[:, trace])
                )
                hits += matched(here, there, TOLERANCE).size
                errors.append(nearest(here, there))
        away = np.concatenate(errors)
        return cls(
            precision=hits / max(points, 1),
            recall=hits / max(total, 1),
            mean_error=float(away.mean()) if away.size else np.nan,
            within=float((away <= TOLERANCE).mean()) if away.size else np.nan,
        )


def nearest(found: Array, true: Array) -> Array:
    """Return the distance from each found point to the nearest true one, at most `FAR` away."""
    if not found.size or not true.size:
        return np.empty(0)
    away = np.abs(found[:, None] - true).min(axis=1)
    return np.asarray(away[away <= FAR])
