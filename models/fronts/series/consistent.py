"""Temporal consistency of a series, between its two passes."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import rasterio
from rasterio.io import DatasetReader, DatasetWriter
from rasterio.windows import Window

from glacier_qgis.models.compute.arrays import Float32Array
from glacier_qgis.models.engine.events import Reporter, parts
from glacier_qgis.models.fronts.series.first_pass import SegmentedScene
from glacier_qgis.models.fronts.series.persistence import persistent
from glacier_qgis.models.fronts.series.task import PROBABILITY, ZONES
from glacier_qgis.models.raster.aligned import AlignedRaster, allow_open_files, blocks, lay_out
from glacier_qgis.models.zones.codes import (
    CLASS_NAMES,
    PROBABILITY_NODATA,
    PROBABILITY_STEPS,
    quantise,
    zones_of,
)

CELLS_AT_ONCE = 8_000_000
"""Largest number of cells of all scenes together in memory."""
FILES_PER_SCENE = 3


@dataclass(frozen=True)
class _Layer:
    """The probabilities of one scene before and after."""

    stored: AlignedRaster
    probability: DatasetWriter
    zones: DatasetWriter


def make_consistent(
    scenes: Sequence[SegmentedScene], folder: Path, reporter: Reporter
) -> list[SegmentedScene]:
    """Rewrite the zones and probabilities of dated scenes so that they are consistent in time.

    Args:
        scenes: After the first pass; cells of one size coincide, and only scenes with the same cell
            size are compared. Scenes without a date, duplicates and those of a model with further
            classes stay unchanged.
        folder: Gets one folder per scene, which replaces that of the first pass.
        reporter: Receives progress.

    Returns:
        In the same order.
    """
    dated = [
        scene
        for scene in scenes
        if scene.folder is not None and scene.scene.date and not scene.duplicate
    ]
    distinct = list({scene.folder: scene for scene in dated}.values())
    distinct.sort(key=lambda scene: str(scene.scene.date))
    alike: dict[float, list[SegmentedScene]] = {}
    for scene in distinct:
        size, classes = _size_and_classes(scene)
        if classes == len(CLASS_NAMES):
            alike.setdefault(size, []).append(scene)
    series = [group for group in alike.values() if len(group) > 1]
    moved: dict[Path | None, Path] = {}
    for group, stage in zip(series, parts(reporter, len(series)), strict=True):
        _compare(group, folder, stage)
        moved |= {scene.folder: folder / _name(scene) for scene in group}
    return [
        replace(scene, folder=moved.get(scene.folder, scene.folder)) if scene in dated else scene
        for scene in scenes
    ]


def _size_and_classes(scene: SegmentedScene) -> tuple[float, int]:
    """Return the cell size of a scene, m, and the number of classes of its model."""
    with rasterio.open(Path(str(scene.folder)) / PROBABILITY) as stored:
        return float(stored.transform.a), int(stored.count)


def _compare(scenes: Sequence[SegmentedScene], folder: Path, reporter: Reporter) -> None:
    """Write the consistent zones of scenes whose cells coincide, in order of time."""
    years = [scene.scene.year for scene in scenes if scene.scene.year is not None]
    allow_open_files(FILES_PER_SCENE * len(scenes))
    with ExitStack() as stack:
        layers = _open(scenes, folder, stack)
        windows = blocks([layer.stored for layer in layers], CELLS_AT_ONCE)
        for number, block in enumerate(windows):
            _rewrite(layers, block, years)
            reporter.progress((number + 1) / len(windows), "Comparing the scenes")


def _name(scene: SegmentedScene) -> str:
    return scene.folder.name if scene.folder else ""


def _open(scenes: Sequence[SegmentedScene], folder: Path, stack: ExitStack) -> list[_Layer]:
    """Open the rasters to read and to write."""
    stored = [
        stack.enter_context(rasterio.open(scene.folder / PROBABILITY))
        for scene in scenes
        if scene.folder
    ]
    layers = []
    for scene, placed in zip(scenes, lay_out(stored), strict=True):
        target = folder / _name(scene)
        target.mkdir(parents=True)
        layers.append(
            _Layer(
                placed,
                stack.enter_context(_like(placed.dataset, target / PROBABILITY, len(CLASS_NAMES))),
                stack.enter_context(_like(placed.dataset, target / ZONES, 1)),
            )
        )
    return layers


def _like(dataset: DatasetReader, path: Path, bands: int) -> DatasetWriter:
    """Create an uncompressed raster on the cells of another; parts of it are written twice."""
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


def _rewrite(layers: Sequence[_Layer], block: Window, years: Sequence[float]) -> None:
    """Process one block in all scenes that cover a part of it."""
    parts = [
        (index, *part)
        for index, layer in enumerate(layers)
        if (part := layer.stored.overlap(block))
    ]
    if not parts:
        return
    codes = list(CLASS_NAMES)
    values: Float32Array = np.zeros((len(parts), len(codes), block.height, block.width), np.float32)
    for place, (index, window, (rows, columns)) in enumerate(parts):
        stored = layers[index].stored.dataset.read(codes, window=window)
        known = np.where(stored == PROBABILITY_NODATA, 0, stored)
        values[place, :, rows, columns] = known / np.float32(PROBABILITY_STEPS)
    values = persistent(values, [years[index] for index, *_ in parts])
    for answer, (index, window, (rows, columns)) in zip(values, parts, strict=True):
        inside = answer[:, rows, columns]
        layers[index].zones.write(zones_of(inside, codes), 1, window=window)
        layers[index].probability.write(quantise(inside, inside.any(axis=0)), window=window)
