"""What a model forgets of other glaciers when it is trained further on one, without earlier data.

    build/engine/bin/python benchmarks/held_knowledge.py --data DATA

The network for single scenes of the delivered radar model is trained on a few scenes of one glacier
that count as corrected, for any place: as `retrain` does without DATASET, where the model before
labels what no correction tells (held), and without that (plain). It is measured before and
after on every tenth scene of every glacier, without test-time augmentation, in the box.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path

import numpy as np
import torch
from held_out_glacier import GLACIERS, World

PLUGINS = Path(__file__).parents[1] / "build" / "plugins"
sys.path.insert(0, str(PLUGINS))

from glacier_qgis.models.engine.events import Silent  # noqa: E402
from glacier_qgis.models.package.folder import Model, load_package  # noqa: E402
from glacier_qgis.models.package.registry import find_model  # noqa: E402
from glacier_qgis.models.review.retraining.learning import Pace  # noqa: E402
from glacier_qgis.models.review.retraining.material import Aim  # noqa: E402
from glacier_qgis.models.review.retraining.places import read_place  # noqa: E402
from glacier_qgis.models.review.retraining.retrain import retrain  # noqa: E402
from glacier_qgis.models.review.retraining.taught import CorrectedPlace  # noqa: E402
from glacier_qgis.models.training.data.samples import LabelledScene  # noqa: E402
from glacier_qgis.models.training.delivered.caffe import read_caffe  # noqa: E402
from glacier_qgis.models.training.measuring.evaluator import Evaluator  # noqa: E402
from glacier_qgis.models.training.measuring.totals import totals  # noqa: E402

CPU = torch.device("cpu")


def error(network: torch.nn.Module, scenes: list[LabelledScene], cell: float) -> str:
    """Return the mean distance in the box of some scenes, in words."""
    return totals(Evaluator(network, CPU, cell, augment=False).answers(scenes)).box.words


def main() -> None:
    """Print a line per glacier and way of training."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=os.environ.get("GLACIER_DATA"))
    parser.add_argument("--model", default="caffe_unet")
    parser.add_argument("--glacier", choices=GLACIERS, default="Jorum")
    parser.add_argument("--labels", type=int, default=5)
    parser.add_argument("--draw", type=int, default=0)
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--every", type=int, default=10)
    given = parser.parse_args()
    scenes = sorted(read_caffe(Path(given.data) / "caffe256"), key=lambda scene: scene.date)
    own = [scene for scene in scenes if scene.group == given.glacier]
    order = np.random.default_rng(given.draw).permutation(len(own))[: given.labels]
    corrected = {own[place].name for place in order}
    measured = {
        glacier: [each for each in scenes if each.group == glacier and each.name not in corrected][
            :: given.every
        ]
        for glacier in GLACIERS
    }
    whole = load_package(find_model(given.model))
    model = Model(whole.card.model_copy(update={"series": None}), whole.network)
    cell = model.card.cell_size_m
    with tempfile.TemporaryDirectory(prefix="held-") as folder:
        world = World.write(Path(folder) / "world", own)
        facts = sorted(world.facts(corrected), key=lambda scene: scene.name not in corrected)
        place, _ = read_place(facts, model.card, None)
        there = CorrectedPlace(place, dict.fromkeys(corrected, True), {})
        networks = {"before": model.network}
        for title, aim in (("plain", Aim.REPLAYED), ("held", Aim.HELD)):
            pace = Pace(given.steps, float("inf"), 1, CPU)
            found = retrain(model, [there], [], pace, Silent(), rock=False, aim=aim)
            networks[title] = found.lone.built()
    for glacier, tested in measured.items():
        told = ", ".join(f"{title} {error(one, tested, cell)}" for title, one in networks.items())
        sys.stdout.write(f"{glacier:6} {len(tested)} scenes: {told}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
