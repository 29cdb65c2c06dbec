"""Looks and metadata that lie beside a file, or in it, so that it looks the same next week."""

from __future__ import annotations

from pathlib import Path

from qgis.core import (
    Qgis,
    QgsLayerMetadata,
    QgsMapLayer,
    QgsProviderRegistry,
    QgsRasterLayer,
    QgsVectorLayer,
)
from qgis.PyQt.QtCore import QDateTime

from glacier_qgis.results.project_time import fits_calendar
from glacier_qgis.results.run import Run
from glacier_qgis.translation import tr
from glacier_qgis.version import VERSION

STYLE_NAME = "glacier"
"""In a GeoPackage's table of styles."""


def open_file(source: str) -> QgsMapLayer | None:
    """Open what an output's value names, if it is a file that QGIS reads as a layer.

    Args:
        source: A path, or one with the layer's name behind it.
    """
    if not Path(source.partition("|")[0]).is_file():
        return None
    uri, provider = source, "ogr"
    if "|" not in source:
        found = QgsProviderRegistry.instance().querySublayers(source)
        uri, provider = (found[0].uri(), found[0].providerKey()) if found else ("", "")
    kind = QgsRasterLayer if provider == "gdal" else QgsVectorLayer
    layer = kind(uri, Path(source).stem, provider)
    return layer if layer.isValid() else None


def keep_with_file(layer: QgsMapLayer, *, styled: bool) -> bool:
    """Write style and metadata where QGIS finds them when it opens the layer's file.

    Args:
        layer: Styled and described, opened from a file that it alone fills, or a GeoPackage.
        styled: Whether the style is worth keeping; that of a table is not.

    Returns:
        Whether the file holds all of it: the bands' times of a model's years before 1 it does not.
    """
    whole = fits_calendar(layer)
    if not whole:
        layer.temporalProperties().setIsActive(False)
    if isinstance(layer, QgsVectorLayer) and _in_geopackage(layer):
        return keep_in_database(layer) and whole
    for stale in (layer.styleURI(), layer.metadataUri()):
        Path(stale).unlink(missing_ok=True)
    if styled:
        layer.saveDefaultStyle(QgsMapLayer.StyleCategory.AllStyleCategories)
    layer.saveDefaultMetadata()
    return whole


def keep_in_database(layer: QgsVectorLayer) -> bool:
    """Write style and metadata into the database that a layer lies in; return whether it has them.

    Args:
        layer: Styled and described, of a GeoPackage or of PostGIS.
    """
    layer.saveStyleToDatabase(STYLE_NAME, layer.metadata().title(), True, "")
    registry = QgsProviderRegistry.instance()
    kept, _ = registry.saveLayerMetadata(layer.providerType(), layer.source(), layer.metadata())
    return bool(kept)


def _in_geopackage(layer: QgsVectorLayer) -> bool:
    parts = QgsProviderRegistry.instance().decodeUri(layer.providerType(), layer.source())
    return Path(str(parts.get("path", ""))).suffix.lower() == ".gpkg"


def metadata_of(run: Run, title: str, layer: QgsMapLayer) -> QgsLayerMetadata:
    """Say what a layer is and how it was made."""
    metadata = QgsLayerMetadata()
    metadata.setType("dataset")
    metadata.setTitle(f"{title}: {run.subject}")
    made = [f"{run.title}, glacier_qgis {VERSION}", run.command]
    if run.model:
        made.append(tr("Model: {name}").format(name=run.model))
    metadata.setAbstract("\n".join(made))
    metadata.setHistory(made)
    metadata.setCrs(layer.crs())
    metadata.setDateTime(Qgis.MetadataDateType.Created, QDateTime.currentDateTimeUtc())
    return metadata
