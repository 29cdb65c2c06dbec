"""How far lines of labelled zones are from the labelled fronts: no model can be much nearer.

    build/engine/bin/python benchmarks/label_floor.py --data DATA [--every 2]

The labelled zones of each radar glacier of CaFFe go through `extracttermini` with its defaults, and
the lines are measured as those of a model are: pooled over the scenes of a glacier, in the box and
over the whole scene. What is left is due to the size of the pixels, and to contacts of ice and
water that nobody labelled as a front.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import geopandas as gpd
import rasterio
import rasterio.shutil
from held_out_glacier import GLACIERS, some_scenes
from rasterio.io import DatasetReader
from rasterio.vrt import WarpedVRT
from rasterio.warp import aligned_target

from glacier_qgis.models.engine.events import Silent
from glacier_qgis.models.engine.outputs import Outputs
from glacier_qgis.models.fronts.jobs.scene import ExtractTermini
from glacier_qgis.models.training.data.samples import LabelledScene
from glacier_qgis.models.training.delivered.evaluate import (
    ImageDistances,
    pooled_values,
    reference_lines,
    write_scene,
)
from glacier_qgis.models.training.publishing.describe import CELL_SIZE_M
from glacier_qgis.models.vector.lines import line_parts


def squares(pixels: DatasetReader) -> dict[str, object]:
    """Return the model's square cells over a raster."""
    transform, width, height = aligned_target(
        pixels.transform, pixels.width, pixels.height, CELL_SIZE_M
    )
    return {"transform": transform, "width": width, "height": height}


def distances(scene: LabelledScene) -> ImageDistances:
    """Return the distances between the lines of a scene's zones and its labelled fronts."""
    with tempfile.TemporaryDirectory(prefix="floor-") as name:
        pixels, zones, lines = (Path(name) / one for one in ("pixels.tif", "zones.tif", "l.gpkg"))
        transform = write_scene(replace(scene, image=scene.zones), pixels)
        with rasterio.open(pixels) as labelled, WarpedVRT(labelled, **squares(labelled)) as warped:
            rasterio.shutil.copy(warped, zones, driver="GTiff")
        given = {"input": {"path": str(zones)}, "output": lines}
        with Outputs("00000000") as outputs:
            ExtractTermini.model_validate(given).run(Silent(), outputs)
        found = line_parts(gpd.read_file(lines).geometry)
    return ImageDistances.of(found, [*reference_lines(scene, transform)])


def main() -> None:
    """Print a line per glacier."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=os.environ.get("GLACIER_DATA"))
    parser.add_argument("--every", type=int, default=1, help="measure every n-th scene")
    given = parser.parse_args()
    for glacier in GLACIERS:
        scenes = some_scenes(given.data, glacier, 0)[:: given.every]
        values = pooled_values([distances(scene) for scene in scenes])
        sys.stdout.write(
            f"{glacier:6} {values['images']} scenes: {values['mde_box_m']} m in the box, "
            f"{values['mde_scene_m']} m over the scene, {values['missed_box']} missed\n"
        )
        sys.stdout.flush()


if __name__ == "__main__":
    main()
