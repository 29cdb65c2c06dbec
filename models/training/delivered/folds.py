"""A network judged on glaciers that it has not seen, by the product's own jobs."""

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
    """How good a network is on glaciers that it has not seen.

    Attributes:
        scenes: Figures of each scene by itself, see `evaluate`.
        series: Of the scenes as a time series; empty where they do not show one place.
        widths: Widths of transitions at points of predicted fronts, m.
        distances: From the same points to the true fronts, m.
    """

    scenes: Values
    series: Values
    widths: npt.NDArray[np.float64]
    distances: npt.NDArray[np.float64]

    def values(self) -> Values:
        """Return all figures; those of the series with that word before them."""
        return self.scenes | {f"series_{name}": value for name, value in self.series.items()}


def judge(
    architecture: Architecture,
    weights: Mapping[str, Tensor],
    scenes: Sequence[LabelledScene],
    reporter: Reporter,
) -> FoldResult:
    """Measure weights on scenes that they were not fitted to.

    Args:
        architecture: The network.
        weights: Its state.
        scenes: With labels; those of one group show one place.
        reporter: Told of progress.
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
    """Measure a network for series on scenes of one place that it was not fitted to.

    Args:
        lone: Architecture and weights of the network beside it, for lone scenes.
        series: Of the network itself.
        scenes: With labels, of one place.
        reporter: Told of progress.

    Returns:
        The figures of the series alone.
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
    """Fit uncertainties to fronts of all glaciers, each found by a network that had not seen it.

    Args:
        verdicts: One a glacier.
        data: What they are, for the model's card.
    """
    widths = np.concatenate([verdict.widths for verdict in verdicts])
    distances = np.concatenate([verdict.distances for verdict in verdicts])
    return fit_calibration(widths, distances, data)


def covered_elsewhere(verdicts: Sequence[FoldResult]) -> list[float]:
    """Return for each glacier how often uncertainties fitted to the others cover its true errors.

    Near the calibration's level, they mean something on a glacier that nobody has seen.
    """
    shares = []
    for index, left_out in enumerate(verdicts):
        others = calibrate([*verdicts[:index], *verdicts[index + 1 :]], "the others")
        stated = calibrated(left_out.widths, others)
        shares.append(reliability(stated, left_out.distances).overall)
    return shares
