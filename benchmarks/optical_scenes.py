"""Lines in optical scenes of unseen places.

    build/engine/bin/python benchmarks/optical_scenes.py --data DATA [--model landsat_unet]

Scenes are the two of `optical_cases`, which no model may be trained on, and the crops of
`calfin_crops`, of which only some are held out (`HELD_OUT`). All go through the job
`delineatetermini` with its defaults. A line is astray where it is more than 500 m from the coast; a
front is missed where most of it is more than 500 m from all lines.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "build" / "plugins"))

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import rasterio
from affine import Affine
from rasterio.enums import ColorInterp
from scipy import ndimage
from shapely import LineString
from skimage import io
from skimage.morphology import thin

from glacier_qgis.models.engine.events import Silent
from glacier_qgis.models.engine.outputs import Outputs
from glacier_qgis.models.fronts.jobs.scene import DelineateTermini
from glacier_qgis.models.fronts.termini.metrics import mask_lines, points_along
from glacier_qgis.models.package.folder import read_card
from glacier_qgis.models.package.registry import find_model
from glacier_qgis.models.training.delivered.coast_lines import coastline, read_coast_lines
from glacier_qgis.models.training.delivered.drawn_zones import drawn_line
from glacier_qgis.models.training.delivered.evaluate import SPACING_M, STAND_IN_CRS
from glacier_qgis.models.vector.lines import line_parts

FRONTS = {
    "gl_13": (slice(25, 470), slice(115, 385)),
    "gl_20": (slice(135, 335), slice(335, 400)),
}
"""Rows and columns in which the coast of a case is the glacier's front."""
CASE_CELL = 30.0
HELD_OUT = ("crop_03", "crop_06", "crop_08")
ASTRAY = 500.0

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class CoastScene:
    """An image with its whole coast.

    Attributes:
        name: Its file's base name.
        image: (bands, rows, columns) uint8.
        coast: True on the line between ocean and land or ice.
        front: True on the part of it that is glacier.
        cell: Edge of a pixel, m.
    """

    name: str
    image: npt.NDArray[np.uint8]
    coast: Mask
    front: Mask
    cell: float

    @property
    def transform(self) -> Affine:
        """From (column, row) to coordinates."""
        return Affine.scale(self.cell, -self.cell)


def cases(folder: Path) -> Iterator[CoastScene]:
    """Read the scenes with masks."""
    for name, window in FRONTS.items():
        image = io.imread(folder / f"{name}_image.png")[..., :3]
        ocean = io.imread(folder / f"{name}_mask.png")[..., 0] < 128
        coast = ocean & ndimage.binary_dilation(~ocean)
        front = np.zeros_like(coast)
        front[window] = coast[window]
        yield CoastScene(name, np.moveaxis(image, -1, 0), coast, front, CASE_CELL)


def crops(folder: Path) -> Iterator[CoastScene]:
    """Read the crops with coastlines."""
    for scene in read_coast_lines(folder):
        coast = drawn_line(coastline(folder / f"{scene.name}.png"), scene.shape)
        yield CoastScene(scene.name, scene.image[None], coast, scene.traced, scene.cell_size[0])


def lines_of(scene: CoastScene, asked: argparse.Namespace) -> list[LineString]:
    """Delineate the termini of a scene; the colours of its bands are named."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        bands, height, width = scene.image.shape
        with rasterio.open(
            folder / "optical.tif",
            "w",
            driver="GTiff",
            dtype="uint8",
            count=bands,
            height=height,
            width=width,
            crs=STAND_IN_CRS,
            transform=scene.transform,
        ) as dataset:
            dataset.write(scene.image)
            if bands >= len(COLOURS):
                dataset.colorinterp = COLOURS
        parameters = {
            "input": {"path": str(folder / "optical.tif")},
            "model": asked.model,
            "cell_size": asked.cell_size,
            "output": folder / "termini.gpkg",
            "zones": None,
            "uncertainty": None,
        }
        with Outputs("00000000") as outputs:
            DelineateTermini.model_validate(parameters).run(Silent(), outputs)
        return line_parts(gpd.read_file(folder / "termini.gpkg").geometry)


COLOURS = (ColorInterp.red, ColorInterp.green, ColorInterp.blue)


def distances(lines: list[LineString], mask: Mask, transform: Affine) -> tuple[list[float], ...]:
    """Return the distances of the lines' points to a mask, and of the mask's to the lines, m."""
    reference = mask_lines(thin(mask), transform)
    there = gpd.GeoSeries(points_along(lines, SPACING_M)).distance(
        gpd.GeoSeries(reference).union_all()
    )
    back = gpd.GeoSeries(points_along(reference, SPACING_M)).distance(
        gpd.GeoSeries(lines).union_all()
    )
    return there.tolist(), back.tolist()


def main() -> None:
    """Print a line for each scene."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=os.environ.get("GLACIER_DATA"))
    parser.add_argument("--model", default="landsat_unet")
    parser.add_argument("--cell-size", type=float, help="m; the model's by default")
    asked = parser.parse_args()
    cell = asked.cell_size or read_card(find_model(asked.model)).cell_size_m
    sys.stdout.write(
        f"{'scene':9} {'lines':>5} {'farthest, m':>11} {'mean, m':>8} {'cells':>6}  verdict\n"
    )
    everything = [
        *cases(asked.data / "optical_cases"),
        *crops(asked.data / "calfin_crops"),
    ]
    for scene in everything:
        lines = lines_of(scene, asked)
        unseen = scene.name in (*FRONTS, *HELD_OUT)
        kind = "unseen" if unseen else "trained on"
        if not lines:
            sys.stdout.write(f"{scene.name:9} {0:5} {'':11} {'':8} {'':6}  missed ({kind})\n")
            continue
        strayed, _ = distances(lines, scene.coast, scene.transform)
        _, back = distances(lines, scene.front, scene.transform)
        mean = float(np.mean([*strayed, *back]))
        verdict = [
            *(["astray"] if max(strayed) > ASTRAY else []),
            *(["missed"] if np.median(back) > ASTRAY else []),
        ]
        sys.stdout.write(
            f"{scene.name:9} {len(lines):5} {max(strayed):11.0f} {mean:8.0f} {mean / cell:6.1f}  "
            f"{' and '.join(verdict) or 'right'} ({kind})\n"
        )
        sys.stdout.flush()


if __name__ == "__main__":
    main()
