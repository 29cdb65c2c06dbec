"""Trains the delivered network for layers on simulated echograms.

``python -m glacier_qgis.models.training.delivered.layers`` makes the weights; no frame of a person
is among the data.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import torch
from safetensors.torch import save_file

from glacier_qgis.models.engine.events import EventStream
from glacier_qgis.models.package.building import build
from glacier_qgis.models.package.card import Architecture
from glacier_qgis.models.training.echograms.patches import sampler
from glacier_qgis.models.training.echograms.simulated import simulated_frames
from glacier_qgis.models.training.fitting.fit import Fit, Schedule
from glacier_qgis.models.training.losses.layers import layer_loss

NETWORKS = {
    "hed": Architecture(name="hed", parameters={"bands": 3, "classes": 4, "width": 12}),
    "unet": Architecture(name="unet", parameters={"bands": 3, "classes": 4, "width": 8}),
}
SIZE, BATCH, RATE = 192, 4, 2e-3
"""Edge of a patch, patches per batch, highest learning rate."""


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
    frames = simulated_frames(asked.frames, asked.seed, asked.labelled)
    batches = sampler(frames.__getitem__, len(frames), BATCH, SIZE)
    schedule = Schedule(steps=asked.steps, rate=RATE, averaging=0.99)
    network = build(NETWORKS[asked.network])
    fitting = Fit(network, schedule, asked.output / "state", asked.seed, loss=layer_loss)
    weights = fitting.run(batches, EventStream(sys.stdout))
    save_file(weights, asked.output / "weights.safetensors")


if __name__ == "__main__":
    main()
