"""Uncertainties that cover the truth as often as they say."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from glacier_qgis.models.fronts.termini.calibration import (
    LEAST_IN_CLASS,
    calibrated,
    fit_calibration,
    reliability,
)
from glacier_qgis.models.package.card import Calibration

Values = npt.NDArray[np.float64]


def overconfident(
    number: int, seed: int, offset: float = 40.0, factor: float = 3.0
) -> tuple[Values, Values]:
    """Widths, and errors that are normal with a deviation of offset + factor × width."""
    rng = np.random.default_rng(seed)
    widths = rng.gamma(3, 12, number)
    return widths, np.abs(rng.normal(0, offset + factor * widths))


@pytest.mark.parametrize("level", [0.5, 0.68, 0.95])
def test_what_was_not_fitted_is_covered_as_often_as_stated(level: float) -> None:
    widths, distances = overconfident(6_000, 1)
    calibration = fit_calibration(widths, distances, "synthetic", level)
    others, truth = overconfident(20_000, 2)
    checked = reliability(calibrated(others, calibration), truth)
    assert checked.overall == pytest.approx(level, abs=0.02)
    np.testing.assert_allclose(checked.covered, level, atol=0.06)
    assert reliability(others, truth).overall < 0.35


def test_the_known_relation_comes_back() -> None:
    """68.27 % of a normal distribution lie within one deviation."""
    widths, distances = overconfident(60_000, 3)
    calibration = fit_calibration(widths, distances, "synthetic", 0.6827)
    known = 40 + 3 * np.array(calibration.widths_m)
    np.testing.assert_allclose(calibration.uncertainties_m, known, rtol=0.06)


@settings(max_examples=60)
@given(
    seed=st.integers(0, 1000),
    number=st.integers(LEAST_IN_CLASS, 900),
    rounded=st.booleans(),
    level=st.floats(0.3, 0.95),
)
def test_the_relation_rises_and_covers_what_it_was_fitted_on(
    seed: int, number: int, *, rounded: bool, level: float
) -> None:
    widths, distances = overconfident(number, seed, offset=0.0, factor=0.5)
    if rounded:
        widths = np.round(widths, -1)
    calibration = fit_calibration(widths, distances, "synthetic", level)
    assert (np.diff(calibration.uncertainties_m) >= 0).all()
    uncertainty = calibrated(widths, calibration)
    assert (distances <= uncertainty * (1 + 1e-12)).mean() >= level
    assert (distances < uncertainty * (1 - 1e-12)).mean() <= level + 2 / number, "smaller would do"


def test_no_width_has_no_uncertainty_and_no_calibration_changes_nothing() -> None:
    widths = np.array([10.0, np.nan, 1000.0])
    calibration = Calibration(
        level=0.68, widths_m=[20, 40], uncertainties_m=[50, 90], data="synthetic"
    )
    np.testing.assert_array_equal(calibrated(widths, None), widths)
    np.testing.assert_array_equal(calibrated(widths, calibration), [50, np.nan, 90])


def test_too_few_points_are_refused() -> None:
    with pytest.raises(ValueError, match="too few"):
        fit_calibration(np.full(99, np.nan), np.ones(99), "synthetic")


@pytest.mark.parametrize(
    ("widths", "uncertainties"), [([1, 1], [1, 2]), ([1, 2], [2, 1]), ([1, 2], [1])]
)
def test_a_card_takes_rising_relations_only(
    widths: list[float], uncertainties: list[float]
) -> None:
    with pytest.raises(ValidationError, match="calibration"):
        Calibration(level=0.68, widths_m=widths, uncertainties_m=uncertainties, data="")
