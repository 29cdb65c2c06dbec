"""The audit: estimates of the scenes that nobody looked at, and how often intervals cover them."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from glacier_qgis.models.review.queue.ranking import queue
from glacier_qgis.models.review.recording.audit import (
    estimate,
    mean_estimate,
    median_estimate,
    share_estimate,
)
from glacier_qgis.wall.review import AUDIT, RANKED


def covered(size: int, draws: int = 400) -> tuple[float, float, float]:
    """How often the intervals of mean, median and share cover those of a population of 400."""
    random = np.random.default_rng(size)
    population = random.lognormal(4, 1, 400)
    wrong = population > np.quantile(population, 0.9)
    hits = np.zeros(3)
    for _ in range(draws):
        drawn = random.choice(400, size, replace=False)
        found = (
            (mean_estimate(population[drawn], 400), population.mean()),
            (median_estimate(population[drawn]), np.median(population)),
            (share_estimate(int(wrong[drawn].sum()), size), wrong.mean()),
        )
        hits += [each.low <= truth <= each.high for each, truth in found]
    mean, median, share = hits / draws
    return mean, median, share


@pytest.mark.parametrize("size", [6, 15, 40])
def test_exact_intervals_cover_the_truth_at_least_as_often_as_they_say(size: int) -> None:
    mean, median, share = covered(size)
    assert median > 0.93
    assert share > 0.93
    assert 0.8 < mean < 0.97  # a long tail: too narrow in small samples, as the report says


def test_the_interval_of_a_normal_mean_is_students() -> None:
    random, hits = np.random.default_rng(1), 0
    for _ in range(2000):
        found = mean_estimate(random.normal(100, 20, 5), 10**9)
        hits += found.low <= 100 <= found.high
    assert hits / 2000 == pytest.approx(0.95, abs=0.015)


def test_a_sample_of_everything_leaves_no_doubt() -> None:
    values = np.array([1.0, 5.0, 9.0])
    found = mean_estimate(values, 3)
    assert (found.value, found.low, found.high) == (5, 5, 5)


def test_the_median_of_six_lies_between_the_least_and_the_largest() -> None:
    values = np.array([3.0, 1.0, 2.0, 9.0, 5.0, 4.0])
    found = median_estimate(values)
    assert (found.value, found.low, found.high) == (3.5, 1.0, 9.0)  # 1 - 2 / 2**6 = 96.9 %
    assert math.isnan(median_estimate(values[:5]).low)  # 1 - 2 / 2**5 = 93.8 %


def test_few_scenes_give_values_without_intervals() -> None:
    audit = estimate([12.0], [False], 50)
    assert audit.mean_m.value == audit.median_m.value == 12
    assert math.isnan(audit.mean_m.low)
    assert audit.wrong.high == pytest.approx(0.975)  # nothing wrong among one: 1 - 0.025
    nothing = estimate([], [], 50)
    assert math.isnan(nothing.mean_m.value)
    assert math.isnan(nothing.wrong.value)


def test_missed_and_false_fronts_are_counted_apart() -> None:
    audit = estimate([10.0, None, None, 30.0], [False, True, False, False], 20)
    assert (audit.sample, audit.mean_m.value, audit.wrong.value) == (4, 20, 0.25)


@pytest.mark.parametrize("looked_at", [1.0, 0.5])
def test_the_audit_of_a_queue_is_honest_about_what_the_ranking_left_out(looked_at: float) -> None:
    """The ranking takes the worst; whoever stops half-way has a smaller sample, as honest."""
    random = np.random.default_rng(3)
    errors = random.lognormal(4, 1, 150)
    score = stats.rankdata(errors * random.lognormal(0, 0.5, 150)) / 150
    place, day = random.integers(0, 4, 150), random.uniform(0, 1000, 150)
    hits, means, truths, draws = np.zeros(2), [], [], 200
    for seed in range(draws):
        chosen = queue(score, place, day, 60, 0.5, seed)
        ranked = [each.index for each in chosen if each.strategy == RANKED]
        left_out = np.delete(errors, ranked)
        half = chosen[: round(looked_at * len(chosen))]
        drawn = errors[[each.index for each in half if each.strategy == AUDIT]]
        found = estimate([*drawn], [*(drawn > 150)], len(left_out))
        truth = np.median(left_out), (left_out > 150).mean()
        pairs = zip((found.median_m, found.wrong), truth, strict=True)
        hits += [each.low <= value <= each.high for each, value in pairs]
        means.append(found.mean_m.value)
        truths.append(left_out.mean())
    assert (hits / draws > 0.93).all()
    assert np.mean(means) == pytest.approx(np.mean(truths), rel=0.03)
    assert np.mean(truths) < 0.9 * errors.mean()  # of what is left; not of all scenes
