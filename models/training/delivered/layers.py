"""Trains the delivered network for layers on simulated echograms.

``python -m glacier_qgis.models.training.delivered.layers`` makes the weights; no frame of a person
is among the data.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from safetensors.torch import save_file

from glacier_qgis.models.engine.events import EventStream
from glacier_qgis.models.package.building import build
from glacier_qgis.models.package.card import Architecture
from glacier_qgis.models.radar.layers.contrast import Level, channels
from glacier_qgis.models.radar.layers.labels import Codes, labels_of
from glacier_qgis.models.radar.simulate.variety import varied
from glacier_qgis.models.training.echograms.patches import sampler
from glacier_qgis.models.training.fitting.fit import Fit, Schedule
from glacier_qgis.models.training.losses.layers import layer_loss

NETWORKS = {
    "hed": Architecture(name="hed", parameters={"bands": 3, "classes": 4, "width": 12}),
    "unet": Architecture(name="unet", parameters={"bands": 3, "classes": 4, "width": 8}),
}
TRACES, SIZE, BATCH, RATE = 288, 192, 4, 2e-3
"""Traces of a frame, edge of a patch, patches per batch, highest learning rate."""


Frames = list[tuple[npt.NDArray[np.float16], Codes]]
"""Input (3, rows, traces) and labels (rows, traces) of each frame."""


def simulated(count: int, seed: int, labelled: float) -> Frames:
    """Simulate frames.

    Args:
        count: Number of frames.
        seed: Of their random numbers.
        labelled: Share of the layers that are labelled; below 1, no frame is complete.
    """
    return [_frame(np.random.default_rng([seed, number]), labelled) for number in range(count)]


def _frame(random: np.random.Generator, labelled: float) -> tuple[npt.NDArray[np.float16], Codes]:
    reflectors, power = varied(random).simulate(TRACES, int(random.integers(1 << 31)))
    chosen = reflectors.layers[random.random(len(reflectors.layers)) < labelled]
    codes = labels_of(
        chosen, reflectors.surface, reflectors.bed, len(power), complete=labelled >= 1
    )
    return channels(power, Level.of(power)).astype(np.float16), codes


def main() -> None:
    """Train one network, and write its averaged weights."""
    torch.set_num_threads(1)
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--network", choices=[*NETWORKS], default="unet")
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--steps", type=int, default=1200)
    parser.add_argument("--frames", type=int, default=240)
    parser.add_argument("--labelled", type=float, default=1.0)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    torch.manual_seed(asked.seed)
    asked.output.mkdir(parents=True, exist_ok=True)
    frames = simulated(asked.frames, asked.seed, asked.labelled)
    batches = sampler(frames.__getitem__, len(frames), BATCH, SIZE)
    schedule = Schedule(steps=asked.steps, rate=RATE, averaging=0.99)
    network = build(NETWORKS[asked.network])
    fitting = Fit(network, schedule, asked.output / "state", asked.seed, loss=layer_loss)
    weights = fitting.run(batches, EventStream(sys.stdout))
    save_file(weights, asked.output / "weights.safetensors")


if __name__ == "__main__":
    main()
