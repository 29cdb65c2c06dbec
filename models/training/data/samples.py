"""The elements of a training data set, independent of its source."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Protocol

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from glacier_qgis.models.compute.arrays import Mask
from glacier_qgis.models.fronts.scene.radiometry import border_fill, equalise, scene_quantiles
from glacier_qgis.models.package.card import TrainingData
from glacier_qgis.models.raster.grid import Grid
from glacier_qgis.models.zones.codes import GLACIER, OCEAN

UNLABELLED = 0
OPEN = 255
"""Unlabelled, and fronts may be there that nobody drew: a network that is certain may label it."""

NEAR_FRONT = 3
"""Largest number of pixels between two zones with a front."""


class Labelled(Protocol):
    """A training sample: an image with its zones.

    Each property may read a file.
    """

    @property
    def name(self) -> str:
        """Its name in messages and tables."""

    @property
    def group(self) -> str:
        """Must not be split between training and test: the glacier."""

    @property
    def date(self) -> str:
        """Day of acquisition, ISO 8601; blank if not known."""

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""

    @property
    def cell_size(self) -> tuple[float, float]:
        """Ground distance between pixels along a row and along a column, m."""

    @property
    def grid(self) -> Grid | None:
        """Its pixels on the map; None where that is not known."""

    @property
    def zones(self) -> npt.NDArray[np.uint8]:
        """Codes of the classes, (rows, columns), 0 where unlabelled."""

    @property
    def traced(self) -> npt.NDArray[np.bool_]:
        """True on the front, (rows, columns); may be some pixels wide."""

    @property
    def front(self) -> npt.NDArray[np.signedinteger]:
        """(row, column) of pixels at the front, shape (N, 2); see `front_pixels`."""

    @property
    def known_rock(self) -> Mask | None:
        """Where rock is known, (rows, columns); None where nothing is known of it."""

    def equalised(self) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
        """Return ranks within the scene, -1 to 1, and the mask of valid pixels, 1 or 0.

        Shapes are (bands, rows, columns) and (rows, columns); ranks are 0 where invalid.
        """


@dataclass(frozen=True)
class LabelledScene:
    """An image with its zones on the image's own grid, in memory: a `Labelled`.

    Attributes:
        name: The file's base name.
        group: Must not be split between training and test: the glacier.
        date: Of the acquisition, ISO 8601.
        image: (rows, columns) uint8, in any monotonic radiometry.
        zones: (rows, columns) uint8: 0 unlabelled, 1 no data, 2 rock, 3 glacier, 4 ocean.
        traced: (rows, columns) True on the digitised front; may be some pixels wide.
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

    @property
    def shape(self) -> tuple[int, int]:
        """See `Labelled`."""
        rows, columns = self.image.shape
        return rows, columns

    @property
    def grid(self) -> None:
        """See `Labelled`."""

    @property
    def known_rock(self) -> None:
        """See `Labelled`."""

    def equalised(self) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
        """See `Labelled`."""
        return self._equalised

    @cached_property
    def _equalised(self) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
        valid = ~self.filled
        values = np.where(valid, self.image, np.nan).astype(np.float32)
        ranks = equalise(values, scene_quantiles(values[valid]))
        return ranks[None], valid.astype(np.float32)


def front_pixels(zones: npt.NDArray[np.uint8]) -> npt.NDArray[np.intp]:
    """Return the (row, column) of ocean pixels with glacier close by, shape (N, 2)."""
    glacier = ndimage.binary_dilation(zones == GLACIER, iterations=NEAR_FRONT)
    return np.argwhere(glacier & (zones == OCEAN))


def training_data(
    scenes: Sequence[Labelled], *, dataset: str, credit: str, licence: str, doi: str
) -> TrainingData:
    """Describe the training data for a model's card."""
    dates = sorted(scene.date for scene in scenes if scene.date) or [""]
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
