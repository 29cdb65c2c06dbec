"""Layers through the wall: their own file where that is all they are in QGIS, else a copy.

A layer is more than its file: QGIS filters it, computes and joins fields, knows its CRS and what
counts as no data, and reads sources that the engine's GDAL cannot. What QGIS shows is what the
engine gets.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from qgis.core import (
    Qgis,
    QgsCoordinateReferenceSystem,
    QgsProcessingContext,
    QgsProcessingException,
    QgsProcessingFeedback,
    QgsProcessingUtils,
    QgsProviderRegistry,
    QgsRasterLayer,
    QgsVectorLayer,
)

from glacier_qgis.translation import tr


@dataclass(frozen=True)
class Copy:
    """A layer that the engine cannot open as QGIS does, to be written to a temporary file.

    Attributes:
        path: The file.
        write: Writes it: in `processAlgorithm`, where it may take its time.
    """

    path: Path
    write: Callable[[QgsProcessingContext, QgsProcessingFeedback], None]


def crs_text(crs: QgsCoordinateReferenceSystem) -> str | None:
    """Return a CRS as it crosses the wall: WKT2, or the authority's code where WKT is empty.

    QGIS 3.40 loses the definition of a CRS that a worker thread met first, but not its code.
    """
    if not crs.isValid():
        return None
    return crs.toWkt(Qgis.CrsWktVariant.Preferred) or crs.authid() or None


def file_of(layer: QgsRasterLayer | QgsVectorLayer) -> str | None:
    """Return the path of the file or archive that a layer lies in, None if it is in no file."""
    provider = layer.providerType()
    return QgsProviderRegistry.instance().decodeUri(provider, layer.source()).get("path") or None


def absolute(source: str) -> str:
    """Return the absolute path of a file; other names of GDAL's as they are."""
    return str(Path(source).absolute()) if Path(source).is_file() else source


def known_as(path: str, names: Sequence[str], context: QgsProcessingContext) -> dict[str, Any]:
    """Return the first of some names that is not temporary itself, if a source's path is."""
    folder = QgsProcessingUtils.tempFolder(context)
    if folder not in path:
        return {}
    return {"name": next((name for name in names if name and folder not in name), Path(path).stem)}


def not_copied(name: str, title: str, path: str, reason: str) -> QgsProcessingException:
    """Return the error of a layer that cannot be written for the engine."""
    return QgsProcessingException(
        tr(
            "{name}: the layer '{title}' cannot be copied to {path} for the engine ({reason}). "
            "Make room there, choose another temporary folder in the options of Processing, or "
            "export the layer to a file yourself."
        ).format(name=name, title=title, path=path, reason=reason)
    )
