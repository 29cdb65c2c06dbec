"""Segmentation of one scene: open it, predict, write the rasters."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, ExitStack, closing, nullcontext
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from rasterio.features import geometry_mask
from rasterio.io import DatasetWriter
from rasterio.windows import Window
from shapely import Polygon

from glacier_qgis.models.compute.arrays import Float32Array
from glacier_qgis.models.compute.device import choose_device
from glacier_qgis.models.compute.pipeline import behind
from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.engine.events import Reporter
from glacier_qgis.models.fronts.scene.band_names import network_bands
from glacier_qgis.models.fronts.scene.view import SceneStatistics, network_view
from glacier_qgis.models.fronts.segmentation.model_cache import load_once
from glacier_qgis.models.fronts.segmentation.model_choice import ModelChoice
from glacier_qgis.models.fronts.segmentation.options import Inference
from glacier_qgis.models.fronts.segmentation.predictor import (
    PADDING,
    TILE,
    Predictor,
    entropy,
    first_look,
)
from glacier_qgis.models.fronts.segmentation.rock import (
    ReadRock,
    RockCount,
    known_rock,
    rock_beside,
    with_rock,
)
from glacier_qgis.models.fronts.segmentation.spectral import (
    ReadSpectral,
    colours_of,
    with_evidence,
)
from glacier_qgis.models.fronts.segmentation.tiling import Read, TilePlan, blend
from glacier_qgis.models.package.card import ModelCard, ZoneClass
from glacier_qgis.models.raster.footprint import work_grid
from glacier_qgis.models.raster.gaps import tell_no_numbers
from glacier_qgis.models.raster.grid import Grid
from glacier_qgis.models.raster.sink import create_raster
from glacier_qgis.models.raster.source import Scene
from glacier_qgis.models.vector.source import read_polygons
from glacier_qgis.models.zones.codes import (
    NOT_PROCESSED,
    PROBABILITY_NODATA,
    PROBABILITY_STEPS,
    class_titles,
    palette,
    quantise,
    zones_of,
)

Beside = Callable[[Read, Grid, ExitStack], Read]
"""Puts channels of other scenes between the bands and the mask of what is read on a grid; the stack
closes their files."""

FINEST = 50.0
"""Largest ratio of the scene's pixel to the model's cell."""


@dataclass(frozen=True)
class Drafts:
    """Paths of the rasters of one segmentation; None for those not requested.

    GDAL's names of files in memory are strings.
    """

    zones: Path | str
    probability: Path | str | None = None
    uncertainty: Path | str | None = None


@dataclass(frozen=True)
class Segmentation:
    """What one run over a scene used: the cells, and the card of the network."""

    grid: Grid
    card: ModelCard


def segment(
    scene: Scene,
    choice: ModelChoice,
    options: Inference,
    drafts: Drafts,
    tags: dict[str, str],
    reporter: Reporter,
    grid: Grid | None = None,
    turn: AbstractContextManager[object] | None = None,
    beside: Beside | None = None,
    known: SceneStatistics | None = None,
) -> Segmentation:
    """Segment `scene` into zones on the model's grid.

    Memory depends on the tile size and the scene's width, not on its area.

    Args:
        scene: The open scene.
        choice: The model.
        options: How to run its network.
        drafts: Paths to write.
        tags: Provenance; that of the model is added.
        reporter: Receives progress.
        grid: Work grid; None for the scene's own grid, clipped to the extent.
        turn: Held while the network computes, so that threads that segment several scenes at the
            same time read and write in parallel but compute in turn.
        beside: Opens what other scenes show; the model's network for series sees it.
        known: Statistics of the whole scene; None to use those of the grid.

    Raises:
        EngineError: See the functions that open the model, the scene, the mask and the grid.
    """
    device = choose_device(options.device)
    model = load_once(choice.folder, choice.card, device)
    if beside is not None:
        model = model.for_series()
    card = model.card
    bands = network_bands(scene, card, options.bands)
    if len(bands) != card.bands:
        raise EngineError(
            f"BANDS: the model {card.name} needs {card.bands} band(s), but {bands} were given. "
            "Choose as many."
        )
    if grid is None:
        grid = work_grid(scene, options.extent, options.cell_size or card.cell_size_m)
    _check_scale(scene, grid, card.cell_size_range_m, reporter)
    mask = read_polygons(options.mask, grid.crs, "MASK") if options.mask else None
    tile = options.tile_size or model.tile or TILE
    padding = options.padding
    if padding < 0:
        padding = PADDING if model.padding is None else model.padding
    plan = TilePlan.choose(grid.shape, model.stride, tile, padding, framed=not card.oriented)
    codes = [zone.value for zone in card.classes]
    turned = options.tta and not card.oriented
    half = first_look(model.network, device)
    network = Predictor(model.network, device, codes, augment=turned, half=half)
    batch = options.batch_size or network.batch(card.inputs, plan.tile)

    def predict(tiles: Float32Array, row: int) -> Float32Array:
        with turn or nullcontext():
            return network(tiles, row)

    tags = {**tags, **card.provenance}
    reporter.log(
        f"{card.title} on {device}: {grid.width} × {grid.height} cells of "
        f"{grid.cell_size:g} m ({grid.crs.name}), tiles of {plan.tile}."
    )
    if options.tta and card.oriented:
        reporter.log(f"{card.name} knows one glacier as it lies, so TTA does not turn its tiles.")
    with ExitStack() as stack:
        view = stack.enter_context(network_view(scene, grid, bands, card.input_values, known))
        tell_no_numbers(scene, bands, reporter)
        rock = stack.enter_context(known_rock(options.rock, grid)) if options.rock else None
        colours = stack.enter_context(colours_of(scene, grid, card, options.bands, reporter))
        rasters = _Rasters(stack, drafts, grid, card.classes, mask, rock, colours, tags)
        read: Read = view.read
        if beside is not None:
            read = beside(read, grid, stack)
        if card.rock:
            seen = stack.enter_context(known_rock(options.rock, grid)) if options.rock else None
            read = rock_beside(read, seen, grid)
        answers = blend(read, predict, grid.shape, len(codes), plan, batch)
        write = stack.enter_context(behind(rasters.write))
        for window, values in stack.enter_context(closing(answers)):
            write((window, values))
            _report(reporter, window, grid)
    if options.rock:
        rasters.rock_count.check(reporter)
    if not rasters.processed:
        raise EngineError(
            "MASK and EXTENT leave no valid pixel of the scene. Check that they overlap it."
        )
    return Segmentation(grid, card)


class _Rasters:
    """The open result rasters.

    Attributes:
        processed: Whether any cell has a zone.
        rock_count: Of the cells inside the mask.
    """

    def __init__(
        self,
        stack: ExitStack,
        drafts: Drafts,
        grid: Grid,
        classes: Sequence[ZoneClass],
        mask: Sequence[Polygon] | None,
        rock: ReadRock | None,
        colours: ReadSpectral | None,
        tags: dict[str, str],
    ) -> None:
        def create(path: Path | str, nodata: int, bands: list[str]) -> DatasetWriter:
            return stack.enter_context(
                create_raster(path, grid, dtype="uint8", nodata=nodata, bands=bands, tags=tags)
            )

        def fraction(path: Path | str | None, bands: list[str]) -> DatasetWriter | None:
            if path is None:
                return None
            raster = create(path, PROBABILITY_NODATA, bands)
            raster.scales = (1 / PROBABILITY_STEPS,) * len(bands)
            return raster

        self.processed = False
        self.rock_count = RockCount()
        self._grid, self._mask, self._rock, self._colours = grid, mask, rock, colours
        self._codes = [zone.value for zone in classes]
        self._zones = create(drafts.zones, NOT_PROCESSED, ["zones"])
        titles = class_titles({zone.value: zone.name for zone in classes})
        self._zones.write_colormap(1, palette(titles))
        self._bands = [list(titles).index(code) + 1 for code in self._codes]
        self._probability = fraction(drafts.probability, list(titles.values()))
        self._uncertainty = fraction(drafts.uncertainty, ["normalised entropy"])

    def write(self, answer: tuple[Window, Float32Array]) -> None:
        """Write the probabilities (classes, rows, columns) of a window in every requested form."""
        window, values = answer
        if self._colours is not None:
            values = with_evidence(values, self._colours(window), self._codes)
        if self._mask is not None:
            transform = self._grid.crop(window).transform
            inside = geometry_mask(self._mask, values.shape[1:], transform, invert=True)
            values = values * inside
        if self._rock is not None:
            rock = self._rock(window)
            self.rock_count.add(rock, np.any(values, axis=0))
            values = with_rock(values, rock, self._codes)
        zones = zones_of(values, self._codes)
        valid = zones != NOT_PROCESSED
        self._zones.write(zones, 1, window=window)
        if self._probability:
            self._probability.write(quantise(values, valid), self._bands, window=window)
        if self._uncertainty:
            self._uncertainty.write(quantise(entropy(values), valid), 1, window=window)
        self.processed |= bool(valid.any())


def _report(reporter: Reporter, window: Window, grid: Grid) -> None:
    cells = window.row_off * grid.width + (window.col_off + window.width) * window.height
    reporter.progress(cells / (grid.width * grid.height), "Segmenting the scene")


def _check_scale(scene: Scene, grid: Grid, valid: tuple[float, float], reporter: Reporter) -> None:
    """Warn of unsuitable cell sizes; refuse impossible ones."""
    if not valid[0] <= grid.cell_size <= valid[1]:
        reporter.warning(
            f"CELL_SIZE {grid.cell_size:g} m is outside the {valid[0]:g} to {valid[1]:g} m that "
            "the model was trained for."
        )
    native = scene.native_cell_size(grid.crs)
    if native > FINEST * grid.cell_size:
        raise EngineError(
            f"The cells of {grid.cell_size:g} m are {native / grid.cell_size:.0f} times finer than "
            f"the scene's pixels of {native:g} m, too fine to show a front. Choose a larger "
            "CELL_SIZE, or a finer scene."
        )
    if native > 2 * grid.cell_size:
        reporter.warning(
            f"The scene's pixels ({native:.0f} m) are much coarser than the model's cells "
            f"({grid.cell_size:g} m): lines will be less accurate."
        )
