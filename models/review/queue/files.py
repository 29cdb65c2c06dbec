"""What a review cannot keep of its scenes: it notes where their files are, and nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.engine.events import Reporter
from glacier_qgis.models.engine.job import RasterInput
from glacier_qgis.models.engine.listing import listed
from glacier_qgis.models.raster.crs import read_crs
from glacier_qgis.models.raster.metric import transform_bounds
from glacier_qgis.models.raster.source import open_raster

SAME_PLACE_DEG = 1e-4
"""Degrees within which two CRS put a scene in the same place: about 10 m."""


def check_files(scenes: Sequence[RasterInput], reporter: Reporter) -> None:
    """Refuse scenes that would be read in another place later, and warn of other differences.

    Args:
        scenes: As the layers in QGIS are.
        reporter: Receives warnings.

    Raises:
        EngineError: The CRS of a scene is set in its layer only.
    """
    for scene in scenes:
        if scene.crs and not _lies_there(scene):
            raise EngineError(
                f"SCENES: the CRS of '{scene.shown}' is set in the properties of its layer only, "
                "not in the file, from which 'Retrain' reads it. Write it to the file with 'Assign "
                "projection', and add the layer again."
            )
    if addresses := [scene.shown for scene in scenes if not Path(scene.path).is_file()]:
        reporter.warning(
            f"SCENES: 'Retrain' trains on files only, so not on {listed(addresses)}. Export such "
            "scenes to GeoTIFF first if they shall be trained on."
        )
    if changed := [scene.shown for scene in scenes if scene.no_data or scene.options]:
        reporter.warning(
            f"SCENES: 'Retrain' reads the files as they are, without the no-data values and open "
            f"options that are set in the layers of {listed(changed)}."
        )


def _lies_there(scene: RasterInput) -> bool:
    """Return whether a scene lies where its file says; True of one that cannot be read."""
    earth = read_crs("EPSG:4326", "")
    try:
        with open_raster(scene, "SCENES") as shown:
            place = transform_bounds(shown.bounds, shown.crs, earth)
    except EngineError:
        return True  # told when the scenes are looked at
    try:
        with open_raster(RasterInput(path=scene.path, options=scene.options), "SCENES") as file:
            own = transform_bounds(file.bounds, file.crs, earth)
    except EngineError:
        return False
    return bool(np.allclose(place, own, rtol=0, atol=SAME_PLACE_DEG))
