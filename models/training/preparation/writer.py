"""Scenes and their labels cut into tiles."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt
from rasterio.windows import Window

from glacier_qgis.models.compute.arrays import Float32Array
from glacier_qgis.models.engine.events import Reporter
from glacier_qgis.models.engine.provenance import software_version
from glacier_qgis.models.fronts.scene.view import network_view
from glacier_qgis.models.fronts.segmentation.rock import ReadRock, RockCount, rock_beside
from glacier_qgis.models.raster.grid import Grid
from glacier_qgis.models.raster.picture_hash import picture_hash
from glacier_qgis.models.raster.sink import create_raster
from glacier_qgis.models.raster.source import Scene
from glacier_qgis.models.training.data.card import (
    IMAGES,
    LABELS,
    RANK_NODATA,
    RANK_STEPS,
    Part,
)
from glacier_qgis.models.training.data.dataset import front_edges, stored_ranks
from glacier_qgis.models.training.data.samples import UNLABELLED
from glacier_qgis.models.training.preparation.labels import SceneLabels
from glacier_qgis.models.training.preparation.scenes import SceneFile
from glacier_qgis.models.zones.codes import ROCK

Codes = npt.NDArray[np.uint8]

MEAN_DETOUR = 4 / math.pi
"""How much longer a line is along the edges of cells, averaged over its directions (the mean of
\\|cos\\| + \\|sin\\|)."""


class View(Protocol):
    """What a network sees of a scene or of an echogram."""

    @property
    def quantiles(self) -> Sequence[Iterable[float]]:
        """For each band, the values at even steps of rank; empty if there are no ranks."""

    def read(self, window: Window) -> Float32Array:
        """Return the input under a window, (bands + 1, rows, columns), the mask last."""


class RockView:
    """What a network sees of a scene, with known rock before the mask.

    Args:
        seen: The scene.
        rock: Known rock on its grid.
        grid: The grid.
    """

    def __init__(self, seen: View, rock: ReadRock, grid: Grid) -> None:
        self.quantiles = seen.quantiles
        self.read = rock_beside(seen.read, rock, grid)


@dataclass(frozen=True)
class CutTile:
    """A written tile: its line of the index without group and part, and its content.

    Attributes:
        pixels: Valid labelled cells of each code.
        front_m: Length of the boundary between glacier and ocean, m.
    """

    id: str
    row: int
    col: int
    valid: float
    pixels: Mapping[int, int]
    front_m: float
    image_sha256: str
    label_sha256: str


@dataclass(frozen=True)
class CutScene:
    """A scene with written tiles."""

    file: SceneFile
    hash: str
    grid: Grid
    quantiles: list[list[float]]
    tiles: list[CutTile]


@dataclass(frozen=True)
class Assignment:
    """Group and part of a scene."""

    group: str
    part: Part


@dataclass
class Skipped:
    """Numbers of skipped tiles."""

    unlabelled: int = 0
    void: int = 0


@dataclass
class TileWriter:
    """Writes tiles into the folder of a data set.

    Attributes:
        folder: An empty folder.
        bands: Of the scenes.
        size: Cells along a tile's edge.
        stride: Cells between the corners of neighbouring tiles, at most `size`.
        rock: Whether images get known rock as a further band.
    """

    folder: Path
    bands: list[int]
    size: int
    stride: int
    rock: bool = False
    skipped: Skipped = field(default_factory=Skipped)
    rock_count: RockCount = field(default_factory=RockCount)
    _number: int = 0

    def __post_init__(self) -> None:
        for room in (IMAGES, LABELS):
            (self.folder / room).mkdir()

    def cut(
        self,
        file: SceneFile,
        scene: Scene,
        grid: Grid,
        labels: SceneLabels,
        reporter: Reporter,
        rock: ReadRock | None = None,
    ) -> CutScene:
        """Cut one scene. Tiles without a valid labelled cell are skipped.

        Args:
            file: Its name.
            scene: The open raster.
            grid: The metric grid of the tiles.
            labels: In the grid's CRS.
            reporter: Receives progress.
            rock: What is known to be rock; it is labelled so.
        """
        with network_view(scene, grid, self.bands) as seen:
            found = picture_hash(scene, self.bands)
            view = RockView(seen, rock, grid) if rock else seen
            return self.cut_view(file, view, grid, labels, found, reporter)

    def cut_view(
        self,
        file: SceneFile,
        view: View,
        grid: Grid,
        labels: SceneLabels,
        hash_: str,
        reporter: Reporter,
    ) -> CutScene:
        """Cut what a network sees of a scene or an echogram; see `cut`.

        Args:
            file: Its name.
            view: The network's input.
            grid: The grid of the view.
            labels: On this grid.
            hash_: SHA-256 of the input; equal for copies.
            reporter: Receives progress.
        """
        self._number += 1
        windows = list(tile_windows(grid.shape, self.size, self.stride))
        tiles = []
        for number, window in enumerate(windows, 1):
            tile = self._cut(f"{self._number:04d}-{number:05d}", view, grid, window, labels)
            if tile:
                tiles.append(tile)
            reporter.progress(number / len(windows), f"Cutting tiles: {file.name}")
        quantiles = [[float(value) for value in band] for band in view.quantiles]
        return CutScene(file, hash_, grid, quantiles, tiles)

    def _cut(
        self, name: str, view: View, grid: Grid, window: Window, labels: SceneLabels
    ) -> CutTile | None:
        place = grid.crop(window)
        codes = labels.codes(place)
        if not codes.any():
            self.skipped.unlabelled += 1
            return None
        *ranks, mask = view.read(window)
        valid = mask > 0
        if not valid.any():
            self.skipped.void += 1
            return None
        if self.rock:
            self.rock_count.add(ranks[-1] > 0, valid)
            codes = np.where(ranks[-1] > 0, ROCK, codes).astype(np.uint8)
        known = np.where(valid, codes, UNLABELLED)
        if not known.any():
            self.skipped.unlabelled += 1
            return None
        below, right = front_edges(known)
        counts = np.bincount(known.ravel())
        return CutTile(
            id=name,
            row=int(window.row_off),
            col=int(window.col_off),
            valid=float(valid.mean()),
            pixels={code: int(n) for code, n in enumerate(counts) if n and code != UNLABELLED},
            front_m=float(below.sum() + right.sum()) * grid.cell_size / MEAN_DETOUR,
            image_sha256=self._write_image(name, place, stored_ranks(np.stack(ranks), valid)),
            label_sha256=self._write_label(name, place, codes),
        )

    def _write_image(self, name: str, grid: Grid, steps: npt.NDArray[np.int16]) -> str:
        path = self.folder / IMAGES / f"{name}.tif"
        titles = [f"rank of band {band} in the scene" for band in self.bands]
        titles += ["known rock"] * self.rock
        with create_raster(
            path, grid, dtype="int16", nodata=RANK_NODATA, bands=titles, tags=_tags()
        ) as raster:
            raster.scales = (1 / RANK_STEPS,) * len(titles)
            raster.write(steps)
        return hashlib.sha256(path.read_bytes()).hexdigest()

    def _write_label(self, name: str, grid: Grid, codes: Codes) -> str:
        path = self.folder / LABELS / f"{name}.tif"
        with create_raster(
            path, grid, dtype="uint8", nodata=UNLABELLED, bands=["zones"], tags=_tags()
        ) as raster:
            raster.write(codes, 1)
        return hashlib.sha256(path.read_bytes()).hexdigest()


def tile_windows(shape: tuple[int, int], size: int, stride: int) -> Iterator[Window]:
    """Cover a grid with tiles; the last of a row or column is shifted to end with the grid.

    A tile extends beyond the grid only if the grid is smaller than a tile.

    Args:
        shape: Rows and columns of the grid.
        size: Cells along a tile's edge.
        stride: Cells between corners, `size` at most.
    """
    for row in tile_starts(shape[0], size, stride):
        for column in tile_starts(shape[1], size, stride):
            yield Window(column, row, size, size)


def tile_starts(length: int, size: int, stride: int) -> list[int]:
    """Return where tiles begin along a side of `length` cells, ascending."""
    last = max(length - size, 0)
    return [*range(0, last, stride), last]


def _tags() -> dict[str, str]:
    return {"SOFTWARE": software_version()}
