"""Read optical crops with the coastline: ocean against land and ice.

Cheng et al. (2021), The Cryosphere 15, 1663-1675, doi:10.5194/tc-15-1663-2021 (CALFIN).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from skimage import io

from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.package.card import TrainingData
from glacier_qgis.models.training.data.samples import LabelledScene, training_data
from glacier_qgis.models.training.delivered.drawn_zones import drawn_polygons, zones_with_coast

CELL_SIZE = 60.0
"""Assumed ground distance between pixels, m: not stated in the data."""

GROUP = "CALFIN"
SAME_PLACE = {"crop_08": "crop_06"}


def read_coast_lines(folder: Path) -> list[LabelledScene]:
    """Read ``crop_*.png`` with ``crop_*.csv`` (column and row of the coastline).

    Raises:
        EngineError: The folder has no such pair.
    """
    scenes = [_read(path) for path in sorted(folder.glob("crop_*.png"))]
    if not scenes:
        raise EngineError(
            f"{folder} has no crop with a coastline: choose a folder with crop_NN.png and "
            "crop_NN.csv."
        )
    return scenes


def coastline(path: Path) -> npt.NDArray[np.float64]:
    """Return column and row along the coastline of a crop, (N, 2)."""
    return np.genfromtxt(path.with_suffix(".csv"), delimiter=",", skip_header=1)


def is_coast(scene: LabelledScene) -> bool:
    """Whether a scene is from this data set."""
    return scene.group.startswith(GROUP)


def credit(scenes: Sequence[LabelledScene]) -> TrainingData:
    """Return the attribution of a model trained on these scenes."""
    return training_data(
        scenes,
        dataset="CALFIN crops of Greenland's calving fronts",
        credit=(
            "Cheng, D. et al. (2021), as shown by Heidler, K. (COBRA). Rock and ice on land were "
            "drawn by hand; pixels are assumed to be 60 m."
        ),
        licence="MIT",
        doi="10.5194/tc-15-1663-2021",
    )


def _read(path: Path) -> LabelledScene:
    image = io.imread(path)[..., 0]
    zones, front = zones_with_coast(drawn_polygons()[path.stem], coastline(path), image.shape)
    place = SAME_PLACE.get(path.stem, path.stem)
    return LabelledScene(
        name=path.stem,
        group=f"{GROUP}-{int(place.removeprefix('crop_'))}",
        date="",
        image=image,
        zones=zones,
        traced=front,
        cell_size=(CELL_SIZE, CELL_SIZE),
    )
