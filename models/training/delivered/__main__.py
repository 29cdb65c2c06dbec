"""Train the delivered calving-front models, measure them and make their packages.

``python -m glacier_qgis.models.training.delivered STEP --help``; the steps are ``fit``,
``measure``, ``series`` and ``publish``. `docs/development/delivered_models.md` has the commands.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import torch

from glacier_qgis.models.compute.device import tune_allocator
from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.engine.events import EventStream
from glacier_qgis.models.engine.folders import DELIVERED
from glacier_qgis.models.engine.provenance import software_version
from glacier_qgis.models.training.data.samples import LabelledScene
from glacier_qgis.models.training.delivered.caffe import read_caffe
from glacier_qgis.models.training.delivered.coast_lines import read_coast_lines
from glacier_qgis.models.training.delivered.facts import (
    Facts,
    SeriesFacts,
    names,
    read_facts,
    write_facts,
)
from glacier_qgis.models.training.delivered.fit import BATCH, RATE, TrainingRun, fit
from glacier_qgis.models.training.delivered.front_lines import read_front_lines
from glacier_qgis.models.training.delivered.hold_out import hold_out
from glacier_qgis.models.training.delivered.measure import measure, measure_series, trained_on
from glacier_qgis.models.training.delivered.networks import NETWORKS
from glacier_qgis.models.training.delivered.publish import publish
from glacier_qgis.models.training.fitting.fit import Schedule


def main() -> int:
    """Run one of the steps."""
    given = arguments().parse_args()
    reporter = EventStream(sys.stdout)
    tune_allocator()
    try:
        given.step(given, reporter)
    except EngineError as error:
        reporter.error(str(error))
        return 1
    return 0


def _fit(given: argparse.Namespace, reporter: EventStream) -> None:
    """Train on everything but the glaciers that are held out; write the averaged weights."""
    trained, _ = hold_out(_scenes(given), given.hold_out)
    schedule = Schedule(steps=given.steps, minutes=given.minutes, rate=given.rate)
    run = TrainingRun(
        given.network,
        given.output,
        schedule,
        given.seed,
        given.start_from,
        optical=given.optical,
        batch=given.batch,
        device=torch.device(given.device),
    )
    fit(run, trained, reporter)


def _measure(given: argparse.Namespace, reporter: EventStream) -> None:
    """Measure and calibrate a model by networks that had each not seen a glacier; note it."""
    scenes = _scenes(given)
    folds = {glaciers: Path(weights) for glaciers, weights in given.fold}
    facts = Facts(
        version=given.version,
        network=given.network,
        images="optical" if given.optical else "satellite",
        software=software_version(),
        training_data=trained_on(hold_out(scenes, given.hold_out)[0]),
        history=given.history,
        measured=measure(given.network, folds, scenes, reporter),
    )
    write_facts(given.name, facts)


def _series(given: argparse.Namespace, reporter: EventStream) -> None:
    """Measure and calibrate a model's network for series in the same way; note it."""
    folds = {glacier: (Path(lone), Path(series)) for glacier, lone, series in given.fold}
    measured = measure_series(folds, _scenes(given), reporter)
    series = SeriesFacts(history=given.history, measured=measured)
    update = {"version": given.version, "series": series}
    write_facts(given.name, read_facts(given.name).model_copy(update=update))


def _publish(given: argparse.Namespace, reporter: EventStream) -> None:
    """Make packages from their weights and what is known of them, in place of earlier ones."""
    for name in given.names or names():
        card = publish(name, read_facts(name), given.weights / name, given.output)
        reporter.log(f"{name} {card.version}: {given.output / name}")


def _scenes(given: argparse.Namespace) -> list[LabelledScene]:
    coasts = read_coast_lines(given.coast_lines) if given.coast_lines else []
    return [*read_caffe(given.data), *read_front_lines(given.front_lines), *coasts]


def arguments() -> argparse.ArgumentParser:
    """Return what understands the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    steps = parser.add_subparsers(required=True)
    for name, step in STEPS.items():
        steps.add_parser(name, help=step.__doc__, description=step.__doc__).set_defaults(step=step)
    learn, judged, together, finish = steps.choices.values()
    learn.add_argument("--output", type=Path, required=True, help="folder; resumes what it holds")
    learn.add_argument("--rate", type=float, default=RATE, help="highest learning rate")
    learn.add_argument("--steps", type=int, default=7000)
    learn.add_argument("--minutes", type=float, default=float("inf"), help="longest computing time")
    learn.add_argument("--seed", type=int, default=1)
    learn.add_argument("--batch", type=int, default=BATCH, help="patches per step")
    learn.add_argument("--device", default="cpu", help="such as cuda")
    learn.add_argument("--start-from", type=Path, help="weights of an earlier run")
    for command in (judged, together):
        command.add_argument("name", help="of the model")
        command.add_argument("--version", required=True, help="of the package")
        command.add_argument(
            "--history", default="", help="description of earlier runs for the card"
        )
    judged.add_argument(
        "--fold",
        nargs=2,
        action="append",
        required=True,
        metavar=("GLACIERS", "WEIGHTS"),
        help="weights with these glaciers (separated by commas) held out",
    )
    together.add_argument(
        "--fold",
        nargs=3,
        action="append",
        required=True,
        metavar=("GLACIER", "LONE", "SERIES"),
        help="weights of both networks with this glacier held out",
    )
    for command in (learn, judged):
        command.add_argument("--optical", action="store_true", help="for optical images")
        command.add_argument("--network", choices=NETWORKS, default="unet")
        command.add_argument(
            "--hold-out", nargs="*", default=[], help=("glaciers held out for the test")
        )
    for command in (learn, judged, together):
        command.add_argument("--data", type=Path, required=True, help="folder of CaFFe")
        command.add_argument(
            "--front-lines", type=Path, required=True, help="folder of Landsat images"
        )
        command.add_argument("--coast-lines", type=Path, help="folder of crops with coastlines")
    finish.add_argument("names", nargs="*", help="of the models; all that are known by default")
    finish.add_argument(
        "--weights", type=Path, default=DELIVERED, help="folder with a folder of weights per model"
    )
    finish.add_argument("--output", type=Path, default=DELIVERED, help="folder of packages")
    return parser


STEPS = {"fit": _fit, "measure": _measure, "series": _series, "publish": _publish}


if __name__ == "__main__":
    sys.exit(main())
