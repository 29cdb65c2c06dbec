"""Rasters of many scenes whose cells coincide, laid out on the ground that they cover together."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass

from rasterio.io import DatasetReader
from rasterio.windows import Window

from glacier_qgis.models.engine.errors import EngineError

FILES_BESIDE = 128
"""Files that the process may have open for other reasons."""
BLOCK = 64
"""Cells that the edge of a block is a multiple of."""


@dataclass(frozen=True)
class AlignedRaster:
    """A raster, and the row and column of its first cell on the ground of the series."""

    dataset: DatasetReader
    row: int
    column: int

    def overlap(self, block: Window) -> tuple[Window, tuple[slice, slice]] | None:
        """Return the part of a block that the raster covers: in the raster, and in the block."""
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
    """Lay rasters out: the north-western cell of all has row and column 0."""
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
    """Return the rows and columns of the ground that rasters cover."""
    return (
        max(placed.row + placed.dataset.height for placed in places),
        max(placed.column + placed.dataset.width for placed in places),
    )


def blocks(places: Sequence[AlignedRaster], cells_at_once: int) -> list[Window]:
    """Cut the ground into blocks of which all rasters together hold so many cells at most."""
    height, width = extent(places)
    edge = max(BLOCK, int((cells_at_once / len(places)) ** 0.5) // BLOCK * BLOCK)
    return [
        Window(left, top, min(edge, width - left), min(edge, height - top))
        for top in range(0, height, edge)
        for left in range(0, width, edge)
    ]


def allow_open_files(number: int) -> None:
    """Let this process open so many files beside its own, if the system sets a lower limit.

    Raises:
        EngineError: It does not let it be raised as far.
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
                f"CONSISTENT: so many scenes need {number} open files, and the system allows "
                f"{limit} ({error}). Raise its limit ('ulimit -n'), take fewer scenes at a time, "
                "or switch CONSISTENT off."
            ) from error
