"""The regular, metric, north-up work grid."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from affine import Affine
from pyproj import CRS
from rasterio.windows import Window


@dataclass(frozen=True)
class Grid:
    """Square cells in a projected CRS in metres; row 0 is the north.

    Attributes:
        crs: Projected CRS with metres as its unit.
        transform: From (column, row) of a cell's corner to (easting, northing).
        height: Rows.
        width: Columns.
    """

    crs: CRS
    transform: Affine
    height: int
    width: int

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.height, self.width

    @property
    def cell_size(self) -> float:
        """Edge of a cell, m."""
        return float(self.transform.a)

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """West, south, east and north edge, m."""
        west, north = self.transform.c, self.transform.f
        return (
            west,
            north - self.height * self.cell_size,
            west + self.width * self.cell_size,
            north,
        )

    @property
    def x(self) -> npt.NDArray[np.float64]:
        """Eastings of the cell centres, m, ascending."""
        return np.asarray(self.transform.c + (np.arange(self.width) + 0.5) * self.cell_size)

    @property
    def y(self) -> npt.NDArray[np.float64]:
        """Northings of the cell centres, m, descending."""
        return np.asarray(self.transform.f - (np.arange(self.height) + 0.5) * self.cell_size)

    def place(self, row: int, column: int) -> str:
        """Return where the centre of a cell lies, for a message."""
        return f"x {self.x[column]:.0f}, y {self.y[row]:.0f} ({self.crs.name})"

    def crop(self, window: Window) -> Grid:
        """Return the part of this grid under `window`."""
        corner = self.transform @ (window.col_off, window.row_off)
        transform = Affine(self.cell_size, 0.0, corner[0], 0.0, -self.cell_size, corner[1])
        return Grid(self.crs, transform, int(window.height), int(window.width))

    def blocks(self, size: int) -> Iterator[Window]:
        """Cover the grid with windows of at most `size` cells per side, row by row."""
        for row in range(0, self.height, size):
            for column in range(0, self.width, size):
                yield Window(
                    column, row, min(size, self.width - column), min(size, self.height - row)
                )
