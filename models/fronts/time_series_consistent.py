"""Between the passes over a series: every scene's zones in the light of the others."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import rasterio
from rasterio.io import DatasetReader, DatasetWriter
from rasterio.windows import Window

from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.engine.events import Reporter
from glacier_qgis.models.fronts.persistence import Array, persistent
from glacier_qgis.models.fronts.time_series_segment import PROBABILITY, ZONES, SegmentedScene
from glacier_qgis.models.fronts.zones import (
    CLASS_NAMES,
    PROBABILITY_NODATA,
    PROBABILITY_STEPS,
    quantise,
    zones_of,
)

CELLS_AT_ONCE = 8_000_000
"""Cells of all scenes together that are held in memory."""
DAYS_PER_YEAR = 365.25
FILES_PER_SCENE = 3
FILES_BESIDE = 128
"""Files that the process may have open for other reasons."""


@dataclass(frozen=True)
class _Layer:
    """The probabilities of one scene and where its first cell lies among those of the series."""

    stored: DatasetReader
    probability: DatasetWriter
    zones: DatasetWriter
    row: int
    column: int

    def overlap(self, block: Window) -> tuple[Window, tuple[slice, slice]] | None:
        """Return the part of a block that the scene covers: in the scene, and in the block."""
        top = max(block.row_off, self.row)
        left = max(block.col_off, self.column)
        bottom = min(block.row_off + block.height, self.row + self.stored.height)
        right = min(block.col_off + block.width, self.column + self.stored.width)
        if bottom <= top or right <= left:
            return None
        window = Window(left - self.column, top - self.row, right - left, bottom - top)
        inside = (
            slice(top - block.row_off, bottom - block.row_off),
            slice(left - block.col_off, right - block.col_off),
        )
        return window, inside


def make_consistent(
    scenes: Sequence[SegmentedScene], folder: Path, reporter: Reporter
) -> list[SegmentedScene]:
    """Rewrite the zones and probabilities of dated scenes so that they persist in time.

    Args:
        scenes: After the first pass; their cells coincide. Undated ones stay as they are, and so
            do all of a model that knows further classes.
        folder: Where a folder a scene is made, in place of those of the first pass.
        reporter: Told how far it is.

    Returns:
        In the same order.
    """
    dated = [scene for scene in scenes if scene.folder is not None and scene.scene.date]
    distinct = list({scene.folder: scene for scene in dated}.values())
    distinct.sort(key=lambda scene: str(scene.scene.date))
    if len(distinct) < 2:
        return list(scenes)
    years = [scene.scene.date.toordinal() / DAYS_PER_YEAR for scene in distinct if scene.scene.date]
    _allow_open_files(FILES_PER_SCENE * len(distinct) + FILES_BESIDE)
    with ExitStack() as stack:
        layers = _open(distinct, folder, stack)
        if any(layer.stored.count != len(CLASS_NAMES) for layer in layers):
            return list(scenes)
        blocks = _blocks(layers)
        for number, block in enumerate(blocks):
            _rewrite(layers, block, years)
            reporter.progress((number + 1) / len(blocks), "Comparing the scenes")
    moved = {scene.folder: folder / _name(scene) for scene in distinct}
    return [
        replace(scene, folder=moved.get(scene.folder, scene.folder)) if scene in dated else scene
        for scene in scenes
    ]


def _allow_open_files(number: int) -> None:
    """Let this process open so many files, if the system sets a lower limit at first.

    Raises:
        EngineError: It does not let it be raised as far.
    """
    if sys.platform == "win32":  # has no such limit
        return
    import resource

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


def _name(scene: SegmentedScene) -> str:
    return scene.folder.name if scene.folder else ""


def _open(scenes: Sequence[SegmentedScene], folder: Path, stack: ExitStack) -> list[_Layer]:
    """Open what is read and what is written; the first cell of all has row and column 0."""
    stored = [
        stack.enter_context(rasterio.open(scene.folder / PROBABILITY))
        for scene in scenes
        if scene.folder
    ]
    west = min(dataset.bounds.left for dataset in stored)
    north = max(dataset.bounds.top for dataset in stored)
    layers = []
    for scene, dataset in zip(scenes, stored, strict=True):
        target = folder / _name(scene)
        target.mkdir(parents=True)
        layers.append(
            _Layer(
                dataset,
                stack.enter_context(_like(dataset, target / PROBABILITY, len(CLASS_NAMES))),
                stack.enter_context(_like(dataset, target / ZONES, 1)),
                row=round((north - dataset.bounds.top) / dataset.transform.a),
                column=round((dataset.bounds.left - west) / dataset.transform.a),
            )
        )
    return layers


def _like(dataset: DatasetReader, path: Path, bands: int) -> DatasetWriter:
    """Create an uncompressed raster on the cells of another: parts of it are written twice."""
    profile = dataset.profile | {"count": bands, "compress": None}
    profile.pop("predictor", None)
    target = rasterio.open(path, "w", **profile)
    target.update_tags(**dataset.tags())
    if bands > 1:
        target.scales = dataset.scales[:bands]
        target.descriptions = dataset.descriptions[:bands]
    else:
        target.nodata = 0
    return target


def _blocks(layers: Sequence[_Layer]) -> list[Window]:
    """Cut the cells of the series into rows of blocks that fit in memory."""
    height = max(layer.row + layer.stored.height for layer in layers)
    width = max(layer.column + layer.stored.width for layer in layers)
    edge = max(64, int((CELLS_AT_ONCE / len(layers)) ** 0.5) // 64 * 64)
    return [
        Window(left, top, min(edge, width - left), min(edge, height - top))
        for top in range(0, height, edge)
        for left in range(0, width, edge)
    ]


def _rewrite(layers: Sequence[_Layer], block: Window, years: Sequence[float]) -> None:
    """Make one block consistent in every scene that covers a part of it."""
    parts = [(index, *part) for index, layer in enumerate(layers) if (part := layer.overlap(block))]
    if not parts:
        return
    codes = list(CLASS_NAMES)
    values: Array = np.zeros((len(parts), len(codes), block.height, block.width), np.float32)
    for place, (index, window, (rows, columns)) in enumerate(parts):
        stored = layers[index].stored.read(codes, window=window)
        known = np.where(stored == PROBABILITY_NODATA, 0, stored)
        values[place, :, rows, columns] = known / np.float32(PROBABILITY_STEPS)
    values = persistent(values, [years[index] for index, *_ in parts])
    for answer, (index, window, (rows, columns)) in zip(values, parts, strict=True):
        inside = answer[:, rows, columns]
        layers[index].zones.write(zones_of(inside, codes), 1, window=window)
        layers[index].probability.write(quantise(inside, inside.any(axis=0)), window=window)
