"""No-data settings of a QGIS layer, as a virtual raster (GDAL's VRT) in front of a file.

GDAL has one no-data value per band, a QGIS layer any number of values and ranges. The virtual
raster is still read window by window, and keeps everything else in the file.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import rasterio.shutil
from rasterio.enums import ColorInterp

from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.engine.job import NoData
from glacier_qgis.models.gdal.file import RasterFile, open_virtual

Ranges = list[tuple[float, float]]

_BAND = re.compile(
    r'<VRTRasterBand dataType="(\w+)" band="(\d+)"([^>]*)>(.*?)</VRTRasterBand>', re.S
)
_DECLARED = re.compile(r"\s*<NoDataValue[^>]*>[^<]*</NoDataValue>")
_SOURCE = re.compile(r"<(\w+Source)\b[^>]*>.*?</\1>", re.DOTALL)
_CLASS = re.compile(r' subClass="\w+"')
_WIDE = ("Float64", "Int32", "UInt32", "Int64", "UInt64")
"""Types whose values 32-bit floats cannot represent."""


def with_no_data(
    file: RasterFile, settings: Sequence[NoData], options: Mapping[str, str]
) -> RasterFile:
    """Open a raster again with the no-data settings of QGIS.

    Args:
        file: The open file.
        settings: For each band.
        options: GDAL open options of the file.

    Raises:
        EngineError: Their number is not that of the bands.
    """
    if len(settings) != file.count:
        raise EngineError(
            f"{file.shown} has {file.count} bands, but no-data settings for {len(settings)}. Load "
            "the layer again."
        )
    with TemporaryDirectory(prefix="glacier-") as folder:
        draft = Path(folder) / "file.vrt"
        rasterio.shutil.copy(file, draft, driver="VRT")
        text = draft.read_text(encoding="utf-8")

    void = [_void(*each) for each in zip(settings, file.nodatavals, file.dtypes, strict=True)]
    alike = all(each == void[0] for each in void)

    def band(match: re.Match[str]) -> str:
        kind, number, attributes, content = match.groups()
        index = int(number) - 1
        if file.colorinterp[index] == ColorInterp.alpha:
            return match[0]
        own = _source(file, number, options)
        head = f'band="{number}"{_CLASS.sub("", attributes)}'
        content = _SOURCE.sub("", _DECLARED.sub("", content))
        if alike and len(void[index]) < 2 and all(low == high for low, high in void[index]):
            declared = "".join(f"<NoDataValue>{low!r}</NoDataValue>" for low, _ in void[index])
            kept = f"{declared}{content}<SimpleSource>{own}</SimpleSource>"
            return f'<VRTRasterBand dataType="{kind}" {head}>{kept}</VRTRasterBand>'
        floats = "Float64" if kind in _WIDE else "Float32"
        steps = ",".join(f"{number!r}:{value}" for number, value in _steps(void[index]))
        return (
            f'<VRTRasterBand dataType="{floats}" {head} subClass="VRTDerivedRasterBand">'
            f"<NoDataValue>nan</NoDataValue><PixelFunctionType>mul</PixelFunctionType>"
            f"<SourceTransferType>Float64</SourceTransferType>{content}"
            f"<SimpleSource>{own}</SimpleSource>"
            f"<ComplexSource>{own}<LUT>{steps}</LUT></ComplexSource></VRTRasterBand>"
        )

    return open_virtual(_BAND.sub(band, text), file)


def _source(file: RasterFile, band: str, options: Mapping[str, str]) -> str:
    chosen = "".join(
        f'<OOI key="{escape(key)}">{escape(value)}</OOI>' for key, value in options.items()
    )
    return (
        f'<SourceFilename relativeToVRT="0">{escape(file.name)}</SourceFilename>'
        f"<OpenOptions>{chosen}</OpenOptions><SourceBand>{band}</SourceBand>"
    )


def _void(setting: NoData, own: float | None, kind: str) -> Ranges:
    """Return the ranges that are no data, ascending and disjoint."""
    ranges = [
        (-math.inf if low is None else low, math.inf if high is None else high)
        for low, high in setting.ranges
    ]
    if setting.own and own is not None:
        stored = float(np.dtype(kind).type(own)) if kind.startswith("float") else own
        ranges.append((stored, stored))
    joined: Ranges = []
    for low, high in sorted(each for each in ranges if not math.isnan(each[0])):
        if joined and low <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(high, joined[-1][1]))
        else:
            joined.append((low, high))
    return joined


def _steps(void: Ranges) -> Iterator[tuple[float, str]]:
    """Yield points of a line that is 1 outside `void` and NaN inside."""
    if not void:
        yield 0.0, "1"
    if void == [(-math.inf, math.inf)]:
        yield 0.0, "nan"
    for low, high in void:
        if low > -math.inf:
            yield math.nextafter(low, -math.inf), "1"
            yield low, "nan"
        if high < math.inf:
            yield high, "nan"
            yield math.nextafter(high, math.inf), "1"
