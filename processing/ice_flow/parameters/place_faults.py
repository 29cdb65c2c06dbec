"""Layers that cannot be placed on the map, and those that are of another place than the glacier."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from qgis.core import (
    Qgis,
    QgsCoordinateTransform,
    QgsCsException,
    QgsMapLayer,
    QgsProcessingAlgorithm,
    QgsProcessingContext,
    QgsProcessingParameterFeatureSource,
    QgsProcessingParameterRasterLayer,
    QgsReferencedRectangle,
)

from glacier_qgis.translation import tr

Box = QgsReferencedRectangle


def place_faults(
    algorithm: QgsProcessingAlgorithm,
    parameters: dict[str, Any],
    context: QgsProcessingContext,
    *mains: str,
) -> Iterator[tuple[str, str]]:
    """Yield layers without a CRS, and inputs that lie beside the glacier.

    Args:
        algorithm: Whose inputs they are.
        parameters: As they were given.
        context: Of the run.
        mains: Names of the layers that tell where the glacier is, of which one is given.
    """
    boxes: dict[str, Box] = {}
    for name, layer in _layers(algorithm, parameters, context):
        if not layer.crs().isValid():
            yield (
                name,
                tr(
                    "{name}: '{layer}' has no coordinate reference system. Find out which it is "
                    "in, and set it in the properties of the layer."
                ).format(name=name, layer=layer.name()),
            )
        elif not layer.extent().isNull():
            boxes[name] = Box(layer.extent(), layer.crs())
    main = next((name for name in mains if name in boxes), None)
    if main is None:
        return
    for name, box in boxes.items():
        if _apart(box, boxes[main], context):
            yield (
                name,
                tr(
                    "{name} lies beside {main}. Choose one of this place, or correct the "
                    "coordinate reference system of the one that is wrong."
                ).format(name=name, main=main),
            )


def _layers(
    algorithm: QgsProcessingAlgorithm, parameters: dict[str, Any], context: QgsProcessingContext
) -> Iterator[tuple[str, QgsMapLayer]]:
    """Yield the layers on the map that are given, by parameter."""
    for definition in algorithm.parameterDefinitions():
        name = definition.name()
        layer: QgsMapLayer | None = None
        if parameters.get(name) in (None, ""):
            continue
        if isinstance(definition, QgsProcessingParameterRasterLayer):
            layer = algorithm.parameterAsRasterLayer(parameters, name, context)
        elif isinstance(definition, QgsProcessingParameterFeatureSource) and not _table(definition):
            layer = algorithm.parameterAsVectorLayer(parameters, name, context)
        if layer is not None and layer.isValid() and layer.isSpatial():
            yield name, layer


def _table(definition: QgsProcessingParameterFeatureSource) -> bool:
    """Whether rows are asked for, with or without geometry."""
    return Qgis.ProcessingSourceType.Vector in definition.dataTypes()


def _apart(one: Box, other: Box, context: QgsProcessingContext) -> bool:
    """Whether two boxes have nothing in common, in the CRS of either.

    A box that cannot be transformed, as one of the whole Earth, is not called apart.
    """
    return _misses(one, other, context) and _misses(other, one, context)


def _misses(moved: Box, still: Box, context: QgsProcessingContext) -> bool:
    to_still = QgsCoordinateTransform(moved.crs(), still.crs(), context.transformContext())
    try:
        box = to_still.transformBoundingBox(moved)
    except QgsCsException:
        return False
    return box.isFinite() and not box.intersects(still)
