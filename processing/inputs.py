"""Inputs through the wall: what QGIS means, as the engine's schemas take it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from qgis.core import (
    QgsCoordinateReferenceSystem,
    QgsMapLayer,
    QgsProcessing,
    QgsProcessingAlgorithm,
    QgsProcessingContext,
    QgsProcessingException,
    QgsProcessingFeedback,
    QgsProcessingParameterBand,
    QgsProcessingParameterBoolean,
    QgsProcessingParameterDateTime,
    QgsProcessingParameterDefinition,
    QgsProcessingParameterEnum,
    QgsProcessingParameterExtent,
    QgsProcessingParameterFeatureSource,
    QgsProcessingParameterField,
    QgsProcessingParameterFile,
    QgsProcessingParameterMultipleLayers,
    QgsProcessingParameterNumber,
    QgsProcessingParameterRasterLayer,
    QgsProcessingUtils,
    QgsProviderRegistry,
    QgsRasterLayer,
)

BOX_COMMAS = 3
"""In ``xmin,xmax,ymin,ymax``."""


def job_value(
    algorithm: QgsProcessingAlgorithm,
    definition: QgsProcessingParameterDefinition,
    parameters: Mapping[str, Any],
    context: QgsProcessingContext,
    feedback: QgsProcessingFeedback,
) -> object:
    """Return the value of one input parameter as JSON holds it."""
    name = definition.name()
    given = parameters.get(name) is not None
    match definition:
        case QgsProcessingParameterRasterLayer():
            return _raster(algorithm, definition, parameters, context)
        case QgsProcessingParameterMultipleLayers():
            return _rasters(definition, parameters, context)
        case QgsProcessingParameterFile():
            return algorithm.parameterAsFile(parameters, name, context)
        case QgsProcessingParameterFeatureSource():
            return _vector(algorithm, name, parameters, context, feedback) if given else None
        case QgsProcessingParameterExtent():
            return _extent(algorithm, name, parameters, context) if given else None
        case QgsProcessingParameterBand():
            return algorithm.parameterAsInts(parameters, name, context) if given else []
        case QgsProcessingParameterField():
            names = algorithm.parameterAsStrings(parameters, name, context)
            return names if definition.allowMultiple() else next(iter(names), "")
        case QgsProcessingParameterEnum():
            return _choice(algorithm, definition, parameters, context)
        case QgsProcessingParameterBoolean():
            return algorithm.parameterAsBoolean(parameters, name, context)
        case QgsProcessingParameterNumber():
            if not given and definition.defaultValue() is None:
                return None
            if definition.dataType() == QgsProcessingParameterNumber.Type.Integer:
                return algorithm.parameterAsInt(parameters, name, context)
            return algorithm.parameterAsDouble(parameters, name, context)
        case QgsProcessingParameterDateTime():
            date = algorithm.parameterAsDateTime(parameters, name, context).date()
            return date.toString("yyyy-MM-dd") if given and date.isValid() else None
    return algorithm.parameterAsString(parameters, name, context)


def _choice(
    algorithm: QgsProcessingAlgorithm,
    definition: QgsProcessingParameterEnum,
    parameters: Mapping[str, Any],
    context: QgsProcessingContext,
) -> object:
    name = definition.name()
    if definition.allowMultiple():
        return algorithm.parameterAsEnumStrings(parameters, name, context)
    return algorithm.parameterAsEnumString(parameters, name, context)


def _raster(
    algorithm: QgsProcessingAlgorithm,
    definition: QgsProcessingParameterRasterLayer,
    parameters: Mapping[str, Any],
    context: QgsProcessingContext,
) -> dict[str, Any] | None:
    name = definition.name()
    layer = algorithm.parameterAsRasterLayer(parameters, name, context)
    if layer is None:
        if parameters.get(name) in (None, ""):
            return None
        raise QgsProcessingException(algorithm.invalidRasterError(dict(parameters), name))
    return _raster_source(name, layer, context)


def _rasters(
    definition: QgsProcessingParameterMultipleLayers,
    parameters: Mapping[str, Any],
    context: QgsProcessingContext,
) -> list[dict[str, Any]]:
    """Return the rasters of a list; a path stays one, for the engine to open or to refuse."""
    name = definition.name()
    given = parameters.get(name) or []
    rasters = []
    for value in given if isinstance(given, list | tuple) else [given]:
        layer = value
        if not isinstance(value, QgsMapLayer):
            layer = QgsProcessingUtils.mapLayerFromString(str(value), context, False)
        if isinstance(layer, QgsRasterLayer):
            rasters.append(_raster_source(name, layer, context))
        elif layer is None:
            rasters.append({"path": _absolute(str(value)), "crs": None})
        else:
            raise QgsProcessingException(f"{name}: the layer '{layer.name()}' is no raster.")
    return rasters


def _raster_source(
    name: str, layer: QgsRasterLayer, context: QgsProcessingContext
) -> dict[str, Any]:
    """Return a raster layer as the engine opens it."""
    if layer.providerType() != "gdal":
        raise QgsProcessingException(
            f"{name}: the layer '{layer.name()}' comes from '{layer.providerType()}', which only "
            "QGIS can read. Export it to a GeoTIFF first (Layer > Save As)."
        )
    path = _absolute(layer.source())
    return {"path": path, "crs": _wkt(layer)} | _known_as(path, [layer.name()], context)


def _known_as(path: str, names: Sequence[str], context: QgsProcessingContext) -> dict[str, Any]:
    """Return the first of some names that is not temporary itself, if a source's path is."""
    folder = QgsProcessingUtils.tempFolder(context)
    if folder not in path:
        return {}
    return {"name": next((name for name in names if name and folder not in name), Path(path).stem)}


def _absolute(source: str) -> str:
    """Return the absolute path of a file; other names of GDAL's as they are."""
    return str(Path(source).absolute()) if Path(source).is_file() else source


def _vector(
    algorithm: QgsProcessingAlgorithm,
    name: str,
    parameters: Mapping[str, Any],
    context: QgsProcessingContext,
    feedback: QgsProcessingFeedback,
) -> dict[str, Any]:
    layer = algorithm.parameterAsVectorLayer(parameters, name, context)
    if layer is not None and layer.isModified():
        raise QgsProcessingException(
            f"{name}: the layer '{layer.name()}' has edits that are not saved, which the engine "
            "cannot see. Save or discard them, and run again."
        )
    path, inner = algorithm.parameterAsCompatibleSourceLayerPathAndLayerName(
        parameters, name, context, _formats(algorithm, name), "gpkg", feedback
    )
    if not path:
        raise QgsProcessingException(algorithm.invalidSourceError(dict(parameters), name))
    source = algorithm.parameterAsSource(parameters, name, context)
    crs = source.sourceCrs()
    names = [source.sourceName()]
    if layer is not None and layer.providerType() == "ogr":
        file = QgsProviderRegistry.instance().decodeUri("ogr", layer.source()).get("path", "")
        names = [_absolute(file), *names]
    return {
        "path": path,
        "layer": inner or None,
        "crs": crs.toWkt() if crs.isValid() else None,
        **_known_as(path, names, context),
    }


def _formats(algorithm: QgsProcessingAlgorithm, name: str) -> list[str]:
    """Return the formats that the engine reads itself; QGIS converts all others.

    A CSV, whose columns are texts, would lose all of its rows on the way if one is called "fid".
    """
    kinds = algorithm.parameterDefinition(name).dataTypes()
    tables = ["csv"] if kinds == [QgsProcessing.SourceType.TypeVector] else []
    return ["gpkg", "shp", "geojson", *tables]


def _extent(
    algorithm: QgsProcessingAlgorithm,
    name: str,
    parameters: Mapping[str, Any],
    context: QgsProcessingContext,
) -> dict[str, Any] | None:
    box = algorithm.parameterAsExtent(parameters, name, context)
    value = parameters[name]
    bare = isinstance(value, str) and value.count(",") == BOX_COMMAS and "[" not in value
    crs = (
        _raster_crs(algorithm, parameters, context)
        if bare
        else algorithm.parameterAsExtentCrs(parameters, name, context)
    )
    if box.isNull():
        return None
    if not crs.isValid():
        raise QgsProcessingException(
            f"{name}: its coordinate reference system is not known. Write it behind the numbers, "
            "as in '0,10,0,10 [EPSG:32624]'."
        )
    return {
        "xmin": box.xMinimum(),
        "ymin": box.yMinimum(),
        "xmax": box.xMaximum(),
        "ymax": box.yMaximum(),
        "crs": crs.toWkt(),
    }


def _raster_crs(
    algorithm: QgsProcessingAlgorithm, parameters: Mapping[str, Any], context: QgsProcessingContext
) -> QgsCoordinateReferenceSystem:
    """Return the CRS of the first raster that is given: what bare numbers are meant in."""
    for definition in algorithm.parameterDefinitions():
        if isinstance(definition, QgsProcessingParameterRasterLayer):
            layer = algorithm.parameterAsRasterLayer(parameters, definition.name(), context)
            if layer is not None:
                return layer.crs()
    return QgsCoordinateReferenceSystem()


def _wkt(layer: QgsMapLayer) -> str | None:
    return layer.crs().toWkt() if layer.crs().isValid() else None
