"""Evaluation of networks on unseen glaciers, as facts of the model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from glacier_qgis.models.engine.events import Reporter
from glacier_qgis.models.package.card import TrainingData
from glacier_qgis.models.package.weights import read_weights
from glacier_qgis.models.training.data.samples import LabelledScene
from glacier_qgis.models.training.delivered import caffe, front_lines
from glacier_qgis.models.training.delivered.facts import UnseenGlaciers, Values
from glacier_qgis.models.training.delivered.folds import (
    FoldResult,
    calibrate,
    covered_elsewhere,
    judge,
    judge_series,
)
from glacier_qgis.models.training.delivered.front_lines import is_optical
from glacier_qgis.models.training.delivered.networks import NETWORKS


def measure(
    network: str, folds: Mapping[str, Path], scenes: Sequence[LabelledScene], reporter: Reporter
) -> UnseenGlaciers:
    """Measure a kind of network on lone scenes and series of unseen glaciers.

    Args:
        network: A name among `NETWORKS`.
        folds: Weights by their held-out glaciers, separated by commas.
        scenes: All labelled scenes.
        reporter: Receives progress.
    """
    results = {}
    for groups, path in folds.items():
        unseen = [scene for scene in scenes if scene.group in groups.split(",")]
        results[groups] = judge(NETWORKS[network], read_weights(path), unseen, reporter)
    return _measured(results, {groups: result.values() for groups, result in results.items()})


def measure_series(
    folds: Mapping[str, tuple[Path, Path]], scenes: Sequence[LabelledScene], reporter: Reporter
) -> UnseenGlaciers:
    """Measure networks for series on series of unseen glaciers.

    Args:
        folds: Weights of the networks for single scenes and for series, by held-out glacier.
        scenes: All labelled scenes.
        reporter: Receives progress.
    """
    results = {}
    for group, paths in folds.items():
        unseen = [scene for scene in scenes if scene.group == group]
        lone, series = (read_weights(path) for path in paths)
        networks = (NETWORKS["unet"], lone), (NETWORKS["series"], series)
        results[group] = judge_series(*networks, unseen, reporter)
    return _measured(results, {group: result.series for group, result in results.items()})


def _measured(results: Mapping[str, FoldResult], values: Mapping[str, Values]) -> UnseenGlaciers:
    found = list(results.values())
    shares = dict(zip(results, covered_elsewhere(found), strict=True))
    return UnseenGlaciers(
        glaciers={
            name: figures | {"covered_by_uncertainty_fitted_to_others": round(shares[name], 3)}
            for name, figures in values.items()
        },
        calibration=calibrate(found, ""),
    )


def trained_on(scenes: Sequence[LabelledScene]) -> list[TrainingData]:
    """State what a model that was trained on these scenes owes to whom."""
    return [
        credit([scene for scene in scenes if is_optical(scene) == optical])
        for optical, credit in ((False, caffe.credit), (True, front_lines.credit))
    ]
