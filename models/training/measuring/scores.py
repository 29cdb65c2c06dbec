"""Scores of predicted zones by class, and reliability of probabilities.

Counts are added scene by scene, so that only counts are kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from glacier_qgis.models.compute.arrays import Float64Array
from glacier_qgis.models.fronts.termini.metrics import zone_iou

Counts = npt.NDArray[np.int64]

BINS = 15
"""Bins of a reliability curve, as many as in Guo et al. (2017)."""


@dataclass(frozen=True)
class ClassScores:
    """Scores of each class over all labelled cells; NaN for a class without cells.

    Attributes:
        precision: Share of the cells predicted as the class that are labelled so.
        recall: Share of the cells labelled as the class that are predicted so.
        f1: Harmonic mean of the two.
        iou: Intersection over union.
        cells: Labelled cells of the class.
    """

    precision: Float64Array
    recall: Float64Array
    f1: Float64Array
    iou: Float64Array
    cells: Counts

    @property
    def mean_iou(self) -> float:
        """Mean over the classes with labelled cells; NaN if there are none."""
        present = self.cells > 0
        return float(self.iou[present].mean()) if present.any() else float("nan")


def class_scores(confusion: Counts) -> ClassScores:
    """Score classes from counts by labelled class (row) and predicted class (column).

    Args:
        confusion: From `zone_confusion`, shape (classes, classes + 1).
    """
    hit = np.diagonal(confusion).astype(float)
    labelled, predicted = confusion.sum(axis=1), confusion[:, :-1].sum(axis=0)
    return ClassScores(
        precision=_share(hit, predicted),
        recall=_share(hit, labelled),
        f1=_share(2 * hit, labelled + predicted),
        iou=zone_iou(confusion),
        cells=labelled,
    )


def _share(part: Float64Array, whole: Counts) -> Float64Array:
    return np.asarray(np.where(whole > 0, part / np.maximum(whole, 1), np.nan))


class ClassReliability:
    """Observed frequency of each class by its predicted probability.

    Args:
        codes: The code of each class, in the order of the probabilities.

    Attributes:
        cells: (classes, bins) number of cells with this predicted probability.
        given: (classes, bins) sum of these probabilities.
        found: (classes, bins) number of these cells that are labelled as the class.
    """

    def __init__(self, codes: Sequence[int]) -> None:
        self._codes = np.asarray(codes)
        self.cells = np.zeros((len(codes), BINS))
        self.given = np.zeros_like(self.cells)
        self.found = np.zeros_like(self.cells)
        self._top = np.zeros((3, BINS))

    def add(self, probabilities: npt.NDArray[np.floating], truth: npt.NDArray[np.integer]) -> None:
        """Count one scene.

        Args:
            probabilities: (classes, rows, columns).
            truth: (rows, columns) codes; other codes are ignored.
        """
        known = np.isin(truth, self._codes) & probabilities.any(axis=0)
        values, labels = probabilities[:, known].astype(np.float64), truth[known]
        for index, code in enumerate(self._codes):
            counted = _binned(values[index], labels == code)
            for total, part in zip((self.cells, self.given, self.found), counted, strict=True):
                total[index] += part
        likeliest = values.argmax(axis=0)
        self._top += _binned(values.max(axis=0, initial=0), self._codes[likeliest] == labels)

    def curve(self, index: int) -> tuple[Float64Array, Float64Array]:
        """Return mean probability and observed frequency of one class, for non-empty bins."""
        filled = self.cells[index] > 0
        cells = self.cells[index, filled]
        return self.given[index, filled] / cells, self.found[index, filled] / cells

    @property
    def expected_error(self) -> float:
        """Expected calibration error of the most probable class, 0 to 1; NaN without cells.

        Guo et al. (2017), On Calibration of Modern Neural Networks, arXiv:1706.04599, eq. 3.
        """
        cells, given, found = self._top
        return float(np.abs(given - found).sum() / cells.sum()) if cells.any() else float("nan")


def _binned(probability: Float64Array, right: npt.NDArray[np.bool_]) -> Float64Array:
    """Return cells, sum of probabilities and correct cells per bin, (3, bins)."""
    index = np.minimum((probability * BINS).astype(int), BINS - 1)
    sums = [np.bincount(index, weights, BINS) for weights in (None, probability, right)]
    return np.asarray(sums, dtype=np.float64)
