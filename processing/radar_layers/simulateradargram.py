"""Simulated echograms, whose layers are known."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from qgis.core import (
    QgsProcessingOutputDefinition,
    QgsProcessingOutputNumber,
    QgsProcessingParameterRasterDestination,
)

from glacier_qgis import styles
from glacier_qgis.processing.base import EngineAlgorithm
from glacier_qgis.processing.declarations.described import described
from glacier_qgis.processing.declarations.parameters import (
    RADAR_LAYERS,
    WHOLE,
    Parameter,
    choice,
    number,
    optional_layer,
)
from glacier_qgis.processing.radar_layers.parameters import LINES
from glacier_qgis.translation import tr


class SimulateRadargram(EngineAlgorithm):
    """`glacier:simulateradargram`."""

    ID = "simulateradargram"
    TITLE = tr("Simulate radargram")
    GROUP = RADAR_LAYERS
    TAGS = tr("radar,echogram,radargram,simulate,synthetic,layers,test data,snow radar,training")
    SUMMARY = tr(
        "Simulates an echogram and the lines that are in it, to try the algorithms of this group "
        "without data, or to measure them.\n\n"
        "Layers follow the accumulation and the bed along the track, and fold, merge and vanish. "
        "Echoes have speckle, fading, attenuation, noise, multiples, clutter and missing traces."
    )
    STYLES: ClassVar = {"LINES": styles.radar_layers, "OUTPUT": styles.echogram}

    def declarations(self) -> Sequence[Parameter]:
        """See the base class."""
        return [
            choice(
                "SETTING",
                tr("Radar"),
                tr(
                    "'radiostratigraphy': a depth sounder over kilometres of ice. 'snow': a Snow "
                    "Radar over metres of firn, with annual layers. 'valley': a low-frequency "
                    "radar across a valley glacier, with a dim and steep bed."
                ),
                ["radiostratigraphy", "snow", "valley"],
            ),
            number(
                "LENGTH",
                tr("Length of the track (km)"),
                tr(
                    "The default is 12 km: 800 traces of the depth sounder, 2,400 and 3,000 of the "
                    "others."
                ),
                12,
                minValue=0.1,
                maxValue=1000,
            ),
            number(
                "SEED",
                tr("Seed"),
                tr("The same seed gives the same echogram."),
                1,
                kind=WHOLE,
                minValue=0,
                maxValue=2_147_483_647,
            ),
            described(
                QgsProcessingParameterRasterDestination("OUTPUT", tr("Echogram")),
                tr("Power in dB, with its axes in the file of the same name with '.json' behind."),
            ),
            optional_layer(
                "LINES",
                tr("True lines"),
                tr("Surface, bed and layers as they were drawn."),
                LINES,
                in_dialogs=True,
            ),
        ]

    def numbers(self) -> Sequence[QgsProcessingOutputDefinition]:
        """See the base class."""
        return [QgsProcessingOutputNumber("LAYERS", tr("Layers"))]
