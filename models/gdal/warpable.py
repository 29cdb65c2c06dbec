"""Preparation of a raster for GDAL's warper: undeclared no data, longitudes from -180 to 180.

The warper supports one no-data value per band, so an infinity or an undeclared NaN spreads to the
pixels around it; and it needs longitudes from -180 to 180, of which a raster with longitudes from 0
to 360 has only one half. A virtual raster (GDAL's VRT) in front of the file corrects both, and is
still read window by window.
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
"""Values that mean no data in floating-point rasters, besides NaN: logarithms of zero, and the
limits of 32-bit floats, also after conversion from 64 bits."""
FILLS = (-9999.0, -32767.0, -32768.0)
"""Common no-data values, which do not occur in elevations, climate or images."""
SEAM = 3
"""Number of columns beyond ±180° that are repeated from the other side, for interpolation."""
ABOUT = 1.5
"""Tolerance in columns for a raster that ends at ±180° or covers 360°."""


@dataclass(frozen=True)
class _Canvas:
    """Layout of a virtual raster: its size, its transform, and copies of the raster.

    Attributes:
        width: Columns.
        transform: From (column, row) to coordinates.
        offsets: The first columns of the copies of the raster.
    """

    width: int
    transform: Affine
    offsets: Sequence[int]


class _Virtual(RasterFile):
    """A virtual raster in front of a file.

    Attributes:
        file: The file, which reports where it is damaged.
        moved: Whether its pixels are at other columns here.
    """

    file: RasterFile
    moved: bool

    def damage(self, error: Exception, window: Window) -> EngineError:
        """Return the message for a window that could not be read, with its place in the file."""
        whole = Window(0, 0, self.file.width, self.file.height)
        return self.file.damage(error, whole if self.moved else window)


@contextmanager
def as_warpable(dataset: RasterFile, crs: CRS, options: Mapping[str, str]) -> Iterator[RasterFile]:
    """Open a raster so that it can be warped; in a virtual raster, NaN is no data.

    Args:
        dataset: The open file.
        crs: The CRS of its coordinates.
        options: GDAL open options of the file.
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
    """Return the values that count as no data without a declaration.

    Not applied to packed values (with a scale), where a fill value may be a valid number.
    """
    floats = any(kind.startswith("float") for kind in dataset.dtypes)
    signed = floats or any(kind.startswith("int") for kind in dataset.dtypes)
    packed = any(scale != 1 for scale in dataset.scales) or any(dataset.offsets)
    fills = [f"{fill:g}" for fill in FILLS if signed and not packed and fill != dataset.nodata]
    return [*(NO_NUMBERS if floats else ()), *fills]


def turned(transform: Affine, width: int, crs: CRS) -> Affine:
    """Return a transform with longitudes shifted so that a raster's centre is within ±180°.

    Values beyond ±360° are not longitudes and stay unchanged: `metric.centre` refuses them.
    """
    turn = whole_turn(crs)
    middle = transform.c + width * transform.a / 2
    if turn is None or transform.b or transform.d or abs(middle) > turn:
        return transform
    if abs(middle) <= turn / 2:
        return transform
    return Affine.translation(-math.copysign(turn, middle), 0) @ transform


def whole_turn(crs: CRS) -> float | None:
    """Return 360° in the unit of a geographic CRS; None for another CRS."""
    if not crs.is_geographic:
        return None
    return 2 * math.pi / crs.axis_info[0].unit_conversion_factor


def _around_the_earth(dataset: RasterFile, crs: CRS) -> _Canvas | None:
    """Arrange a raster from -180 to 180; None if that is not needed."""
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
    """Return the XML of a virtual raster with copies of a file and its mask."""
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
    """Return the XML of a virtual raster.

    Args:
        source: The source, see `_named`.
        canvas: The layout.
        size: Columns and rows of `source`.
        rules: Rules for no data in each band, as VRT elements.
        dataset: The file, for the properties of its bands.
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
