"""Positions of fronts whose distance is known in closed form."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
import shapely.ops
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from shapely import LineString
from shapely.affinity import affine_transform

from glacier_qgis.models.fronts.change.gauges import (
    Box,
    Centreline,
    Gauge,
    curvilinear_box,
    rectilinear_box,
)

WIDTH, LENGTH = 1000.0, 6000.0
SEAWARD = np.array([1.0, 0.0])
STRAIGHT = LineString([(0, 0), (LENGTH, 0)])
BENT = LineString([(0, 0), (3000, 0), (3000 + 2000, 2000), (3000 + 2000, 6000)])


def straight_box() -> Box:
    return rectilinear_box(shapely.box(0, -WIDTH / 2, LENGTH, WIDTH / 2), SEAWARD)


GAUGES: list[Gauge] = [Centreline(STRAIGHT), straight_box(), curvilinear_box(STRAIGHT, WIDTH)]


def across(position: float, tilt: float = 0.0, half: float = 900.0) -> LineString:
    """A straight front that crosses the axis at `position`; `tilt` is its slope dx/dy."""
    return LineString([(position - tilt * half, -half), (position + tilt * half, half)])


@pytest.mark.parametrize("gauge", GAUGES)
@pytest.mark.parametrize("tilt", [0.0, 0.5, -1.2])
def test_a_straight_front_stands_where_it_crosses_the_axis(gauge: Gauge, tilt: float) -> None:
    reading = gauge.read([across(2345.6, tilt)])
    assert reading.position_m == pytest.approx(2345.6, abs=1e-9)
    assert reading.reason == ""


@pytest.mark.parametrize("gauge", GAUGES[1:])
def test_a_curved_front_counts_by_its_mean_and_not_by_its_middle(gauge: Gauge) -> None:
    y = np.linspace(-600, 600, 481)
    parabola = LineString(np.column_stack([3000 + 500 * (1 - (y / 500) ** 2), y]))
    reading = gauge.read([parabola])
    assert reading.position_m == pytest.approx(3000 + 500 * 2 / 3, abs=0.01)
    assert GAUGES[0].read([parabola]).position_m == pytest.approx(3500, abs=1e-9)


@pytest.mark.parametrize("along", [700.0, 2400.0, 4400.0, 7000.0])
def test_at_a_bend_of_the_line_a_front_across_it_stands_at_its_distance(along: float) -> None:
    point, ahead = (shapely.line_interpolate_point(BENT, along + d) for d in (0, 1))
    direction = np.array([ahead.x - point.x, ahead.y - point.y])
    normal = np.array([-direction[1], direction[0]])
    here = np.array([point.x, point.y])
    front = LineString([here - 560 * normal, here + 560 * normal])
    for gauge in (Centreline(BENT), curvilinear_box(BENT, WIDTH)):
        assert gauge.read([front]).position_m == pytest.approx(along, abs=1e-6)


@settings(max_examples=60)
@given(
    angle=st.floats(0, 2 * math.pi),
    east=st.floats(-5e5, 5e5),
    north=st.floats(-3e6, 3e6),
    backwards=st.booleans(),
    offsets=st.lists(st.floats(-800, 800), min_size=2, max_size=7),
)
def test_moving_turning_and_the_direction_of_digitising_change_nothing(
    angle: float, east: float, north: float, backwards: bool, offsets: list[float]
) -> None:
    front = LineString(
        np.column_stack([3000 + np.array(offsets), np.linspace(-700, 700, len(offsets))])
    )
    cos, sin = math.cos(angle), math.sin(angle)

    def moved(geometry: shapely.Geometry) -> shapely.Geometry:
        return affine_transform(geometry, [cos, -sin, sin, cos, east, north])

    other = moved(front.reverse() if backwards else front)
    axis = np.array([cos, sin])
    turned: list[Gauge] = [
        Centreline(moved(STRAIGHT)),
        rectilinear_box(moved(straight_box().outline), axis),
        curvilinear_box(moved(STRAIGHT), WIDTH),
    ]
    for here, there in zip(GAUGES, turned, strict=True):
        expected = here.read([front])
        assert there.read([other]).position_m == pytest.approx(expected.position_m, abs=1e-4)


@settings(max_examples=60)
@given(
    near=st.lists(st.floats(-400, 400), min_size=2, max_size=9),
    far=st.lists(st.floats(-400, 400), min_size=2, max_size=9),
)
def test_the_change_of_area_is_the_polygon_between_two_fronts(
    near: list[float], far: list[float]
) -> None:
    y = [np.linspace(-WIDTH / 2, WIDTH / 2, len(offsets)) for offsets in (near, far)]
    ends = [
        np.column_stack([base + np.array(offsets), ys])
        for base, offsets, ys in zip((2000, 3500), (near, far), y, strict=True)
    ]
    between = shapely.Polygon(np.vstack([ends[0], ends[1][::-1]])).area
    for gauge in GAUGES[1:]:
        first, last = (gauge.read([LineString(beyond(points))]) for points in ends)
        assert last.area_m2 - first.area_m2 == pytest.approx(between, rel=1e-9)
        assert last.position_m - first.position_m == pytest.approx(between / WIDTH, rel=1e-9)


def beyond(points: np.ndarray) -> np.ndarray:
    """Continue a front straight across the sides of the box."""
    return np.vstack([points[0] - [0, 200], points, points[-1] + [0, 200]])


@settings(max_examples=40)
@given(cuts=st.lists(st.floats(0.05, 0.95), min_size=1, max_size=4, unique=True))
def test_a_front_in_several_pieces_is_one_front(cuts: list[float]) -> None:
    whole = LineString([(2500, -700), (3100, -100), (2700, 200), (2900, 700)])
    places = [0.0, *sorted(cuts), 1.0]
    assume(all(b - a > 1e-6 for a, b in pairwise(places)))
    pieces = [shapely.ops.substring(whole, a, b, normalized=True) for a, b in pairwise(places)]
    for gauge in GAUGES[1:]:
        assert gauge.read(pieces).area_m2 == pytest.approx(gauge.read([whole]).area_m2, rel=1e-9)


def test_of_several_crossings_the_furthest_seaward_counts_and_is_reported() -> None:
    hook = LineString([(2000, -900), (2000, 100), (2600, 100), (2600, -100), (2900, -100)])
    hook = LineString([*hook.coords, (2900, 900)])
    reading = GAUGES[0].read([hook])
    assert reading.position_m == 2900
    assert "3 times" in reading.reason


def test_a_front_that_leaves_the_box_and_comes_back_keeps_its_sides_apart() -> None:
    """Out over the upper side at x = 2000 and back in: ice, water, and ice again by area."""
    front = LineString([(2000, 900), (2000, -300), (3000, -300), (3000, 600), (3500, 600)])
    front = LineString([*front.coords, (3500, -900)])
    ice = 2000 * 1000 + 1000 * 200 + 500 * 1000
    for gauge in GAUGES[1:]:
        reading = gauge.read([front])
        assert reading.area_m2 == pytest.approx(ice)
        assert "parts" in reading.reason


def test_an_island_of_water_behind_the_front_is_taken_off() -> None:
    ring = LineString(shapely.box(1000, -100, 1300, 100).exterior)
    for gauge in GAUGES[1:]:
        reading = gauge.read([across(2000), ring])
        assert reading.area_m2 == pytest.approx(2000 * WIDTH - 300 * 200)


@pytest.mark.parametrize(
    ("front", "words"),
    [
        ([across(7000)], "does not cross the box"),
        ([across(100, 0.5)], "up-glacier end"),
        ([across(5900, 0.5)], "seaward end"),
        ([across(2000, half=400)], "ends inside"),
        ([across(2000), across(2300)], "even number"),
    ],
)
def test_what_cannot_be_measured_says_why(front: list[LineString], words: str) -> None:
    for gauge in GAUGES[1:]:
        reading = gauge.read(front)
        assert math.isnan(reading.position_m)
        assert words in reading.reason


def test_a_loose_end_is_left_out_and_told() -> None:
    reading = straight_box().read([across(2000), LineString([(2500, 900), (2500, 380)])])
    assert reading.position_m == pytest.approx(2000)
    assert "120 m of the front end inside" in reading.reason


def test_a_box_drawn_by_hand_is_read_with_its_mean_width() -> None:
    drawn = shapely.Polygon([(0, -400), (5000, -600), (5000, 600), (0, 400)])
    box = rectilinear_box(drawn, SEAWARD)
    assert box.width == pytest.approx(1000)
    assert box.read([across(2500)]).area_m2 == pytest.approx(2500 * (800 + 1000) / 2)


def test_a_box_that_would_overlap_itself_is_refused() -> None:
    hairpin = LineString([(0, 0), (4000, 0), (4000, 600), (0, 600)])
    with pytest.raises(ValueError, match="overlaps"):
        curvilinear_box(hairpin, WIDTH)
    assert curvilinear_box(hairpin, 500).width == 500
