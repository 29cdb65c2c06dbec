"""Front distances against geometry that can be worked out by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
import shapely
from affine import Affine
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import LineString
from shapely.affinity import rotate, translate

from glacier_qgis.models.fronts.termini import metrics
from glacier_qgis.models.vector.lines import clip_lines

FRONT = LineString([(0, 0), (0, 2000)])


def test_two_parallel_fronts_are_as_far_apart_as_they_are() -> None:
    distances = metrics.front_distances([LineString([(70, 0), (70, 2000)])], [FRONT], 10)
    assert distances.size == 2 * 201
    np.testing.assert_allclose(distances, 70)


def test_a_front_that_is_half_found_is_charged_for_the_other_half() -> None:
    half = LineString([(0, 0), (0, 1000)])
    distances = metrics.front_distances([half], [FRONT], 1)
    there, back = distances[:1001], distances[1001:]
    assert there.max() == 0
    assert back.max() == 1000
    assert back.mean() == pytest.approx(250, abs=0.5)


def test_distances_do_not_depend_on_how_densely_a_line_was_digitised() -> None:
    dense = shapely.segmentize(FRONT, 3.3)
    other = LineString([(-100, 0), (250, 2000)])
    np.testing.assert_allclose(
        metrics.front_distances([other], [dense], 20),
        metrics.front_distances([other], [FRONT], 20),
        atol=1e-9,
    )


@settings(max_examples=50)
@given(shift=st.floats(-500, 500), angle=st.floats(0, 360))
def test_turning_and_moving_both_fronts_changes_nothing(shift: float, angle: float) -> None:
    def moved(line: LineString) -> LineString:
        return translate(rotate(line, angle, origin=(0, 0)), shift, -shift)

    other = LineString([(30, 0), (-60, 900), (10, 1500)])
    np.testing.assert_allclose(
        metrics.front_distances([moved(other)], [moved(FRONT)], 25),
        metrics.front_distances([other], [FRONT], 25),
        atol=1e-6,
    )


def test_distances_are_pooled_over_images_and_missed_fronts_are_counted() -> None:
    error = metrics.mean_distance_error([np.full(300, 10.0), np.empty(0), np.full(100, 50.0)])
    assert error.mean_m == pytest.approx(20)
    assert error.median_m == pytest.approx(30)
    assert (error.images, error.missed) == (3, 1)


def test_without_any_front_the_error_is_unknown_not_zero() -> None:
    error = metrics.mean_distance_error([metrics.front_distances([], [FRONT], 10)])
    assert math.isnan(error.mean_m)
    assert math.isnan(error.median_m)
    assert error.missed == 1


def test_the_box_is_the_label_grown_by_a_kilometre_and_cuts_what_lies_outside() -> None:
    box = metrics.reference_box([FRONT])
    assert box.bounds == (-1000, -1000, 1000, 3000)
    far = LineString([(5000, 0), (5000, 2000)])
    through = LineString([(-3000, 500), (3000, 500)])
    (inside,) = clip_lines([far, through], box)
    assert inside.length == 2000
    assert clip_lines([far], box) == []
    assert clip_lines([], box) == []


def test_a_line_that_leaves_the_area_and_returns_becomes_two() -> None:
    area = shapely.union_all([shapely.box(0, 0, 10, 10), shapely.box(20, 0, 30, 10)])
    parts = clip_lines([LineString([(0, 5), (30, 5)])], area)
    assert sorted(part.bounds for part in parts) == [(0, 5, 10, 5), (20, 5, 30, 5)]


def test_a_drawn_front_becomes_a_line_in_metres_of_unequal_pixels() -> None:
    mask = np.zeros((40, 50), dtype=bool)
    mask[5:30, 12] = True
    transform = Affine(80.0, 0, 1000.0, 0, -70.0, 9000.0)
    (line,) = metrics.mask_lines(mask, transform)
    assert line.length == pytest.approx(24 * 70)
    assert line.bounds[0] == line.bounds[2] == pytest.approx(1000 + 12.5 * 80)


def test_a_staircase_is_one_line_without_cut_corners() -> None:
    mask = np.zeros((12, 12), dtype=bool)
    for step in range(10):
        mask[step, step : step + 2] = True
    (line,) = metrics.mask_lines(mask, Affine.identity())
    assert line.length == pytest.approx(19)
    diagonal = np.eye(12, dtype=bool)
    (line,) = metrics.mask_lines(diagonal, Affine.identity())
    assert line.length == pytest.approx(11 * math.sqrt(2))


def test_an_empty_mask_has_no_line() -> None:
    assert metrics.mask_lines(np.zeros((4, 4), dtype=bool), Affine.identity()) == []


def test_zone_agreement_counts_every_labelled_pixel_once() -> None:
    label = np.array([[1, 1, 2, 2], [3, 3, 4, 0]], dtype=np.uint8)
    guess = np.array([[1, 2, 2, 2], [3, 0, 4, 4]], dtype=np.uint8)
    confusion = metrics.zone_confusion(guess, label, (1, 2, 3, 4))
    assert confusion.sum() == 7
    np.testing.assert_allclose(metrics.zone_iou(confusion), [1 / 2, 2 / 3, 1 / 2, 1])
    empty = metrics.zone_confusion(guess[:0], label[:0], (1, 2, 3, 4))
    assert np.isnan(metrics.zone_iou(empty)).all()
