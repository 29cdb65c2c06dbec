"""Outputs through the wall: files for the engine, and what it wrote handed to QGIS."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from qgis.core import (
    QgsDataSourceUri,
    QgsFeature,
    QgsFeatureSink,
    QgsProcessingAlgorithm,
    QgsProcessingContext,
    QgsProcessingException,
    QgsProcessingFeedback,
    QgsProcessingOutputLayerDefinition,
    QgsProcessingParameterFeatureSink,
    QgsProcessingParameterRasterDestination,
    QgsProcessingUtils,
    QgsProperty,
    QgsVectorLayer,
)

from glacier_qgis.processing.outputs.delivery import Delivery
from glacier_qgis.processing.outputs.faults import destination_faults
from glacier_qgis.processing.outputs.geopackages import LockedError, is_database
from glacier_qgis.processing.outputs.places import Place, database_of, destination_text, place_of
from glacier_qgis.translation import tr

LASTING = ".nc"
"""Ending of files from which a run resumes: they stay, even if a layer cannot be delivered."""
AXES = ".json"
"""Ending, behind the whole name of an echogram, of what the engine writes beside it."""
ROOM = 1_000_000
"""Bytes; a disk with less is full."""


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
        inputs: Sequence[tuple[str, Place]],
    ) -> None:
        for _, message in destination_faults(algorithm, parameters, context, inputs):
            raise QgsProcessingException(message)
        self._algorithm = algorithm
        self._parameters = parameters
        self._context = context
        self._delivery = Delivery()
        self._files: dict[str, str] = {}
        self._sinks: dict[str, str] = {}
        for definition in algorithm.destinationParameterDefinitions():
            name = definition.name()
            if not destination_text(definition, parameters, context):
                continue
            if isinstance(definition, QgsProcessingParameterFeatureSink):
                self._sinks[name] = QgsProcessingUtils.generateTempFilename(f"{name}.gpkg", context)
            elif isinstance(definition, QgsProcessingParameterRasterDestination):
                self._files[name] = algorithm.parameterAsOutputLayer(parameters, name, context)
            else:
                self._files[name] = algorithm.parameterAsFileOutput(parameters, name, context)

    def job_values(self) -> dict[str, str]:
        """Return the path that the engine writes for each destination."""
        paths = {**self._files, **self._sinks}
        return {name.lower(): str(Path(path).absolute()) for name, path in paths.items()}

    def deliver(self, result: Mapping[str, Any], feedback: QgsProcessingFeedback) -> dict[str, Any]:
        """Fill the sinks; return the value of every destination.

        Raises:
            QgsProcessingException: It was cancelled, or a layer cannot be written. All is as before
                the run then.
        """
        outputs: dict[str, Any] = {
            name: path for name, path in self._files.items() if result.get(name)
        }
        try:
            for name, path in self._sinks.items():
                if result.get(name):
                    outputs[name] = self._fill(name, path, feedback)
            self._delivery.commit()
        except LockedError as error:
            self._delivery.undo()
            raise QgsProcessingException(
                tr("{error}. Close it there, and run again: all files are as they were.").format(
                    error=error
                )
            ) from error
        except OSError as error:
            self._delivery.undo()
            raise QgsProcessingException(
                tr(
                    "The results cannot be put where they were asked for ({error}). Free some "
                    "space or choose other files, and run again: all files are as they were."
                ).format(error=error)
            ) from error
        except QgsProcessingException:
            self._delivery.undo()
            raise
        return outputs

    def _fill(self, name: str, file: str, feedback: QgsProcessingFeedback) -> str:
        """Write the engine's features where they were asked for; return the layer's source."""
        layer = QgsVectorLayer(file, name, "ogr")
        if not layer.isValid():
            raise QgsProcessingException(
                tr("{name}: the engine's file {file} cannot be opened.").format(
                    name=name, file=file
                )
            )
        definition = self._algorithm.parameterDefinition(name)
        place = place_of(definition, self._parameters, self._context)
        if place is None or not _is_file(place):
            source = self._write(name, layer, self._parameters, self._context, feedback)
            return self._findable(source)
        draft = (self._delivery.container if place.table else self._delivery.beside)(place.path)
        aside = QgsProcessingContext()
        aside.copyThreadSafeSettings(self._context)
        parameters = {**self._parameters, name: self._redirected(name, draft)}
        try:
            source = self._write(name, layer, parameters, aside, feedback)
        except QgsProcessingException as error:
            full = shutil.disk_usage(draft.parent).free < ROOM
            text = tr("{name}: the disk of {path} is full. Free some space, and run again.").format(
                name=name, path=place.path
            )
            said = str(error).replace(str(draft.parent), str(place.path.parent))
            raise QgsProcessingException(text if full else said) from error
        final = source.replace(str(draft.parent), str(place.path.absolute().parent))
        for details in aside.layersToLoadOnCompletion().values():
            self._context.addLayerToLoadOnCompletion(final, details)
        return final

    def _findable(self, source: str) -> str:
        """Return the name by which QGIS finds a layer of a database again; it loads that."""
        final = _with_provider(source)
        pending = self._context.layersToLoadOnCompletion()
        if final != source and source in pending:
            pending[final] = pending.pop(source)
            self._context.setLayersToLoadOnCompletion(dict(pending.items()))
        return final

    def _redirected(self, name: str, draft: Path) -> object:
        """Return the value of a sink's parameter, with another file in it."""
        value = self._parameters.get(name)
        definition = self._algorithm.parameterDefinition(name)
        provider, colon, uri = destination_text(
            definition, self._parameters, self._context
        ).partition(":")
        text = str(draft)
        if colon and provider == "ogr":
            container = QgsDataSourceUri(uri)
            container.setDatabase(text)
            text = f"ogr:{container.uri(False)}"
        if not isinstance(value, QgsProcessingOutputLayerDefinition):
            return text
        redirected = QgsProcessingOutputLayerDefinition(value)
        redirected.sink = QgsProperty.fromValue(text)
        return redirected

    def _write(
        self,
        name: str,
        layer: QgsVectorLayer,
        parameters: dict[str, Any],
        context: QgsProcessingContext,
        feedback: QgsProcessingFeedback,
    ) -> str:
        fields = layer.fields()
        fields.remove(fields.indexOf("fid"))
        sink, source = self._algorithm.parameterAsSink(
            parameters, name, context, fields, layer.wkbType(), layer.crs()
        )
        if sink is None:
            raise QgsProcessingException(self._algorithm.invalidSinkError(parameters, name))
        for feature in layer.getFeatures():
            if feedback.isCanceled():
                raise QgsProcessingException(tr("Cancelled."))
            copy = QgsFeature(fields)
            copy.setGeometry(feature.geometry())
            copy.setAttributes([feature[name] for name in fields.names()])
            if not sink.addFeature(copy, QgsFeatureSink.Flag.FastInsert):
                raise QgsProcessingException(
                    self._algorithm.writeFeatureError(sink, parameters, name)
                )
        if not sink.flushBuffer():
            raise QgsProcessingException(self._algorithm.writeFeatureError(sink, parameters, name))
        del sink  # closes the file, and says nothing where that fails
        written = _opened(source, context)
        if written is None:
            raise QgsProcessingException(
                tr(
                    "{name}: QGIS cannot open {source}, to which it was written. Choose another "
                    "destination, and run again."
                ).format(name=name, source=source)
            )
        if 0 <= written.featureCount() < layer.featureCount():
            raise QgsProcessingException(
                tr(
                    "{name}: not all features could be written to {source}. Free some space or "
                    "choose another file, and run again."
                ).format(name=name, source=source)
            )
        return str(source)

    def __enter__(self) -> Destinations:
        """Keep what the engine will replace, until the layers are delivered too."""
        if self._sinks:
            for path in self._files.values():
                if not path.endswith(LASTING):
                    for each in (path, path + AXES):
                        self._delivery.remember(Path(each).absolute())
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Remove what was kept."""
        self._delivery.close()


def _with_provider(source: str) -> str:
    """Return a destination in a database as QGIS opens it; files and layers as they are."""
    found = database_of(source)
    return str(QgsProcessingUtils.encodeProviderKeyAndUri(*found)) if found else source


def _opened(source: str, context: QgsProcessingContext) -> QgsVectorLayer | None:
    """Return the layer that was written; a worker thread may not look for it in the project."""
    layer = context.temporaryLayerStore().mapLayer(source)
    if layer is None:
        named, provider, uri = QgsProcessingUtils.decodeProviderKeyAndUri(_with_provider(source))
        layer = QgsVectorLayer(*((uri, "", provider) if named else (source, "", "ogr")))
    return layer if isinstance(layer, QgsVectorLayer) and layer.isValid() else None


def _is_file(place: Place) -> bool:
    """Whether a sink goes to a file that can be written beside another, and moved."""
    if place.path.is_dir():
        return False
    return not place.table or not place.path.exists() or is_database(place.path)
