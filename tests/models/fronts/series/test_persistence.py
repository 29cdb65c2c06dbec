"""Zones that persist: the answer of the forward-backward algorithm against all histories."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from glacier_qgis.models.fronts.series.persistence import LEAST, persistent

STATES = 3


def series(seed: int, scenes: int = 4, shape: tuple[int, ...] = (2, 3)) -> np.ndarray:
    values = np.random.default_rng(seed).dirichlet(np.ones(4), (scenes, *shape))
    return np.moveaxis(values, -1, 1).astype(np.float32)


def over_all_histories(evidence: np.ndarray, years: list[float], rate: float) -> np.ndarray:
    """Sum the probability of every sequence of states of one cell; (scenes, states)."""
    total = np.zeros_like(evidence)
    for history in itertools.product(range(STATES), repeat=len(years)):
        chance = np.prod([evidence[scene, state] for scene, state in enumerate(history)])
        for scene, gap in enumerate(np.diff(years)):
            kept = np.exp(-rate * gap)
            same = history[scene] == history[scene + 1]
            chance *= kept * same + (1 - kept) / STATES
        for scene, state in enumerate(history):
            total[scene, state] += chance
    return total / total.sum(axis=1, keepdims=True)


@pytest.mark.parametrize("rate", [0.05, 1.0, 20.0])
def test_it_is_the_sum_over_all_histories(rate: float) -> None:
    values, years = series(1), [2001.0, 2001.1, 2004.0, 2004.5]
    answer = persistent(values, years, rate=rate)
    for cell in np.ndindex(2, 3):
        one = values[(..., *cell)].astype(float)
        evidence = np.clip(one[:, 1:] + one[:, :1] / 3, LEAST, 1)
        expected = over_all_histories(evidence, years, rate) * (1 - one[:, :1])
        np.testing.assert_allclose(
            answer[(slice(None), slice(1, None), *cell)], expected, atol=1e-5
        )
        np.testing.assert_allclose(answer[(slice(None), 0, *cell)], one[:, 0])


def test_where_zones_change_at_once_scenes_do_not_know_of_each_other() -> None:
    values = series(2)
    alone = np.concatenate(
        [persistent(values[index : index + 1], [2000.0 + index]) for index in range(4)]
    )
    together = persistent(values, [2000.0, 2001.0, 2002.0, 2003.0], rate=1e6)
    np.testing.assert_allclose(together, alone, atol=1e-5)


def test_one_misclassification_among_certain_scenes_is_corrected_and_a_lasting_change_is_kept() -> (
    None
):
    glacier, ocean = np.array([0, 0.02, 0.93, 0.05]), np.array([0, 0.02, 0.05, 0.93])
    blunder = np.array([glacier] * 5 + [ocean] + [glacier] * 5, dtype=np.float32)
    calved = np.array([glacier] * 5 + [ocean] * 6, dtype=np.float32)
    years = [2015 + index / 12 for index in range(11)]
    assert (persistent(blunder[..., None], years).argmax(axis=1) == 2).all()
    assert (persistent(calved[..., None], years).argmax(axis=1)[:, 0] == [2] * 5 + [3] * 6).all()


@pytest.mark.parametrize("days", [11, 36, 97, 365])
def test_a_front_that_retreats_does_not_lag(days: int) -> None:
    """Cells turn to ocean one after the other, one cell per scene, the last in the last scene."""
    glacier, ocean = np.array([0, 0.01, 0.97, 0.02]), np.array([0, 0.01, 0.02, 0.97])
    shown = np.array(
        [[ocean if cell < scene else glacier for cell in range(8)] for scene in range(9)]
    )
    years = [2017 + scene * days / 365 for scene in range(9)]
    answer = persistent(np.moveaxis(shown, -1, 1).astype(np.float32), years)
    np.testing.assert_array_equal(answer.argmax(axis=1), shown.argmax(axis=-1))


def test_time_runs_either_way() -> None:
    values, years = series(3), np.array([2001.0, 2001.5, 2003.0, 2007.0])
    backwards = persistent(values[::-1], list(-years[::-1]))[::-1]
    np.testing.assert_allclose(backwards, persistent(values, list(years)), atol=1e-5)


@given(arrays(bool, (4, 2, 3)))
def test_scenes_without_data_say_nothing_and_stay_without(seen: np.ndarray) -> None:
    values, years = series(4) * seen[:, None], [2001.0, 2002.0, 2003.0, 2004.0]
    answer = persistent(values, years)
    np.testing.assert_allclose(answer.sum(axis=1), seen, atol=1e-5)
    for cell in np.ndindex(2, 3):
        kept = np.flatnonzero(seen[(slice(None), *cell)])
        if kept.size:
            part = persistent(values[kept][(..., *cell)][..., None], [years[i] for i in kept])
            np.testing.assert_allclose(answer[kept][(..., *cell)], part[..., 0], atol=1e-5)


@given(st.permutations([1, 2, 3]))
def test_no_state_is_special(order: list[int]) -> None:
    values, years = series(5), [2001.0, 2001.2, 2002.0, 2009.0]
    swapped = persistent(values[:, [0, *order]], years)
    np.testing.assert_allclose(swapped, persistent(values, years)[:, [0, *order]], atol=1e-5)
