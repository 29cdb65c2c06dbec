"""Rasters whose cells coincide, placed on the area that they cover together."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass

from rasterio.io import DatasetReader
from rasterio.windows import Window

from glacier_qgis.models.engine.errors import EngineError

FILES_BESIDE = 128
"""Number of files that the process may have open for other reasons."""
BLOCK = 64
"""Cells that the edge of a block is a multiple of."""


@dataclass(frozen=True)
class AlignedRaster:
    """A raster, and the row and column of its first cell in the area of the series."""

    dataset: DatasetReader
    row: int
    column: int

    def overlap(self, block: Window) -> tuple[Window, tuple[slice, slice]] | None:
        """Return the common part as a window of the raster and as a window of the block."""
        top = max(block.row_off, self.row)
        left = max(block.col_off, self.column)
        bottom = min(block.row_off + block.height, self.row + self.dataset.height)
        right = min(block.col_off + block.width, self.column + self.dataset.width)
        if bottom <= top or right <= left:
            return None
        window = Window(left - self.column, top - self.row, right - left, bottom - top)
        inside = (
            slice(top - block.row_off, bottom - block.row_off),
            slice(left - block.col_off, right - block.col_off),
        )
        return window, inside


def lay_out(datasets: Sequence[DatasetReader]) -> list[AlignedRaster]:
    """Place rasters; the north-western cell of all of them has row and column 0."""
    west = min(dataset.bounds.left for dataset in datasets)
    north = max(dataset.bounds.top for dataset in datasets)
    return [
        AlignedRaster(
            dataset,
            row=round((north - dataset.bounds.top) / dataset.transform.a),
            column=round((dataset.bounds.left - west) / dataset.transform.a),
        )
        for dataset in datasets
    ]


def extent(places: Sequence[AlignedRaster]) -> tuple[int, int]:
    """Return the rows and columns of the area that rasters cover."""
    return (
        max(placed.row + placed.dataset.height for placed in places),
        max(placed.column + placed.dataset.width for placed in places),
    )


def blocks(places: Sequence[AlignedRaster], cells_at_once: int) -> list[Window]:
    """Cut the area into blocks under which all rasters together have at most `cells` cells."""
    height, width = extent(places)
    edge = max(BLOCK, int((cells_at_once / len(places)) ** 0.5) // BLOCK * BLOCK)
    return [
        Window(left, top, min(edge, width - left), min(edge, height - top))
        for top in range(0, height, edge)
        for left in range(0, width, edge)
    ]


def allow_open_files(number: int) -> None:
    """Raise the limit of open files so that this process can open `number` more.

    Raises:
        EngineError: The system does not allow it.
    """
    if sys.platform == "win32":  # has no such limit
        return
    import resource

    number += FILES_BESIDE
    limit, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    if limit != resource.RLIM_INFINITY and limit < number:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (number, most))
        except (ValueError, OSError) as error:
            raise EngineError(
                f"CONSISTENT: these scenes need {number} open files, and the system allows {limit} "
                f"({error}). Raise the limit ('ulimit -n'), process fewer scenes at a time, or "
                "switch CONSISTENT off."
            ) from error
