"""Trains the delivered network for layers on simulated echograms.

``python -m glacier_qgis.models.training.delivered.layers`` makes the weights; no frame of a person
is among the data.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from safetensors.torch import save_file
from torch import Tensor

from glacier_qgis.models.compute.arrays import Float32Array
from glacier_qgis.models.engine.events import EventStream
from glacier_qgis.models.package.building import build
from glacier_qgis.models.package.card import Architecture
from glacier_qgis.models.radar.layers.codes import UNLABELLED
from glacier_qgis.models.radar.layers.contrast import Level, channels
from glacier_qgis.models.radar.layers.labels import Codes, labels_of
from glacier_qgis.models.radar.simulate.settings import varied
from glacier_qgis.models.training.fitting.fit import Fit, Schedule
from glacier_qgis.models.training.losses.layers import layer_loss
from glacier_qgis.models.training.views.sampling import Batch, Batches

NETWORKS = {
    "hed": Architecture(name="hed", parameters={"bands": 3, "classes": 4, "width": 12}),
    "unet": Architecture(name="unet", parameters={"bands": 3, "classes": 4, "width": 8}),
}
TRACES, SIZE, BATCH, RATE = 288, 192, 4, 3e-3
"""Traces of a frame, edge of a patch, patches per batch, highest learning rate."""


@dataclass(frozen=True)
class Patches:
    """Draws patches of simulated frames, half of them mirrored.

    Attributes:
        frames: Input (3, rows, traces) and labels (rows, traces) of each frame.
    """

    frames: list[tuple[npt.NDArray[np.float16], Codes]]

    @classmethod
    def simulate(cls, count: int, seed: int, labelled: float) -> Patches:
        """Simulate frames.

        Args:
            count: Number of frames.
            seed: Of their random numbers.
            labelled: Share of the layers that are labelled; below 1, no frame is complete.
        """
        return cls([_frame(np.random.default_rng([seed, n]), labelled) for n in range(count)])

    def batches(self) -> Batches:
        """Return the function that draws batches."""

        def draw(generator: torch.Generator) -> Batch:
            images, codes = zip(*(self._patch(generator) for _ in range(BATCH)), strict=True)
            return torch.stack(images), torch.stack(codes)

        return draw

    def _patch(self, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        def pick(count: int) -> int:
            return int(torch.randint(max(count, 1), (), generator=generator))

        inputs, codes = self.frames[pick(len(self.frames))]
        rows, traces = codes.shape
        top, left = pick(rows - SIZE + 1), pick(traces - SIZE + 1)
        part = np.s_[top : top + SIZE, left : left + SIZE]
        image: Float32Array = np.zeros((len(inputs), SIZE, SIZE), np.float32)
        label = np.full((SIZE, SIZE), UNLABELLED, np.int64)
        height = codes[part].shape[0]
        image[:, :height], label[:height] = inputs[(slice(None), *part)], codes[part]
        label[image[-1] == 0] = UNLABELLED
        turned = slice(None, None, -1 if pick(2) else 1)
        return (
            torch.from_numpy(image[..., turned].copy()),
            torch.from_numpy(label[..., turned].copy()),
        )


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
    patches = Patches.simulate(asked.frames, asked.seed, asked.labelled)
    schedule = Schedule(steps=asked.steps, rate=RATE, averaging=0.99)
    network = build(NETWORKS[asked.network])
    fitting = Fit(network, schedule, asked.output / "state", asked.seed, loss=layer_loss)
    weights = fitting.run(patches.batches(), EventStream(sys.stdout))
    save_file(weights, asked.output / "weights.safetensors")


if __name__ == "__main__":
    main()
