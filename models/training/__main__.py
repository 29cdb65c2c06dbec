"""Train the calving-front model: ``python -m glacier_qgis.models.training --help``."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor

from glacier_qgis.models.engine.device import tune_allocator
from glacier_qgis.models.engine.events import EventStream
from glacier_qgis.models.networks.unet import UNet
from glacier_qgis.models.training.augment import Augmentation
from glacier_qgis.models.training.caffe import read_caffe
from glacier_qgis.models.training.fit import Batches, Fit, Schedule
from glacier_qgis.models.training.front_lines import read_front_lines
from glacier_qgis.models.training.samples import LabelledScene

CELL_SIZE = 60.0
"""Ground distance between the cells that the network sees, in m."""

BATCH, WINDOW = 8, 256


def main() -> None:
    """Read the data, fit, write the averaged weights."""
    arguments = _arguments()
    reporter = EventStream(sys.stdout)
    tune_allocator()
    torch.manual_seed(arguments.seed)
    zones = [scene for scene in read_caffe(arguments.data) if scene.group != arguments.hold_out]
    pools = [[scene for scene in zones if scene.group == group] for group in _groups(zones)]
    if arguments.front_lines:
        pools.append(read_front_lines(arguments.front_lines))
    reporter.log(f"{[len(pool) for pool in pools]} images to learn from")
    schedule = Schedule(steps=arguments.steps, minutes=arguments.minutes)
    fit = Fit(UNet(), schedule, arguments.output / "state", arguments.seed)
    weights = fit.run(sampler(pools), reporter)
    save_file(weights, arguments.output / "weights.safetensors")


def sampler(pools: list[list[LabelledScene]]) -> Batches:
    """Draw each pool equally often, however many images it has."""

    def batch(generator: torch.Generator) -> tuple[Tensor, Tensor]:
        augment = Augmentation(WINDOW, CELL_SIZE, generator)
        views = []
        for _ in range(BATCH):
            pool = pools[int(torch.randint(len(pools), (), generator=generator))]
            views.append(augment(pool[int(torch.randint(len(pool), (), generator=generator))]))
        images, zones = zip(*views, strict=True)
        return torch.stack(images), torch.stack(zones)

    return batch


def _groups(scenes: list[LabelledScene]) -> list[str]:
    return sorted({scene.group for scene in scenes})


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of CaFFe")
    parser.add_argument("--front-lines", type=Path, help="folder of Landsat images with fronts")
    parser.add_argument("--hold-out", required=True, help="glacier of CaFFe kept for the test")
    parser.add_argument("--output", type=Path, required=True, help="folder for the result")
    parser.add_argument("--steps", type=int, default=7000)
    parser.add_argument("--minutes", type=float, default=float("inf"))
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args()


if __name__ == "__main__":
    main()
