"""Scores and reliability, against values computed by hand."""

from __future__ import annotations

import numpy as np
import pytest

from glacier_qgis.models.fronts.termini.metrics import zone_confusion
from glacier_qgis.models.training.measuring.scores import BINS, ClassReliability, class_scores

CODES = [1, 2, 3, 4]


def test_scores_of_a_small_scene() -> None:
    truth = np.array([[3, 3, 3, 4], [3, 4, 4, 0]])
    predicted = np.array([[3, 3, 4, 4], [3, 4, 3, 3]])
    scores = class_scores(zone_confusion(predicted, truth, CODES))
    glacier, ocean = 2, 3
    assert scores.precision[[glacier, ocean]] == pytest.approx([3 / 4, 2 / 3])
    assert scores.recall[[glacier, ocean]] == pytest.approx([3 / 4, 2 / 3])
    assert scores.f1[[glacier, ocean]] == pytest.approx([3 / 4, 2 / 3])
    assert scores.iou[[glacier, ocean]] == pytest.approx([3 / 5, 2 / 4])
    assert scores.mean_iou == pytest.approx((3 / 5 + 2 / 4) / 2)
    assert np.isnan(scores.recall[:2]).all()
    assert scores.cells.tolist() == [0, 0, 4, 3]


def test_a_class_that_is_only_predicted_has_no_recall_and_does_not_count_in_the_mean() -> None:
    scores = class_scores(zone_confusion(np.array([2, 3]), np.array([3, 3]), CODES))
    assert scores.precision[1] == 0
    assert np.isnan(scores.recall[1])
    assert scores.mean_iou == pytest.approx(1 / 2)


def given(ocean: float, cells: int) -> np.ndarray:
    """Probabilities (4, 1, cells) with the rest for glacier."""
    values = np.zeros((4, 1, cells), np.float32)
    values[2], values[3] = 1 - ocean, ocean
    return values


def test_calibration_error_of_a_model_that_is_too_sure() -> None:
    found = ClassReliability(CODES)
    truth = np.array([[4] * 6 + [3] * 4])
    found.add(given(0.9, 10), truth)  # says 0.9, is right in 6 of 10
    assert found.expected_error == pytest.approx(0.3, abs=1e-6)
    said, frequency = found.curve(3)
    assert (said, frequency) == (pytest.approx([0.9]), pytest.approx([0.6]))
    said, frequency = found.curve(2)
    assert (said, frequency) == (pytest.approx([0.1]), pytest.approx([0.4]))


def test_a_calibrated_model_has_no_error_and_scenes_add_up() -> None:
    random = np.random.default_rng(0)
    together, apart = ClassReliability(CODES), ClassReliability(CODES)
    ocean = random.random((1, 200_000)).astype(np.float32)
    values = np.stack([0 * ocean, 0 * ocean, 1 - ocean, ocean])
    truth = np.where(random.random(ocean.shape) < ocean, 4, 3)
    together.add(values, truth)
    for part in (slice(0, 70_000), slice(70_000, None)):
        apart.add(values[..., part], truth[..., part])
    assert together.expected_error < 0.01
    assert apart.expected_error == pytest.approx(together.expected_error)
    said, frequency = together.curve(3)
    assert len(said) == BINS
    np.testing.assert_allclose(said, frequency, atol=0.03)


def test_unlabelled_cells_and_cells_without_data_do_not_count() -> None:
    found = ClassReliability(CODES)
    values = given(0.9, 3)
    values[..., 2] = 0
    found.add(values, np.array([[4, 0, 4]]))
    assert found.cells.sum(axis=1).tolist() == [1, 1, 1, 1]


def test_nothing_measured_is_not_a_number() -> None:
    assert np.isnan(ClassReliability(CODES).expected_error)
    assert np.isnan(class_scores(np.zeros((4, 5), np.int64)).mean_iou)
