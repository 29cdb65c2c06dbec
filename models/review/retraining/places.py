"""The scenes of a review, read onto one grid per glacier."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import shapely
from affine import Affine
from pyproj import CRS
from rasterio.windows import Window
from shapely import LineString

from glacier_qgis.models.compute.arrays import Float32Array, Mask
from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.engine.job import RasterInput, VectorInput
from glacier_qgis.models.fronts.scene.band_names import network_bands
from glacier_qgis.models.fronts.scene.view import network_view, scene_statistics
from glacier_qgis.models.fronts.segmentation.rock import known_rock
from glacier_qgis.models.package.card import ModelCard
from glacier_qgis.models.raster.footprint import work_grid
from glacier_qgis.models.raster.grid import Grid
from glacier_qgis.models.raster.metric import metric_crs, transform_bounds
from glacier_qgis.models.raster.source import open_raster
from glacier_qgis.models.review.retraining.samples import SceneInPlace
from glacier_qgis.models.vector.source import read_layer
from glacier_qgis.wall.fingerprint import fingerprint

MARGIN_M = 6000.0
"""Surroundings of the fronts that a network is trained on."""
LARGEST = 1500
"""Most cells per side of a place."""


@dataclass(frozen=True)
class SceneFacts:
    """What a review says of a scene, corrected or not.

    Attributes:
        path: Its file.
        name: Unique.
        glacier: Blank if not stated.
        date: ISO 8601; blank if not known.
        lines: Its fronts, in `crs`; none of a scene that nobody corrected.
        crs: Of the lines.
    """

    path: str
    name: str
    glacier: str
    date: str
    lines: tuple[LineString, ...]
    crs: CRS


@dataclass(frozen=True)
class Place:
    """The scenes of one glacier, on one grid.

    Attributes:
        glacier: Its name.
        grid: The cells.
        rock: Known rock, (rows, columns); nowhere if none was given.
        scenes: Those that could be read, by name; without labels.
        known_rock: What is known to be rock, as it was given; None if nothing was.
    """

    glacier: str
    grid: Grid
    rock: Mask
    scenes: dict[str, SceneInPlace]
    known_rock: RasterInput | VectorInput | None = None

    def nearest(self, name: str, count: int) -> list[str]:
        """Return the scenes nearest in time to one, itself first; all where its date is unknown."""
        own = self.scenes[name].day
        if own is None:
            return [*self.scenes]
        gaps = {each: abs(day - own) for each, scene in self.scenes.items() if (day := scene.day)}
        return sorted(gaps, key=lambda each: (each != name, gaps[each]))[:count]


def read_place(
    scenes: Sequence[SceneFacts], card: ModelCard, rock: RasterInput | VectorInput | None
) -> tuple[Place, dict[str, str]]:
    """Read the scenes of one glacier.

    Args:
        scenes: At least one with a front.
        card: Of the model: its bands, its cell size.
        rock: What is known to be rock.

    Returns:
        The place, and why scenes could not be read, by name.

    Raises:
        EngineError: No scene can be read, or the fronts are too far from each other.
    """
    glacier = scenes[0].glacier
    grid = _grid(scenes, card.cell_size_m)
    read: dict[str, SceneInPlace] = {}
    failed: dict[str, str] = {}
    for scene in scenes:
        try:
            ranks, valid = _ranks(scene.path, grid, card)
        except EngineError as error:
            failed[scene.name] = str(error)
            continue
        read[scene.name] = SceneInPlace(
            name=scene.name,
            group=glacier,
            date=scene.date,
            ranks=ranks,
            valid=valid,
            zones=np.zeros(grid.shape, np.uint8),
            grid=grid,
            lines=tuple(_in_crs(scene, grid.crs)),
            path=scene.path,
        )
    if not read:
        raise EngineError(f"No scene of the review can be read: {next(iter(failed.values()))}")
    return Place(glacier, grid, _rock(rock, grid), read, rock), failed


def _grid(scenes: Sequence[SceneFacts], cell: float) -> Grid:
    """Return the cells around all fronts, as far as scenes reach."""
    crs, covered = None, []
    for scene in scenes:
        try:
            with open_raster(RasterInput(path=scene.path), "REVIEW") as raster:
                crs = crs or metric_crs(raster)
                covered.append(transform_bounds(raster.bounds, raster.crs, crs))
        except EngineError:
            continue  # told when the scene itself is read
    if crs is None:
        raise EngineError(
            f"No scene of the review can be opened, the first is {scenes[0].path}. Put them back "
            "where they were when the review was prepared."
        )
    lines = [line for scene in scenes for line in _in_crs(scene, crs)]
    west, south, east, north = shapely.total_bounds(lines)
    box = np.array(covered)
    low, high = box[:, :2].min(axis=0), box[:, 2:].max(axis=0)
    first = [math.floor(max(a - MARGIN_M, b) / cell) for a, b in ((west, low[0]), (south, low[1]))]
    last = [math.ceil(min(a + MARGIN_M, b) / cell) for a, b in ((east, high[0]), (north, high[1]))]
    width, height = last[0] - first[0], last[1] - first[1]
    if max(width, height) > LARGEST:
        raise EngineError(
            f"The fronts of '{scenes[0].glacier}' are up to {max(width, height) * cell / 1000:.0f} "
            "km apart, too far for one glacier. Fill in the field 'glacier' of the tasks, one name "
            "per glacier."
        )
    if min(width, height) < 2:
        raise EngineError(
            "The corrected fronts lie outside their scenes. Check the CRS of the lines, and record "
            "the corrections again."
        )
    corner = Affine(cell, 0.0, first[0] * cell, 0.0, -cell, last[1] * cell)
    return Grid(crs, corner, height, width)


def _in_crs(scene: SceneFacts, crs: CRS) -> list[LineString]:
    return list(gpd.GeoSeries(list(scene.lines), crs=scene.crs).to_crs(crs))


def _ranks(path: str, grid: Grid, card: ModelCard) -> tuple[Float32Array, Float32Array]:
    """Return ranks and validity of a scene as the model sees them, (bands, ...) and (...)."""
    with open_raster(RasterInput(path=path), "REVIEW") as scene:
        bands = network_bands(scene, card, ())
        known = scene_statistics(scene, work_grid(scene, None, card.cell_size_m), bands)
        with network_view(scene, grid, bands, card.input_values, known) as view:
            seen = view.read(Window(0, 0, grid.width, grid.height))
    return seen[:-1], seen[-1]


def content_of(rock: RasterInput | VectorInput) -> str:
    """Return a hash of known rock: of polygons and their CRS, or of the file of a raster.

    Raises:
        EngineError: The polygons cannot be read.
    """
    if isinstance(rock, RasterInput):
        return fingerprint(rock.path)
    layer = read_layer(rock, "ROCK", [])
    digest = hashlib.sha256(layer.crs.to_wkt().encode())
    for shape in layer.frame.geometry.dropna():
        digest.update(shapely.to_wkb(shape))
    return digest.hexdigest()


def _rock(source: RasterInput | VectorInput | None, grid: Grid) -> Mask:
    if source is None:
        return np.zeros(grid.shape, np.bool_)
    with known_rock(source, grid) as read:
        rock = read(Window(0, 0, grid.width, grid.height))
    if rock.all():
        raise EngineError(
            "ROCK covers everything around the fronts, so there is neither ice nor water. Choose "
            "polygons around rock and land only, or a raster that is 0 or no data on ice and "
            "water."
        )
    return rock
