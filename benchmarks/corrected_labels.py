"""How right the labels are that corrected fronts give: do they know on which side the ice is?

    build/engine/bin/python benchmarks/corrected_labels.py --data DATA --runs RUNS [--no-rock]

Of each radar glacier, the fronts of every so many scenes count as corrected; the network for single
scenes was trained without the glacier. The labels are compared with the labelled zones.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

import numpy as np
import torch
from held_out_glacier import World, ask_for_base, base, some_scenes
from rasterio.enums import Resampling
from rasterio.transform import Affine
from rasterio.warp import reproject

from glacier_qgis.models.engine.events import Silent
from glacier_qgis.models.engine.job import RasterInput
from glacier_qgis.models.package.folder import load_package
from glacier_qgis.models.raster.grid import Grid
from glacier_qgis.models.review.retraining.places import read_place
from glacier_qgis.models.review.retraining.retrain import networks_of
from glacier_qgis.models.review.retraining.taught import CorrectedPlace, TaughtPlace
from glacier_qgis.models.training.data.samples import LabelledScene
from glacier_qgis.models.zones.codes import GLACIER, OCEAN

MOSTLY = 0.9
"""Share of right labels below which a front of a scene must be turned the wrong way."""


def true_zones(scene: LabelledScene, grid: Grid) -> np.ndarray:
    """Return the labelled zones on a grid, (rows, columns)."""
    zones, crs = np.zeros(grid.shape, np.uint8), grid.crs.to_wkt()
    reproject(
        scene.zones,
        zones,
        src_transform=Affine.scale(scene.cell_size[0], -scene.cell_size[1]),
        src_crs=crs,
        dst_transform=grid.transform,
        dst_crs=crs,
        resampling=Resampling.nearest,
    )
    return zones


def shares(glacier: str, given: argparse.Namespace, folder: Path) -> dict[str, float]:
    """Return the share of right labels of ice and water, by scene."""
    world = World.write(folder / glacier, some_scenes(given.data, glacier, 0))
    model = load_package(base(glacier, given.runs, given.suffix, folder / f"without_{glacier}"))
    rock = RasterInput(path=str(world.rock)) if given.rock else None
    names = {scene.name for scene in world.scenes[:: given.every] if world.fronts[scene.name]}
    place, _ = read_place(world.facts(names), model.card, rock)
    lone, _ = networks_of(model, rock=False)
    corrected = CorrectedPlace(place, dict.fromkeys(names, True), {})
    taught = TaughtPlace.by_fronts(corrected, lone, torch.device("cpu"), Silent())
    truth = {scene.name: true_zones(scene, place.grid) for scene in world.scenes}
    found = {}
    for scene in taught.scenes:
        if scene.name in names:
            true = truth[scene.name]
            both = (scene.zones >= GLACIER) & (true >= GLACIER) & (scene.zones <= OCEAN)
            found[scene.name] = float((scene.zones == true)[both].mean())
    return found


def main() -> None:
    """Print a line per glacier."""
    parser = argparse.ArgumentParser(description=__doc__)
    ask_for_base(parser)
    parser.add_argument("--every", type=int, default=3, help="scene counts as corrected")
    parser.add_argument("--no-rock", dest="rock", action="store_false", help="rock is not known")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="labels-") as name:
        for glacier in given.glaciers:
            found = shares(glacier, given, Path(name))
            wrong = [f"{scene} ({share:.0%})" for scene, share in found.items() if share < MOSTLY]
            sys.stdout.write(
                f"{glacier}: {np.mean([*found.values()]):.1%} of the labels of {len(found)} scenes "
                f"are right; turned the wrong way: {', '.join(wrong) or 'none'}\n"
            )
            sys.stdout.flush()


if __name__ == "__main__":
    main()
