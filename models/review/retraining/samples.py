"""The scenes of one place, on one grid of the model's cells, ready to train on."""

from __future__ import annotations

import datetime
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt
from shapely import LineString

from glacier_qgis.models.compute.arrays import Float32Array, Mask
from glacier_qgis.models.raster.grid import Grid
from glacier_qgis.models.training.data.samples import front_pixels


@dataclass(frozen=True)
class SceneInPlace:
    """One scene on the grid of its place; a `Labelled`.

    Attributes:
        name: The file's base name.
        group: The glacier.
        date: Day of acquisition, ISO 8601; blank if not known.
        ranks: (bands, rows, columns), 0 where invalid.
        valid: (rows, columns), 1 or 0.
        zones: (rows, columns), 0 where unlabelled.
        grid: The cells.
        lines: The corrected fronts in the CRS of `grid`; none of a scene that nobody corrected.
        rock: Known rock as a further channel; None for a network without one.
        path: Its file; blank if it was never one.
    """

    name: str
    group: str
    date: str
    ranks: Float32Array = field(repr=False)
    valid: Float32Array = field(repr=False)
    zones: npt.NDArray[np.uint8] = field(repr=False)
    grid: Grid
    lines: tuple[LineString, ...] = ()
    rock: Mask | None = field(default=None, repr=False)
    path: str = ""

    @property
    def day(self) -> datetime.date | None:
        """Of acquisition; None if not known."""
        return datetime.date.fromisoformat(self.date) if self.date else None

    @property
    def shape(self) -> tuple[int, int]:
        """See `Labelled`."""
        return self.grid.shape

    @property
    def cell_size(self) -> tuple[float, float]:
        """See `Labelled`."""
        return self.grid.cell_size, self.grid.cell_size

    @cached_property
    def front(self) -> npt.NDArray[np.intp]:
        """See `Labelled`."""
        return front_pixels(self.zones)

    @property
    def traced(self) -> npt.NDArray[np.bool_]:
        """See `Labelled`."""
        marked = np.zeros(self.shape, np.bool_)
        marked[tuple(self.front.T)] = True
        return marked

    @property
    def known_rock(self) -> Mask | None:
        """See `Labelled`."""
        return self.rock

    def equalised(self) -> tuple[Float32Array, Float32Array]:
        """See `Labelled`; with rock as the last band, if there is such a channel."""
        if self.rock is None:
            return self.ranks, self.valid
        known = (self.rock * self.valid).astype(np.float32)[None]
        return np.concatenate([self.ranks, known]), self.valid

    def labelled(self, zones: npt.NDArray[np.uint8]) -> SceneInPlace:
        """Return the scene with other labels."""
        return replace(self, zones=zones)
