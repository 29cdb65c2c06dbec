"""Read optical images with a digitised front; zones follow from the lines.

Mohajerani et al. (2019), Remote Sens. 11, 74, doi:10.3390/rs11010074: Landsat images of Greenland,
rotated so that the ice flows upward, each with a front one pixel wide.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy import ndimage
from skimage import io

from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.package.card import TrainingData
from glacier_qgis.models.training.data.samples import UNLABELLED, LabelledScene, training_data
from glacier_qgis.models.training.delivered.drawn_zones import drawn_polygons, zones_with_front
from glacier_qgis.models.zones.codes import GLACIER, OCEAN

CELL_SIZE = 49.0
"""Mean ground distance between pixels of this data set, in m."""

GROUP = "Landsat"
"""First part of the group's name; the second is the glacier's."""

GLACIERS = {"Jakobshavn": range(8, 11), "Sverdrup": range(20, 25), "Kangerlussuaq": range(229, 232)}
"""Landsat paths and their glaciers."""

REACH = 80
"""Pixels on either side of the front in which zones follow from it: the ice flows upward in the
image."""


def read_front_lines(folder: Path) -> list[LabelledScene]:
    """Read ``images/*_Subset.png`` with ``labels_1px/*_Front.png`` (black line on white).

    Raises:
        EngineError: The folder has no such pair.
    """
    scenes = []
    for path in sorted((folder / "images").glob("*_Subset.png")):
        label = folder / "labels_1px" / path.name.replace("_Subset", "_Front")
        if label.is_file():
            scenes.append(_read(path, label))
    if not scenes:
        raise EngineError(
            f"{folder} has no image with a front: choose a folder with images/NAME_Subset.png and "
            "labels_1px/NAME_Front.png."
        )
    return scenes


def is_optical(scene: LabelledScene) -> bool:
    """Whether a scene is from this data set."""
    return scene.group.startswith(GROUP)


def with_drawn_zones(scene: LabelledScene) -> LabelledScene:
    """Return a scene with the zones of its whole image, see `drawn_zones`."""
    drawn = drawn_polygons()[scene.group]
    return replace(scene, zones=zones_with_front(drawn, scene.traced, scene.zones))


def credit(scenes: Sequence[LabelledScene]) -> TrainingData:
    """Return the attribution of a model trained on these scenes."""
    return training_data(
        scenes,
        dataset="Landsat images of Greenland's calving fronts",
        credit=(
            "Mohajerani, Y.; Wood, M.; Velicogna, I.; Rignot, E. (2019), Remote Sensing 11, 74. "
            "Zones within 80 pixels of the fronts follow from the lines."
        ),
        licence="CC BY 4.0",
        doi="10.3390/rs11010074",
    )


def _read(path: Path, label: Path) -> LabelledScene:
    front = io.imread(label)[..., 0] < 128
    name = path.stem.removesuffix("_Subset")
    _, _, path_row, date, *_ = name.split("_")
    return LabelledScene(
        name=name,
        group=f"{GROUP}-{_glacier(int(path_row[:3]))}",
        date=datetime.strptime(date, "%Y%m%d").date().isoformat(),
        image=io.imread(path)[..., 0],
        zones=zones_beside(front),
        traced=front,
        cell_size=(CELL_SIZE, CELL_SIZE),
    )


def _glacier(path: int) -> str:
    names = [name for name, paths in GLACIERS.items() if path in paths]
    return names[0] if names else f"path {path:03d}"


def zones_beside(front: npt.NDArray[np.bool_], reach: int = REACH) -> npt.NDArray[np.uint8]:
    """Label glacier below a front and ocean above it, up to `reach` pixels from it.

    Columns without front, and rows between two crossings of one column, stay unlabelled.

    Args:
        front: (rows, columns), True on the line.
        reach: In pixels.
    """
    rows = np.arange(front.shape[0])[:, None]
    crossed = front.any(axis=0)
    highest = front.argmax(axis=0)
    lowest = front.shape[0] - 1 - front[::-1].argmax(axis=0)
    near = crossed & (ndimage.distance_transform_edt(~front) <= reach)
    zones = np.full(front.shape, UNLABELLED, np.uint8)
    zones[near & (rows < highest)] = OCEAN
    zones[near & (rows >= lowest)] = GLACIER
    return zones
