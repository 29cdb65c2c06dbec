"""Sums over the predictions of many tiles, and metrics from them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import torch

from glacier_qgis.models.engine.events import JsonValue
from glacier_qgis.models.fronts.termini.calibration import Reliability, reliability
from glacier_qgis.models.fronts.termini.metrics import (
    FrontError,
    mean_distance_error,
    zone_confusion,
)
from glacier_qgis.models.training.losses.zones import zone_loss
from glacier_qgis.models.training.measuring.assess import CODES, Answer
from glacier_qgis.models.training.measuring.scores import (
    ClassReliability,
    ClassScores,
    class_scores,
)
from glacier_qgis.models.zones.codes import CLASS_NAMES

Row = dict[str, str | float | int | None]

LEAST_PROBABILITY = 1e-7
NAMES = list(CLASS_NAMES.values())


@dataclass
class Totals:
    """Metrics of a network over tiles.

    Attributes:
        rows: One line per tile: its name, group, date and metrics.
        confusion: Cells by labelled class (row) and predicted class (column).
        reliability: Observed frequency of classes by predicted probability.
    """

    rows: list[Row] = field(default_factory=list)
    confusion: npt.NDArray[np.int64] = field(
        default_factory=lambda: np.zeros((len(CODES), len(CODES) + 1), np.int64)
    )
    reliability: ClassReliability = field(default_factory=lambda: ClassReliability(CODES))
    _boxed: list[npt.NDArray[np.float64]] = field(default_factory=list)
    _whole: list[npt.NDArray[np.float64]] = field(default_factory=list)
    _stated: list[npt.NDArray[np.float64]] = field(default_factory=list)

    def add(self, answer: Answer) -> None:
        """Add the prediction of one tile."""
        counts = zone_confusion(answer.zones, answer.truth, CODES)
        self.confusion += counts
        self.reliability.add(answer.probabilities, answer.truth)
        boxed, whole = answer.distances(answer.boxed), answer.distances(answer.lines)
        if answer.reference:
            self._boxed.append(boxed)
            self._whole.append(whole)
            self._stated.append(answer.stated_and_true())
        scores = class_scores(counts)
        self.rows.append(
            {
                "tile": answer.tile.name,
                "group": answer.tile.group,
                "date": answer.tile.date,
                "loss": tile_loss(answer),
                "labelled_fronts": len(answer.reference),
                "predicted_fronts": len(answer.predicted),
                "missed": int(bool(answer.reference) and not boxed.size),
                "distance_box_m": _mean(boxed),
                "distance_m": _mean(whole),
                "mean_iou": scores.mean_iou,
                **{
                    f"iou_{name.replace(' ', '_')}": float(iou)
                    for name, iou in zip(NAMES, scores.iou, strict=True)
                },
            }
        )

    @property
    def scores(self) -> ClassScores:
        """Scores of each class over all cells."""
        return class_scores(self.confusion)

    @property
    def loss(self) -> float:
        """Mean of the tiles' losses, without tiles that have no labels."""
        return _mean(np.array([row["loss"] for row in self.rows], dtype=float))

    @property
    def box(self) -> FrontError:
        """Distance errors within the box around each labelled front."""
        return mean_distance_error(self._boxed)

    @property
    def whole(self) -> FrontError:
        """Distance errors of whole tiles."""
        return mean_distance_error(self._whole)

    @property
    def spurious(self) -> int:
        """Number of tiles with a predicted and no labelled front."""
        return sum(
            bool(row["predicted_fronts"]) and not row["labelled_fronts"] for row in self.rows
        )

    @property
    def stated_and_true(self) -> npt.NDArray[np.float64]:
        """Uncertainty and true error at points along the fronts in the boxes, (2, points), m."""
        return np.concatenate([np.empty((2, 0)), *self._stated], axis=1)

    @property
    def uncertainty(self) -> Reliability:
        """Coverage of the stated uncertainty."""
        return reliability(*self.stated_and_true)

    def group_rows(self) -> list[Row]:
        """Return the mean metrics of each group's tiles."""
        return [self._group_row(group) for group in sorted({str(r["group"]) for r in self.rows})]

    def _group_row(self, group: str) -> Row:
        rows = [row for row in self.rows if row["group"] == group]

        def mean(name: str) -> float:
            return _mean(np.array([row[name] for row in rows], dtype=float))

        return {
            "Group": group,
            "Tiles": len(rows),
            "Mean IoU": mean("mean_iou"),
            "Front distance in the box (m)": mean("distance_box_m"),
            "Front distance (m)": mean("distance_m"),
            "Missed": sum(int(row["missed"] or 0) for row in rows),
        }

    def values(self) -> dict[str, float | int]:
        """Return the metrics for a model's card: finite numbers, with the unit in their names."""
        scores, box, whole = self.scores, self.box, self.whole
        values: dict[str, float] = {
            "tiles": len(self.rows),
            "loss": self.loss,
            "mde_box_m": box.mean_m,
            "median_over_tiles_box_m": box.median_m,
            "missed_box": box.missed,
            "mde_tile_m": whole.mean_m,
            "median_over_tiles_tile_m": whole.median_m,
            "missed_tile": whole.missed,
            "fronts_labelled": box.images,
            "spurious": self.spurious,
            "mean_iou": scores.mean_iou,
            "expected_calibration_error": self.reliability.expected_error,
            "share_within_uncertainty": self.uncertainty.overall,
        }
        for index, name in enumerate(NAMES):
            for score in ("precision", "recall", "f1", "iou"):
                values[f"{score}_{name.replace(' ', '_')}"] = float(getattr(scores, score)[index])
        return {name: rounded(value) for name, value in values.items() if math.isfinite(value)}

    def class_rows(self) -> list[Row]:
        """Return one line per class for the table of a report."""
        scores = self.scores
        return [
            {
                "Class": name,
                "Precision": float(scores.precision[index]),
                "Recall": float(scores.recall[index]),
                "F1": float(scores.f1[index]),
                "IoU": float(scores.iou[index]),
                "Labelled cells": int(scores.cells[index]),
            }
            for index, name in enumerate(NAMES)
        ]


def totals(answers: Iterable[Answer]) -> Totals:
    """Add up predictions without keeping them."""
    total = Totals()
    for answer in answers:
        total.add(answer)
    return total


def tile_loss(answer: Answer) -> float:
    """Return the loss; NaN for a tile without labels."""
    if not answer.truth.any():
        return math.nan
    logits = torch.from_numpy(answer.probabilities).clamp(min=LEAST_PROBABILITY).log()
    return float(zone_loss(logits[None], torch.from_numpy(answer.truth).long()[None]))


def rounded(value: float, figures: int = 4) -> float | int:
    """Return a number rounded to significant figures; integers stay unchanged."""
    return value if isinstance(value, int) else float(f"{value:.{figures}g}")


def finite(values: Mapping[str, float]) -> dict[str, JsonValue]:
    """Return numbers for JSON: None if not finite."""
    return {name: value if math.isfinite(value) else None for name, value in values.items()}


def _mean(values: npt.NDArray[np.float64]) -> float:
    known = values[np.isfinite(values)]
    return float(known.mean()) if known.size else math.nan
