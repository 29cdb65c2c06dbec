"""Vector layers through the wall."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any, cast

from qgis.core import (
    Qgis,
    QgsFeature,
    QgsFeatureRequest,
    QgsField,
    QgsFields,
    QgsGeometry,
    QgsProcessingAlgorithm,
    QgsProcessingContext,
    QgsProcessingException,
    QgsProcessingFeatureSourceDefinition,
    QgsProcessingFeedback,
    QgsProcessingParameterFeatureSource,
    QgsProcessingUtils,
    QgsProviderRegistry,
    QgsVectorFileWriter,
    QgsVectorLayer,
    QgsWkbTypes,
)
from qgis.PyQt.QtCore import QMetaType

from glacier_qgis.processing.inputs.copies import (
    Copy,
    absolute,
    crs_text,
    file_of,
    known_as,
    not_copied,
)
from glacier_qgis.translation import tr

ROW_ID = "glacier_fid"
"""Name of the key in a copy: a field of a layer may be called 'fid'."""
STEP = 1000
"""Features between two reports of progress."""


def vector_value(
    algorithm: QgsProcessingAlgorithm,
    name: str,
    parameters: dict[str, Any],
    context: QgsProcessingContext,
    copies: list[Copy],
) -> dict[str, Any]:
    """Return a vector layer as the engine opens it; add to `copies` what must be written first."""
    layer = algorithm.parameterAsVectorLayer(parameters, name, context)
    if layer is not None and layer.isModified():
        raise QgsProcessingException(
            tr(
                "{name}: the layer '{layer}' has edits that are not saved, which the engine "
                "cannot see. Save or discard them, and run again."
            ).format(name=name, layer=layer.name())
        )
    source = algorithm.parameterAsSource(parameters, name, context)
    if source is None:
        raise QgsProcessingException(algorithm.invalidSourceError(dict(parameters), name))
    if _is_part(parameters[name]) and not source.featureCount():
        raise QgsProcessingException(
            tr(
                "{name}: no feature of the layer '{source}' is selected. Select some, or "
                "choose all of them."
            ).format(name=name, source=source.sourceName())
        )
    crs = crs_text(source.sourceCrs())
    whole = layer is not None and not _is_part(parameters[name])
    definition = algorithm.parameterDefinition(name)
    kinds = cast(QgsProcessingParameterFeatureSource, definition).dataTypes()
    formats = ["gpkg", "shp", "geojson"]
    if kinds == [Qgis.ProcessingSourceType.Vector]:
        formats.append("csv")
    file = _own_file(layer, formats) if whole else None
    if file is not None:
        return {"crs": crs} | file | known_as(file["path"], [source.sourceName()], context)
    path = QgsProcessingUtils.generateTempFilename(f"{name}.gpkg", context)
    write = partial(_copy_features, algorithm, name, dict(parameters), path)
    copies.append(Copy(Path(path), write))
    names = [source.sourceName()]
    if layer is not None and layer.providerType() == "ogr":
        names.insert(0, absolute(file_of(layer) or ""))
    return {"path": path, "layer": None, "crs": crs} | known_as(path, names, context)


def _own_file(layer: QgsVectorLayer, formats: Sequence[str]) -> dict[str, Any] | None:
    """Return file and layer for the engine, if they hold what QGIS shows and no less."""
    fields = layer.fields()
    if layer.providerType() != "ogr" or QgsWkbTypes.isCurvedType(layer.wkbType()):
        return None
    if any(
        fields.fieldOrigin(index) != Qgis.FieldOrigin.Provider for index in range(fields.count())
    ):
        return None
    parts = QgsProviderRegistry.instance().decodeUri("ogr", layer.source())
    stated = {key for key, value in parts.items() if value}
    suffix = Path(parts["path"]).suffix.lower().removeprefix(".")
    if stated - {"path", "layerName", "databaseName"} or suffix not in formats:
        return None
    if suffix == "shp" and layer.dataProvider().encoding() != "UTF-8":
        return None
    return {"path": absolute(parts["path"]), "layer": parts["layerName"] or None}


def _is_part(value: object) -> bool:
    """Whether a parameter names some of a layer's features only."""
    return isinstance(value, QgsProcessingFeatureSourceDefinition) and bool(
        value.selectedFeaturesOnly or value.featureLimit >= 0 or value.filterExpression
    )


def _copy_features(
    algorithm: QgsProcessingAlgorithm,
    name: str,
    parameters: dict[str, Any],
    path: str,
    context: QgsProcessingContext,
    feedback: QgsProcessingFeedback,
) -> None:
    """Write the features that an algorithm is given, with all of their fields, as a GeoPackage."""
    source = algorithm.parameterAsSource(parameters, name, context)
    if source is None:
        raise QgsProcessingException(algorithm.invalidSourceError(parameters, name))
    title, count = source.sourceName(), source.featureCount()
    feedback.setProgressText(tr("Copying '{title}' for the engine").format(title=title))
    layer = algorithm.parameterAsVectorLayer(parameters, name, context)
    keys = layer.primaryKeyAttributes() if layer and layer.providerType() == "ogr" else []
    every = enumerate(source.fields().toList())
    kept = [i for i, field in every if i not in keys and _is_kept(field)]
    fields = QgsFields()
    for index in kept:
        fields.append(source.fields()[index])
    options = QgsVectorFileWriter.SaveVectorOptions()
    options.driverName, options.layerName = "GPKG", name
    options.layerOptions = [f"FID={ROW_ID}"]
    writer = QgsVectorFileWriter.create(
        path,
        fields,
        QgsWkbTypes.linearType(source.wkbType()),
        source.sourceCrs(),
        context.transformContext(),
        options,
    )
    if writer.hasError() != QgsVectorFileWriter.WriterError.NoError:
        raise not_copied(name, title, path, writer.errorMessage())
    unchecked = Qgis.ProcessingFeatureSourceFlag.SkipGeometryValidityChecks
    for number, feature in enumerate(source.getFeatures(QgsFeatureRequest(), unchecked), 1):
        if feedback.isCanceled():
            raise QgsProcessingException(tr("Cancelled."))
        copy = QgsFeature(fields)
        copy.setAttributes([feature.attribute(index) for index in kept])
        copy.setGeometry(_straight(feature.geometry()))
        if not writer.addFeature(copy):
            raise not_copied(name, title, path, writer.errorMessage())
        if count > 0 and number % STEP == 0:
            feedback.setProgress(100 * number / count)


def _is_kept(field: QgsField) -> bool:
    """Whether a copy can hold a field: it has a key of its own, and no structured values."""
    return field.name().lower() != ROW_ID and field.type() != QMetaType.Type.QVariantMap


def _straight(geometry: QgsGeometry) -> QgsGeometry:
    """Return a geometry whose arcs are chains of straight lines, as the engine knows them."""
    if geometry.isNull() or not QgsWkbTypes.isCurvedType(geometry.wkbType()):
        return geometry
    return QgsGeometry(geometry.constGet().segmentize())
