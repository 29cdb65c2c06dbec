"""Scenes with one front as files, from which lines are traced."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
import numpy.typing as npt
from affine import Affine
from pyproj import CRS
from rasterio.io import DatasetReader, MemoryFile

from glacier_qgis.models.raster.grid import Grid

CELL = 60.0
SIZE = 150
Front = Callable[[npt.NDArray[np.float64]], npt.NDArray[np.float64]]


def grid(height: int = SIZE, width: int = SIZE) -> Grid:
    return Grid(CRS.from_epsg(32624), Affine(CELL, 0, 500_000, 0, -CELL, 7_300_000), height, width)


@contextmanager
def dataset(bands: npt.NDArray[np.generic], scale: float = 1.0) -> Iterator[DatasetReader]:
    profile = {
        "driver": "GTiff",
        "height": bands.shape[1],
        "width": bands.shape[2],
        "count": bands.shape[0],
        "dtype": bands.dtype,
        "crs": "EPSG:32624",
        "transform": grid().transform,
    }
    with MemoryFile() as memory:
        with memory.open(**profile) as target:
            target.write(bands)
            target.scales = (scale,) * bands.shape[0]
        with memory.open() as source:
            yield source


def scene(
    column_of_row: Front, width: float = 1.5
) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8]]:
    """Zones and stored probabilities with a front at `column_of_row`, ocean to the right."""
    rows, columns = np.mgrid[:SIZE, :SIZE] + 0.5
    slope = np.gradient(column_of_row(rows[:, 0]))[:, None]
    distance = (columns - column_of_row(rows)) / np.sqrt(1 + slope**2)
    ocean = 1 / (1 + np.exp(-2 * distance / width))
    probability = np.stack([np.zeros_like(ocean), np.zeros_like(ocean), 1 - ocean, ocean])
    zones = np.where(ocean > 0.5, 4, 3).astype(np.uint8)
    return zones[None], np.rint(250 * probability).astype(np.uint8)


FRONTS: dict[str, Front] = {
    "straight": lambda rows: np.full_like(rows, 70.3),
    "diagonal": lambda rows: 20.7 + 0.8 * rows,
    "curved": lambda rows: 75 + 20 * np.sin(rows / 20),
}
