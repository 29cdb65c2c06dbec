"""Where ocean meets glacier, at sub-pixel precision, strip by strip."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from rasterio.io import DatasetReader
from rasterio.windows import Window
from scipy import ndimage
from shapely import LineString
from skimage.measure import find_contours

from glacier_qgis.models.fronts.components import Components, Mask, ReadMask
from glacier_qgis.models.fronts.zones import GLACIER, OCEAN
from glacier_qgis.models.vector.lines import merge_lines

Field = npt.NDArray[np.float64]

MINOR_SHARE = 0.1
"""An ocean (or glacier) component smaller than this share of the largest is a mistake of the
network, a lake, or an iceberg, and has no calving front."""

GLACIER_BAND, OCEAN_BAND = 3, 4
"""Bands of a probability raster: no data, rock, glacier, ocean."""

LABEL_SIGMA = 1.0
"""Smoothing, in cells, of zones that come without probabilities: removes the stairs."""

_MARGIN = 5
"""Cells read around a strip; more than the reach of `LABEL_SIGMA`, truncated at 4 sigma."""

_NOT_ZERO = 1e-6
"""Least distance of the field from its zero level: no contour passes through a cell's centre,
so no two contours ever touch, however coarsely probabilities are stored."""

_DECIMALS = 9
_STRIP_CELLS = 1 << 21


@dataclass(frozen=True)
class Zones:
    """The zones of a scene, without minor ocean and glacier.

    Attributes:
        height: Rows.
        width: Columns.
        strip: Rows to hold at a time.
        ocean: Gives rows of the major ocean components.
        glacier: Gives rows of the major glacier components.
    """

    height: int
    width: int
    strip: int
    ocean: ReadMask
    glacier: ReadMask


def read_zones(dataset: DatasetReader, strip: int | None = None) -> Zones:
    """Find the major components of ocean and glacier in a zones raster.

    Args:
        dataset: One band of codes as in `zones`.
        strip: Rows to hold at a time; None for what the width suggests.
    """
    height, width = dataset.shape
    strip = strip or max(64, _STRIP_CELLS // width)

    def major(code: int) -> ReadMask:
        def read(start: int, stop: int) -> Mask:
            window = Window(0, start, width, stop - start)
            return np.asarray(dataset.read(1, window=window) == code)

        return Components(read, height, strip).major(MINOR_SHARE)

    return Zones(height, width, strip, major(OCEAN), major(GLACIER))


def read_contrast(dataset: DatasetReader, window: Window) -> npt.NDArray[np.float32]:
    """Read the probability of ocean minus that of glacier, -1 to 1, NaN without data.

    Integer probabilities are multiplied by the band's scale, or divided by 255 where the
    file states none.
    """
    stored = dataset.read([OCEAN_BAND, GLACIER_BAND], window=window)
    scale = dataset.scales[OCEAN_BAND - 1]
    if np.issubdtype(stored.dtype, np.integer) and scale == 1:
        scale = 1 / 255
    ocean, glacier = stored.astype(np.float32) * np.float32(scale)
    missing = (stored == dataset.nodata).any(axis=0) if dataset.nodata is not None else False
    return np.asarray(np.where(missing, np.float32(np.nan), ocean - glacier))


def front_contours(
    zones: Zones,
    probability: DatasetReader | None,
    progress: Callable[[float], None] = lambda _: None,
) -> list[LineString]:
    """Trace where major ocean meets major glacier.

    With probabilities the line is where those of ocean and glacier are equal, without them
    half-way between the cells. Cells of any other zone, and those beyond the raster, have
    no side: a line ends before them.

    Returns:
        Lines in (row, column) of cell centres, joined across strips, with the glacier on
        their left as seen on a north-up map. Closed fronts are rings.
    """
    pieces: list[LineString] = []
    for start in range(0, zones.height - 1, zones.strip):
        stop = min(start + zones.strip + 1, zones.height)
        field = _field(zones, probability, start, stop)
        if field is not None:
            pieces += [_placed(line, start) for line in _zero_level(field)]
        progress(stop / zones.height)
    return merge_lines(pieces, directed=True)


def _placed(line: Field, start: int) -> LineString:
    """Count rows from the raster's first, without the rounding errors of having started later."""
    return LineString(np.round(line + np.array([start, 0]), _DECIMALS))


def _field(zones: Zones, probability: DatasetReader | None, start: int, stop: int) -> Field | None:
    """Return rows of a field that is positive in the ocean, negative in the glacier, else NaN."""
    first, last = max(0, start - _MARGIN), min(zones.height, stop + _MARGIN)
    ocean, glacier = zones.ocean(first, last), zones.glacier(first, last)
    if not (ocean.any() and glacier.any()):
        return None
    if probability is None:
        field = _smoothed(ocean, glacier)
    else:
        window = Window(0, first, zones.width, last - first)
        size = np.abs(read_contrast(probability, window), dtype=np.float64)
        field = np.where(ocean, 1.0, -1.0) * np.fmax(size, _NOT_ZERO)
    field[~(ocean | glacier)] = np.nan
    return field[start - first : stop - first]


def _smoothed(ocean: Mask, glacier: Mask) -> Field:
    """Return the weighted mean of +1 (ocean) and -1 (glacier) around each cell."""

    def blur(values: Field) -> Field:
        return np.asarray(ndimage.gaussian_filter(values, LABEL_SIGMA, mode="constant"))

    known = blur((ocean | glacier).astype(np.float64))
    field = blur(ocean.astype(np.float64) - glacier) / np.maximum(known, _NOT_ZERO)
    return np.where(np.abs(field) < _NOT_ZERO, np.where(ocean, _NOT_ZERO, -_NOT_ZERO), field)


def _zero_level(field: Field) -> list[Field]:
    """Return lines of (row, column), skipping squares of cells that hold a NaN."""
    lines: list[Field] = find_contours(field, 0.0, positive_orientation="low")  # type: ignore[no-untyped-call]
    return lines
