"""Inputs through the wall: what QGIS means, as the engine's schemas take it."""

from __future__ import annotations

from collections.abc import Container, Iterator
from contextlib import contextmanager
from typing import Any

from qgis.core import (
    Qgis,
    QgsCoordinateReferenceSystem,
    QgsMapLayer,
    QgsProcessingAlgorithm,
    QgsProcessingContext,
    QgsProcessingException,
    QgsProcessingFeedback,
    QgsProcessingParameterBand,
    QgsProcessingParameterBoolean,
    QgsProcessingParameterCrs,
    QgsProcessingParameterDateTime,
    QgsProcessingParameterDefinition,
    QgsProcessingParameterEnum,
    QgsProcessingParameterExtent,
    QgsProcessingParameterFeatureSource,
    QgsProcessingParameterField,
    QgsProcessingParameterFile,
    QgsProcessingParameterMapLayer,
    QgsProcessingParameterMultipleLayers,
    QgsProcessingParameterNumber,
    QgsProcessingParameterRasterLayer,
    QgsProcessingUtils,
    QgsRasterLayer,
    QgsRectangle,
    QgsReferencedRectangle,
)

from glacier_qgis.processing.declarations.files import are_files, listed
from glacier_qgis.processing.inputs.copies import Copy, absolute, crs_text
from glacier_qgis.processing.inputs.rasters import raster_value
from glacier_qgis.processing.inputs.vectors import vector_value
from glacier_qgis.translation import tr

BOX_COMMAS = 3
"""In ``xmin,xmax,ymin,ymax``."""


class Inputs:
    """The inputs of one run: the job that they make, and the layers that must be copied for it."""

    def __init__(
        self,
        algorithm: QgsProcessingAlgorithm,
        parameters: dict[str, Any],
        context: QgsProcessingContext,
        without: Container[str] = (),
    ) -> None:
        self._copies: list[Copy] = []
        self.job: dict[str, Any] = {
            definition.name().lower(): job_value(
                algorithm, definition, parameters, context, self._copies
            )
            for definition in algorithm.parameterDefinitions()
            if not (definition.isDestination() or definition.name() in without)
        }

    @contextmanager
    def copied(
        self, context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> Iterator[None]:
        """Hold copies of what the engine cannot open as QGIS does; the thread that runs makes them.

        Raises:
            QgsProcessingException: It was cancelled, or a layer cannot be read or written.
        """
        try:
            for copy in self._copies:
                copy.write(context, feedback)
            yield
        finally:
            for copy in self._copies:
                copy.path.unlink(missing_ok=True)


def job_value(
    algorithm: QgsProcessingAlgorithm,
    definition: QgsProcessingParameterDefinition,
    parameters: dict[str, Any],
    context: QgsProcessingContext,
    copies: list[Copy],
) -> object:
    """Return the value of one input parameter as JSON holds it."""
    name = definition.name()
    given = parameters.get(name) not in (None, "")
    match definition:
        case QgsProcessingParameterRasterLayer():
            return _raster(algorithm, definition, parameters, context, copies)
        case QgsProcessingParameterMapLayer():
            return _layer(algorithm, name, parameters, context, copies) if given else None
        case QgsProcessingParameterMultipleLayers() if are_files(definition):
            return [absolute(path) for path in listed(parameters.get(name))]
        case QgsProcessingParameterMultipleLayers():
            return _rasters(definition, parameters, context, copies)
        case QgsProcessingParameterFile():
            return algorithm.parameterAsFile(parameters, name, context)
        case QgsProcessingParameterFeatureSource():
            return vector_value(algorithm, name, parameters, context, copies) if given else None
        case QgsProcessingParameterCrs():
            return crs_text(algorithm.parameterAsCrs(parameters, name, context)) if given else None
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
            if definition.dataType() == Qgis.ProcessingNumberParameterType.Integer:
                return algorithm.parameterAsInt(parameters, name, context)
            return algorithm.parameterAsDouble(parameters, name, context)
        case QgsProcessingParameterDateTime():
            date = algorithm.parameterAsDateTime(parameters, name, context).date()
            return date.toString("yyyy-MM-dd") if given and date.isValid() else None
    return algorithm.parameterAsString(parameters, name, context)


def _choice(
    algorithm: QgsProcessingAlgorithm,
    definition: QgsProcessingParameterEnum,
    parameters: dict[str, Any],
    context: QgsProcessingContext,
) -> object:
    name = definition.name()
    if definition.allowMultiple():
        return algorithm.parameterAsEnumStrings(parameters, name, context)
    return algorithm.parameterAsEnumString(parameters, name, context)


def _raster(
    algorithm: QgsProcessingAlgorithm,
    definition: QgsProcessingParameterRasterLayer,
    parameters: dict[str, Any],
    context: QgsProcessingContext,
    copies: list[Copy],
) -> dict[str, Any] | None:
    name = definition.name()
    layer = algorithm.parameterAsRasterLayer(parameters, name, context)
    if layer is None:
        if parameters.get(name) in (None, ""):
            return None
        raise QgsProcessingException(algorithm.invalidRasterError(dict(parameters), name))
    return raster_value(name, layer, context, copies)


def _layer(
    algorithm: QgsProcessingAlgorithm,
    name: str,
    parameters: dict[str, Any],
    context: QgsProcessingContext,
    copies: list[Copy],
) -> dict[str, Any]:
    """Return a layer of either kind."""
    layer = algorithm.parameterAsLayer(parameters, name, context)
    if layer is None:
        raise QgsProcessingException(algorithm.invalidSourceError(dict(parameters), name))
    if isinstance(layer, QgsRasterLayer):
        return raster_value(name, layer, context, copies)
    return vector_value(algorithm, name, parameters, context, copies)


def _rasters(
    definition: QgsProcessingParameterMultipleLayers,
    parameters: dict[str, Any],
    context: QgsProcessingContext,
    copies: list[Copy],
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
            rasters.append(raster_value(name, layer, context, copies))
        elif layer is None:
            rasters.append({"path": absolute(str(value)), "crs": None})
        else:
            raise QgsProcessingException(
                tr("{name}: the layer '{layer}' is not a raster. Choose a raster layer.").format(
                    name=name, layer=layer.name()
                )
            )
    return rasters


def _extent(
    algorithm: QgsProcessingAlgorithm,
    name: str,
    parameters: dict[str, Any],
    context: QgsProcessingContext,
) -> dict[str, Any] | None:
    box = algorithm.parameterAsExtent(parameters, name, context)
    value = parameters[name]
    numbers = isinstance(value, str) and value.count(",") == BOX_COMMAS and "[" not in value
    box_alone = isinstance(value, QgsRectangle) and not isinstance(value, QgsReferencedRectangle)
    crs = (
        _raster_crs(algorithm, parameters, context)
        if numbers or box_alone
        else algorithm.parameterAsExtentCrs(parameters, name, context)
    )
    if box.isNull():
        return None
    text = crs_text(crs)
    if text is None:
        raise QgsProcessingException(
            tr(
                "{name}: its coordinate reference system is not known. Write it behind the "
                "numbers, as in '0,10,0,10 [EPSG:32624]'."
            ).format(name=name)
        )
    return {
        "xmin": box.xMinimum(),
        "ymin": box.yMinimum(),
        "xmax": box.xMaximum(),
        "ymax": box.yMaximum(),
        "crs": text,
    }


def _raster_crs(
    algorithm: QgsProcessingAlgorithm, parameters: dict[str, Any], context: QgsProcessingContext
) -> QgsCoordinateReferenceSystem:
    """Return the CRS of the first raster that is given: what bare numbers are meant in."""
    for definition in algorithm.parameterDefinitions():
        if isinstance(definition, QgsProcessingParameterRasterLayer):
            layer = algorithm.parameterAsRasterLayer(parameters, definition.name(), context)
            if layer is not None:
                return layer.crs()
    return QgsCoordinateReferenceSystem()
