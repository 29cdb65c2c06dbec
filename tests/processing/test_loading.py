"""Results as QGIS loads them: styled, and with time."""

from __future__ import annotations

import gc
from pathlib import Path

from qgis.core import (
    QgsApplication,
    QgsGraduatedSymbolRenderer,
    QgsMapLayer,
    QgsPalettedRasterRenderer,
    QgsProcessingContext,
    QgsProcessingOutputLayerDefinition,
    QgsProcessingUtils,
    QgsProject,
    QgsSingleBandPseudoColorRenderer,
)
from qgis_fixtures import Log


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


def test_lines_and_zones_are_styled(context: QgsProcessingContext, log: Log, scene: Path) -> None:
    layers = load("glacier:delineatetermini", context, log, ["OUTPUT", "ZONES"], INPUT=str(scene))
    assert isinstance(layers["OUTPUT"].renderer(), QgsGraduatedSymbolRenderer)
    assert layers["OUTPUT"].featureCount() >= 1
    assert isinstance(layers["ZONES"].renderer(), QgsPalettedRasterRenderer)


def test_a_simulation_plays_with_the_temporal_controller(
    context: QgsProcessingContext, log: Log, aletsch: Path
) -> None:
    layers = load(
        "glacier:simulateglacier",
        context,
        log,
        ["THICKNESS", "VELOCITY", "SERIES"],
        BED=str(aletsch),
        EXTENT="2640000,2646000,1148000,1154000 [EPSG:2056]",
        START=1990,
        END=2010,
    )
    for name in ("THICKNESS", "VELOCITY"):
        assert isinstance(layers[name].renderer(), QgsSingleBandPseudoColorRenderer)
        spans = layers[name].temporalProperties().fixedRangePerBand()
        assert [spans[band].begin().date().year() for band in (1, 2, 3)] == [1990, 2000, 2010]
    assert layers["SERIES"].featureCount() == 3
    assert not layers["SERIES"].isSpatial()
