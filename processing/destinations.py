"""Outputs through the wall: files for the engine, and what it wrote handed to QGIS."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from qgis.core import (
    QgsDataSourceUri,
    QgsFeature,
    QgsFeatureSink,
    QgsProcessing,
    QgsProcessingAlgorithm,
    QgsProcessingContext,
    QgsProcessingException,
    QgsProcessingFeedback,
    QgsProcessingOutputLayerDefinition,
    QgsProcessingParameterFeatureSink,
    QgsProcessingParameterRasterDestination,
    QgsProcessingUtils,
    QgsVectorLayer,
)


class Destinations:
    """The outputs that were asked for: files for the engine, sinks filled from its files.

    They belong to the context that `processAlgorithm` is given: in a dialog it is one of the
    worker thread, whose layers replace those of the dialog's context when the algorithm ends.
    """

    def __init__(
        self,
        algorithm: QgsProcessingAlgorithm,
        parameters: dict[str, Any],
        context: QgsProcessingContext,
    ) -> None:
        self._algorithm = algorithm
        self._parameters = parameters
        self._context = context
        self._files: dict[str, str] = {}
        self._sinks: dict[str, str] = {}
        for definition in algorithm.destinationParameterDefinitions():
            name = definition.name()
            if parameters.get(name) in (None, "") and not definition.defaultValue():
                continue
            if isinstance(definition, QgsProcessingParameterFeatureSink):
                self._sinks[name] = QgsProcessingUtils.generateTempFilename(f"{name}.gpkg", context)
                _check_sink(name, parameters.get(name))
            elif isinstance(definition, QgsProcessingParameterRasterDestination):
                self._files[name] = algorithm.parameterAsOutputLayer(parameters, name, context)
            else:
                self._files[name] = algorithm.parameterAsFileOutput(parameters, name, context)
        for name, path in self._files.items():
            _check_writable(name, Path(path))

    def job_values(self) -> dict[str, str]:
        """Return the path that the engine writes for each destination."""
        paths = {**self._files, **self._sinks}
        return {name.lower(): str(Path(path).absolute()) for name, path in paths.items()}

    def deliver(self, result: Mapping[str, Any], feedback: QgsProcessingFeedback) -> dict[str, Any]:
        """Fill the sinks; return the value of every destination."""
        outputs: dict[str, Any] = {
            name: path for name, path in self._files.items() if result.get(name)
        }
        for name, path in self._sinks.items():
            if result.get(name):
                outputs[name] = self._fill(name, path, feedback)
        return outputs

    def _fill(self, name: str, path: str, feedback: QgsProcessingFeedback) -> str:
        layer = QgsVectorLayer(path, name, "ogr")
        if not layer.isValid():
            raise QgsProcessingException(f"{name}: the engine's file {path} cannot be opened.")
        fields = layer.fields()
        fields.remove(fields.indexOf("fid"))
        sink, identifier = self._algorithm.parameterAsSink(
            self._parameters, name, self._context, fields, layer.wkbType(), layer.crs()
        )
        if sink is None:
            raise QgsProcessingException(self._algorithm.invalidSinkError(self._parameters, name))
        for feature in layer.getFeatures():
            if feedback.isCanceled():
                raise QgsProcessingException("Cancelled.")
            copy = QgsFeature(fields)
            copy.setGeometry(feature.geometry())
            copy.setAttributes([feature[field.name()] for field in fields])
            if not sink.addFeature(copy, QgsFeatureSink.Flag.FastInsert):
                raise QgsProcessingException(
                    self._algorithm.writeFeatureError(sink, self._parameters, name)
                )
        sink.flushBuffer()
        del sink  # closes the file
        return str(identifier)


def _check_sink(name: str, value: object) -> None:
    """Check a sink whose destination is a file; a database or memory is left to QGIS."""
    if isinstance(value, QgsProcessingOutputLayerDefinition):
        value = value.sink.staticValue()
    if not isinstance(value, str) or value == QgsProcessing.TEMPORARY_OUTPUT:
        return
    provider, colon, uri = value.partition(":")
    if provider == "ogr":
        _check_writable(name, Path(QgsDataSourceUri(uri).database()))
    elif not colon or len(provider) == 1:  # a path, on Windows with its drive
        _check_writable(name, Path(value))


def _check_writable(name: str, path: Path) -> None:
    folder = path.absolute().parent
    if not folder.is_dir():
        raise QgsProcessingException(
            f"{name}: the folder {folder} does not exist. Create it, or choose another."
        )
    if not os.access(folder, os.W_OK):
        raise QgsProcessingException(
            f"{name}: you may not write to the folder {folder}. Choose another."
        )
