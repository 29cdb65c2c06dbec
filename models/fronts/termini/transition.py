"""Sharpness of the change of probability from glacier to ocean across a front."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely
from rasterio.io import DatasetReader
from rasterio.windows import Window
from scipy import ndimage
from shapely import LineString

from glacier_qgis.models.compute.arrays import Float64Array
from glacier_qgis.models.fronts.termini.contours import read_contrast
from glacier_qgis.models.raster.grid import Grid

UNDECIDED = 0.5
"""If the probabilities of ocean and glacier differ by less than this, the class is undecided."""

REACH = 10.0
"""Largest distance from the line at which the change is sought, in cells; also the largest
width."""

CONTRAST_AT = 2.0
"""Distance from the line on either side, in cells, at which the contrast is measured."""

_STEP = 0.25
_OFFSETS = np.arange(-REACH, REACH + _STEP / 2, _STEP)
_CHUNK = 512


@dataclass(frozen=True)
class Transition:
    """Contrast and width of the transition at evenly spaced points of a line, about one cell apart.

    With d = p(ocean) - p(glacier) along the normal at a point:

    Attributes:
        points: (n, 2) coordinates in the grid's CRS.
        contrasts: (n,) (d seaward - d landward) / 2 at `CONTRAST_AT` cells from the line, 0 to 1: 1
            for a certain step, 0 for no change. NaN where data are missing.
        widths_m: (n,) mean over the two sides of the distance at which |d| reaches `UNDECIDED`, at
            most `REACH` cells. NaN where data are missing on both sides.
    """

    points: Float64Array
    contrasts: Float64Array
    widths_m: Float64Array

    @property
    def confidence(self) -> float:
        """Mean contrast."""
        return float(np.nanmean(self.contrasts))

    @property
    def width_m(self) -> float:
        """Mean width."""
        return float(np.nanmean(self.widths_m))


def measure_transition(
    line: LineString, probability: DatasetReader, grid: Grid, level: float = 0.0
) -> Transition | None:
    """Measure the change of probability across a line.

    Args:
        line: In the grid's CRS, with the glacier on its left.
        probability: On the grid; bands as in `contours`.
        grid: The grid.
        level: Log-odds of ocean against glacier on the line, see `level`.

    Returns:
        None if there are no data around the line.
    """
    number = max(2, round(line.length / grid.cell_size) + 1)
    along = np.linspace(0, line.length, number)
    points = shapely.get_coordinates(shapely.line_interpolate_point(line, along))
    profiles = _profiles(points, probability, grid, level)
    sides = np.stack(
        [_beyond(profiles[:, _OFFSETS >= 0]), _beyond(-profiles[:, _OFFSETS <= 0][:, ::-1])]
    )
    contrast = (_at(profiles, CONTRAST_AT) - _at(profiles, -CONTRAST_AT)) / 2
    if np.isnan(contrast).all() or np.isnan(sides).all():
        return None
    known = ~np.isnan(sides)
    total, sides_known = np.where(known, sides, 0).sum(axis=0), known.sum(axis=0)
    steps = np.where(sides_known > 0, total / np.maximum(sides_known, 1), np.nan)
    return Transition(points, np.clip(contrast, 0, 1), steps * _STEP * grid.cell_size)


def _profiles(
    points: Float64Array, probability: DatasetReader, grid: Grid, level: float
) -> Float64Array:
    """Sample d along the normals, shape (normals, offsets), seaward offsets positive."""
    inverse = ~grid.transform
    cells = np.column_stack(
        [
            inverse.d * points[:, 0] + inverse.e * points[:, 1] + inverse.f,
            inverse.a * points[:, 0] + inverse.b * points[:, 1] + inverse.c,
        ]
    )
    tangent = ndimage.gaussian_filter1d(np.gradient(cells, axis=0), 2.0, axis=0, mode="nearest")
    tangent /= np.maximum(np.hypot(tangent[:, 0], tangent[:, 1]), 1e-12)[:, None]
    normal = np.column_stack([tangent[:, 1], -tangent[:, 0]])
    samples = cells[:, None, :] + _OFFSETS[None, :, None] * normal[:, None, :]
    chunks = np.array_split(samples, -(-len(points) // _CHUNK))
    return np.concatenate([_sample(chunk, probability, level) for chunk in chunks])


def _sample(cells: Float64Array, probability: DatasetReader, level: float) -> Float64Array:
    """Interpolate d at (row, column) positions; corners of cells are whole numbers."""
    limits = np.array(probability.shape)
    first = np.clip(np.floor(cells.min(axis=(0, 1))).astype(int) - 1, 0, limits)
    last = np.clip(np.ceil(cells.max(axis=(0, 1))).astype(int) + 1, 0, limits)
    (top, left), (height, width) = first, last - first
    contrast = read_contrast(probability, Window(left, top, width, height), level)
    position = np.moveaxis(cells - first - 0.5, -1, 0)
    return np.asarray(
        ndimage.map_coordinates(contrast, position, order=1, cval=np.nan, output=np.float64)
    )


def _at(profiles: Float64Array, offset: float) -> Float64Array:
    return np.asarray(profiles[:, int(np.argmin(np.abs(_OFFSETS - offset)))])


def _beyond(side: Float64Array) -> Float64Array:
    """Return the steps after which each half profile is decided; NaN without data.

    Args:
        side: d from the line outwards, with the sign such that it grows to 1.
    """
    steps = side.shape[1] - 1
    decided = side >= UNDECIDED
    first = np.where(decided.any(axis=1), decided.argmax(axis=1), steps).astype(np.float64)
    cut = np.isnan(side).any(axis=1) & ~decided.any(axis=1)
    first[cut] = np.nan
    rows = np.nonzero(~cut & (first > 0) & decided.any(axis=1))[0]
    index = first[rows].astype(int)
    before, after = side[rows, index - 1], side[rows, index]
    known = ~np.isnan(before)
    part = (UNDECIDED - before[known]) / (after[known] - before[known])
    first[rows[known]] = index[known] - 1 + part
    return np.asarray(first)
