"""A training data set in a folder: opened, checked, read tile by tile."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt
from affine import Affine
from pydantic import ValidationError
from pyproj import CRS
from rasterio.io import MemoryFile

from glacier_qgis.models.compute.arrays import Mask
from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.package.card import TrainingData
from glacier_qgis.models.raster.crs import read_crs
from glacier_qgis.models.raster.grid import Grid
from glacier_qgis.models.training.data.card import (
    CARD,
    FORMAT,
    IMAGES,
    INDEX,
    LABELS,
    RANK_NODATA,
    RANK_STEPS,
    DatasetCard,
    Part,
    SceneEntry,
    TileEntry,
    read_index,
    tile_transform,
)
from glacier_qgis.models.training.data.samples import Labelled, front_pixels, training_data
from glacier_qgis.models.zones.codes import GLACIER, OCEAN

AGAIN = "Copy the whole folder again, or run 'Prepare training data' again."

Edges = tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]


@dataclass(frozen=True)
class LabelledTile:
    """One tile; a `Labelled` that reads its files on demand and keeps none in memory.

    Attributes:
        folder: The data set's folder.
        entry: Its line in the index.
        scene: The scene that it was cut from.
        bands: Bands of its image.
        size: Cells along its edge.
        cell: Edge of a cell, m.
        stored_rock: Whether its image has known rock as a further band.
        rock: Whether it is for a network that sees rock; where none is stored, none is known.
    """

    folder: Path
    entry: TileEntry
    scene: SceneEntry
    bands: int
    size: int
    cell: float
    stored_rock: bool = False
    rock: bool = False

    @property
    def name(self) -> str:
        """The tile's id."""
        return self.entry.id

    @property
    def group(self) -> str:
        """See `Labelled`."""
        return self.entry.group

    @property
    def date(self) -> str:
        """See `Labelled`."""
        return self.entry.date

    @property
    def shape(self) -> tuple[int, int]:
        """See `Labelled`."""
        return self.size, self.size

    @property
    def cell_size(self) -> tuple[float, float]:
        """See `Labelled`."""
        return self.cell, self.cell

    @property
    def grid(self) -> Grid:
        """See `Labelled`."""
        return Grid(self._crs, tile_transform(self.scene, self.entry), *self.shape)

    @property
    def scene_grid(self) -> Grid:
        """The grid of the scene that it was cut from."""
        return Grid(self._crs, Affine(*self.scene.transform), *self.scene.shape)

    @property
    def _crs(self) -> CRS:
        return read_crs(self.scene.crs, f"The data set {self.folder}")

    @property
    def zones(self) -> npt.NDArray[np.uint8]:
        """See `Labelled`."""
        codes = self._read(LABELS, self.entry.label_sha256, 1)[0]
        return np.asarray(codes, np.uint8)

    @property
    def traced(self) -> npt.NDArray[np.bool_]:
        """Ocean cells that share an edge with the glacier."""
        zones = self.zones
        marked = np.zeros(zones.shape, np.bool_)
        between_rows, between_columns = front_edges(zones)
        ocean = zones == OCEAN
        marked[:-1] |= between_rows & ocean[:-1]
        marked[1:] |= between_rows & ocean[1:]
        marked[:, :-1] |= between_columns & ocean[:, :-1]
        marked[:, 1:] |= between_columns & ocean[:, 1:]
        return marked

    @cached_property
    def front(self) -> npt.NDArray[np.int16]:
        """See `Labelled`; cached, because it is small and used often."""
        return front_pixels(self.zones).astype(np.int16)

    @property
    def known_rock(self) -> Mask | None:
        """See `Labelled`."""
        if not self.stored_rock:
            return None
        return np.asarray(self._read(IMAGES, self.entry.image_sha256, self._stored)[-1] > 0)

    def equalised(self) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
        """See `Labelled`; with rock, if asked for, as the last band."""
        steps = self._read(IMAGES, self.entry.image_sha256, self._stored)
        valid = (steps != RANK_NODATA).all(axis=0)
        values = np.where(valid, ranks_of(steps), np.float32(0))
        if self.rock and not self.stored_rock:
            values = np.concatenate([values, np.zeros_like(values[:1])])
        bands = self.bands + self.rock
        return values[:bands], valid.astype(np.float32)

    def check(self) -> None:
        """Read both files.

        Raises:
            EngineError: One is missing, changed or damaged.
        """
        self._read(IMAGES, self.entry.image_sha256, self._stored)
        self._read(LABELS, self.entry.label_sha256, 1)

    @property
    def _stored(self) -> int:
        """Bands of the image's file."""
        return self.bands + self.stored_rock

    def _read(self, room: str, sha256: str, bands: int) -> npt.NDArray[np.integer]:
        path = self.folder / room / f"{self.entry.id}.tif"
        try:
            content = path.read_bytes()
        except OSError as error:
            raise EngineError(
                f"The tile {path} cannot be read ({error.strerror}): the data set was moved or "
                f"changed during use. {AGAIN}"
            ) from error
        found = hashlib.sha256(content).hexdigest()
        if found != sha256:
            raise EngineError(
                f"The tile {path} is not the one that was prepared (SHA-256 {found[:12]}…, "
                f"expected {sha256[:12]}…): it was changed or damaged. {AGAIN}"
            )
        with MemoryFile(content) as file, file.open() as raster:
            values: npt.NDArray[np.integer] = raster.read()
        if values.shape != (bands, self.size, self.size):
            raise EngineError(
                f"The tile {path} has the shape {values.shape}, not {(bands, *self.shape)}. {AGAIN}"
            )
        return values


@dataclass(frozen=True)
class Dataset:
    """A complete data set: its index is unchanged, all its tiles exist.

    Attributes:
        folder: Its folder.
        card: Its card.
        entries: One line per tile.
    """

    folder: Path
    card: DatasetCard
    entries: list[TileEntry]

    @classmethod
    def open(cls, folder: Path) -> Dataset:
        """Open a folder that `preparetrainingdata` wrote.

        The content of a tile is checked when it is read.

        Raises:
            EngineError: It is not a data set, is newer than this software, is incomplete, or was
                changed.
        """
        card = _read_card(folder)
        entries = _read_entries(folder, card)
        for room in (IMAGES, LABELS):
            there = {path.name for path in (folder / room).glob("*.tif")}
            missing = [entry.id for entry in entries if f"{entry.id}.tif" not in there]
            if missing:
                raise EngineError(
                    f"The data set {folder} is incomplete: {len(missing)} of {len(entries)} tiles "
                    f"are missing in '{room}', the first is {missing[0]}. {AGAIN}"
                )
        return cls(folder, card, entries)

    def tiles(self, part: Part | None = None, *, rock: bool = False) -> list[LabelledTile]:
        """Return the tiles of a part, or all of them, in the order of the index.

        Args:
            part: None for all.
            rock: Whether they are for a network that sees rock.
        """
        scenes = {scene.name: scene for scene in self.card.scenes}
        return [
            LabelledTile(
                folder=self.folder,
                entry=entry,
                scene=scenes[entry.scene],
                bands=len(self.card.bands),
                size=self.card.tile_size,
                cell=self.card.cell_size_m,
                stored_rock=self.card.rock,
                rock=rock,
            )
            for entry in self.entries
            if part is None or entry.part == part
        ]

    def damaged(self) -> Iterator[str | None]:
        """Check every tile in turn: yield what is wrong with it, or None."""
        for tile in self.tiles():
            try:
                tile.check()
            except EngineError as error:
                yield str(error)
            else:
                yield None

    def described(self, tiles: Sequence[Labelled]) -> TrainingData:
        """Describe the training data for a model's card."""
        return training_data(tiles, dataset=self.card.name, credit="", licence="", doi="")


def ranks_of(steps: npt.NDArray[np.integer]) -> npt.NDArray[np.float32]:
    """Return stored ranks exactly as from `equalise`."""
    return ((steps.astype(np.float64) + RANK_STEPS) / RANK_STEPS - 1).astype(np.float32)


def stored_ranks(
    ranks: npt.NDArray[np.float32], valid: npt.NDArray[np.bool_]
) -> npt.NDArray[np.int16]:
    """Return ranks as integers for storage.

    Args:
        ranks: (bands, rows, columns), from `equalise`.
        valid: (rows, columns).
    """
    return np.where(valid, np.rint(ranks * RANK_STEPS), RANK_NODATA).astype(np.int16)


def front_edges(zones: npt.NDArray[np.uint8]) -> Edges:
    """Return where a glacier cell touches an ocean cell below it, and to the right of it.

    Args:
        zones: (rows, columns).

    Returns:
        Shapes (rows - 1, columns) and (rows, columns - 1), for both orders of the two.
    """
    glacier, ocean = zones == GLACIER, zones == OCEAN
    below = (glacier[:-1] & ocean[1:]) | (ocean[:-1] & glacier[1:])
    right = (glacier[:, :-1] & ocean[:, 1:]) | (ocean[:, :-1] & glacier[:, 1:])
    return below, right


def _read_card(folder: Path) -> DatasetCard:
    path = folder / CARD
    if not path.is_file():
        raise EngineError(
            f"{folder} is not a training data set: it has no {CARD}. Choose a folder from 'Prepare "
            "training data'."
        )
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        version = content["format"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise EngineError(f"{path} is not the card of a training data set. {AGAIN}") from error
    if isinstance(version, int) and version > FORMAT:
        raise EngineError(
            f"The data set {folder} has the format {version}, and this version of the plugin reads "
            f"{FORMAT}: update the plugin, or prepare the data again."
        )
    if not content.get("complete"):
        raise EngineError(
            f"The data set {folder} is incomplete: its card is not marked as complete. Run "
            "'Prepare training data' again."
        )
    try:
        return DatasetCard.model_validate(content)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise EngineError(f"{path} was changed: {place}: {first['msg']}. {AGAIN}") from error


def _read_entries(folder: Path, card: DatasetCard) -> list[TileEntry]:
    path = folder / INDEX
    try:
        content = path.read_bytes()
    except OSError as error:
        raise EngineError(
            f"The data set {folder} is incomplete: its {INDEX} is missing. {AGAIN}"
        ) from error
    if hashlib.sha256(content).hexdigest() != card.complete:
        raise EngineError(
            f"{path} was edited or not fully copied, so it is uncertain which tile belongs to "
            f"which part. {AGAIN}"
        )
    entries = read_index(content.decode("utf-8"))
    unknown = {entry.scene for entry in entries} - {scene.name for scene in card.scenes}
    if unknown:
        raise EngineError(f"{path} has scenes that are not in {CARD}: {sorted(unknown)}. {AGAIN}")
    return entries
