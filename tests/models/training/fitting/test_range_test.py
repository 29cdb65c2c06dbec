"""The range test, on a problem whose limit of stability is known."""

from __future__ import annotations

import math

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from glacier_qgis.models.training.fitting.range_test import RangeTest, range_test, read_curve


def noisy_quadratic(curvature: float, seed: int) -> RangeTest:
    """Descend L = k |x|² / 2 with a noisy gradient, from |x| = 1 in 64 dimensions.

    One step multiplies the mean of x by 1 - rate k, and its variance in the long run is
    rate² / (1 - (1 - rate k)²): both are finite below the rate 2 / k, and at no rate above.
    """
    random = np.random.default_rng(seed)
    place = np.full(64, 1 / 8)

    def learn(rate: float) -> float:
        nonlocal place
        loss = curvature * float(place @ place) / 2
        gradient = curvature * (place + 0.02 * random.normal(size=64))
        place = place - rate * gradient
        return loss

    return range_test(learn, 1e-6 / curvature, 1e2 / curvature)


@settings(max_examples=30)
@given(exponent=st.floats(-4, 4), seed=st.integers(0, 1000))
def test_the_suggestion_is_stable_and_not_timid(exponent: float, seed: int) -> None:
    curvature = 10**exponent
    found = noisy_quadratic(curvature, seed)
    limit = 2 / curvature
    assert found.unstable is not None
    assert 0.4 * limit < found.unstable < 1.5 * limit
    assert 0.002 * limit < found.suggested <= 0.5 * limit


def test_the_test_ends_once_learning_has_broken() -> None:
    found = noisy_quadratic(1.0, 3)
    assert found.rates[-1] < 10
    assert np.isfinite(found.losses).all()


def test_a_loss_that_is_not_a_number_ends_the_test() -> None:
    losses = iter([*np.linspace(1, 0.2, 60), math.nan])
    found = range_test(lambda _: next(losses))
    assert len(found.losses) == 59


def test_where_the_loss_only_falls_the_steepest_place_is_suggested() -> None:
    rates = np.geomspace(1e-6, 1, 100)
    losses = 1 / (1 + np.exp(3 * (np.log10(rates) + 3)))
    found = read_curve(rates, losses)
    assert found.unstable is None
    assert 10**-3.4 < found.suggested == found.steepest < 10**-2.6
