"""Where outputs go and where inputs lie."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from qgis.core import (
    QgsDataSourceUri,
    QgsFileUtils,
    QgsMapLayer,
    QgsProcessing,
    QgsProcessingAlgorithm,
    QgsProcessingContext,
    QgsProcessingOutputLayerDefinition,
    QgsProcessingParameterDefinition,
    QgsProcessingParameterFeatureSink,
    QgsProcessingParameterFeatureSource,
    QgsProcessingParameterMapLayer,
    QgsProcessingParameterMultipleLayers,
    QgsProcessingParameterRasterLayer,
    QgsProcessingUtils,
    QgsProperty,
    QgsProviderRegistry,
    QgsVectorFileWriter,
)

from glacier_qgis.processing.declarations.files import are_files, listed

ALIASES = {"postgis": "postgres"}
PROVIDER = re.compile(r"(.{3,}?):(.*)", re.DOTALL)
"""What QGIS takes a destination for: a provider's name, and what it knows the layer by."""
LARGEST_MOSAIC = 20_000_000
"""Bytes of a virtual raster; a larger one is none."""


@dataclass(frozen=True)
class Place:
    """A file that an output goes to, or that an input lies in.

    Attributes:
        path: The file.
        table: The layer in it, blank where the file is the layer.
    """

    path: Path
    table: str = ""


def place_of(
    definition: QgsProcessingParameterDefinition,
    parameters: dict[str, Any],
    context: QgsProcessingContext,
) -> Place | None:
    """Return the file that an output goes to; None for none, memory, and databases on servers."""
    text = destination_text(definition, parameters, context)
    if text in ("", QgsProcessing.TEMPORARY_OUTPUT):
        return None
    if not isinstance(definition, QgsProcessingParameterFeatureSink):
        return Place(Path(text))
    if not PROVIDER.match(text):
        path = Path(text)
        known = QgsVectorFileWriter.driverForExtension(path.suffix.removeprefix("."))
        return Place(path if path.suffix and known else path.with_name(f"{path.name}.gpkg"))
    provider, source = database_of(text) or ("", "")
    uri = QgsDataSourceUri(source)
    if provider != "ogr" or not uri.database():
        return None
    return Place(Path(uri.database()), uri.table())


def database_of(text: str) -> tuple[str, str] | None:
    """Return provider and URI of a destination that names both; None for a path."""
    found = PROVIDER.match(text)
    provider = ALIASES.get(found[1], found[1]) if found else ""
    known = QgsProviderRegistry.instance().providerList()
    return (provider, found[2]) if found and provider in known else None


def destination_text(
    definition: QgsProcessingParameterDefinition,
    parameters: dict[str, Any],
    context: QgsProcessingContext,
) -> str:
    """Return the text of a destination as it was chosen, blank where it was not."""
    value = parameters.get(definition.name())
    if value in (None, ""):
        value = definition.defaultValue()
    if isinstance(value, QgsProcessingOutputLayerDefinition):
        value = value.sink
    if isinstance(value, QgsProperty):
        value = value.valueAsString(context.expressionContext(), "")[0]
    return str(value) if value else ""


def places_of_inputs(
    algorithm: QgsProcessingAlgorithm, parameters: dict[str, Any], context: QgsProcessingContext
) -> Iterator[tuple[str, Place]]:
    """Yield the files that inputs lie in, each with the input's name."""
    for definition in algorithm.parameterDefinitions():
        name = definition.name()
        value = parameters.get(name)
        places: Iterator[Place] = iter(())
        match definition:
            case QgsProcessingParameterRasterLayer():
                places = places_of_layer(
                    algorithm.parameterAsRasterLayer(parameters, name, context)
                )
            case QgsProcessingParameterFeatureSource() if value is not None:
                places = places_of_layer(
                    algorithm.parameterAsVectorLayer(parameters, name, context)
                )
            case QgsProcessingParameterMapLayer():
                places = places_of_layer(algorithm.parameterAsLayer(parameters, name, context))
            case QgsProcessingParameterMultipleLayers() if are_files(definition):
                places = (Place(path) for path in map(Path, listed(value)) if path.is_file())
            case QgsProcessingParameterMultipleLayers():
                places = _listed(value, context)
        yield from ((name, place) for place in places)


def _listed(value: object, context: QgsProcessingContext) -> Iterator[Place]:
    """Yield the files of a list of layers; one that is not yet a layer is not opened."""
    for each in value if isinstance(value, list | tuple) else filter(None, [value]):
        layer = (
            each
            if isinstance(each, QgsMapLayer)
            else QgsProcessingUtils.mapLayerFromString(str(each), context, False)
        )
        if layer is not None:
            yield from places_of_layer(layer)
        elif Path(str(each)).is_file():
            yield Place(Path(str(each)))


def places_of_layer(layer: QgsMapLayer | None) -> Iterator[Place]:
    """Yield the file of a layer, and those that a virtual raster is made of."""
    if layer is None:
        return
    source = layer.source()
    parts = QgsProviderRegistry.instance().decodeUri(layer.providerType(), source)
    table = parts.get("layerName") or ""
    if not table and layer.providerType() == "ogr":
        tables = tables_of(parts.get("path") or "", "ogr")
        table = next(iter(tables[parts.get("layerId") or 0 :]), "")
    for text in (parts.get("path") or "", *re.findall(r'"([^"]+)"', source)):
        path = Path(text)
        if path.is_file():
            yield Place(path, table)
            yield from (Place(member) for member in _members(path))


def tables_of(path: str, provider: str) -> list[str]:
    """Return the names of a file's layers, in order."""
    metadata = QgsProviderRegistry.instance().providerMetadata(provider)
    return [layer.name() for layer in metadata.querySublayers(path)]


def _members(path: Path) -> Iterator[Path]:
    """Yield the files that a virtual raster is made of."""
    if path.suffix.lower() != ".vrt" or path.stat().st_size > LARGEST_MOSAIC:
        return
    text = path.read_text(encoding="utf-8", errors="replace")
    for named in re.findall(r"<SourceFilename[^>]*>([^<]+)</SourceFilename>", text):
        member = path.parent / named  # an absolute name stays as it is
        if member.is_file():
            yield member
            yield from _members(member)


def is_lost(source: Place, place: Place) -> bool:
    """Whether an input is lost when an output is written."""
    if place.table:
        same = source.table.casefold() == place.table.casefold()
        return same and _is_one(source.path, place.path)
    files = {str(place.path), *QgsFileUtils.sidecarFilesForPath(str(place.path))}
    used = {str(source.path), *QgsFileUtils.sidecarFilesForPath(str(source.path))}
    return any(_is_one(Path(a), Path(b)) for a in files for b in used)


def _is_one(first: Path, second: Path) -> bool:
    """Whether two paths are the same file, also through links and case-insensitively."""
    try:
        return first.samefile(second)
    except OSError:
        return False
