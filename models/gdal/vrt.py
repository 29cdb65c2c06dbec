"""Checks of the sources of a virtual raster (VRT) before GDAL opens it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path, PureWindowsPath
from xml.etree import ElementTree  # nosec B405: expat refuses entities that grow

from glacier_qgis.models.engine.errors import EngineError

MAX_VRT_BYTES = 64 << 20
DEEPEST = 8
"""Largest nesting depth of virtual rasters."""
START_BYTES = 4096
_SOURCES = {"SourceFilename", "SourceDataset", "SrcDataSource", "DatasetName"}
_SUBDATASET = re.compile(
    r'^\w{2,}:(?:"(?P<quoted>[^"]+)"|(?P<plain>(?:[A-Za-z]:[\\/])?[^":]+))(?::.*)?$'
)
"""Such as ``NETCDF:"climate.nc":t2m``."""
_ELSEWHERE = re.compile(r"^vrt:|^<|/vsi(?!zip|gzip|7z|rar|tar)|\w\w+://", re.IGNORECASE)
_XML = (b"<VRTDataset", b"<OGRVRT", b"<GDAL_", b"<WMS", b"<WCS", b"<Capabilities", b"<MRF_META")


def describes_others(path: Path) -> bool:
    """Whether a file describes services or other files, whatever its name."""
    try:
        with path.open("rb") as file:
            start = file.read(START_BYTES).lstrip(b"\xef\xbb\xbf \t\r\n")
    except OSError:
        return False
    return start.startswith(b"<") and any(sign in start for sign in _XML)


def local_file(name: str) -> Path:
    """Return the file of a GDAL name of a raster, or of a part of one."""
    matched = _SUBDATASET.match(name)
    return Path(matched["quoted"] or matched["plain"] if matched else name)


def check_mosaic(path: Path, shown: str) -> None:
    """Make sure that all sources of a virtual raster are raster files on this computer.

    Raises:
        EngineError: A source is something else.
    """
    _check(path, shown, DEEPEST)


def _check(path: Path, shown: str, depth: int) -> None:
    for source, relative in _sources(path, shown):
        named = str(local_file(source))
        if _ELSEWHERE.search(source) or _on_another_share(named, path):
            raise EngineError(
                f"{shown} was not opened: this virtual raster would read {source!r}, which is not "
                "a file on this computer. Download that file and build the virtual raster from it."
            )
        file = path.parent / named if relative else Path(named)
        if not describes_others(file):
            continue
        if file.suffix.lower() != ".vrt" or depth == 0:
            raise EngineError(
                f"{shown} was not opened: its source {source!r} is a description of other rasters. "
                "Build the virtual raster from the files with the data."
            )
        _check(file, shown, depth - 1)


def _on_another_share(named: str, vrt: Path) -> bool:
    """Whether a path leads to another computer of a Windows network than the virtual raster's."""
    drive = PureWindowsPath(named).drive
    return drive.startswith("\\\\") and drive != PureWindowsPath(vrt).drive


def _sources(path: Path, shown: str) -> Iterator[tuple[str, bool]]:
    """Yield each source of a virtual raster and whether it is relative to it."""
    if path.stat().st_size > MAX_VRT_BYTES:
        raise EngineError(f"{shown} is too large for a virtual raster: build it again.")
    try:
        tree = ElementTree.parse(path)  # noqa: S314  # nosec B314: expat refuses entities that grow
    except (ElementTree.ParseError, ValueError, LookupError) as error:
        raise EngineError(
            f"{shown} is a damaged virtual raster ({error}): build it again with 'Build virtual "
            "raster'."
        ) from error
    for element in tree.iter():
        if "VRTRawRasterBand" in element.attrib.values():
            raise EngineError(
                f"{shown} was not opened: this virtual raster reads the bytes of another file as "
                "numbers. Convert it to GeoTIFF with 'Translate' in QGIS."
            )
        if element.tag in _SOURCES and (text := (element.text or "").strip()):
            flags = {name.lower(): value for name, value in element.attrib.items()}
            yield text, flags.get("relativetovrt", "0") == "1"
        elif _names_a_file(element):
            yield (element.text or "").strip(), False


def _names_a_file(element: ElementTree.Element) -> bool:
    """Whether it is an option or argument that holds a path, such as RPC_DEM."""
    name = element.get("name", element.get("key", "")).lower()
    return element.tag in {"Option", "Argument", "OOI", "MDI"} and (
        "filename" in name or name in {"rpc_dem", "overview_file"} or name == "file"
    )
