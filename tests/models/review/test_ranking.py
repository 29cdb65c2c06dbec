"""The order of a queue: uncertain first, spread, and honest about what is left out."""

from __future__ import annotations

import numpy as np
import pytest

from glacier_qgis.models.review.queue.ranking import assigned, queue, scores
from glacier_qgis.wall.review import AUDIT, RANKED

NO_DAYS = np.nan


def test_a_score_is_the_place_among_all_predictions() -> None:
    stated = np.array([10.0, 30.0, 20.0, 30.0, np.nan])
    doubtful = np.array([True, False, False, False, False])
    np.testing.assert_allclose(scores(stated, doubtful), [1.0, 0.875, 0.5, 0.875, 0.5])


def test_scores_without_any_uncertainty_are_equal() -> None:
    np.testing.assert_allclose(scores(np.full(3, np.nan), np.zeros(3, bool)), 0.5)


def test_the_first_is_the_most_uncertain_and_the_next_is_of_another_place() -> None:
    score = np.array([1.0, 0.99, 0.98, 0.97, 0.7, 0.6])
    place = np.array([0, 0, 0, 0, 1, 2])
    day = np.array([0.0, 1.0, 2.0, 3.0, 0.0, 0.0])
    order = [each.index for each in queue(score, place, day, 3, 0.0, 0)]
    assert order == [0, 4, 5]
    assert {*np.argsort(-score)[:3]} == {0, 1, 2}  # what the scores alone would choose


def test_dates_of_one_place_are_spread_over_seasons() -> None:
    day = np.arange(0.0, 360.0, 4.0)
    score = 1 - 1e-4 * np.arange(day.size)  # by the scores alone, the first days
    order = [each.index for each in queue(score, np.zeros(day.size, int), day, 4, 0.0, 0)]
    assert np.diff(np.sort(day[order])).min() > 60


def test_dates_of_one_place_are_spread_over_years_too() -> None:
    """Most scenes are of two years, and the front has moved before and after these."""
    day = np.concatenate([np.arange(0.0, 4000.0, 365.0), np.arange(1800.0, 2500.0, 10.0)])
    score = np.linspace(0.7, 1, day.size)  # by the scores alone, the two years
    order = [each.index for each in queue(score, np.zeros(day.size, int), day, 5, 0.0, 0)]
    assert np.ptp(day[order]) > 3000
    assert ((day[order] >= 1800) & (day[order] < 2500)).sum() <= 2


def test_an_audit_is_drawn_from_what_the_ranking_leaves_out() -> None:
    score = np.linspace(1, 0, 200)
    chosen = queue(score, np.arange(200), np.zeros(200), 40, 0.15, 3)
    audit = [each for each in chosen if each.strategy == AUDIT]
    ranked = {each.index for each in chosen if each.strategy == RANKED}
    assert len(chosen) == 40
    assert len({each.index for each in chosen}) == 40
    assert len(audit) == 6
    assert ranked == set(range(34))
    assert sum(each.weight for each in audit) == pytest.approx(200 - 34)
    positions = [slot for slot, each in enumerate(chosen) if each.strategy == AUDIT]
    assert positions != [*range(34, 40)]


def test_the_audit_has_no_preference() -> None:
    score = np.linspace(1, 0, 20)
    drawn = np.zeros(20)
    for seed in range(2000):
        for each in queue(score, np.arange(20), np.zeros(20), 10, 0.4, seed):
            drawn[each.index] += each.strategy == AUDIT
    assert drawn[:6].sum() == 0
    expected = 2000 * 4 / 14
    assert np.abs(drawn[6:] / expected - 1).max() < 5 / np.sqrt(expected)


def test_the_same_seed_gives_the_same_queue() -> None:
    given = (np.linspace(1, 0, 30), np.arange(30), np.zeros(30), 10, 0.2)
    assert queue(*given, 5) == queue(*given, 5)
    assert queue(*given, 5) != queue(*given, 6)


@pytest.mark.parametrize("share", [0.0, 0.15, 0.5])
def test_a_queue_as_long_as_all_scenes_holds_each_once(share: float) -> None:
    chosen = queue(np.linspace(1, 0, 7), np.zeros(7, int), np.full(7, NO_DAYS), 100, share, 0)
    assert sorted(each.index for each in chosen) == [*range(7)]
    assert all(each.weight == 1 for each in chosen)


def test_tasks_are_shared_out_in_turn() -> None:
    assert assigned(4, ["Ada", "Bo"]) == ["Ada", "Bo", "Ada", "Bo"]
    assert assigned(2, []) == ["", ""]
