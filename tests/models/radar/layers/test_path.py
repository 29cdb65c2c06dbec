"""The best path along a track: over gaps, past false peaks, the same however it is cut."""

from __future__ import annotations

import numpy as np
import pytest

from glacier_qgis.models.radar.layers.path import LAG, STEEPEST, BestPath

ROWS = 60


def evidence_of(truth: np.ndarray, seed: int = 0) -> np.ndarray:
    """A weak sign at the true rows in stronger noise, (rows, traces)."""
    random = np.random.default_rng(seed)
    found = random.normal(0, 1, (ROWS, truth.size))
    found[truth, np.arange(truth.size)] += 2.5
    return found


def followed(evidence: np.ndarray, strip: int) -> np.ndarray:
    """Rows of the path when the traces come in strips."""
    path: BestPath[int] = BestPath()
    settled = []
    for first in range(0, evidence.shape[1], strip):
        for trace in range(first, min(first + strip, evidence.shape[1])):
            path.add(evidence[:, trace], trace)
        settled += path.settle()
    settled += path.finish()
    assert [trace for trace, _ in settled] == list(range(evidence.shape[1]))
    return np.array([row for _, row in settled])


def test_a_weak_sign_is_followed_where_each_trace_alone_misleads() -> None:
    truth = np.rint(30 + 15 * np.sin(np.arange(700) / 60)).astype(int)
    evidence = evidence_of(truth)
    alone = np.abs(evidence.argmax(axis=0) - truth)
    found = np.abs(followed(evidence, 700) - truth)
    assert (alone > 2).mean() > 0.2
    assert (found > 2).mean() < 0.02


@pytest.mark.parametrize("strip", [1, 37, 300])
def test_the_strips_do_not_matter(strip: int) -> None:
    truth = np.rint(30 + 15 * np.sin(np.arange(900) / 60)).astype(int)
    evidence = evidence_of(truth, 1)
    np.testing.assert_array_equal(followed(evidence, strip), followed(evidence, 900))


def test_it_is_no_steeper_than_allowed_and_crosses_a_gap() -> None:
    evidence = np.zeros((ROWS, 40))
    evidence[5, :10], evidence[50, 30:] = 9, 9
    rows = followed(evidence, 40)
    assert (rows[:10] == 5).all()
    assert (rows[30:] == 50).all()
    assert np.abs(np.diff(rows)).max() <= STEEPEST


def test_only_the_last_traces_are_kept() -> None:
    path: BestPath[None] = BestPath()
    for _ in range(3 * LAG):
        path.add(np.zeros(ROWS), None)
    assert len(path.settle()) == 2 * LAG
    assert len(path.finish()) == LAG
    assert path.finish() == []
