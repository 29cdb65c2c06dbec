"""Train the calving-front models and publish them as packages.

``python -m glacier_qgis.models.training.delivered fit --help``, then ``publish --help``.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from pydantic import JsonValue
from safetensors.torch import load_file, save_file
from torch import Tensor

from glacier_qgis.models.compute.device import tune_allocator
from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.engine.events import EventStream
from glacier_qgis.models.fronts.scene.companions import CHANNELS
from glacier_qgis.models.networks.unet import FIRST, with_more_bands
from glacier_qgis.models.package.card import Architecture, Evaluation
from glacier_qgis.models.package.folder import build, load_package, save_package
from glacier_qgis.models.training.data.samples import Labelled, LabelledScene
from glacier_qgis.models.training.delivered import caffe, front_lines
from glacier_qgis.models.training.delivered.caffe import read_caffe
from glacier_qgis.models.training.delivered.folds import (
    calibrate,
    covered_elsewhere,
    judge,
    judge_series,
)
from glacier_qgis.models.training.delivered.front_lines import is_optical, read_front_lines
from glacier_qgis.models.training.delivered.hold_out import hold_out
from glacier_qgis.models.training.fitting.fit import Fit, Schedule
from glacier_qgis.models.training.fitting.objective import objective
from glacier_qgis.models.training.publishing.describe import describe, describe_series
from glacier_qgis.models.training.views.augment import Augmentation
from glacier_qgis.models.training.views.sampling import pools_by_group, sampler, with_negatives
from glacier_qgis.models.training.views.series import SIGNED, SeriesAugmentation, SeriesScenes

BATCH, WINDOW, RATE = 4, 256, 1.5e-3
VIEW_CELL_M = 60.0
"""Size of the cells of a view, before it is scaled."""
STEM = 2
CLASSES: dict[str, JsonValue] = {"classes": 4, "width": 16}
IN_SERIES = 2 + len(CHANNELS)
NETWORKS = {
    "unet": Architecture(name="unet", parameters={"bands": 2, **CLASSES, "stem": STEM}),
    "hrnet": Architecture(name="hrnet", parameters={"bands": 2, **CLASSES}),
    "series": Architecture(name="unet", parameters={"bands": IN_SERIES, **CLASSES, "stem": STEM}),
}
"""A network for series starts from a U-Net for lone scenes."""


def main() -> int:
    """Run one of the steps."""
    arguments = _arguments()
    reporter = EventStream(sys.stdout)
    tune_allocator()
    try:
        scenes = [*read_caffe(arguments.data), *read_front_lines(arguments.front_lines)]
        learnt, held_out = hold_out(scenes, arguments.hold_out)
        arguments.step(arguments, learnt, held_out, reporter)
    except EngineError as error:
        reporter.error(str(error))
        return 1
    return 0


def fit(
    arguments: argparse.Namespace,
    learnt: list[LabelledScene],
    held_out: list[LabelledScene],
    reporter: EventStream,
) -> None:
    """Learn from everything but the glaciers that are held out; write the averaged weights."""
    torch.manual_seed(arguments.seed)
    radar: list[Labelled] = [scene for scene in learnt if not is_optical(scene)]
    optical: list[Labelled] = [scene for scene in learnt if is_optical(scene)]
    series = arguments.network == "series"
    if series:
        radar, optical = _beside(radar), _beside(optical)
    pools: list[Sequence[Labelled]] = [optical, radar]
    if not arguments.optical:
        pools = [*pools_by_group(radar), optical]
    schedule = Schedule(steps=arguments.steps, minutes=arguments.minutes, rate=arguments.rate)
    architecture = NETWORKS[arguments.network]
    network = build(architecture)
    if arguments.start_from:
        network.load_state_dict(_beginning(load_file(arguments.start_from), architecture))
    taught = objective(architecture, network, fronts_alone=bool(optical))
    run = Fit(
        taught.network, schedule, arguments.output / "state", arguments.seed, loss=taught.loss
    )
    augmentation = SeriesAugmentation if series else Augmentation
    batches = sampler(pools, BATCH, WINDOW, VIEW_CELL_M, augmentation)
    if not arguments.optical:
        batches = with_negatives(batches, SIGNED if series else -1)
    weights = run.run(batches, reporter)
    save_file(taught.zones_alone(weights), arguments.output / "weights.safetensors")
    images = sum(map(len, pools))
    reporter.log(f"Learnt from {images} images; {len(held_out)} were kept for the test.")


def _beside(scenes: Sequence[Labelled]) -> list[Labelled]:
    """Return each scene beside the others of its group, which show one place on one grid."""
    return [beside for place in pools_by_group(scenes) for beside in SeriesScenes(place).members()]


def _beginning(weights: Mapping[str, Tensor], architecture: Architecture) -> dict[str, Tensor]:
    """Return weights to begin with: a network for series sees no companions at first."""
    if architecture != NETWORKS["series"]:
        return dict(weights)
    bands = weights[FIRST].shape[1] // STEM**2
    return with_more_bands(weights, IN_SERIES - bands, STEM)


def publish(
    arguments: argparse.Namespace,
    learnt: list[LabelledScene],
    held_out: list[LabelledScene],
    reporter: EventStream,
) -> None:
    """Write the package of weights that learnt from all glaciers, or from all but some.

    It is measured, and its uncertainties are calibrated, by networks of the same kind that
    had each not seen the glaciers that they are judged on.
    """
    arguments.package.parent.mkdir(parents=True, exist_ok=True)
    network = NETWORKS[arguments.network]
    folds = dict(arguments.fold)
    verdicts = []
    for groups, path in folds.items():
        unseen = [s for s in [*learnt, *held_out] if s.group in groups.split(",")]
        verdicts.append(judge(network, load_file(path), unseen, reporter))
        reporter.log(f"{groups}: {verdicts[-1].values()}")
    evaluations = [
        Evaluation(
            data=f"{groups}, by a network of this kind that has not seen it",
            command="python benchmarks/front_accuracy.py",
            values=verdict.values() | {"covered_by_uncertainty_fitted_to_others": round(share, 3)},
        )
        for groups, verdict, share in zip(folds, verdicts, covered_elsewhere(verdicts), strict=True)
    ]
    sources = [
        credit([scene for scene in learnt if is_optical(scene) == optical])
        for optical, credit in ((False, caffe.credit), (True, front_lines.credit))
    ]
    split = (
        "All of training_data was learnt from. The evaluations, and the calibration, are those of "
        f"networks trained in the same way on all but one glacier: {', '.join(folds)}."
    )
    images = "optical" if arguments.optical else "satellite"
    card = describe(arguments.package.name, network, sources, split, arguments.history, images)
    measured = {"evaluations": evaluations, "calibration": calibrate(verdicts, split)}
    save_package(arguments.package, card.model_copy(update=measured), load_file(arguments.weights))


def publish_series(
    arguments: argparse.Namespace,
    learnt: list[LabelledScene],
    held_out: list[LabelledScene],
    reporter: EventStream,
) -> None:
    """Write a package anew with a network for series in it.

    That is measured and calibrated as the package is, by networks that had each not seen the
    glacier that they are judged on.
    """
    lone, series = NETWORKS["unet"], NETWORKS["series"]
    verdicts = {}
    for group, *paths in arguments.fold:
        unseen = [s for s in [*learnt, *held_out] if s.group == group]
        weights = [load_file(path) for path in paths]
        verdicts[group] = judge_series((lone, weights[0]), (series, weights[1]), unseen, reporter)
        reporter.log(f"{group}: {verdicts[group].values()}")
    found = list(verdicts.values())
    evaluations = [
        Evaluation(
            data=f"{group} as a series, by networks of these kinds that have not seen it",
            command="python benchmarks/front_accuracy.py",
            values=verdict.series | {"covered_by_uncertainty_fitted_to_others": round(share, 3)},
        )
        for (group, verdict), share in zip(verdicts.items(), covered_elsewhere(found), strict=True)
    ]
    model = load_package(arguments.package)
    data = f"series of {', '.join(verdicts)}, each by a network that has not seen it"
    part = describe_series(series, arguments.history).model_copy(
        update={"evaluations": evaluations, "calibration": calibrate(found, data)}
    )
    card = model.card.model_copy(update={"series": part, "version": arguments.version})
    save_package(arguments.output, card, model.network.state_dict(), load_file(arguments.weights))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    steps = parser.add_subparsers(required=True)
    learn = steps.add_parser("fit", help=fit.__doc__)
    learn.set_defaults(step=fit)
    learn.add_argument("--output", type=Path, required=True, help="folder; resumes what it holds")
    learn.add_argument("--rate", type=float, default=RATE, help="highest learning rate")
    learn.add_argument("--steps", type=int, default=7000)
    learn.add_argument("--minutes", type=float, default=float("inf"), help="of computing, at most")
    learn.add_argument("--seed", type=int, default=1)
    learn.add_argument("--start-from", type=Path, help="weights of an earlier run")
    finish = steps.add_parser("publish", help=publish.__doc__)
    finish.set_defaults(step=publish)
    finish.add_argument("--weights", type=Path, required=True, help="what fit wrote")
    finish.add_argument("--package", type=Path, required=True, help="folder to create")
    finish.add_argument(
        "--fold",
        nargs=2,
        action="append",
        required=True,
        metavar=("GLACIERS", "WEIGHTS"),
        help="weights that have not seen these glaciers (with commas between), to measure",
    )
    finish.add_argument("--history", default="", help="what the card should say of earlier runs")
    together = steps.add_parser("series", help=publish_series.__doc__)
    together.set_defaults(step=publish_series)
    together.add_argument("--weights", type=Path, required=True, help="what fit wrote")
    together.add_argument("--package", type=Path, required=True, help="with the other network")
    together.add_argument("--output", type=Path, required=True, help="folder to create")
    together.add_argument("--version", required=True, help="of the package written")
    together.add_argument(
        "--fold",
        nargs=3,
        action="append",
        required=True,
        metavar=("GLACIER", "LONE", "SERIES"),
        help="weights of both networks that have not seen this glacier, to measure",
    )
    together.add_argument("--history", default="", help="what the card should say of earlier runs")
    for step in (learn, finish):
        step.add_argument(
            "--optical", action="store_true", help="half of the views from Landsat images"
        )
        step.add_argument("--network", choices=NETWORKS, default="unet")
    for step in (learn, finish, together):
        step.add_argument("--data", type=Path, required=True, help="folder of CaFFe")
        step.add_argument(
            "--front-lines", type=Path, required=True, help="folder of Landsat images"
        )
        step.add_argument("--hold-out", nargs="*", default=[], help="glaciers kept for the test")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
