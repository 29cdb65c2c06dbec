"""Draw the best, the median and the worst scene of each held-out glacier.

    build/engine/bin/python docs/pictures/fronts.py --data DATA --runs RUNS [--network NETWORK]

after ``benchmarks/front_accuracy.py``, whose networks it uses: "unet", "optical" or "series", which
sees each scene beside the others (zones that persist are not part of the picture). Labelled fronts
are blue, predicted ones orange.
"""

from __future__ import annotations

import argparse
import io
import os
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT / "build" / "plugins"), str(ROOT / "benchmarks")]

import numpy as np
import torch
from front_accuracy import CYCLES, GLACIERS, OPTICAL, chosen, train
from safetensors.torch import load_file
from skimage import io as images

from glacier_qgis.models.engine.events import Silent
from glacier_qgis.models.package.building import build
from glacier_qgis.models.training.data.samples import Labelled
from glacier_qgis.models.training.delivered.caffe import read_caffe
from glacier_qgis.models.training.delivered.front_lines import read_front_lines
from glacier_qgis.models.training.delivered.networks import NETWORKS
from glacier_qgis.models.training.measuring.evaluator import Evaluator
from glacier_qgis.models.training.measuring.pictures import draw_fronts
from glacier_qgis.models.training.publishing.describe import CELL_SIZE_M
from glacier_qgis.models.training.views.series import SeriesScenes

GAP = 8


def main() -> None:
    """Write a picture for each glacier."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=os.environ.get("GLACIER_DATA"))
    parser.add_argument("--runs", type=Path, required=True)
    parser.add_argument("--network", choices=CYCLES, default="unet")
    parser.add_argument("--glaciers", nargs="+", choices=[*GLACIERS, *OPTICAL])
    given = parser.parse_args()
    given.data = Path(given.data)
    optical = given.network == "optical"
    scenes = (
        read_front_lines(given.data / "landsat_greenland" / "train")
        if optical
        else read_caffe(given.data / "caffe256")
    )
    for glacier in chosen(given.network, given.glaciers):
        weights = train(given.network, glacier, len(CYCLES[given.network]) - 1, given)
        network = build(NETWORKS["unet" if optical else given.network])
        network.load_state_dict(load_file(weights))
        judge = Evaluator(network.eval(), torch.device("cpu"), CELL_SIZE_M)
        unseen: Sequence[Labelled] = [scene for scene in scenes if scene.group == glacier]
        if given.network == "series":
            unseen = SeriesScenes(unseen).members()
        shown = judge.measure(unseen, Silent()).shown
        for kind, answer in shown.items():
            sys.stdout.write(f"{glacier}: {kind.lower()}: {answer.tile.name}\n")
        drawn = [images.imread(io.BytesIO(draw_fronts(answer))) for answer in shown.values()]
        height = max(picture.shape[0] for picture in drawn)
        framed = [
            np.pad(
                picture[..., :3],
                ((0, height - picture.shape[0]), (0, GAP), (0, 0)),
                constant_values=255,
            )
            for picture in drawn
        ]
        name = "series" if given.network == "series" else "front"
        target = Path(__file__).with_name(f"{name}_{glacier.removeprefix('Landsat-')}.png")
        images.imsave(target, np.concatenate(framed, axis=1)[:, :-GAP], check_contrast=False)


if __name__ == "__main__":
    main()
