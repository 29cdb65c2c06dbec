"""Zones of a satellite scene by a neural network."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from qgis.core import (
    QgsProcessingParameterRasterDestination,
)

from glacier_qgis import styles
from glacier_qgis.processing.base import EngineAlgorithm
from glacier_qgis.processing.calving_fronts.parameters import ONE_SCENE, inference, scene_and_bands
from glacier_qgis.processing.declarations.described import described
from glacier_qgis.processing.declarations.parameters import (
    CALVING_FRONTS,
    Parameter,
    optional_raster,
)
from glacier_qgis.translation import tr


class SegmentCalvingFront(EngineAlgorithm):
    """`glacier:segmentcalvingfront`."""

    ID = "segmentcalvingfront"
    TITLE = tr("Segment calving front")
    GROUP = CALVING_FRONTS
    TAGS = tr(
        "calving,front,terminus,glacier,detect,outline,sar,radar,optical,sentinel-1,"
        "sentinel-2,landsat,machine learning,deep learning,pytorch,u-net,cnn,segmentation,"
        "classification,zones"
    )
    SUMMARY = tr(
        "Divides a satellite scene into ocean (with mélange), glacier, rock and areas without "
        "information (radar shadow), with a neural network that is run tile by tile.\n\n"
        "Follow it with 'Extract termini', or use 'Delineate termini' for both in one step."
    )
    STYLES: ClassVar = {
        "UNCERTAINTY": styles.uncertainty,
        "OUTPUT": styles.zones,
        "PROBABILITY": styles.probability,
    }

    def declarations(self) -> Sequence[Parameter]:
        """See the base class."""
        return [
            *scene_and_bands(),
            *inference(ONE_SCENE),
            described(
                QgsProcessingParameterRasterDestination("OUTPUT", tr("Zones")),
                tr("Codes: 1 no data, 2 rock, 3 glacier, 4 ocean; 0 was not processed."),
            ),
            optional_raster(
                "PROBABILITY",
                tr("Probabilities"),
                tr("One band per class: its probability, 0 to 1."),
            ),
            optional_raster(
                "UNCERTAINTY",
                tr("Uncertainty"),
                tr("Normalised entropy of the probabilities: 0 certain, 1 undecided."),
            ),
        ]
