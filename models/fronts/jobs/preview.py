"""Preview of a segmentation: the part of a scene that the map canvas shows.

One tile of limited size; no file is written. On two cores it takes about one second once
`PreparePreview` has loaded the network and measured the scene. A small extent gives the same cells
as a run; a large one is segmented without test-time augmentation, with larger cells.
"""

from __future__ import annotations

import base64
import math
from functools import lru_cache
from pathlib import Path

import numpy as np
import shapely
from pyproj import CRS
from rasterio.enums import Resampling
from rasterio.io import DatasetReader, MemoryFile
from rasterio.vrt import WarpedVRT
from shapely import LineString

from glacier_qgis.models.compute.device import choose_device
from glacier_qgis.models.engine.events import JsonValue, Reporter, Result, Stage
from glacier_qgis.models.engine.job import Extent, Job, RasterInput
from glacier_qgis.models.engine.outputs import Outputs
from glacier_qgis.models.fronts.jobs.scene import SEGMENTATION_SHARE, other_classes
from glacier_qgis.models.fronts.scene.band_names import network_bands
from glacier_qgis.models.fronts.scene.view import SceneStatistics, scene_statistics
from glacier_qgis.models.fronts.segmentation.model_cache import load_once
from glacier_qgis.models.fronts.segmentation.model_choice import (
    ModelChoice,
    choose_model,
    tell_choices,
)
from glacier_qgis.models.fronts.segmentation.options import Inference
from glacier_qgis.models.fronts.segmentation.predictor import PADDING, Predictor
from glacier_qgis.models.fronts.segmentation.segment import Drafts, segment
from glacier_qgis.models.fronts.termini.extract import Fronts, Segmented, extract_termini
from glacier_qgis.models.fronts.termini.options import TerminusOptions
from glacier_qgis.models.fronts.termini.whereabouts import Whereabouts
from glacier_qgis.models.package.card import ModelCard
from glacier_qgis.models.package.folder import Model
from glacier_qgis.models.raster.crs import horizontal, read_crs, transformer
from glacier_qgis.models.raster.footprint import work_grid
from glacier_qgis.models.raster.grid import Grid
from glacier_qgis.models.raster.source import Scene, open_raster
from glacier_qgis.models.report.png import png_bytes
from glacier_qgis.models.zones.codes import GLACIER, OCEAN

EDGE = 512
"""Largest number of cells along a side of a preview; a larger extent gets larger cells."""
NARROW = EDGE // 2 - PADDING
"""Largest number of cells per side with test-time augmentation: four passes over a quarter of the
cells, with their padding."""
MARGIN = 0.05
"""Margin of the scene on each side of the extent, as a share of its size; at least so much that
there are `NARROW` cells."""
SCENES_KEPT = 8
FIRST_TILE = 160
"""Edge of the blank tile for the first, slower call of a network, cells."""


class _Look(Job):
    """The scene of a preview."""

    input: RasterInput
    model: str = ""

    def chosen(self, scene: Scene, reporter: Reporter, extent: Extent | None = None) -> ModelChoice:
        """Return the model that a run would take: of the whole scene, or with an EXTENT."""
        options = Inference(model=self.model, extent=extent)
        choice = choose_model(options, scene, self.input)
        tell_choices([choice], [self.input], reporter)
        return choice


class PreparePreview(_Look):
    """Load everything that previews of a scene need."""

    def run(self, reporter: Reporter, outputs: Outputs) -> Result:
        """Return the properties of the model."""
        reporter.progress(0, "Loading the network")
        with open_raster(self.input) as scene:
            choice = self.chosen(scene, reporter)
            device = choose_device("automatic")
            model = load_once(choice.folder, choice.card, device)
            reporter.progress(0.3, "Measuring the scene")
            whole_scene(self.input, scene, model.card)
        reporter.progress(0.9, "Warming up the network")
        _try(model)
        return {"MODEL": model.card.name, "TITLE": model.card.title}


class PreviewTermini(_Look):
    """Zones and lines in the extent of the map canvas, in its CRS.

    Attributes:
        view: Extent of the map canvas.
        view_only: Treat this extent as the whole scene, as `EXTENT` does.
    """

    view: Extent
    view_only: bool = False

    def run(self, reporter: Reporter, outputs: Outputs) -> Result:
        """Return the zones as a PNG of their codes with its extent, and the lines."""
        with (
            MemoryFile(ext=".tif") as zones_file,
            MemoryFile(ext=".tif") as probability_file,
            open_raster(self.input) as scene,
        ):
            choice = self.chosen(scene, reporter, self.view if self.view_only else None)
            card = choice.card
            known = None if self.view_only else whole_scene(self.input, scene, card)
            grid = _grid(scene, self.view, card, alone=self.view_only)
            _warn_of_large_cells(grid, card, reporter)
            drafts = Drafts(zones_file.name, probability_file.name)
            stage = Stage(_ProgressOnly(reporter), 0, SEGMENTATION_SHARE)
            asked = _inference(grid)
            segment(scene, choice, asked, drafts, {}, stage, grid, known=known)
            crs = horizontal(read_crs(self.view.crs, "VIEW"))
            with zones_file.open() as zones, probability_file.open() as probability:
                where = Whereabouts.of(card.provenance)
                segmented = Segmented(grid, zones, probability, card.calibration, where)
                fronts = _fronts(segmented, card, reporter)
                return {
                    **_picture(zones, crs),
                    "LINES": _lines(fronts, grid.crs, crs),
                    "REASON": _absence(fronts),
                    "MODEL": card.name,
                    "CELL_SIZE": grid.cell_size,
                    "CLASSES": other_classes(card),
                }


def _try(model: Model) -> None:
    """Run the network once: the first call is slower, because torch selects its algorithms."""
    edge = model.tile or FIRST_TILE
    predict = Predictor(model.network, choose_device("automatic"), _codes(model.card))
    predict(np.zeros((1, model.card.inputs, edge, edge), dtype=np.float32), 0)


def whole_scene(source: RasterInput, scene: Scene, card: ModelCard) -> SceneStatistics:
    """Return the statistics of a whole scene; measured again only if its file has changed."""
    path = Path(source.path)
    bands = network_bands(scene, card, ())
    if not path.is_file():
        return scene_statistics(scene, work_grid(scene, None, card.cell_size_m), bands)
    state = path.stat()
    changed = (state.st_size, state.st_mtime_ns)
    return _measured(source.model_dump_json(), bands, card.cell_size_m, changed)


@lru_cache(maxsize=SCENES_KEPT)
def _measured(
    source: str, bands: tuple[int, ...], cell_size: float, changed: tuple[int, int]
) -> SceneStatistics:
    """Measure the scene of a `RasterInput` in JSON; `changed` only serves as a key of the cache."""
    with open_raster(RasterInput.model_validate_json(source)) as scene:
        return scene_statistics(scene, work_grid(scene, None, cell_size), bands)


def _codes(card: ModelCard) -> list[int]:
    return [zone.value for zone in card.classes]


def _inference(grid: Grid) -> Inference:
    return Inference(tta=max(grid.shape) <= NARROW)


def _grid(scene: Scene, view: Extent, card: ModelCard, *, alone: bool) -> Grid:
    """Return the grid of a preview: the model's cells, or larger ones for a large extent.

    Unless the extent is treated as the whole scene, a margin around it is included as context for
    the network.
    """
    grid = work_grid(scene, view, card.cell_size_m)
    if not alone:
        across, up = (
            max(math.ceil(MARGIN * cells), (NARROW - cells) // 2)
            for cells in (grid.width, grid.height)
        )
        grid = work_grid(scene, _place(grid, across, up), card.cell_size_m)
    larger = max(grid.shape) / EDGE
    return grid if larger <= 1 else work_grid(scene, _place(grid), larger * card.cell_size_m)


def _place(grid: Grid, across: int = 0, up: int = 0) -> Extent:
    """Return the bounds of a grid with a margin of cells on each side."""
    west, south, east, north = grid.bounds
    right, above = across * grid.cell_size, up * grid.cell_size
    crs = grid.crs.to_wkt()
    return Extent(
        xmin=west - right, ymin=south - above, xmax=east + right, ymax=north + above, crs=crs
    )


def _fronts(segmented: Segmented, card: ModelCard, reporter: Reporter) -> Fronts | None:
    """Trace the lines; None if the model lacks the class glacier or ocean."""
    if not {GLACIER, OCEAN} <= {*_codes(card)}:
        return None
    return extract_termini(segmented, TerminusOptions(), Stage(reporter, SEGMENTATION_SHARE, 1))


def _picture(zones: DatasetReader, crs: CRS) -> Result:
    """Return the codes of the zones, resampled to the map's CRS."""
    with WarpedVRT(zones, crs=crs.to_wkt(), resampling=Resampling.nearest) as view:
        picture = base64.b64encode(png_bytes(view.read(1))).decode("ascii")
        west, south, east, north = view.bounds
    return {"PICTURE": picture, "EXTENT": [west, south, east, north]}


def _lines(fronts: Fronts | None, source: CRS, target: CRS) -> list[JsonValue]:
    to_map = transformer(source, target)

    def placed(line: LineString) -> list[JsonValue]:
        xs, ys = to_map.transform(*shapely.get_coordinates(line).T)
        return [[float(x), float(y)] for x, y in zip(xs, ys, strict=True)]

    return [
        {
            "points": placed(terminus.line),
            "confidence": terminus.confidence,
            "length_m": terminus.length_m,
            "uncertainty_m": terminus.uncertainty_m,
        }
        for terminus in (fronts.termini if fronts else ())
    ]


def _absence(fronts: Fronts | None) -> str:
    """Return why there is no line; empty if there is one."""
    if fronts is None:
        return "The model has no class for glacier or ocean, so no front can be traced."
    return fronts.absence.sentence if fronts.absence else ""


def _warn_of_large_cells(grid: Grid, card: ModelCard, reporter: Reporter) -> None:
    low, high = card.cell_size_range_m
    if grid.cell_size > high:
        reporter.warning(
            f"The preview has cells of {grid.cell_size:.0f} m, larger than the {low:g} to {high:g} "
            "m that the model was trained for. Zoom in for a reliable preview."
        )


class _ProgressOnly:
    """Passes on progress, but no messages for the log."""

    def __init__(self, reporter: Reporter) -> None:
        self.progress = reporter.progress

    def log(self, message: str) -> None:
        """Ignore it."""

    def warning(self, message: str) -> None:
        """Ignore it."""
