"""Screening of series whose outliers and duplicates are known."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import LineString, affinity, box

from glacier_qgis.models.fronts.series.screening import (
    DatedFronts,
    displacement,
    find_outliers,
)

CELL = 60.0
FIRST_DAY = datetime.date(2015, 1, 4)
PLACE = box(-20_000, -20_000, 20_000, 20_000)


def front(at: float, *, seed: int = 0, noise: float = 0.0, foot: float = 0.0) -> LineString:
    """A front 3 km long at the easting `at`: it runs north with its glacier on the left."""
    north = np.linspace(0, 3000, 61)
    wiggle = noise * np.random.default_rng(seed).normal(size=north.size)
    return LineString(np.column_stack([at + 120 * np.sin(north / 400) + wiggle, foot + north]))


def series(
    fronts: Sequence[Sequence[LineString]], days: Sequence[int] | None = None
) -> list[DatedFronts]:
    days = days or [12 * index for index in range(len(fronts))]
    return [
        DatedFronts(FIRST_DAY + datetime.timedelta(days=day), PLACE, lines)
        for i, (day, lines) in enumerate(zip(days, fronts, strict=True))
    ]


def flagged(observations: Sequence[DatedFronts], copies: int = 0) -> set[tuple[int, int]]:
    """Scene and number of outliers; the last `copies` scenes are duplicates."""
    duplicates = [False] * (len(observations) - copies) + [True] * copies
    found = find_outliers(observations, duplicates, CELL)
    return {(i, int(n)) for i, flags in enumerate(found) for n in np.flatnonzero(flags)}


def seasonal(day: float) -> float:
    return 400 * np.sin(2 * np.pi * day / 365.25)


@given(st.floats(-3000, 3000), st.floats(0, 360), st.floats(0.3, 1.0))
def test_displacement_is_the_distance_of_parallel_lines_whatever_their_length(
    distance: float, angle: float, share: float
) -> None:
    near = LineString([(0, 0), (0, 4000)])
    far = LineString([(distance, 2000 - 2000 * share), (distance, 2000 + 2000 * share)])
    near, far = (affinity.rotate(line, angle, origin=(0, 0)) for line in (near, far))
    assert displacement(far, near) == pytest.approx(distance, abs=1e-3)
    assert displacement(near, far) == pytest.approx(-distance, abs=1e-3)


def test_displacement_of_arcs_is_the_difference_of_their_radii() -> None:
    angles = np.linspace(-0.6, 0.6, 241)
    inner, outer = (
        LineString(np.column_stack([r * np.cos(angles), r * np.sin(angles)])) for r in (5000, 5700)
    )
    assert displacement(outer, inner) == pytest.approx(700, abs=1)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "position"),
    [
        ("rest", lambda day: 0.0),
        ("steady retreat", lambda day: -30.0 * day),
        ("seasons", seasonal),
        ("seasons and retreat", lambda day: seasonal(day) - 3.0 * day),
        ("one calving of 2 km", lambda day: -2000.0 * (day > 150)),
        ("two calvings", lambda day: -900.0 * (day > 100) - 1500.0 * (day > 260)),
    ],
)
@pytest.mark.parametrize("noise", [0.0, 40.0])
def test_what_glaciers_do_is_no_outlier_and_what_networks_do_is(
    name: str, position: Callable[[float], float], noise: float
) -> None:
    days = [12 * index for index in range(36)]
    good = [[front(position(day), seed=day, noise=noise)] for day in days]
    assert flagged(series(good)) == set()
    wrong = list(good)
    wrong[7] = [front(position(days[7]) + 2600, seed=1, noise=noise)]
    wrong[20] = [front(position(days[20]) - 2600, seed=2, noise=noise)]
    wrong[21] = [front(position(days[21]) - 2600, seed=3, noise=noise)]
    assert flagged(series(wrong)) == {(7, 0), (20, 0), (21, 0)}, name


def test_each_of_two_fronts_is_judged_by_itself() -> None:
    days = range(30)
    loud = [front(800 * (-1) ** day, foot=8000) for day in days]
    quiet = [front(600.0 if day == 11 else 0.0) for day in days]
    assert flagged(series(list(zip(loud, quiet, strict=True)))) == {(11, 1)}


def test_a_line_that_no_neighbour_has_is_an_outlier_where_they_look() -> None:
    lines = [[front(0.0)] for _ in range(12)]
    lines[5] = [front(0.0), front(0.0, foot=15_000)]
    everywhere = series(lines)
    assert flagged(everywhere) == {(5, 1)}
    narrow = box(-20_000, -20_000, 20_000, 10_000)
    elsewhere = [
        DatedFronts(o.date, PLACE if i == 5 else narrow, o.lines) for i, o in enumerate(everywhere)
    ]
    assert flagged(elsewhere) == set()


def test_short_series_and_scenes_without_a_date_are_not_judged() -> None:
    few = series([[front(x)] for x in (0, 5000, -5000, 100)])
    assert flagged(few) == set()
    many = series([[front(0.0)] for _ in range(10)])
    undated = DatedFronts(None, PLACE, [front(2900.0)])
    assert flagged([*many, undated]) == set()


def test_half_a_front_goes_with_whole_ones() -> None:
    lines = [[front(-10.0 * index)] for index in range(20)]
    whole = lines[9][0]
    lines[9] = [LineString(list(whole.coords)[:28])]
    assert flagged(series(lines)) == set()


@pytest.mark.slow
@settings(max_examples=20)
@given(
    st.floats(0, 360),
    st.tuples(st.floats(-1e6, 1e6), st.floats(-1e6, 1e6)),
    st.integers(-5000, 5000),
    st.permutations(range(16)),
)
def test_flags_do_not_depend_on_place_direction_epoch_or_order(
    angle: float, shift: tuple[float, float], later: int, order: list[int]
) -> None:
    positions = [0, 40, -30, 20, 10, 2000, -20, 30, 0, -45, -1500, 25, 10, -10, 35, 5]

    def moved(shape: LineString) -> LineString:
        return affinity.translate(affinity.rotate(shape, angle, origin=(0, 0)), *shift)

    observations = [
        DatedFronts(o.date + datetime.timedelta(later), moved(o.extent), [moved(line)])
        for o in series([[front(x)] for x in positions])
        if o.date
        for line in o.lines
    ]
    found = find_outliers([observations[i] for i in order], [False] * 16, CELL)
    assert {order[place] for place, flags in enumerate(found) if flags[0]} == {5, 10}


def test_a_duplicate_of_a_wrong_line_does_not_vouch_for_it() -> None:
    lines = [[front(0.0)] for _ in range(12)]
    lines[5] = [front(2500.0)]
    observations = series(lines)
    copies = [DatedFronts(observations[5].date, PLACE, [front(2500.0)]) for _ in range(5)]
    found = flagged([*observations, *copies], len(copies))
    assert found == {(5, 0), *((index, 0) for index in range(12, 17))}


def test_lines_of_one_day_are_compared_though_they_have_no_trend() -> None:
    fronts = [[front(30.0 * (number % 2), seed=number)] for number in range(7)]
    observations = series([*fronts, [front(2000)]], days=[0] * 8)
    assert flagged(observations) == {(7, 0)}
