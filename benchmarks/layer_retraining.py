"""What correcting some stretches of a radar's echograms brings on its other echograms.

The radar is one that the delivered network knows badly: a low-frequency one on a valley glacier.
A simulated reviewer corrects the first stretches of a ranked queue, or as many at random, in eight
frames; the network is retrained on them as `retrain` does. It is then measured on six frames that
nobody corrected, and, for what it may have forgotten, on frames of the settings that it knew.
``GLACIER_DATA`` names the folder of data, with the expert geometry.

    build/engine/bin/python benchmarks/layer_retraining.py --steps 400 --corrected 10

``--without-replay`` trains on no simulated frames, but, as for a model that was trained on others,
on the stretches that nobody corrected, labelled by what the network is certain of.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "build" / "plugins"))

import numpy as np
import torch
from layer_accuracy import (
    Frame,
    Row,
    expert_frames,
    predicted,
    simulated_frames,
    table_row,
)
from layer_review import run, wrong_points
from torch import nn

from glacier_qgis.models.engine.events import Silent
from glacier_qgis.models.engine.job import RasterInput, VectorInput
from glacier_qgis.models.package.folder import Model, load_package
from glacier_qgis.models.radar.echogram.axes import Axes
from glacier_qgis.models.radar.echogram.coordinates import rows_at
from glacier_qgis.models.radar.echogram.raster import create_echogram
from glacier_qgis.models.radar.jobs.trace_layers import TraceLayers
from glacier_qgis.models.radar.layers.labels import labels_of
from glacier_qgis.models.radar.layers.model import DEFAULT, find_layer_model
from glacier_qgis.models.radar.layers.predict import LayerNetwork
from glacier_qgis.models.radar.layers.trace import BED_ID
from glacier_qgis.models.radar.simulate.echoes import Echoes
from glacier_qgis.models.radar.simulate.settings import SNOW_RADAR, VALLEY_GLACIER
from glacier_qgis.models.radar.simulate.tracks import Reflectors
from glacier_qgis.models.review.jobs.prepare import PrepareReview
from glacier_qgis.models.review.retraining.layers import (
    LayerMaterial,
    replayed,
    retrain_layers,
)
from glacier_qgis.models.review.retraining.learning import Pace
from glacier_qgis.models.review.retraining.stretches import (
    LabelledStretch,
    certain_codes,
    read_inputs,
)
from glacier_qgis.models.review.tables.store import read_table
from glacier_qgis.wall.review import PREDICTED, TASKS

FRAMES, TRACES, STRETCH, SEED = 8, 500, 100, 60
"""Frames that a reviewer sees, their traces, those of a stretch, and the first seed."""
MINUTES = 600.0
"""A training always runs to its last step."""


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=400)
    parser.add_argument("--corrected", type=int, nargs="+", default=[10])
    parser.add_argument("--without-replay", action="store_true")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as name:
        stretches, errors = reviewed(Path(name))
    print(f"{len(stretches)} stretches, {errors.sum():.0f} points missed or false")
    model = load_package(find_layer_model(DEFAULT))
    sets = {
        "valley glacier": [*simulated_frames(VALLEY_GLACIER, 6, 400)],
        "expert geometry": [*islice(expert_frames(Echoes(), 400), 2)],
        "Snow Radar": [*simulated_frames(SNOW_RADAR, 2, 400)],
    }
    print("| stretches corrected | share of the errors |" + "".join(f" {each} |" for each in sets))
    print("|---|---|" + "---|" * len(sets), flush=True)
    show("none", 0.0, measured(model.network, sets))
    random = np.random.default_rng(SEED).permutation(len(stretches))
    for count in asked.corrected:
        for order, title in ((np.arange(len(stretches)), "ranked"), (random, "at random")):
            chosen = order[:count]
            material = LayerMaterial(
                corrected=[stretches[index] for index in chosen],
                known=predicted_labels(model, stretches, order[count:])
                if asked.without_replay
                else replayed(SEED),
                old=[],
                test=[],
            )
            pace = Pace(asked.steps, MINUTES, 1, torch.device("cpu"))
            better = retrain_layers(model, material, pace, Silent()).lone.built()
            share = errors[chosen].sum() / errors.sum()
            show(f"{count}, {title}", share, measured(better, sets))


def reviewed(folder: Path) -> tuple[list[LabelledStretch], np.ndarray]:
    """Return the stretches of a ranked queue with their true labels, and the wrong points."""
    truths: dict[str, Reflectors] = {}
    sources = []
    for number in range(FRAMES):
        truth, power = VALLEY_GLACIER.simulate(TRACES, SEED + number)
        axes = Axes(frame_id=f"valley_{number}", time=4e-9 * np.arange(len(power)), traces=TRACES)
        with create_echogram(folder / f"{axes.frame_id}.tif", axes, {}) as target:
            target.write(0, power)
        sources.append(RasterInput(path=str(folder / f"{axes.frame_id}.tif")))
        truths[axes.frame_id] = truth
    run(TraceLayers(input=sources, output=folder / "lines.gpkg"))
    review = folder / "review.gpkg"
    lines = VectorInput(path=str(folder / "lines.gpkg"))
    queue = {"stretch": STRETCH, "count": 100_000, "audit_share": 0, "output": review}
    run(PrepareReview.model_validate({"input": lines, "scenes": sources, **queue}))
    tasks, traced = read_table(review, TASKS), read_table(review, PREDICTED)
    found, wrong = [], []
    for _, task in tasks.sort_values("rank").iterrows():
        first, last = round(task.geometry.bounds[0]), round(task.geometry.bounds[2])
        truth, inputs = truths[task.image_id], read_inputs(task.scene, task.geometry)
        own = traced[(traced.task == task.task) & (traced.line > BED_ID)]
        rows = rows_at([*own.geometry], np.arange(first, last, dtype=float))
        part = truth.layers[:, first:last]
        wrong.append(wrong_points(rows, part))
        ends = truth.surface[first:last], truth.bed[first:last]
        found.append(LabelledStretch(inputs, labels_of(part, *ends, inputs.shape[1]), 1.0))
    return found, np.array(wrong, float)


def predicted_labels(
    model: Model, stretches: Sequence[LabelledStretch], others: np.ndarray
) -> list[LabelledStretch]:
    """Label stretches by what the network is certain of."""
    network = LayerNetwork(model.network.eval(), model.stride, torch.device("cpu"))
    return [
        replace(one, codes=certain_codes(network.predict(one.inputs.astype(np.float32))))
        for one in (stretches[index] for index in others)
    ]


def measured(network: nn.Module, sets: dict[str, Sequence[Frame]]) -> list[Row]:
    """Measure a network on each set of frames."""
    ready = LayerNetwork(network.eval(), int(network.stride), torch.device("cpu"))
    return [table_row(name, "", [*frames], predicted(ready)) for name, frames in sets.items()]


def show(title: str, share: float, rows: Sequence[Row]) -> None:
    """Print one line of the table: ODS, F-score of the lines, and the share of the bed found."""
    cells = (
        f" {row.ods:.3f} / {row.f_lines:.3f}"
        + (f" / {row.bed_found:.2f}" if np.isfinite(row.bed_found) else "")
        for row in rows
    )
    print(f"| {title} | {share:.0%} |{' |'.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
