"""The order of a queue: the least certain first, spread over places and dates, with an audit.

The most uncertain scenes alone are near-duplicates: the same glacier under the same cloud. So the
score of a scene counts less the more of its place and season is in the queue already, a greedy
search with diminishing returns as for submodular functions (Nemhauser et al. 1978, Math. Program.
14, 265-294, doi:10.1007/BF01588971; for batches of active learning Wei et al. 2015, ICML 37).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from glacier_qgis.wall.review import AUDIT, RANKED

LIKENESS = ((0.1, np.inf), (0.4, 730.0), (0.5, 30.0))
"""How much two scenes of one place are alike: parts of 1, with the days in which each falls by a
factor of e. The place stays, its front moves over years, and its ice and snow change in weeks."""
FOREVER = 1e9
"""Days between scenes of which one has no date."""


@dataclass(frozen=True)
class Chosen:
    """A scene in the queue.

    Attributes:
        index: Which.
        strategy: `ranked` or `audit`.
        weight: Number of scenes that it stands for.
    """

    index: int
    strategy: str
    weight: float


def scores(uncertainty: NDArray[np.float64], doubtful: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return how uncertain each prediction is among all, 0 to 1.

    Args:
        uncertainty: In any unit, larger for less certain ones; NaN where none is stated, which
            counts as the median.
        doubtful: Predictions that score 1 whatever they state: no front was found, or it is
            inconsistent with neighbouring dates.
    """
    stated = np.isfinite(uncertainty)
    ranked = np.full(uncertainty.shape, 0.5)
    if stated.any():
        ranked[stated] = stats.rankdata(uncertainty[stated], "average") / stated.sum()
    return np.where(doubtful, 1.0, ranked)


def queue(
    score: NDArray[np.float64],
    place: NDArray[np.int64],
    day: NDArray[np.float64],
    count: int,
    audit_share: float,
    seed: int,
) -> list[Chosen]:
    """Return the queue, in order.

    The audit is drawn at random from the scenes that the ranking leaves out, and stands at random
    positions: whoever stops half-way has seen its share, and its scenes stand for all others that
    nobody looks at.

    Args:
        score: See `scores`.
        place: Number of each scene's place.
        day: Acquisition time in days; NaN if not known.
        count: Length of the queue, at most the number of scenes.
        audit_share: Part of it that is drawn at random, 0 to 1; at least one scene, unless 0.
        seed: Of the random numbers.
    """
    random = np.random.default_rng(seed)
    count = min(count, score.size)
    audited = min(max(round(audit_share * count), 1 if audit_share > 0 else 0), count)
    ranked = _spread(score, place, day, count - audited)
    rest = np.setdiff1d(np.arange(score.size), ranked)
    drawn = random.choice(rest, audited, replace=False)  # nosec B311: NumPy's, seeded
    weight = rest.size / audited if audited else 0.0
    positions = {*random.choice(count, audited, replace=False).tolist()}  # nosec B311: NumPy's, seeded
    ordinary = (Chosen(int(index), RANKED, 1.0) for index in ranked)
    by_chance = (Chosen(int(index), AUDIT, weight) for index in drawn)
    return [next(by_chance if slot in positions else ordinary) for slot in range(count)]


def _spread(
    score: NDArray[np.float64], place: NDArray[np.int64], day: NDArray[np.float64], count: int
) -> list[int]:
    """Return the scenes of highest score, each divided by 1 + its likeness to those before it."""
    crowd, left = np.zeros(score.size), np.ones(score.size, bool)
    chosen: list[int] = []
    for _ in range(count):
        best = int(np.argmax(np.where(left, score / (1 + crowd), -1.0)))
        chosen.append(best)
        left[best] = False
        crowd += _likeness(place, day, best)
    return chosen


def _likeness(place: NDArray[np.int64], day: NDArray[np.float64], one: int) -> NDArray[np.float64]:
    """Return how much each scene shows what one of them shows, 0 to 1."""
    apart = np.nan_to_num(np.abs(day - day[one]), nan=FOREVER)
    alike = sum(part * np.exp(-apart / days) for part, days in LIKENESS)
    return np.where(place == place[one], alike, 0.0)


def assigned(count: int, reviewers: Sequence[str]) -> list[str]:
    """Return the reviewer of each task, in turn; blank without reviewers."""
    return [reviewers[slot % len(reviewers)] if reviewers else "" for slot in range(count)]
