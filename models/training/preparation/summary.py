"""Index and card of a data set, from the written tiles."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from glacier_qgis.models.engine.provenance import software_version
from glacier_qgis.models.training.data.card import (
    CARD,
    INDEX,
    PARTS,
    DatasetCard,
    DatasetClass,
    Part,
    SceneEntry,
    Statistics,
    TileEntry,
    index_text,
)
from glacier_qgis.models.training.preparation.scenes import SceneFile
from glacier_qgis.models.training.preparation.writer import (
    Assignment,
    CutScene,
    CutTile,
    TileWriter,
)


def write_card(
    folder: Path,
    name: str,
    writer: TileWriter,
    cut: list[CutScene],
    assignments: Mapping[str, Assignment],
    names: Mapping[int, str],
    kind: Literal["polygons", "lines", "rasters"],
    *,
    by_date: bool,
) -> tuple[DatasetCard, list[TileEntry]]:
    """Write index and card, the card last: with it the data set is complete.

    Args:
        folder: Folder of the tiles.
        name: Of the data set.
        writer: The writer of the tiles.
        cut: The scenes.
        assignments: The group and part of each, by name.
        names: The name of each class, by code.
        kind: Kind of source of the labels.
        by_date: Whether a single group was split by its dates.
    """
    classes = [DatasetClass(value=code, name=names[code]) for code in sorted(names)]
    tiles = [
        _entry(tile, scene.file, assignments[scene.file.name], writer.size)
        for scene in cut
        for tile in scene.tiles
    ]
    index = index_text(tiles, classes).encode("utf-8")
    (folder / INDEX).write_bytes(index)
    card = DatasetCard(
        format=2 if writer.rock else 1,
        name=name,
        classes=classes,
        bands=writer.bands,
        cell_size_m=cut[0].grid.cell_size,
        tile_size=writer.size,
        stride=writer.stride,
        scenes=[_scene(scene, assignments[scene.file.name]) for scene in cut],
        split={
            assignment.group: "by date" if by_date else assignment.part
            for assignment in assignments.values()
        },
        labels=kind,
        rock=writer.rock,
        statistics=_statistics(cut, assignments, names),
        software=software_version(),
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        complete=hashlib.sha256(index).hexdigest(),
    )
    (folder / CARD).write_text(
        card.model_dump_json(indent=1, exclude=None if card.rock else {"rock"}), encoding="utf-8"
    )
    return card, tiles


def _entry(tile: CutTile, file: SceneFile, assignment: Assignment, size: int) -> TileEntry:
    return TileEntry(
        id=tile.id,
        scene=file.name,
        group=assignment.group,
        date=file.date,
        part=assignment.part,
        row=tile.row,
        col=tile.col,
        valid=tile.valid,
        shares={code: count / size**2 for code, count in tile.pixels.items()},
        image_sha256=tile.image_sha256,
        label_sha256=tile.label_sha256,
    )


def _scene(scene: CutScene, assignment: Assignment) -> SceneEntry:
    transform = scene.grid.transform
    return SceneEntry(
        name=scene.file.name,
        source=Path(scene.file.source.path).name,
        hash=scene.hash,
        group=assignment.group,
        date=scene.file.date,
        crs=scene.grid.crs.to_string(),
        transform=(
            transform.a,
            transform.b,
            transform.c,
            transform.d,
            transform.e,
            transform.f,
        ),
        shape=scene.grid.shape,
        part=assignment.part,
        quantiles=scene.quantiles,
    )


def _statistics(
    cut: list[CutScene], assignments: Mapping[str, Assignment], names: Mapping[int, str]
) -> Statistics:
    tiles: Counter[Part] = Counter()
    pixels: dict[Part, Counter[int]] = {part: Counter() for part in PARTS}
    front: dict[Part, float] = dict.fromkeys(PARTS, 0.0)
    for scene in cut:
        part = assignments[scene.file.name].part
        tiles[part] += len(scene.tiles)
        for tile in scene.tiles:
            pixels[part].update(tile.pixels)
            front[part] += tile.front_m
    return Statistics(
        tiles={part: tiles[part] for part in PARTS},
        pixels={
            part: {names[code]: pixels[part][code] for code in sorted(names)} for part in PARTS
        },
        front_m=front,
    )
