"""A satellite scene as network input: on the model's grid, normalised, masked."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from affine import Affine
from rasterio.enums import ColorInterp, Resampling
from rasterio.io import DatasetReader
from rasterio.vrt import WarpedVRT
from rasterio.windows import Window
from scipy.ndimage import binary_dilation

from glacier_qgis.models.compute.arrays import Float32Array
from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.fronts.scene.radiometry import border_fill, equalise, scene_quantiles
from glacier_qgis.models.gdal.warpable import FILLS
from glacier_qgis.models.package.card import InputValues
from glacier_qgis.models.raster.grid import Grid
from glacier_qgis.models.raster.source import Scene, read_band, warped

SAMPLE_CELLS = 4_000_000
"""Number of cells for the statistics of a scene."""
SAMPLE_BLOCK = 128
FILL_CELLS = 4_000_000
"""Largest number of cells of the mask of fill; a larger scene has a coarser mask."""
FILL_BLOCK = 8
FILL_SHARE = 0.005
"""Share of blocks with one value along the border, from which it counts as fill. Because of speckle
and sensor noise, even dark water does not fill a block with exact zeros."""
ABSURD = FILLS
"""Fill values that cannot be brightness or dB; they also count as fill inside a scene."""

BEYOND_MEASURE = 1e30
"""Larger than any measured value; programs write it for no data."""

UNITS_TAIL = 0.02
"""Share of the values on either side that may lie outside the range of a model, and the share of
that range that the others must span."""


@dataclass(frozen=True)
class SceneStatistics:
    """Statistics of a scene, the same for every part that is read.

    Attributes:
        quantiles: Of each band, from `scene_quantiles`.
        fill: Undeclared no-data values around the scene.
    """

    quantiles: tuple[Float32Array, ...]
    fill: tuple[float, ...]


class NetworkView:
    """Windows of a scene as network input: its bands and a mask of valid cells.

    Attributes:
        quantiles: Of each band, the same for every window.
    """

    def __init__(
        self,
        view: WarpedVRT,
        bands: Sequence[int],
        grid: Grid,
        fill: FillMask | None,
        inputs: InputValues,
        known: SceneStatistics | None,
    ) -> None:
        self._view = view
        self._bands = list(bands)
        self._grid = grid
        self._fill = fill
        self._inputs = inputs
        self.quantiles = (
            known.quantiles if known else tuple(map(self._measure, range(len(self._bands))))
        )
        for band, quantiles in zip(self._bands, self.quantiles, strict=True):
            _check_units(band, quantiles, inputs)

    def read(self, window: Window) -> Float32Array:
        """Return (bands + 1, rows, columns): ranks or scaled values, then 1 where valid.

        The window may extend beyond the scene; outside, as in cells without data, all is 0.
        """
        top, left = max(-window.row_off, 0), max(-window.col_off, 0)
        bottom = min(window.row_off + window.height, self._grid.height)
        right = min(window.col_off + window.width, self._grid.width)
        inside = Window(
            window.col_off + left,
            window.row_off + top,
            right - window.col_off - left,
            bottom - window.row_off - top,
        )
        result = np.zeros((len(self._bands) + 1, window.height, window.width), dtype=np.float32)
        values = self._values(inside)
        valid = np.isfinite(values[0])
        rows = slice(top, top + inside.height)
        columns = slice(left, left + inside.width)
        for index in range(len(self._bands)):
            result[index, rows, columns] = self._as_input(values[index], index)
        result[-1, rows, columns] = valid
        return result

    def _as_input(self, values: Float32Array, index: int) -> Float32Array:
        """Convert the values of a band to network input; 0 where invalid."""
        if self._inputs.kind == "rank":
            return equalise(values, self.quantiles[index])
        scaled = (values - self._inputs.mean[index]) / self._inputs.std[index]
        return np.asarray(np.nan_to_num(scaled, nan=0.0), dtype=np.float32)

    def _values(self, window: Window) -> Float32Array:
        """Read the bands; NaN in all of them where one has no data."""
        values: Float32Array = self._view.read(self._bands, window=window)
        gaps = ~(np.abs(values) < BEYOND_MEASURE).all(axis=0)
        if self._fill is not None:
            gaps |= self._fill.read(window)
        values[:, gaps] = np.nan
        return values

    def _measure(self, index: int) -> Float32Array:
        band = self._bands[index]
        sample = [self._values(block)[index].ravel() for block in sample_blocks(self._grid)]
        values = np.concatenate(sample)
        values = values[np.isfinite(values)]
        if values.size == 0:
            raise EngineError(
                f"The scene has no valid pixel in band {band}: every pixel is no data, zero fill "
                "or not a number. Check the no-data value, the EXTENT and the band."
            )
        if values.min() == values.max():
            raise EngineError(
                f"Band {band} has the same value ({values[0]:g}) everywhere. Choose another band "
                "or scene."
            )
        return scene_quantiles(values)


@contextmanager
def network_view(
    scene: Scene,
    grid: Grid,
    bands: Sequence[int],
    inputs: InputValues | None = None,
    known: SceneStatistics | None = None,
) -> Iterator[NetworkView]:
    """Open `scene` as input for a network on `grid`.

    Args:
        scene: The open scene.
        grid: The network's cells.
        bands: Bands of the scene, in the network's order.
        inputs: How values are normalised; None for their rank in the scene.
        known: Statistics of the whole scene; None to use those of the cells on the grid.

    Raises:
        EngineError: A band does not exist, or the scene has no data or other units than the network
            needs.
    """
    count = scene.dataset.count
    for band in bands:
        if not 1 <= band <= count:
            raise EngineError(
                f"BANDS: band {band} was requested, but {scene.name} has {count} band(s). Choose "
                f"from 1 to {count}."
            )
        _check_kind(scene, band)
    fill = None
    values = known.fill if known else _undeclared_fill(scene.dataset, bands[0])
    if values:
        fill = FillMask(scene, grid, bands[0], values)
    with warped(scene, grid) as view:
        yield NetworkView(view, bands, grid, fill, inputs or InputValues(), known)


def scene_statistics(scene: Scene, grid: Grid, bands: Sequence[int]) -> SceneStatistics:
    """Measure a scene.

    Args:
        scene: The open scene.
        grid: Covers the whole scene, with the network's cells.
        bands: In the network's order.

    Raises:
        EngineError: See `network_view`.
    """
    with network_view(scene, grid, bands) as view:
        return SceneStatistics(view.quantiles, _undeclared_fill(scene.dataset, bands[0]))


def sample_blocks(grid: Grid) -> Iterator[Window]:
    """Return all blocks of a grid, or a sample of about `SAMPLE_CELLS` cells.

    One block is drawn at random, with a fixed seed, from each of a number of runs of equal length:
    a constant step would repeat the same columns in grids of some widths.
    """
    across = math.ceil(grid.width / SAMPLE_BLOCK)
    number = across * math.ceil(grid.height / SAMPLE_BLOCK)
    taken = min(number, SAMPLE_CELLS // SAMPLE_BLOCK**2)
    drawn = np.random.default_rng(0).random(taken)
    for block in ((np.arange(taken) + drawn) * number / taken).astype(int).tolist():
        row, column = (SAMPLE_BLOCK * place for place in divmod(block, across))
        width, height = grid.width - column, grid.height - row
        yield Window(column, row, min(SAMPLE_BLOCK, width), min(SAMPLE_BLOCK, height))


def _check_kind(scene: Scene, band: int) -> None:
    """Refuse bands that do not hold brightness."""
    if scene.dataset.dtypes[band - 1].startswith("complex"):
        raise EngineError(
            f"Band {band} of {scene.name} holds complex (SLC) values. Convert it to intensity "
            "first, for example with 'Calibration' in SNAP."
        )
    if scene.dataset.colorinterp[band - 1] == ColorInterp.palette:
        raise EngineError(
            f"Band {band} of {scene.name} holds indices of a colour table, not brightness. Choose "
            "the scene itself, or convert it first (Raster > Conversion > PCT to RGB)."
        )


def _check_units(band: int, quantiles: Float32Array, inputs: InputValues) -> None:
    """Refuse values that are clearly outside the range of the network."""
    if inputs.kind == "rank" or inputs.expected is None:
        return
    low, high = inputs.expected
    tail = round(UNITS_TAIL * (quantiles.size - 1))
    darkest, brightest = float(quantiles[tail]), float(quantiles[-1 - tail])
    narrow = brightest - darkest < UNITS_TAIL * (high - low)
    if darkest < low or brightest > high or narrow:
        raise EngineError(
            f"Band {band} has values from {darkest:g} to {brightest:g}, but the model was made for "
            f"{low:g} to {high:g}. Stretch the scene to that range first (Raster > Conversion > "
            "Translate, with scaling), or choose a model that works with ranks."
        )


class FillMask:
    """Mask of undeclared fill in a scene, at a resolution that fits in memory.

    Args:
        scene: The open scene.
        grid: The network's cells.
        band: Band to examine.
        values: Fill values: zero counts where it surrounds the scene, `ABSURD` everywhere, with the
            neighbouring cells, which are interpolated from both.
    """

    def __init__(self, scene: Scene, grid: Grid, band: int, values: Collection[float]) -> None:
        self._factor = max(1, math.ceil(math.sqrt(grid.height * grid.width / FILL_CELLS)))
        coarse = Grid(
            grid.crs,
            grid.transform @ Affine.scale(self._factor),
            math.ceil(grid.height / self._factor),
            math.ceil(grid.width / self._factor),
        )
        extremes = [
            read_band(scene, coarse, band=band, resampling=method)
            for method in (Resampling.min, Resampling.max)
        ]
        absurd = np.isin(extremes[0], [value for value in values if value])
        self._fill = binary_dilation(absurd, np.ones((3, 3)))
        if 0 in values:
            empty = [(value == 0) | np.isnan(value) for value in extremes]
            self._fill |= border_fill(np.all(empty, axis=0))

    def read(self, window: Window) -> npt.NDArray[np.bool_]:
        """Return the mask for a window of the work grid."""
        rows = (np.arange(window.height) + window.row_off) // self._factor
        columns = (np.arange(window.width) + window.col_off) // self._factor
        return np.asarray(self._fill[np.ix_(rows, columns)])


def _undeclared_fill(dataset: DatasetReader, band: int) -> tuple[float, ...]:
    """Return the values that fill whole blocks along the border, as in many radar products."""
    height, width = dataset.shape
    edge = FILL_BLOCK
    if height < edge or width < edge:
        return ()
    strips = [
        Window(0, 0, width, edge),
        Window(0, height - edge, width, edge),
        Window(0, 0, edge, height),
        Window(width - edge, 0, edge, height),
    ]
    total = 0
    counts = {value: 0 for value in (0.0, *ABSURD) if value != dataset.nodata}
    for strip in strips:
        values = dataset.read(band, window=strip)
        along = values if values.shape[0] == edge else values.T
        blocks = along[:, : along.shape[1] // edge * edge].reshape(edge, -1, edge)
        for value in counts:
            counts[value] += int((blocks == value).all(axis=(0, 2)).sum())
        total += blocks.shape[1]
    return tuple(value for value, count in counts.items() if count > FILL_SHARE * total)
