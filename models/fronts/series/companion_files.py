"""Ranks of the scenes of a series on disk, as additional input for the other scenes.

Each scene's ranks are one raster; another raster holds their sums over all scenes. A scene's own
ranks are subtracted from the sums, exactly, so that a series of N scenes is read N times, not N²
times.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import rasterio
from affine import Affine
from pyproj import CRS
from rasterio.io import DatasetReader
from rasterio.windows import Window

from glacier_qgis.models.compute.arrays import Float32Array
from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.engine.job import Parameters
from glacier_qgis.models.fronts.scene.companions import (
    CHANNELS,
    Sums,
    Whole,
    companion_channels,
    rank_levels,
)
from glacier_qgis.models.fronts.scene.view import NetworkView
from glacier_qgis.models.fronts.segmentation.tiling import Read
from glacier_qgis.models.fronts.series.work_folder import DRAFT
from glacier_qgis.models.package.card import ModelCard
from glacier_qgis.models.raster.aligned import allow_open_files, blocks, extent, lay_out
from glacier_qgis.models.raster.grid import Grid
from glacier_qgis.models.raster.sink import create_raster

NO_RANK = 65535
BLOCK = 1024
CELLS_AT_ONCE = 8_000_000
"""Largest number of cells of all scenes together under one block of the sums."""


class CompanionFiles(Parameters):
    """Paths of the ranks of a scene and of its companions; sent as JSON.

    Attributes:
        own: Of the scene itself, or of the one that it duplicates, which is included in the sums.
        near: Of the scenes near in time.
        sums: Over all scenes, the scene itself included; see `add_up`.
    """

    own: Path
    near: tuple[Path, ...]
    sums: Path

    def beside(self, read: Read, grid: Grid, stack: ExitStack) -> Read:
        """Put what other scenes show beside what is read of this one; see `segment`."""
        return Companions(self, grid, stack).beside(read)


def sees_series(card: ModelCard) -> bool:
    """Return whether a model has a network for series.

    Raises:
        EngineError: That network has other channels than `CHANNELS` between band and mask.
    """
    if card.series is None:
        return False
    own, needed = len(card.series.channels), len(card.channels) + len(CHANNELS)
    if own != needed:
        raise EngineError(
            f"The network for series of the model {card.name} needs {own} channels, and this "
            f"version provides {needed}. Update the plugin, choose another MODEL, or switch "
            "CONSISTENT off."
        )
    return True


def write_ranks(view: NetworkView, grid: Grid, path: Path) -> None:
    """Write the ranks of a scene's first band, without loss."""
    with create_raster(path, grid, dtype="uint16", nodata=NO_RANK, bands=["rank"], tags={}) as file:
        for block in grid.blocks(BLOCK):
            ranks, *_, valid = view.read(block)
            file.write(np.where(valid > 0, rank_levels(ranks), NO_RANK), 1, window=block)


def add_up(ranks: Sequence[Path], path: Path) -> None:
    """Write the sums over the ranks of scenes on the area that they cover together.

    Args:
        ranks: Rasters of `write_ranks`; their cells coincide.
        path: File to write, complete or not at all: count, total and squares, see `Sums`.
    """
    draft = path.with_name(f"{DRAFT}{os.getpid()}-{path.name}")
    allow_open_files(len(ranks))
    with ExitStack() as stack:
        places = lay_out([stack.enter_context(rasterio.open(each)) for each in ranks])
        first = places[0]
        height, width = extent(places)
        corner = first.dataset.transform @ Affine.translation(-first.column, -first.row)
        grid = Grid(CRS.from_wkt(first.dataset.crs.to_wkt()), corner, height, width)
        bands = ["count", "total", "squares"]
        with create_raster(draft, grid, dtype="uint32", nodata=0, bands=bands, tags={}) as file:
            for block in blocks(places, CELLS_AT_ONCE):
                zero = np.zeros((block.height, block.width), np.int64)
                sums = np.stack([zero, zero, zero])
                for placed in places:
                    if (part := placed.overlap(block)) is None:
                        continue
                    window, (rows, columns) = part
                    own = _sums(placed.dataset.read(1, window=window)[None])
                    sums[:, rows, columns] += [own.count, own.total, own.squares]
                file.write(sums.astype(np.uint32), window=block)
    draft.replace(path)


class Companions:
    """The channels from other scenes, window by window of one scene's grid.

    Args:
        files: Paths of their ranks.
        grid: The scene's.
        stack: Closes the files.
    """

    def __init__(self, files: CompanionFiles, grid: Grid, stack: ExitStack) -> None:
        def opened(path: Path) -> DatasetReader:
            dataset: DatasetReader = stack.enter_context(rasterio.open(path))
            return dataset

        self._grid = grid
        self._own = opened(files.own)
        self._near = [opened(path) for path in files.near]
        self._sums = opened(files.sums)

    def read(self, window: Window) -> Float32Array:
        """Return `CHANNELS` (3, rows, columns); the window may extend beyond the scene."""
        own = self._ranks([self._own], window)
        count, total, squares = self._cells(self._sums, window, 0)
        return companion_channels(
            self._ranks(self._near, window), Sums(count, total, squares) - own
        )

    def beside(self, read: Read) -> Read:
        """Insert the channels between the bands and the mask; 0 where the mask is 0."""

        def read_both(window: Window) -> Float32Array:
            *bands, valid = read(window)
            return np.stack([*bands, *(self.read(window) * valid), valid])

        return read_both

    def _ranks(self, datasets: Sequence[DatasetReader], window: Window) -> Sums:
        shape = (0, window.height, window.width)
        read = [self._cells(dataset, window, NO_RANK) for dataset in datasets]
        return _sums(np.concatenate(read) if read else np.empty(shape, np.int64))

    def _cells(self, dataset: DatasetReader, window: Window, beyond: int) -> Whole:
        """Read a window of the scene's grid from a raster with another extent."""
        corner = ~dataset.transform @ (self._grid.transform.c, self._grid.transform.f)
        left, top = (round(number) for number in corner)
        row, column = window.row_off + top, window.col_off + left
        cells = np.full((dataset.count, window.height, window.width), beyond, np.int64)
        first = max(row, 0), max(column, 0)
        last = (
            min(row + window.height, dataset.height),
            min(column + window.width, dataset.width),
        )
        if last[0] > first[0] and last[1] > first[1]:
            part = Window(first[1], first[0], last[1] - first[1], last[0] - first[0])
            rows = slice(first[0] - row, last[0] - row)
            columns = slice(first[1] - column, last[1] - column)
            cells[:, rows, columns] = dataset.read(window=part)
        return cells


def _sums(levels: Whole) -> Sums:
    """Add up stored ranks, (scenes, rows, columns)."""
    return Sums.of(levels.astype(np.int64), levels != NO_RANK)
