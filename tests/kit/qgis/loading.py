"""Running an algorithm and opening its outputs as QGIS does."""

from __future__ import annotations

import gc

from qgis.core import (
    QgsApplication,
    QgsMapLayer,
    QgsProcessingContext,
    QgsProcessingOutputLayerDefinition,
    QgsProcessingUtils,
    QgsProject,
)

from kit.qgis.fixtures import Log


def load(
    algorithm: str, context: QgsProcessingContext, log: Log, wanted: list[str], **parameters: object
) -> dict[str, QgsMapLayer]:
    """Run an algorithm with some outputs to be opened, and open them as QGIS does."""
    for name in wanted:
        parameters[name] = QgsProcessingOutputLayerDefinition(
            "TEMPORARY_OUTPUT", QgsProject.instance()
        )
    created = QgsApplication.processingRegistry().createAlgorithmById(algorithm)
    results, succeeded = created.run(parameters, context, log)
    assert succeeded, log.told
    del created
    gc.collect()  # post-processors must live although nothing here refers to them
    layers = {}
    for name in wanted:
        layer = QgsProcessingUtils.mapLayerFromString(results[name], context)
        styler = context.layersToLoadOnCompletion()[results[name]].postProcessor()
        if styler is not None:
            styler.postProcessLayer(layer, context, log)
        layers[name] = layer
    return layers
