"""Spurious lines in scenes without a front, and fronts missed in scenes with one.

    build/engine/bin/python benchmarks/no_front.py --data DATA [--runs build/training] [--every 5]

Scenes without a front are parts of real radar images of CaFFe, cut by their zone labels: squares
without any ocean or any glacier, whole images with the ocean or the glacier clipped away (no data
there), and pure speckle. All go through the job `delineatetermini` with its defaults. With `--runs`
each glacier is evaluated with the network of that folder from whose training it was held out,
otherwise all with the delivered model, which was trained on all of them.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "build" / "plugins"))

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import rasterio
from affine import Affine
from safetensors.torch import load_file

from glacier_qgis.models.engine.events import Silent
from glacier_qgis.models.engine.outputs import Outputs
from glacier_qgis.models.fronts.jobs.scene import DelineateTermini
from glacier_qgis.models.package.folder import save_package
from glacier_qgis.models.training.data.samples import LabelledScene
from glacier_qgis.models.training.delivered.caffe import read_caffe
from glacier_qgis.models.training.delivered.describe import describe
from glacier_qgis.models.training.delivered.networks import NETWORKS
from glacier_qgis.models.zones.codes import GLACIER, OCEAN, ROCK

LEAST_CELLS = 48
"""Edge of the smallest square that is used."""
SPECKLE_EDGES = (128, 256, 512)
LOOKS = (1.0, 4.0)
CELL = 66.0
NOWHERE = "-"
WITH_FRONT = "whole image, with a front"

Image = npt.NDArray[np.float32]


def largest_square(allowed: npt.NDArray[np.bool_]) -> tuple[slice, slice]:
    """Return rows and columns of the largest square that is True throughout."""
    edges = np.zeros(np.add(allowed.shape, 1), dtype=int)
    for row, column in zip(*np.nonzero(allowed), strict=True):
        around = (edges[row, column + 1], edges[row + 1, column], edges[row, column])
        edges[row + 1, column + 1] = 1 + min(around)
    edge = int(edges.max())
    bottom, right = np.unravel_index(edges.argmax(), edges.shape)
    return slice(bottom - edge, bottom), slice(right - edge, right)


def views(scene: LabelledScene) -> Iterator[tuple[str, Image]]:
    """Yield what is made of an image, by its kind; NaN where there are no data."""
    whole = np.where(scene.filled, np.nan, scene.image).astype(np.float32)
    yield WITH_FRONT, whole
    for kind, code in (("ocean", OCEAN), ("glacier", GLACIER)):
        others = np.isin(scene.zones, [zone for zone in (ROCK, GLACIER, OCEAN) if zone != code])
        square = whole[largest_square(others & ~scene.filled)]
        if min(square.shape) >= LEAST_CELLS:
            yield f"square without {kind}", square
        yield f"{kind} clipped away", np.where(others, whole, np.nan)


def speckle(number: int) -> Iterator[tuple[str, Image]]:
    """Yield scenes of multiplicative noise on nothing, and on a brightness that falls across."""
    rng = np.random.default_rng(0)
    for _ in range(number):
        for edge in SPECKLE_EDGES:
            looks = float(rng.choice(LOOKS))
            noise = rng.gamma(looks, 1 / looks, (edge, edge))
            yield "speckle", noise.astype(np.float32)
            falling = noise * np.geomspace(1, 10, edge)
            yield "speckle, brighter on one side", falling.astype(np.float32)


def write(image: Image, cell: tuple[float, float], path: Path) -> None:
    """Write an image with its size of pixels, in a stand-in CRS."""
    height, width = image.shape
    form = {"driver": "GTiff", "dtype": "float32", "count": 1, "height": height, "width": width}
    transform = Affine.scale(cell[0], -cell[1])
    with rasterio.open(
        path, "w", crs="EPSG:3031", transform=transform, nodata=np.nan, **form
    ) as target:
        target.write(image, 1)


def delineate(
    image: Image, cell: tuple[float, float], model: str, folder: Path
) -> gpd.GeoDataFrame:
    """Return the lines that the product draws."""
    write(image, cell, folder / "scene.tif")
    job = DelineateTermini.model_validate(
        {
            "input": {"path": str(folder / "scene.tif")},
            "model": model,
            "output": folder / "lines.gpkg",
        }
    )
    with Outputs("00000000") as outputs:
        job.run(Silent(), outputs)
    return gpd.read_file(folder / "lines.gpkg")


def unseeing(glacier: str, runs: Path, folder: Path) -> str:
    """Return the package of the last run of a U-Net with a glacier held out."""
    package = folder / f"without {glacier}"
    if not package.exists():
        *_, weights = sorted(runs.glob(f"unet_{glacier}*/weights.safetensors"))
        card = describe("fold", NETWORKS["unet"], [], split=glacier)
        save_package(package, card, load_file(weights))
    return str(package)


def main() -> None:
    """Print a line for each glacier and kind of scene."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=os.environ.get("GLACIER_DATA"))
    parser.add_argument(
        "--runs", type=Path, help="folder of training runs, each with one glacier held out"
    )
    parser.add_argument("--every", type=int, default=5, help="take each n-th image")
    parser.add_argument("--speckle", type=int, default=8, help="scenes of speckle of each size")
    given = parser.parse_args()
    scenes, drawn = Counter[tuple[str, str]](), Counter[tuple[str, str]]()
    sure = defaultdict[tuple[str, str], list[float]](list)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)

        def count(place: str, kind: str, image: Image, cell: tuple[float, float]) -> None:
            unseen = given.runs and place != NOWHERE
            model = unseeing(place, given.runs, folder) if unseen else ""
            lines = delineate(image, cell, model, folder)
            scenes[place, kind] += 1
            drawn[place, kind] += bool(len(lines))
            sure[place, kind] += list(lines["confidence"])

        for scene in read_caffe(Path(given.data) / "caffe256")[:: given.every]:
            for kind, image in views(scene):
                count(scene.group, kind, image, scene.cell_size)
        for kind, image in speckle(given.speckle):
            count(NOWHERE, kind, image, (CELL, CELL))
    for key in sorted(scenes, key=lambda key: (key[1], key[0])):
        place, kind = key
        values = np.array(sure[key])
        print(
            f"{kind:<32} {place:<6} {drawn[key]:4} of {scenes[key]:4} scenes with a line, "
            f"{values.size} lines, confidence "
            f"{np.median(values) if values.size else np.nan:.2f}, most "
            f"{values.max() if values.size else np.nan:.2f}",
            flush=True,
        )


if __name__ == "__main__":
    main()
