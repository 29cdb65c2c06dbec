"""Small data sets of dark ocean beside bright glacier, as `preparetrainingdata` writes them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest
from affine import Affine

from glacier_qgis.models.training.data.card import (
    CARD,
    IMAGES,
    INDEX,
    LABELS,
    PARTS,
    RANK_NODATA,
    DatasetCard,
    DatasetClass,
    Part,
    SceneEntry,
    Statistics,
    TileEntry,
    index_text,
)
from glacier_qgis.models.training.data.dataset import stored_ranks
from glacier_qgis.models.zones.codes import CLASS_NAMES, GLACIER, OCEAN
from kit.engine.rasters import write_raster

SIZE, CELL = 32, 60.0
CRS = "EPSG:3413"
WriteDataset = Callable[..., Path]


def tile_arrays(
    seed: int, bands: int = 1, size: int = SIZE
) -> tuple[
    np.ndarray[tuple[int, ...], np.dtype[np.float32]],
    np.ndarray[tuple[int, ...], np.dtype[np.uint8]],
]:
    """Return ranks (bands, size, size) and zones of a tile whose front runs north to south."""
    random = np.random.default_rng(seed)
    split = random.integers(size // 4, 3 * size // 4)
    ocean = np.broadcast_to(np.arange(size) < split, (size, size))
    noise = 0.15 * random.normal(size=(bands, size, size))
    ranks = np.clip(np.where(ocean, -0.5, 0.5) + noise, -1, 1).astype(np.float32)
    return ranks, np.where(ocean, OCEAN, GLACIER).astype(np.uint8)


@pytest.fixture
def write_dataset(tmp_path: Path) -> WriteDataset:
    """Return a function that writes a data set and returns its folder.

    ``training=6`` makes six dates of one glacier of that part; every scene is one tile.
    """

    def write(
        name: str = "fjords",
        bands: int = 1,
        drop: int | None = None,
        zone_names: dict[int, str] | None = None,
        **parts: int,
    ) -> Path:
        scenes = _scenes(parts)
        folder = tmp_path / name
        (folder / IMAGES).mkdir(parents=True)
        (folder / LABELS).mkdir()
        names = zone_names or {code: CLASS_NAMES[code] for code in (GLACIER, OCEAN)}
        entries, sources = [], []
        pixels: dict[Part, dict[str, int]] = {
            part: dict.fromkeys(names.values(), 0) for part in PARTS
        }
        for number, (group, date, part) in enumerate(scenes):
            ranks, zones = tile_arrays(number, bands)
            if drop is not None:
                zones = np.where(zones == drop, 0, zones).astype(np.uint8)
            transform = Affine(CELL, 0, 1e4 * number, 0, -CELL, 0)
            valid = np.ones(zones.shape, bool)
            entry = TileEntry(
                id=f"{number}-0",
                scene=f"scene {number}",
                group=group,
                date=date,
                part=part,
                row=0,
                col=0,
                valid=1.0,
                shares={code: float((zones == code).mean()) for code in names},
                image_sha256=_write(
                    folder / IMAGES / f"{number}-0.tif", stored_ranks(ranks, valid), transform
                ),
                label_sha256=_write(folder / LABELS / f"{number}-0.tif", zones[None], transform),
            )
            entries.append(entry)
            for code, title in names.items():
                pixels[part][title] += int((zones == code).sum())
            sources.append(
                SceneEntry(
                    name=entry.scene,
                    source=f"S1 {entry.scene}.tif",
                    hash=entry.image_sha256,
                    group=group,
                    date=date,
                    crs=CRS,
                    transform=tuple(transform)[:6],
                    shape=(SIZE, SIZE),
                    part=part,
                    quantiles=[[0.0, 1.0]] * bands,
                )
            )
        classes = [DatasetClass(value=code, name=title) for code, title in names.items()]
        text = index_text(entries, classes)
        (folder / INDEX).write_bytes(text.encode())
        card = DatasetCard(
            name=name,
            classes=classes,
            bands=list(range(1, bands + 1)),
            cell_size_m=CELL,
            tile_size=SIZE,
            stride=SIZE,
            scenes=sources,
            split={group: part for group, _, part in scenes},
            labels="rasters",
            statistics=Statistics(
                tiles={part: sum(spec[2] == part for spec in scenes) for part in PARTS},
                pixels=pixels,
                front_m=dict.fromkeys(PARTS, 0.0),
            ),
            software="test",
            created="2026-01-01",
            complete=hashlib.sha256(text.encode()).hexdigest(),
        )
        (folder / CARD).write_text(card.model_dump_json())
        return folder

    return write


def _write(path: Path, values: np.ndarray, transform: Affine) -> str:
    nodata = RANK_NODATA if values.dtype == np.int16 else 0
    write_raster(path, values, transform, crs=CRS, nodata=nodata)
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _scenes(parts: Mapping[str, int]) -> list[tuple[str, str, Part]]:
    """Return group, date and part of each scene."""
    return [
        (f"{part} glacier", f"2020-{1 + number % 12:02d}-{1 + number // 12:02d}", part)
        for part in PARTS
        for number in range(parts.get(part, 0))
    ]
