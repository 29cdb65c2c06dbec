"""Evaluation of a network on held-out glaciers, with the jobs of the product."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from glacier_qgis.models.engine.events import Reporter
from glacier_qgis.models.fronts.termini.calibration import calibrated, fit_calibration, reliability
from glacier_qgis.models.package.card import Architecture, Calibration
from glacier_qgis.models.package.folder import load_package, save_package
from glacier_qgis.models.training.data.samples import LabelledScene
from glacier_qgis.models.training.delivered.describe import describe, describe_series
from glacier_qgis.models.training.delivered.evaluate import evaluate, evaluate_series
from glacier_qgis.models.training.measuring.evaluator import Evaluator
from glacier_qgis.models.training.measuring.totals import totals
from glacier_qgis.models.training.publishing.describe import CELL_SIZE_M
from glacier_qgis.models.training.views.series import SeriesScenes

Values = dict[str, float | int]
TrainedNetwork = tuple[Architecture, Mapping[str, Tensor]]
"""An architecture and its weights."""


@dataclass(frozen=True)
class FoldResult:
    """Evaluation of a network on held-out glaciers.

    Attributes:
        scenes: Metrics of single scenes, see `evaluate`.
        series: Of the scenes as a time series; empty if they do not show one place.
        widths: Widths of transitions at points of predicted fronts, m.
        distances: From the same points to the true fronts, m.
    """

    scenes: Values
    series: Values
    widths: npt.NDArray[np.float64]
    distances: npt.NDArray[np.float64]

    def values(self) -> Values:
        """Return all metrics; those of the series have the prefix "series"."""
        return self.scenes | {f"series_{name}": value for name, value in self.series.items()}


def judge(
    architecture: Architecture,
    weights: Mapping[str, Tensor],
    scenes: Sequence[LabelledScene],
    reporter: Reporter,
) -> FoldResult:
    """Evaluate weights on scenes that were held out from their training.

    Args:
        architecture: The network.
        weights: Its state.
        scenes: With labels; a group has one place.
        reporter: Receives progress.
    """
    places = {scene.group for scene in scenes}
    with tempfile.TemporaryDirectory() as name:
        package = Path(name) / "fold"
        save_package(package, describe("fold", architecture, [], split=", ".join(places)), weights)
        network = load_package(package).network
        answers = Evaluator(network, torch.device("cpu"), CELL_SIZE_M).answers(scenes)
        widths, distances = totals(answers).stated_and_true
        return FoldResult(
            scenes=evaluate(package, scenes, reporter),
            series=evaluate_series(package, scenes, reporter) if len(places) == 1 else {},
            widths=widths,
            distances=distances,
        )


def judge_series(
    lone: TrainedNetwork,
    series: TrainedNetwork,
    scenes: Sequence[LabelledScene],
    reporter: Reporter,
) -> FoldResult:
    """Evaluate a network for series on held-out scenes of one place.

    Args:
        lone: Architecture and weights of its network for single scenes.
        series: Architecture and weights of the network for series.
        scenes: With labels, of one place.
        reporter: Receives progress.

    Returns:
        The metrics of the series.
    """
    with tempfile.TemporaryDirectory() as name:
        package = Path(name) / "fold"
        card = describe("fold", lone[0], [], split=scenes[0].group)
        card = card.model_copy(update={"series": describe_series(series[0])})
        save_package(package, card, lone[1], series[1])
        network = load_package(package).for_series().network
        seen = SeriesScenes(scenes).members()
        answers = Evaluator(network, torch.device("cpu"), CELL_SIZE_M).answers(seen)
        widths, distances = totals(answers).stated_and_true
        figures = evaluate_series(package, scenes, reporter)
        return FoldResult(scenes={}, series=figures, widths=widths, distances=distances)


def calibrate(verdicts: Sequence[FoldResult], data: str) -> Calibration:
    """Calibrate uncertainties on all glaciers, each held out from the training of its network.

    Args:
        verdicts: One per glacier.
        data: Their description, for the model's card.
    """
    widths = np.concatenate([verdict.widths for verdict in verdicts])
    distances = np.concatenate([verdict.distances for verdict in verdicts])
    return fit_calibration(widths, distances, data)


def covered_elsewhere(verdicts: Sequence[FoldResult]) -> list[float]:
    """Return for each glacier the coverage of uncertainties calibrated on the others.

    If this is near the calibration's level, uncertainties are valid for unseen glaciers.
    """
    shares = []
    for index, left_out in enumerate(verdicts):
        others = calibrate([*verdicts[:index], *verdicts[index + 1 :]], "the others")
        stated = calibrated(left_out.widths, others)
        shares.append(reliability(stated, left_out.distances).overall)
    return shares
