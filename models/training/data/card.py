"""The card and the index of a training data set: what is in the folder, and where it came from."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from typing import Annotated, Literal, get_args

from affine import Affine
from pydantic import BaseModel, ConfigDict, Field

from glacier_qgis.models.radar.layers.codes import CLASS_NAMES

FORMAT = 2
"""Newest version of the folder's layout: 2 with rock, otherwise 1. A reader refuses newer ones."""

CARD, INDEX, IMAGES, LABELS = "dataset.json", "index.csv", "images", "labels"
"""Names within the folder."""

Part = Literal["training", "validation", "test"]
PARTS: tuple[Part, ...] = get_args(Part)

RANK_STEPS = 257
"""Ranks are stored as integers from -257 to 257, without loss: a scene has 257 quantiles, and a
rank is a count of them (see `equalise`)."""
RANK_NODATA = -32768

_SHARE = "share_"

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class _Record(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class DatasetClass(_Record):
    """One class: its code in the labels and its name."""

    value: Annotated[int, Field(ge=1, le=254)]
    name: str


class SceneEntry(_Record):
    """One scene from which tiles were cut.

    Attributes:
        name: Base name of the file, unique in the data set.
        source: Name of the file without its folder.
        hash: SHA-256 of the network input; equal for copies of one scene.
        group: Must not be split between parts: the glacier.
        date: Day of acquisition, ISO 8601; blank if not known.
        crs: Of the tiles, in a format of GDAL.
        transform: Affine coefficients a to f of the scene's grid, also used by its tiles.
        shape: Rows and columns of that grid.
        part: Part of its tiles.
        quantiles: For each band, the values at even steps of rank, in the scene's unit.
    """

    name: str
    source: str
    hash: Sha256
    group: str
    date: Annotated[str, Field(pattern=r"^(\d{4}-\d{2}-\d{2})?$")]
    crs: str
    transform: tuple[float, float, float, float, float, float]
    shape: tuple[int, int]
    part: Part
    quantiles: list[list[float]]


class Statistics(_Record):
    """Statistics of the parts.

    Attributes:
        tiles: Number of tiles of each part.
        pixels: Valid labelled cells of each part and class (by name), over all its tiles.
        front_m: Length of the boundary between glacier and ocean in each part's tiles, m.
    """

    tiles: dict[Part, int]
    pixels: dict[Part, dict[str, int]]
    front_m: dict[Part, float]


class DatasetCard(_Record):
    """The description of a data set.

    Attributes:
        bands: Bands of the scenes, in the order of the images' bands.
        cell_size_m: Edge of the square cells.
        tile_size: Cells along a tile's edge.
        stride: Cells between the corners of neighbouring tiles.
        split: The part of each group; "by date" where a single group was split by its dates.
        labels: Kind of source of the labels.
        rock: Whether the images have known rock as a further band, 0 or `RANK_STEPS`.
        complete: SHA-256 of the index, written last.
    """

    format: Literal[1, 2] = 1
    name: str
    classes: Annotated[list[DatasetClass], Field(min_length=2)]
    bands: Annotated[list[int], Field(min_length=1)]
    cell_size_m: Annotated[float, Field(gt=0)]
    tile_size: Annotated[int, Field(ge=1)]
    stride: Annotated[int, Field(ge=1)]
    scenes: Annotated[list[SceneEntry], Field(min_length=1)]
    split: dict[str, Part | Literal["by date"]]
    labels: Literal["polygons", "lines", "rasters"]
    rock: bool = False
    statistics: Statistics
    software: str
    created: str
    complete: Sha256

    @property
    def of_echograms(self) -> bool:
        """Whether the tiles are parts of radar echograms, with lines as labels."""
        return {kind.value: kind.name for kind in self.classes} == CLASS_NAMES


class TileEntry(_Record):
    """One line of the index.

    Attributes:
        id: Base name of the tile's two files.
        scene: Name of its scene.
        row: Of its upper left cell in the scene's grid.
        col: Of its upper left cell in the scene's grid.
        valid: Share of its cells with data.
        shares: Share of its cells with data that each class (by code) covers.
        image_sha256: Of the image's file.
        label_sha256: Of the label's file.
    """

    id: Annotated[str, Field(pattern=r"^[0-9]+-[0-9]+$")]
    scene: str
    group: str
    date: str
    part: Part
    row: int
    col: int
    valid: float
    shares: dict[int, float]
    image_sha256: Sha256
    label_sha256: Sha256


def tile_transform(scene: SceneEntry, tile: TileEntry) -> Affine:
    """Return the transform from (column, row) of a tile to coordinates in the scene's CRS."""
    return Affine(*scene.transform) @ Affine.translation(tile.col, tile.row)


def index_text(tiles: Iterable[TileEntry], classes: Iterable[DatasetClass]) -> str:
    """Return the index as comma-separated values, with one column ``share_CODE`` per class."""
    shares = {f"{_SHARE}{zone.value}": zone.value for zone in classes}
    plain = [name for name in TileEntry.model_fields if name != "shares"]
    text = io.StringIO()
    table = csv.DictWriter(text, [*plain, *shares], lineterminator="\n")
    table.writeheader()
    for tile in tiles:
        row = tile.model_dump(exclude={"shares"})
        row |= {column: tile.shares.get(code, 0.0) for column, code in shares.items()}
        table.writerow(row)
    return text.getvalue()


def read_index(text: str) -> list[TileEntry]:
    """Read the text of `index_text`."""
    tiles = []
    for row in csv.DictReader(io.StringIO(text)):
        shares = {
            name.removeprefix(_SHARE): row.pop(name) for name in list(row) if name[:6] == _SHARE
        }
        tiles.append(TileEntry.model_validate({**row, "shares": shares}))
    return tiles
