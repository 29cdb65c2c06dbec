"""Layers in files, from layers in memory."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from qgis.core import (
    QgsCoordinateTransformContext,
    QgsFeature,
    QgsGeometry,
    QgsVectorFileWriter,
    QgsVectorLayer,
)


def add(layer: QgsVectorLayer, wkt: str) -> Callable[..., None]:
    """Return a function that adds a feature with attributes to a layer."""

    def attributes(*values: object) -> None:
        feature = QgsFeature(layer.fields())
        feature.setGeometry(QgsGeometry.fromWkt(wkt))
        feature.setAttributes(list(values))
        assert layer.dataProvider().addFeatures([feature])[0]

    return attributes


def saved(
    layer: QgsVectorLayer,
    path: Path,
    driver: str = "GPKG",
    encoding: str = "UTF-8",
    name: str = "",
) -> QgsVectorLayer:
    """Write a layer to a file, and return the layer of that."""
    options = QgsVectorFileWriter.SaveVectorOptions()
    options.driverName, options.fileEncoding, options.layerName = driver, encoding, name
    if name and path.exists():
        options.actionOnExistingFile = (
            QgsVectorFileWriter.ActionOnExistingFile.CreateOrOverwriteLayer
        )
    QgsVectorFileWriter.writeAsVectorFormatV3(
        layer, str(path), QgsCoordinateTransformContext(), options
    )
    return QgsVectorLayer(str(path), path.stem, "ogr")
