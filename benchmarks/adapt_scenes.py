"""Error of a model on the other scenes of a glacier, while it is adapted to a few of them.

    build/engine/bin/python benchmarks/adapt_scenes.py --data DATA --base FOLDER --glacier Jorum

FOLDER is a package whose training had the glacier held out. Only the network for single scenes is
adapted, for a fixed number of steps and without leaving a scene out; it is measured without
test-time augmentation on every seventh scene. Every case is kept in FOLDER, and one that is there
is not computed again. `--others` measures other glaciers too, before and after.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

PLUGINS = Path(__file__).parents[1] / "build" / "plugins"
sys.path.insert(0, str(PLUGINS))

import numpy as np  # noqa: E402
import torch  # noqa: E402

from glacier_qgis.models.compute.arrays import Mask  # noqa: E402
from glacier_qgis.models.engine.events import Silent  # noqa: E402
from glacier_qgis.models.package.folder import load_package  # noqa: E402
from glacier_qgis.models.review.retraining.labels import (  # noqa: E402
    Prediction,
    carried_zones,
    leaning,
    zones_around,
)
from glacier_qgis.models.review.retraining.learning import QUARTERS, Pace, course_of  # noqa: E402
from glacier_qgis.models.review.retraining.material import Material, Network  # noqa: E402
from glacier_qgis.models.review.retraining.retrain import networks_of  # noqa: E402
from glacier_qgis.models.review.retraining.samples import SceneInPlace  # noqa: E402
from glacier_qgis.models.training.data.samples import UNLABELLED, Labelled  # noqa: E402
from glacier_qgis.models.training.delivered.caffe import read_caffe  # noqa: E402
from glacier_qgis.models.training.measuring.assess import Answer  # noqa: E402
from glacier_qgis.models.training.measuring.evaluator import Evaluator  # noqa: E402
from glacier_qgis.models.training.measuring.totals import totals  # noqa: E402
from glacier_qgis.models.zones.codes import ROCK  # noqa: E402

CPU = torch.device("cpu")
EVERY = 7
MOSTLY = 0.9
"""Share of the scenes in which a cell must be labelled rock to count as known rock."""

Row = dict[str, object]


def measured(network: Network, scenes: Sequence[Labelled], cell: float) -> Row:
    """Return the errors of a network."""
    found = totals(Evaluator(network.built(), CPU, cell, augment=False).answers(scenes))
    box, whole = found.box, found.whole
    return {
        "box_m": round(box.mean_m),
        "median_m": round(box.median_m),
        "missed": box.missed,
        "images": box.images,
        "scene_m": round(whole.mean_m),
        "mean_iou": round(found.scores.mean_iou, 3),
    }


def in_place(answer: Answer) -> SceneInPlace:
    """Return a scene on the network's cells, with its true zones and fronts."""
    tile = answer.tile
    valid = np.isfinite(answer.value)
    return SceneInPlace(
        name=tile.name,
        group=tile.group,
        date=tile.date,
        ranks=np.where(valid, answer.value, 0)[None].astype(np.float32),
        valid=valid.astype(np.float32),
        zones=answer.truth,
        grid=answer.grid,
        lines=tuple(answer.reference),
    )


def labelled(
    truth: Sequence[SceneInPlace], answers: Sequence[Answer], chosen: Sequence[int], rock: Mask
) -> tuple[list[SceneInPlace], list[SceneInPlace]]:
    """Return the corrected scenes and the others, with the labels that `retrain` gives them."""
    ice = np.mean([leaning(answer.probabilities) for answer in answers], axis=0)
    corrected = []
    for place in chosen:
        own, scene = Prediction.of(answers[place].probabilities), truth[place]
        zones = zones_around(scene.lines, own, ice, rock, scene.grid, complete=True)
        corrected.append(scene.labelled(zones))
    carried = carried_zones([scene.zones for scene in corrected], rock, truth[0].grid)
    others = [
        scene.labelled(np.where(scene.valid > 0, carried, UNLABELLED).astype(np.uint8))
        for place, scene in enumerate(truth)
        if place not in chosen
    ]
    return corrected, others


def agreement(scenes: Sequence[SceneInPlace], truth: Sequence[SceneInPlace]) -> Row:
    """Return the share of the labelled cells that agree with CaFFe, and how many are labelled."""
    known = {scene.name: scene.zones for scene in truth}
    pairs = [(scene.zones, known[scene.name]) for scene in scenes]
    both = [(own[mask], true[mask]) for own, true in pairs for mask in [(own > 0) & (true > 0)]]
    same, count = (
        sum(values) for values in zip(*((np.sum(a == b), a.size) for a, b in both), strict=True)
    )
    labelled = np.mean([(own > 0).mean() for own, _ in pairs])
    return {"agree": round(float(same / count), 3), "labelled": round(float(labelled), 2)}


def course(given: argparse.Namespace, count: int, draw: int, rock: bool) -> Iterator[Row]:
    """Yield the errors before the training, and after each quarter of it."""
    model = load_package(given.base)
    cell = model.card.cell_size_m
    every = sorted(read_caffe(given.data / "caffe256"), key=lambda scene: scene.date)
    own = [scene for scene in every if scene.group == given.glacier]
    first, _ = networks_of(model, rock=False)
    answers = [*Evaluator(first.built(), CPU, cell, augment=False).answers(own)]
    truth = [in_place(answer) for answer in answers]
    share = np.mean([scene.zones == ROCK for scene in truth], axis=0)
    known = (share >= MOSTLY) if rock else np.zeros(share.shape, np.bool_)
    chosen = np.random.default_rng(draw).permutation(len(truth))[:count].tolist()
    tested = [place for place in range(1, len(truth), EVERY) if place not in chosen]
    network, _ = networks_of(model, rock=rock)

    def seen(scenes: Sequence[SceneInPlace]) -> list[Labelled]:
        return [replace(scene, rock=known if rock else None) for scene in scenes]

    test = seen([truth[place] for place in tested])
    elsewhere = [
        [scene for scene in every if scene.group == glacier][2::12] for glacier in given.others
    ]
    corrected, others = labelled(truth, answers, chosen, known)
    material = Material(seen(corrected), [seen(others)], complete=True)
    pace = Pace(given.steps, given.minutes, 1, CPU)
    training = course_of(network, material, pace, "")
    start = time.process_time()
    for done in (0.0, *QUARTERS):
        now = network.with_weights(training.until(done, Silent())) if done else network
        row: Row = {"done": done, "cpu_s": round(time.process_time() - start)}
        row |= measured(now, test, cell)
        if not done:
            row["labels"], row["carried"] = agreement(corrected, truth), agreement(others, truth)
        if not rock and done in (0.0, 1.0):
            for glacier, scenes in zip(given.others, elsewhere, strict=True):
                row[f"box_m_{glacier}"] = measured(now, scenes, cell)["box_m"]
        yield row


def main() -> None:
    """Print a line per state of each training."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=os.environ.get("GLACIER_DATA"))
    parser.add_argument("--base", type=Path, required=True)
    parser.add_argument("--glacier", required=True)
    parser.add_argument("--labels", nargs="+", type=int, default=[1, 3, 5, 10])
    parser.add_argument("--draws", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--rock", nargs="+", type=int, choices=(0, 1), default=[0, 1])
    parser.add_argument("--others", nargs="*", default=[])
    parser.add_argument("--steps", type=int, default=400)
    parser.add_argument("--minutes", type=float, default=1e6)
    given = parser.parse_args()
    given.data = Path(given.data)
    for count in given.labels:
        for draw in given.draws:
            for rock in given.rock:
                name = f"{given.glacier}-{count}-{draw}-{rock}-{given.steps}.jsonl"
                kept = given.base / name
                if not kept.is_file():
                    draft = kept.with_suffix(".part")
                    with draft.open("w", encoding="utf-8") as file:
                        for row in course(given, count, draw, bool(rock)):
                            file.write(json.dumps(row) + "\n")
                            file.flush()
                    draft.replace(kept)
                sys.stdout.write(f"{count} corrected, draw {draw}, rock {rock}\n")
                sys.stdout.write(kept.read_text(encoding="utf-8"))
                sys.stdout.flush()


if __name__ == "__main__":
    main()
