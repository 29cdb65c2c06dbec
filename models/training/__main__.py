"""Train the calving-front model and publish it as a package.

``python -m glacier_qgis.models.training fit --help``, then ``publish --help``.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

from glacier_qgis.models.engine.device import tune_allocator
from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.engine.events import EventStream
from glacier_qgis.models.package.card import Architecture, Evaluation
from glacier_qgis.models.package.package import build, save_package
from glacier_qgis.models.training import caffe, front_lines
from glacier_qgis.models.training.caffe import read_caffe
from glacier_qgis.models.training.describe import CELL_SIZE_M, describe
from glacier_qgis.models.training.evaluate import evaluate
from glacier_qgis.models.training.fit import Fit, Schedule
from glacier_qgis.models.training.front_lines import read_front_lines
from glacier_qgis.models.training.samples import Labelled, LabelledScene
from glacier_qgis.models.training.sampling import pools_by_group, sampler

BATCH, WINDOW = 8, 256
NETWORK = Architecture(name="unet", parameters={"bands": 2, "classes": 4, "width": 20, "levels": 4})


def main() -> int:
    """Run one of the two steps."""
    arguments = _arguments()
    reporter = EventStream(sys.stdout)
    tune_allocator()
    try:
        scenes = read_caffe(arguments.data)
        learnt = [scene for scene in scenes if scene.group != arguments.hold_out]
        held_out = [scene for scene in scenes if scene.group == arguments.hold_out]
        if not (learnt and held_out):
            groups = ", ".join(sorted({scene.group for scene in scenes}))
            raise EngineError(f"--hold-out {arguments.hold_out}: choose one of {groups}.")
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
    """Learn from everything but one glacier of CaFFe and write the averaged weights."""
    torch.manual_seed(arguments.seed)
    pools = [*pools_by_group(learnt), list[Labelled](read_front_lines(arguments.front_lines))]
    schedule = Schedule(steps=arguments.steps, minutes=arguments.minutes)
    network = build(NETWORK)
    if arguments.start_from:
        network.load_state_dict(load_file(arguments.start_from))
    run = Fit(network, schedule, arguments.output / "state", arguments.seed)
    weights = run.run(sampler(pools, BATCH, WINDOW, CELL_SIZE_M), reporter)
    save_file(weights, arguments.output / "weights.safetensors")
    images = sum(map(len, pools))
    reporter.log(f"Learnt from {images} images; {len(held_out)} were kept for the test.")


def publish(
    arguments: argparse.Namespace,
    learnt: list[LabelledScene],
    held_out: list[LabelledScene],
    reporter: EventStream,
) -> None:
    """Measure weights on the glacier that was kept out and write the package."""
    weights = load_file(arguments.weights)
    package: Path = arguments.package
    sources = [caffe.credit(learnt), front_lines.credit(read_front_lines(arguments.front_lines))]
    card = describe(
        package.name, NETWORK, sources, caffe.credit(held_out), history=arguments.history
    )
    draft = Path(tempfile.mkdtemp()) / package.name
    try:
        save_package(draft, card, weights)
        measured = Evaluation(
            data=f"CaFFe, glacier {arguments.hold_out}, in no part of the training",
            command=(
                f"python -m glacier_qgis.models.training publish --hold-out {arguments.hold_out}"
            ),
            values=evaluate(draft, held_out, reporter),
        )
        reporter.log(f"{measured.data}: {measured.values}")
        save_package(package, card.model_copy(update={"evaluations": [measured]}), weights)
    finally:
        shutil.rmtree(draft.parent, ignore_errors=True)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    steps = parser.add_subparsers(required=True)
    learn = steps.add_parser("fit", help=fit.__doc__)
    learn.set_defaults(step=fit)
    learn.add_argument("--output", type=Path, required=True, help="folder; resumes what it holds")
    learn.add_argument("--steps", type=int, default=7000)
    learn.add_argument("--minutes", type=float, default=float("inf"), help="of computing, at most")
    learn.add_argument("--seed", type=int, default=1)
    learn.add_argument("--start-from", type=Path, help="weights of an earlier run")
    finish = steps.add_parser("publish", help=publish.__doc__)
    finish.set_defaults(step=publish)
    finish.add_argument("--weights", type=Path, required=True, help="what fit wrote")
    finish.add_argument("--package", type=Path, required=True, help="folder to create")
    finish.add_argument("--history", default="", help="what the card should say of earlier runs")
    for step in (learn, finish):
        step.add_argument("--data", type=Path, required=True, help="folder of CaFFe")
        step.add_argument(
            "--front-lines", type=Path, required=True, help="folder of Landsat images"
        )
        step.add_argument("--hold-out", required=True, help="glacier of CaFFe kept for the test")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
