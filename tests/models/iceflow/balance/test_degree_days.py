"""Degree days against closed forms, against integrals, and against PyPDD."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad
from torch import Tensor

from glacier_qgis.models.engine.units import DAYS_A_YEAR
from glacier_qgis.models.iceflow.balance.climate import Climate
from glacier_qgis.models.iceflow.balance.degree_days import (
    CELLS_AT_ONCE,
    DegreeDayBalance,
    MeltModel,
    annual_balance,
    expected_positive,
    snow_share,
)
from glacier_qgis.models.iceflow.balance.forcing import TimeCurve
from glacier_qgis.models.iceflow.balance.model import ICE_PER_WATER

MELT = MeltModel(0.003, 0.008, 0.6, 5.0, 0.0, 2.0, 10)
ALPS = torch.tensor(
    [-9.0, -9, -7, -4, 1, 4, 7, 7, 4, 1, -5, -8], dtype=torch.float64
)  # °C, at 2500 m
WET = torch.full((12,), 1.8, dtype=torch.float64)


def doubles(*values: float) -> Tensor:
    return torch.tensor(values, dtype=torch.float64)


@given(st.floats(-30, 30), st.floats(0.2, 12))
def test_expected_positive_temperature_is_the_integral_of_its_distribution(
    mean: float, spread: float
) -> None:
    def integrand(x: float) -> float:
        return (
            x * math.exp(-((x - mean) ** 2) / (2 * spread**2)) / (spread * math.sqrt(2 * math.pi))
        )

    top = max(mean, 0) + 12 * spread
    middle = [point for point in (mean - 4 * spread, mean, mean + 4 * spread) if 0 < point < top]
    integral, _ = quad(integrand, 0, top, points=middle, limit=200)
    assert float(expected_positive(doubles(mean), spread)) == pytest.approx(integral, abs=1e-7)


@given(st.floats(-40, 40, width=32), st.floats(0, 12))
def test_variability_adds_degree_days_and_never_takes_any(mean: float, spread: float) -> None:
    single = float(expected_positive(torch.tensor(mean), spread))
    added = single - max(mean, 0)
    rounding = 1e-5 * (1 + abs(mean))
    assert -rounding <= added <= spread / math.sqrt(2 * math.pi) + rounding


def test_without_variability_a_sine_year_has_its_closed_form() -> None:
    mean, amplitude = -3.0, 9.0
    phase = math.acos(-mean / amplitude)
    closed = (mean * phase + amplitude * math.sin(phase)) / math.pi * DAYS_A_YEAR
    for count, tolerance in ((12, 0.02), (365, 1e-4)):
        angle = 2 * math.pi * (torch.arange(count, dtype=torch.float64) + 0.5) / count
        days = expected_positive(mean - amplitude * angle.cos(), 0.0).mean() * DAYS_A_YEAR
        assert float(days) == pytest.approx(closed, rel=tolerance)


def test_snow_turns_to_rain_between_two_temperatures() -> None:
    shares = snow_share(doubles(-5, 0, 0.5, 1, 2, 7), 0, 2)
    assert shares.tolist() == [1, 1, 0.75, 0.5, 0, 0]


def test_a_cold_year_keeps_all_precipitation_as_ice() -> None:
    balance = annual_balance(torch.full((12,), -40.0, dtype=torch.float64), WET, MELT)
    assert float(balance) == pytest.approx(1.8 * ICE_PER_WATER, rel=1e-9)


def test_a_warm_year_without_snow_melts_ice_with_its_factor() -> None:
    melt = replace(MELT, spread=0.0)
    balance = annual_balance(torch.full((12,), 5.0, dtype=torch.float64), WET, melt)
    assert float(balance) == pytest.approx(-0.008 * 5 * DAYS_A_YEAR * ICE_PER_WATER, rel=1e-9)


def test_refreezing_gives_back_its_share_of_the_melted_snow_and_no_ice() -> None:
    none, some, full = (
        float(annual_balance(ALPS, WET, replace(MELT, refreezing=share))) for share in (0, 0.25, 1)
    )
    assert none < some < full
    assert some - none == pytest.approx(0.25 * (full - none))
    snowfall = float((snow_share(ALPS, 0, 2) * WET / 12).sum())
    assert full - none <= snowfall * ICE_PER_WATER + 1e-12
    hot = torch.full((12,), 8.0, dtype=torch.float64)
    bare = [float(annual_balance(hot, WET, replace(MELT, refreezing=r))) for r in (0, 1)]
    assert bare[0] == pytest.approx(bare[1], rel=1e-12)


def month_by_month(temperature: np.ndarray, precipitation: np.ndarray, melt: MeltModel) -> float:
    """The same year as a loop over the snow on the ground, m of ice."""
    snow = balance = 0.0
    positive = expected_positive(torch.from_numpy(temperature), melt.spread).numpy()
    share = snow_share(torch.from_numpy(temperature), melt.all_snow, melt.all_rain).numpy()
    for step in range(12):
        month = (step + melt.first_month - 1) % 12
        fallen = share[month] * precipitation[month] / 12
        snow += fallen
        possible = melt.snow_factor * positive[month] * DAYS_A_YEAR / 12
        melted = min(snow, possible)
        snow -= melted
        ice = (possible - melted) * melt.ice_factor / melt.snow_factor
        balance += fallen - (1 - melt.refreezing) * melted - ice
    return balance * ICE_PER_WATER


MONTHLY = st.lists(st.floats(-25, 20), min_size=12, max_size=12)
RATES = st.lists(st.floats(0, 10), min_size=12, max_size=12)


@given(MONTHLY, RATES, st.integers(1, 12), st.floats(0, 1), st.sampled_from([0.0, 3.5]))
def test_the_sum_without_a_loop_is_the_loop_over_the_snow(
    temperature: list[float], rates: list[float], first: int, refreezing: float, spread: float
) -> None:
    melt = replace(MELT, first_month=first, refreezing=refreezing, spread=spread)
    year, rain = np.array(temperature), np.array(rates)
    balance = annual_balance(torch.from_numpy(year), torch.from_numpy(rain), melt)
    assert float(balance) == pytest.approx(month_by_month(year, rain, melt), abs=1e-9)


@pytest.mark.parametrize("spread", [0.0, 4.0])
@pytest.mark.parametrize("refreezing", [0.0, 0.6])
def test_pypdd_finds_the_same_balance(spread: float, refreezing: float) -> None:
    """The independent model of Seguinot (2019, doi 10.5281/zenodo.3467639), in single precision.

    It takes the mean over n steps as their sum over n − 1, and its year is 365.242198781 days.
    """
    pypdd = pytest.importorskip("pypdd")
    random = np.random.default_rng(5)
    height = random.uniform(0, 4000, (1, 40, 30))
    season = -10 * np.cos(2 * np.pi * (np.arange(12) - 0.5) / 12)[:, None, None]
    temperature = (12 + season - 6.5e-3 * height + random.normal(0, 1, (12, 40, 30))).astype("f4")
    precipitation = random.uniform(0, 4, (12, 40, 30)).astype("f4")
    model = pypdd.PDDModel(refreeze_snow=refreezing, interpolate_n=12)
    theirs = model(temperature, precipitation, spread)["smb"] * 11 / 12 * ICE_PER_WATER
    melt = replace(MELT, first_month=1, refreezing=refreezing, spread=spread)
    ours = annual_balance(torch.from_numpy(temperature), torch.from_numpy(precipitation), melt)
    assert theirs.min() < -5
    assert theirs.max() > 1
    np.testing.assert_allclose(ours.numpy(), theirs, rtol=0, atol=2e-5)


def climate(
    height: Tensor, offset: TimeCurve | None = None, rain: TimeCurve | None = None
) -> Climate:
    return Climate(
        ALPS[:, None, None],
        WET[:, None, None],
        height,
        6.5,
        offset or TimeCurve.constant(0),
        rain or TimeCurve.constant(0),
    )


def test_a_rise_cools_as_an_offset_does() -> None:
    surface = torch.linspace(1500, 4000, 60, dtype=torch.float64).reshape(6, 10)
    at = torch.full((1, 1), 2500.0, dtype=torch.float64)
    warm = DegreeDayBalance(climate(at, TimeCurve.constant(1.3)), MELT)
    lower = DegreeDayBalance(climate(at), MELT)
    torch.testing.assert_close(warm(surface, 0.0), lower(surface - 200, 0.0))
    assert (lower(surface, 0.0).diff() > 0).all()
    own = DegreeDayBalance(climate(surface), MELT)(surface, 0.0)
    torch.testing.assert_close(own, annual_balance(ALPS, WET, MELT).expand_as(own))


def test_offsets_follow_their_course() -> None:
    surface = torch.full((2, 3), 2700.0, dtype=torch.float64)
    at = torch.full((1, 1), 2500.0, dtype=torch.float64)
    warming = TimeCurve((1900.0, 2100.0), (0.0, 4.0))
    drying = TimeCurve((1900.0, 2100.0), (0.0, -50.0))
    changing = DegreeDayBalance(climate(at, warming, drying), MELT)
    assert not changing.steady
    middle = DegreeDayBalance(climate(at, TimeCurve.constant(2), TimeCurve.constant(-25)), MELT)
    assert middle.steady
    torch.testing.assert_close(changing(surface, 2000.0), middle(surface, 0.0))
    assert (changing(surface, 2100.0) < changing(surface, 1900.0)).all()


def test_parts_of_a_large_grid_are_parts_of_the_whole() -> None:
    shape = (7, CELLS_AT_ONCE // 3)
    surface = torch.linspace(1500, 4000, shape[0] * shape[1]).reshape(shape)
    fields = torch.randn(12, *shape), torch.rand(12, *shape), torch.rand(shape) * 1000
    still = TimeCurve.constant(0.0)
    whole = Climate(*fields, 6.5, still, still)
    balance = DegreeDayBalance(whole, MELT)(surface, 0.0)
    expected = annual_balance(*whole.at(surface, 0.0, slice(None)), MELT)
    torch.testing.assert_close(balance, expected)
