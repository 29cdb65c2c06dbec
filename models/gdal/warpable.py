"""A raster as GDAL's warper can take it: no number is void, longitudes go from -180 to 180.

The warper knows one value of no data for a band, so that an infinity, or a NaN that nobody
declared, becomes the mean of all pixels around it; and it asks for longitudes from -180 to 180,
of which a raster that counts them from 0 to 360 has one half only. Both are mended by a virtual
raster (GDAL's VRT) before the file, so that it is still read window by window.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from html import escape

from affine import Affine
from pyproj import CRS
from rasterio.enums import ColorInterp, MaskFlags
from rasterio.env import ensure_env
from rasterio.io import MemoryFile
from rasterio.windows import Window

from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.gdal.file import VIRTUAL, RasterFile

NO_NUMBERS = ("-inf", "inf", "-3.4028234663852886e+38", "3.4028234663852886e+38")
"""What floating-point rasters hold where a program had nothing to write, besides NaN: logarithms
of zero, and the limits of 32-bit numbers, to which those of 64-bit numbers are cut."""
FILLS = (-9999.0, -32767.0, -32768.0)
"""What programs write for no data, and neither elevations, climate nor images hold."""
SEAM = 3
"""Columns beyond half a turn that are repeated from the other side, for interpolation there."""
ABOUT = 1.5
"""Columns within which a raster ends at half a turn, or comes round to where it began."""


@dataclass(frozen=True)
class _Canvas:
    """Where a raster's pixels are laid out: its size, its transform, and copies of the raster.

    Attributes:
        width: Columns.
        transform: From (column, row) to coordinates.
        offsets: The columns at which copies of the raster begin.
    """

    width: int
    transform: Affine
    offsets: Sequence[int]


class _Virtual(RasterFile):
    """A virtual raster before a file.

    Attributes:
        file: The file, which knows where it is damaged.
        moved: Whether its pixels lie at other columns here.
    """

    file: RasterFile
    moved: bool

    def damage(self, error: Exception, window: Window) -> EngineError:
        """Return what to tell of a window that could not be read, by its place in the file."""
        whole = Window(0, 0, self.file.width, self.file.height)
        return self.file.damage(error, whole if self.moved else window)


@contextmanager
def as_warpable(dataset: RasterFile, crs: CRS, options: Mapping[str, str]) -> Iterator[RasterFile]:
    """Open a raster so that it can be warped; NaN is no data where it is not the file itself.

    Args:
        dataset: The open file.
        crs: What its coordinates are in.
        options: GDAL's options that it was opened with.
    """
    canvas, void = _around_the_earth(dataset, crs), void_values(dataset)
    if canvas is None and not void:
        yield dataset
        return
    height, width = dataset.shape
    moved = canvas is not None
    canvas = canvas or _Canvas(width, dataset.transform, [0])
    text = _laid_out(dataset, canvas, options)
    with ExitStack() as stack:
        for number in void:
            hole = f"<NODATA>{number}</NODATA>"
            whole = _Canvas(canvas.width, canvas.transform, [0])
            before = stack.enter_context(MemoryFile(text.encode(), ext=".vrt"))
            source = _named(before.name)  # by name: each band would repeat the text
            text = _virtual(source, whole, (canvas.width, height), [hole] * dataset.count, dataset)
        view = stack.enter_context(ensure_env(_Virtual)(text, driver=[VIRTUAL]))
        view.file, view.moved, view.shown = dataset, moved, dataset.shown
        yield view


def void_values(dataset: RasterFile) -> list[str]:
    """Return what counts as no data in a file though it need not declare it.

    In packed values, which have a scale, a fill value may be a number like any other.
    """
    floats = any(kind.startswith("float") for kind in dataset.dtypes)
    signed = floats or any(kind.startswith("int") for kind in dataset.dtypes)
    packed = any(scale != 1 for scale in dataset.scales) or any(dataset.offsets)
    fills = [f"{fill:g}" for fill in FILLS if signed and not packed and fill != dataset.nodata]
    return [*(NO_NUMBERS if floats else ()), *fills]


def turned(transform: Affine, width: int, crs: CRS) -> Affine:
    """Return a transform that counts longitudes so that a raster's middle is within half a turn.

    What is beyond a whole turn is no longitude, and stays: `metric.centre` refuses it.
    """
    turn = whole_turn(crs)
    middle = transform.c + width * transform.a / 2
    if turn is None or transform.b or transform.d or abs(middle) > turn:
        return transform
    if abs(middle) <= turn / 2:
        return transform
    return Affine.translation(-math.copysign(turn, middle), 0) @ transform


def whole_turn(crs: CRS) -> float | None:
    """Return a whole turn in the unit of a geographic CRS; None for another one."""
    if not crs.is_geographic:
        return None
    return 2 * math.pi / crs.axis_info[0].unit_conversion_factor


def _around_the_earth(dataset: RasterFile, crs: CRS) -> _Canvas | None:
    """Lay a raster out from -180 to 180; None where it has no other longitudes, and no seam."""
    turn, transform = whole_turn(crs), dataset.transform
    if turn is None or transform.b or transform.d or transform.a <= 0:
        return None
    step, width = transform.a, dataset.width
    west, east = transform.c, transform.c + width * step
    beyond = west < -turn / 2 - ABOUT * step or east > turn / 2 + ABOUT * step
    whole = east - west > turn - ABOUT * step
    if not (beyond or whole) or abs(west + east) / 2 > turn:
        return None
    first = math.floor((-turn / 2 - west) / step) - SEAM
    columns = math.ceil(turn / step) + 2 * SEAM + 1
    copies = [round(times * turn / step) - first for times in (-2, -1, 0, 1, 2)]
    seen = [offset for offset in copies if -width < offset < columns]
    corner = Affine.translation(first * step, 0) @ transform
    return _Canvas(columns, corner, seen)


def _laid_out(dataset: RasterFile, canvas: _Canvas, options: Mapping[str, str]) -> str:
    """Return the text of a virtual raster with copies of a file, void where its mask says so."""
    masked = [
        "" if MaskFlags.all_valid in flags else "<UseMaskBand>true</UseMaskBand>"
        for flags in dataset.mask_flag_enums
    ]
    source = _named(dataset.name, options)
    return _virtual(source, canvas, (dataset.width, dataset.height), masked, dataset)


def _named(source: str, options: Mapping[str, str] | None = None) -> str:
    """Return the elements that name a source by its path or text, and how to open it."""
    chosen = "".join(
        f'<OOI key="{escape(key)}">{escape(value)}</OOI>' for key, value in (options or {}).items()
    )
    return (
        f'<SourceFilename relativeToVRT="0">{escape(source)}</SourceFilename>'
        f"<OpenOptions>{chosen}</OpenOptions>"
    )


def _virtual(
    source: str,
    canvas: _Canvas,
    size: tuple[int, int],
    rules: Sequence[str],
    dataset: RasterFile,
) -> str:
    """Return the text of a virtual raster.

    Args:
        source: What is laid out, see `_named`.
        canvas: Where.
        size: Columns and rows of `source`.
        rules: What makes a pixel of each band void, in the words of VRT.
        dataset: The file, for what bands are.
    """
    width, height = size
    transform = ", ".join(repr(number) for number in canvas.transform.to_gdal())
    bands = []
    for band, (rule, kind) in enumerate(zip(rules, dataset.colorinterp, strict=True), 1):
        alpha = kind == ColorInterp.alpha
        copies = "".join(
            f"<ComplexSource>{source}"
            f"<SourceBand>{band}</SourceBand>{'' if alpha else rule}"
            f'<SrcRect xOff="0" yOff="0" xSize="{width}" ySize="{height}"/>'
            f'<DstRect xOff="{offset}" yOff="0" xSize="{width}" ySize="{height}"/></ComplexSource>'
            for offset in canvas.offsets
        )
        void = "" if alpha else "<NoDataValue>nan</NoDataValue>"
        meaning = "<ColorInterp>Alpha</ColorInterp>" if alpha else ""
        bands.append(
            f'<VRTRasterBand dataType="Float32" band="{band}">{meaning}{void}{copies}'
            "</VRTRasterBand>"
        )
    return (
        f'<VRTDataset rasterXSize="{canvas.width}" rasterYSize="{height}">'
        f"<GeoTransform>{transform}</GeoTransform>{''.join(bands)}</VRTDataset>"
    )
