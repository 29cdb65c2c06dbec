"""Where ocean meets glacier, at sub-pixel precision, strip by strip."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from rasterio.io import DatasetReader
from rasterio.windows import Window
from scipy import ndimage
from shapely import LineString
from skimage.measure import find_contours

from glacier_qgis.models.compute.arrays import Float64Array, Mask
from glacier_qgis.models.fronts.termini.bodies import Zones
from glacier_qgis.models.fronts.termini.gaps import (
    GapRule,
    join_pieces,
    nearest_zone,
    split_at_gaps,
)
from glacier_qgis.models.fronts.termini.level import contrast_at
from glacier_qgis.models.zones.codes import GLACIER, OCEAN, read_probabilities

LABEL_SIGMA = 1.0
"""Smoothing of zones without probabilities, in cells; removes the steps between cells."""

_MARGIN = 5
"""Cells read around a strip; more than the reach of `LABEL_SIGMA`, truncated at 4 σ."""

_NOT_ZERO = 1e-6
"""Least absolute value of the field: no contour passes through a cell centre, so no two contours
touch, however coarsely probabilities are stored."""

_DECIMALS = 9


def read_contrast(
    dataset: DatasetReader, window: Window, level: float = 0.0
) -> npt.NDArray[np.floating]:
    """Read the probability of ocean minus that of glacier at a level, -1 to 1, NaN without data."""
    ocean, glacier = read_probabilities(dataset, [OCEAN, GLACIER], window)
    return contrast_at(ocean, glacier, level)


def front_contours(
    zones: Zones,
    probability: DatasetReader | None,
    progress: Callable[[float], None] = lambda _: None,
    gap: GapRule = GapRule(0),  # noqa: B008  (frozen)
    level: float = 0.0,
) -> list[LineString]:
    """Trace the boundary between ocean and glacier.

    With probabilities, the line is where those of ocean and glacier are equal, or at the `level` of
    their log-odds; without them, it is half-way between the cells. A line ends at cells of any
    other zone and at the border of the raster, unless `gap` bridges them. In a gap, cells count as
    ocean or glacier by their probabilities, or else as the nearer of the two.

    Returns:
        Lines in (row, column) of cell centres, joined across strips, with the glacier on
        their left as seen on a north-up map. Closed fronts are rings.
    """
    pieces: list[LineString] = []
    bridges: list[LineString] = []
    for start in range(0, zones.height - 1, zones.strip):
        stop = min(start + zones.strip + 1, zones.height)
        found = _field(zones, probability, start, stop, gap.reach, level)
        if found is not None:
            for line in _zero_level(found[0]):
                for piece, sure in split_at_gaps(line, found[1]):
                    (pieces if sure else bridges).append(_placed(piece, start))
        progress(stop / zones.height)
    return join_pieces(pieces, bridges, gap)


def _placed(line: Float64Array, start: int) -> LineString:
    """Count rows from the first of the raster, without rounding errors from a later start."""
    return LineString(np.round(line + np.array([start, 0]), _DECIMALS))


def _field(
    zones: Zones,
    probability: DatasetReader | None,
    start: int,
    stop: int,
    reach: int,
    level: float,
) -> tuple[Float64Array, Mask] | None:
    """Return rows of a field: positive in the ocean, negative in the glacier, otherwise NaN.

    Cells of other zones within `reach` of ocean or glacier have a value too; the second array is
    False in these.
    """
    first, last = max(0, start - _MARGIN - reach), min(zones.height, stop + _MARGIN + reach)
    ocean, glacier = zones.ocean(first, last), zones.glacier(first, last)
    if not (ocean.any() and glacier.any()):
        return None
    known = ocean | glacier
    near_ocean, near_glacier = nearest_zone(ocean, glacier, reach)
    if probability is None:
        field = _smoothed(ocean, glacier)
        if reach:
            decided = _smoothed(ocean | near_ocean, glacier | near_glacier)
            field = np.where(known, field, decided)
    else:
        contrast = read_contrast(probability, Window(0, first, zones.width, last - first), level)
        side = np.where(ocean | near_ocean, 1.0, -1.0)
        size = np.maximum(np.nan_to_num(np.abs(contrast, dtype=np.float64), nan=1.0), _NOT_ZERO)
        settled = known | ~(np.abs(contrast) >= _NOT_ZERO)
        field = np.where(settled, side, np.sign(contrast)) * size
    field[~(known | near_ocean | near_glacier)] = np.nan
    rows = slice(start - first, stop - first)
    return field[rows], known[rows]


def _smoothed(ocean: Mask, glacier: Mask) -> Float64Array:
    """Return the weighted mean of +1 (ocean) and -1 (glacier) around each cell."""

    def blur(values: Float64Array) -> Float64Array:
        return np.asarray(ndimage.gaussian_filter(values, LABEL_SIGMA, mode="constant"))

    known = blur((ocean | glacier).astype(np.float64))
    field = blur(ocean.astype(np.float64) - glacier) / np.maximum(known, _NOT_ZERO)
    return np.where(np.abs(field) < _NOT_ZERO, np.where(ocean, _NOT_ZERO, -_NOT_ZERO), field)


def _zero_level(field: Float64Array) -> list[Float64Array]:
    """Return lines of (row, column), without squares of cells that include a NaN."""
    lines: list[Float64Array] = find_contours(field, 0.0, positive_orientation="low")  # type: ignore[no-untyped-call]
    return lines
