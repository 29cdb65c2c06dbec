"""What a training data set is made of, whatever it was read from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from glacier_qgis.models.fronts.radiometry import border_fill, equalise, scene_quantiles
from glacier_qgis.models.fronts.zones import GLACIER, OCEAN
from glacier_qgis.models.package.card import TrainingData

UNLABELLED = 0

NEAR_FRONT = 3
"""Pixels between two zones for the line between them to count as a front."""


@dataclass(frozen=True)
class LabelledScene:
    """An image with its zones on the image's own grid.

    Attributes:
        name: The file's base name.
        group: What must not be split between training and test: the glacier.
        date: Of the acquisition, ISO 8601.
        image: (rows, columns) uint8, in any monotone radiometry.
        zones: (rows, columns) uint8: 0 unlabelled, 1 no data, 2 rock, 3 glacier, 4 ocean.
        traced: (rows, columns) True on the front that a person drew; may be some pixels wide.
        cell_size: Ground distance between pixels along a row and along a column, in m.
    """

    name: str
    group: str
    date: str
    image: npt.NDArray[np.uint8]
    zones: npt.NDArray[np.uint8]
    traced: npt.NDArray[np.bool_]
    cell_size: tuple[float, float]
    filled: npt.NDArray[np.bool_] = field(init=False, repr=False)
    front: npt.NDArray[np.intp] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "filled", border_fill(self.image == 0))
        object.__setattr__(self, "front", front_pixels(self.zones))

    def equalised(self) -> tuple[npt.NDArray[np.float32], ...]:
        """Return the rank of each value (0 where invalid) and the mask of valid pixels (1, 0)."""
        valid = ~self.filled
        values = np.where(valid, self.image, np.nan).astype(np.float32)
        return equalise(values, scene_quantiles(values[valid])), valid.astype(np.float32)


def front_pixels(zones: npt.NDArray[np.uint8]) -> npt.NDArray[np.intp]:
    """Return the (row, column) of ocean pixels with glacier close by, shape (N, 2)."""
    glacier = ndimage.binary_dilation(zones == GLACIER, iterations=NEAR_FRONT)
    return np.argwhere(glacier & (zones == OCEAN))


def training_data(
    scenes: Sequence[LabelledScene], *, dataset: str, credit: str, licence: str, doi: str
) -> TrainingData:
    """Describe what was learnt from for a model's card."""
    dates = sorted(scene.date for scene in scenes)
    return TrainingData(
        dataset=dataset,
        credit=credit,
        licence=licence,
        doi=doi,
        groups=sorted({scene.group for scene in scenes}),
        images=len(scenes),
        first_date=dates[0],
        last_date=dates[-1],
    )
