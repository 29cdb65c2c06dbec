"""Where outputs go and where inputs lie, to see before the work that nothing is lost by it."""

from __future__ import annotations

import os
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
    QgsProcessingParameterFolderDestination,
    QgsProcessingParameterMultipleLayers,
    QgsProcessingParameterRasterDestination,
    QgsProcessingParameterRasterLayer,
    QgsProcessingUtils,
    QgsProperty,
    QgsProviderRegistry,
    QgsVectorFileWriter,
    QgsVectorLayer,
)

from glacier_qgis.processing.outputs.geopackages import is_database, is_locked
from glacier_qgis.translation import tr

TIFF = ("", ".tif", ".tiff")
OURS = {"layer_styles"}
"""Tables that QGIS keeps beside a layer, and that go with it."""
NAME_BYTES = 200
"""Longest name of a file; systems take 255, and names on the way there are longer."""
FIXED_FIELDS = {".dxf", ".gpx"}
"""Formats that hold no fields but their own."""
FILE_GEODATABASE = ".gdb"
PERCENT_CODE = re.compile(r"%[0-9A-Fa-f]{2}")
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


def destination_faults(
    algorithm: QgsProcessingAlgorithm, parameters: dict[str, Any], context: QgsProcessingContext
) -> Iterator[tuple[str, str]]:
    """Yield what is wrong with where outputs are to go: the output's name, and a message."""
    inputs = list(_inputs(algorithm, parameters, context))
    taken: dict[Place, str] = {}
    for definition in algorithm.destinationParameterDefinitions():
        name = definition.name()
        place = place_of(definition, parameters, context)
        if place is None:
            if text := _unknown_kind(definition, parameters, context):
                yield name, f"{name}: {text}"
            continue
        text = _unusable(definition, place)
        if not text:
            alone = Place(place.path.resolve(), place.table.casefold())
            other = taken.setdefault(alone, name)
            if other != name:
                text = tr("{path} is also given for {other}. Give each a file of its own.").format(
                    path=place.path, other=other
                )
        for role, source in inputs:
            if not text and _is_lost(source, place):
                text = tr(
                    "{path} holds the input {role}, which would be replaced. Choose another file."
                ).format(path=place.path, role=role)
        if text:
            yield name, f"{name}: {text}"


def edited_faults(
    algorithm: QgsProcessingAlgorithm, parameters: dict[str, Any], context: QgsProcessingContext
) -> Iterator[tuple[str, str]]:
    """Yield outputs that replace a layer of the project with edits that are not saved.

    Their ids would be those of other features afterwards. Only the main thread may look.
    """
    layers = context.project().mapLayers().values() if context.project() else ()
    edited = [each for each in layers if isinstance(each, QgsVectorLayer) and each.isModified()]
    if not edited:
        return
    for definition in algorithm.destinationParameterDefinitions():
        name, place = definition.name(), place_of(definition, parameters, context)
        if place is None:
            continue
        for layer in edited:
            if any(_is_lost(source, place) for source in _places_of(layer)):
                yield (
                    name,
                    tr(
                        "{name}: the layer '{layer}' lies in {path}, and has edits that "
                        "are not saved. Save or discard them, or choose another file."
                    ).format(name=name, layer=layer.name(), path=place.path),
                )


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


def _unknown_kind(
    definition: QgsProcessingParameterDefinition,
    parameters: dict[str, Any],
    context: QgsProcessingContext,
) -> str:
    """Return why QGIS cannot tell where a layer is to go; blank if it can."""
    text = destination_text(definition, parameters, context)
    found = PROVIDER.match(text)
    if found is None or database_of(text):
        return ""
    return tr(
        "QGIS takes '{found}', before the colon, for a kind of database. Choose a file without "
        "a colon in its path."
    ).format(found=found[1])


def _unusable(definition: QgsProcessingParameterDefinition, place: Place) -> str:
    """Return why a file cannot be written, or what would be lost by it; blank for nothing."""
    path, folder = place.path, place.path.absolute().parent
    if len(os.fsencode(path.name)) > NAME_BYTES:
        return tr("the name '{name}…' is too long. Choose one of {most} letters.").format(
            name=path.name[:20], most=NAME_BYTES
        )
    raster = isinstance(definition, QgsProcessingParameterRasterDestination)
    if raster and path.suffix.lower() not in TIFF:
        return tr(
            "results are GeoTIFFs, and {name} would be one under another name. Name it "
            "{better}; 'Translate' makes other formats of it."
        ).format(name=path.name, better=path.with_suffix(".tif").name)
    if not os.path.isdir(folder):  # noqa: PTH112  a name that is too long is no error here
        return tr("the folder {folder} does not exist. Create it, or choose another.").format(
            folder=folder
        )
    if not os.access(folder, os.W_OK):
        return tr("you may not write to the folder {folder}. Choose another.").format(folder=folder)
    if isinstance(definition, QgsProcessingParameterFolderDestination):
        return ""
    if path.is_dir() and path.suffix.lower() != FILE_GEODATABASE:
        return tr("{path} is a folder. Give the name of a file.").format(path=path)
    if isinstance(definition, QgsProcessingParameterFeatureSink):
        return _unusable_for_features(place)
    return ""


def _unusable_for_features(place: Place) -> str:
    """Return why a file cannot take features, or what would be lost by it; blank for nothing."""
    path = place.path
    if path.suffix.lower() in FIXED_FIELDS:
        return tr(
            "{suffix} files cannot hold the fields of this layer. Choose a "
            "GeoPackage, and convert it afterwards."
        ).format(suffix=path.suffix[1:].upper())
    if path.suffix.lower() == ".gpkg" and (code := PERCENT_CODE.search(str(path))):
        return tr(
            "QGIS cannot open GeoPackages with '{code}' in their path. Choose one without a "
            "percent sign."
        ).format(code=code[0])
    if not path.is_file():
        return ""
    if is_database(path) and is_locked(path):
        return tr(
            "{path} is locked by another program. Close it there, or save the edits that hold it, "
            "and run again."
        ).format(path=path)
    names = sorted({*_tables(str(path), "ogr"), *_tables(str(path), "gdal")} - OURS)
    if not place.table and len(names) > 1:
        return tr(
            "{path} holds the layers {names}, which would be lost. Choose another "
            "file, or 'Save to GeoPackage' to add a layer to this one."
        ).format(path=path, names=", ".join(names))
    return ""


def _inputs(
    algorithm: QgsProcessingAlgorithm, parameters: dict[str, Any], context: QgsProcessingContext
) -> Iterator[tuple[str, Place]]:
    """Yield the files that inputs lie in, each with the input's name."""
    for definition in algorithm.parameterDefinitions():
        name = definition.name()
        value = parameters.get(name)
        places: Iterator[Place] = iter(())
        match definition:
            case QgsProcessingParameterRasterLayer():
                places = _places_of(algorithm.parameterAsRasterLayer(parameters, name, context))
            case QgsProcessingParameterFeatureSource() if value is not None:
                places = _places_of(algorithm.parameterAsVectorLayer(parameters, name, context))
            case QgsProcessingParameterMultipleLayers():
                places = _listed(value, context)
        yield from ((name, place) for place in places)


def _listed(value: object, context: QgsProcessingContext) -> Iterator[Place]:
    """Yield the files of a list of layers; one that is no layer yet is not opened for it."""
    for each in value if isinstance(value, list | tuple) else filter(None, [value]):
        layer = (
            each
            if isinstance(each, QgsMapLayer)
            else QgsProcessingUtils.mapLayerFromString(str(each), context, False)
        )
        if layer is not None:
            yield from _places_of(layer)
        elif Path(str(each)).is_file():
            yield Place(Path(str(each)))


def _places_of(layer: QgsMapLayer | None) -> Iterator[Place]:
    """Yield the file of a layer, and those that a virtual raster is made of."""
    if layer is None:
        return
    source = layer.source()
    parts = QgsProviderRegistry.instance().decodeUri(layer.providerType(), source)
    table = parts.get("layerName") or ""
    if not table and layer.providerType() == "ogr":
        tables = _tables(parts.get("path") or "", "ogr")
        table = next(iter(tables[parts.get("layerId") or 0 :]), "")
    for text in (parts.get("path") or "", *re.findall(r'"([^"]+)"', source)):
        path = Path(text)
        if path.is_file():
            yield Place(path, table)
            yield from (Place(member) for member in _members(path))


def _tables(path: str, provider: str) -> list[str]:
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


def _is_lost(source: Place, place: Place) -> bool:
    """Whether an input is lost when an output is written."""
    if place.table:
        same = source.table.casefold() == place.table.casefold()
        return same and _is_one(source.path, place.path)
    files = {str(place.path), *QgsFileUtils.sidecarFilesForPath(str(place.path))}
    used = {str(source.path), *QgsFileUtils.sidecarFilesForPath(str(source.path))}
    return any(_is_one(Path(a), Path(b)) for a in files for b in used)


def _is_one(first: Path, second: Path) -> bool:
    """Whether two paths are one file, through links and in small or capital letters too."""
    try:
        return first.samefile(second)
    except OSError:
        return False
