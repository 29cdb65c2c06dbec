"""A labelled tile and a network's prediction for it: zones and fronts.

Tiles are predicted as a whole, without augmentation, resampled to the model's cells. Fronts are
traced with the functions of the product, in the prediction and in the label.
"""

from __future__ import annotations

import math
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import rasterio
import shapely
from affine import Affine
from pyproj import CRS
from rasterio.io import DatasetReader
from rasterio.windows import Window
from shapely import LineString

from glacier_qgis.models.compute.arrays import Float32Array
from glacier_qgis.models.engine.events import Silent
from glacier_qgis.models.fronts.segmentation.rock import with_rock
from glacier_qgis.models.fronts.segmentation.tiling import Predict, Read, TilePlan, blend
from glacier_qgis.models.fronts.termini.extract import Segmented, Terminus, extract_termini
from glacier_qgis.models.fronts.termini.metrics import front_distances, reference_box
from glacier_qgis.models.fronts.termini.options import TerminusOptions
from glacier_qgis.models.fronts.termini.whereabouts import ANYWHERE, Whereabouts
from glacier_qgis.models.package.card import Calibration
from glacier_qgis.models.raster.grid import Grid
from glacier_qgis.models.raster.sink import write_raster
from glacier_qgis.models.training.data.samples import Labelled
from glacier_qgis.models.training.views.look import View, look, rock_under
from glacier_qgis.models.vector.lines import clip_lines
from glacier_qgis.models.zones.codes import CLASS_NAMES, NOT_PROCESSED, zones_of

CODES = list(CLASS_NAMES)

STAND_IN_CRS = CRS.from_proj4("+proj=aeqd +lat_0=0 +lon_0=0 +datum=WGS84 +units=m")
"""Off the map, tiles lie around an arbitrary origin, where this projection is true to scale."""

TILE = 768
PADDING = 64
"""Largest tile that is predicted at once, and context of larger ones when they are cut, cells."""


@dataclass(frozen=True)
class Answer:
    """Prediction and label of one tile.

    Attributes:
        tile: The tile.
        value: Ranks of the first band, (rows, columns), NaN where invalid.
        truth: Labelled codes, 0 where unlabelled.
        probabilities: (classes, rows, columns), 0 where invalid.
        zones: Predicted codes, 0 where invalid.
        grid: The grid.
        predicted: Fronts from the probabilities.
        reference: Fronts from the labels.
    """

    tile: Labelled
    value: Float32Array
    truth: npt.NDArray[np.uint8]
    probabilities: Float32Array
    zones: npt.NDArray[np.uint8]
    grid: Grid
    predicted: list[Terminus]
    reference: list[LineString]

    @property
    def lines(self) -> list[LineString]:
        """The predicted fronts."""
        return [terminus.line for terminus in self.predicted]

    @property
    def boxed(self) -> list[LineString]:
        """The predicted fronts in the box around the labelled one; none without a labelled one."""
        return clip_lines(self.lines, reference_box(self.reference)) if self.reference else []

    def distances(self, lines: Sequence[LineString]) -> npt.NDArray[np.float64]:
        """Return distances between `lines` and the labelled fronts, m; see `front_distances`."""
        return front_distances(lines, self.reference, self.grid.cell_size)

    def stated_and_true(self) -> npt.NDArray[np.float64]:
        """Return uncertainty and true error at points along the fronts in the box, (2, points)."""
        pairs: list[npt.NDArray[np.float64]] = [np.empty((2, 0))]
        if self.reference:
            box, truth = reference_box(self.reference), shapely.union_all(self.reference)
            for along in (terminus.along for terminus in self.predicted):
                if along is not None:
                    points = shapely.points(along.points)
                    errors = np.stack([along.uncertainties_m, shapely.distance(points, truth)])
                    pairs.append(errors[:, shapely.intersects(points, box)])
        return np.concatenate(pairs, axis=1)


@dataclass(frozen=True)
class Predicted:
    """What a network predicts of a tile, on the model's cells.

    Attributes:
        image: (bands + 1, rows, columns): ranks of the values, mask of valid pixels.
        truth: Labelled codes, 0 where unlabelled.
        probabilities: (classes, rows, columns), 0 where invalid.
        grid: The cells.
    """

    image: Float32Array
    truth: npt.NDArray[np.uint8]
    probabilities: Float32Array
    grid: Grid


def predicted(
    tile: Labelled, predict: Predict, stride: int, cell_size: float, *, framed: bool = True
) -> Predicted:
    """Predict a whole tile; what is known to be rock is rock, as with ROCK in the toolbox.

    Args:
        tile: The tile.
        predict: The network.
        stride: Rows and columns of its input must be multiples of this.
        cell_size: Of the network, m.
        framed: See `TilePlan`.
    """
    grid = _grid(tile, cell_size)
    rows, columns = tile.shape
    centre = ((rows - 1) / 2, (columns - 1) / 2)
    view = View(centre, grid.shape, (cell_size, cell_size))
    image, labels = look(tile, view)
    inputs = image.numpy()
    padding = PADDING if max(grid.shape) > TILE else 0
    plan = TilePlan.choose(grid.shape, stride, TILE, padding, framed=framed)
    probabilities = np.zeros((len(CODES), *grid.shape), np.float32)
    for window, values in blend(_reader(inputs), predict, grid.shape, len(CODES), plan, 1):
        probabilities[(slice(None), *window.toslices())] = values
    if (rock := rock_under(tile, view)) is not None:
        probabilities = with_rock(probabilities, rock, CODES)
    return Predicted(inputs, labels.numpy().astype(np.uint8), probabilities, grid)


def assess(
    tile: Labelled,
    seen: Predicted,
    calibration: Calibration | None = None,
    whereabouts: Whereabouts = ANYWHERE,
) -> Answer:
    """Trace the fronts of a tile.

    Args:
        tile: The tile.
        seen: What the network predicts of it.
        calibration: Of the model's uncertainties.
        whereabouts: Where its fronts may be; heeded if the tile lies on the map.
    """
    here = whereabouts if tile.grid else ANYWHERE
    zones = zones_of(seen.probabilities, CODES)
    known = np.where(zones == NOT_PROCESSED, np.float32(np.nan), seen.probabilities)
    return Answer(
        tile=tile,
        value=np.where(seen.image[-1] > 0, seen.image[0], np.nan).astype(np.float32),
        truth=seen.truth,
        probabilities=seen.probabilities,
        zones=zones,
        grid=seen.grid,
        predicted=_trace(seen.grid, zones, known, calibration, here),
        reference=[terminus.line for terminus in _trace(seen.grid, seen.truth)],
    )


def _grid(tile: Labelled, cell_size: float) -> Grid:
    """Return the model's grid over a tile, whose upper left corner is the origin off the map."""
    rows, columns = tile.shape
    across, down = columns * tile.cell_size[0], rows * tile.cell_size[1]
    width, height = (max(1, round(length / cell_size)) for length in (across, down))
    left, top = (across - width * cell_size) / 2, (height * cell_size - down) / 2
    west, _, _, north = tile.grid.bounds if tile.grid else (0.0, 0.0, 0.0, 0.0)
    transform = Affine(cell_size, 0.0, west + left, 0.0, -cell_size, north + top)
    return Grid(tile.grid.crs if tile.grid else STAND_IN_CRS, transform, height, width)


def _reader(inputs: Float32Array) -> Read:
    """Return windows of an array; outside it, values are 0."""

    def read(window: Window) -> Float32Array:
        result = np.zeros((inputs.shape[0], window.height, window.width), np.float32)
        top, left = max(-window.row_off, 0), max(-window.col_off, 0)
        part = inputs[
            :,
            max(window.row_off, 0) : window.row_off + window.height,
            max(window.col_off, 0) : window.col_off + window.width,
        ]
        result[:, top : top + part.shape[1], left : left + part.shape[2]] = part
        return result

    return read


def _trace(
    grid: Grid,
    zones: npt.NDArray[np.uint8],
    probabilities: Float32Array | None = None,
    calibration: Calibration | None = None,
    whereabouts: Whereabouts = ANYWHERE,
) -> list[Terminus]:
    """Trace fronts as the product does, which reads files."""
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:

        def stored(title: str, values: npt.NDArray[np.generic], nodata: float) -> DatasetReader:
            path = Path(name) / title
            bands = [str(band) for band in range(len(values))]
            write_raster(path, grid, values, nodata=nodata, bands=bands, tags={})
            return stack.enter_context(rasterio.open(path))

        codes = stored("zones.tif", zones[None], NOT_PROCESSED)
        sure = None if probabilities is None else stored("sure.tif", probabilities, math.nan)
        scene = Segmented(grid, codes, sure, calibration, whereabouts)
        return [*extract_termini(scene, TerminusOptions(), Silent()).termini]
