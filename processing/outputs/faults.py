"""What is wrong with where outputs are to go, to see before the work that nothing is lost by it."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from typing import Any

from qgis.core import (
    QgsProcessingAlgorithm,
    QgsProcessingContext,
    QgsProcessingParameterDefinition,
    QgsProcessingParameterFeatureSink,
    QgsProcessingParameterFolderDestination,
    QgsProcessingParameterRasterDestination,
    QgsVectorLayer,
)

from glacier_qgis.processing.outputs.geopackages import is_database, is_locked
from glacier_qgis.processing.outputs.places import (
    PROVIDER,
    Place,
    database_of,
    destination_text,
    is_lost,
    place_of,
    places_of_layer,
    tables_of,
)
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


def destination_faults(
    algorithm: QgsProcessingAlgorithm,
    parameters: dict[str, Any],
    context: QgsProcessingContext,
    inputs: Sequence[tuple[str, Place]],
) -> Iterator[tuple[str, str]]:
    """Yield what is wrong with where outputs are to go: the output's name, and a message.

    Args:
        algorithm: Whose outputs they are.
        parameters: As they were given.
        context: Of the run.
        inputs: Names and places of the inputs.
    """
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
            if not text and is_lost(source, place):
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
            if any(is_lost(source, place) for source in places_of_layer(layer)):
                yield (
                    name,
                    tr(
                        "{name}: the layer '{layer}' lies in {path}, and has edits that "
                        "are not saved. Save or discard them, or choose another file."
                    ).format(name=name, layer=layer.name(), path=place.path),
                )


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
    names = sorted({*tables_of(str(path), "ogr"), *tables_of(str(path), "gdal")} - OURS)
    if not place.table and len(names) > 1:
        return tr(
            "{path} holds the layers {names}, which would be lost. Choose another "
            "file, or 'Save to GeoPackage' to add a layer to this one."
        ).format(path=path, names=", ".join(names))
    return ""
