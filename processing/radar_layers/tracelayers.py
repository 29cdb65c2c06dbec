"""Surface, bed and layers of echograms as lines."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from qgis.core import (
    Qgis,
    QgsProcessingOutputDefinition,
    QgsProcessingOutputNumber,
    QgsProcessingParameterFeatureSink,
    QgsProcessingParameterMultipleLayers,
)

from glacier_qgis import styles
from glacier_qgis.processing.base import EngineAlgorithm
from glacier_qgis.processing.declarations.described import described
from glacier_qgis.processing.declarations.pages import Page, page
from glacier_qgis.processing.declarations.parameters import (
    RADAR_LAYERS,
    WHOLE,
    Parameter,
    device,
    number,
    optional_raster,
)
from glacier_qgis.processing.declarations.pickers import file_or_name
from glacier_qgis.processing.radar_layers.parameters import LINES
from glacier_qgis.translation import tr

MODEL = "radar_layers"


class TraceLayers(EngineAlgorithm):
    """`glacier:tracelayers`."""

    ID = "tracelayers"
    TITLE = tr("Trace layers")
    GROUP = RADAR_LAYERS
    TAGS = tr(
        "radar,echogram,radargram,layers,isochrones,internal,trace,pick,picking,surface,bed,snow "
        "radar,machine learning,deep learning,hed,pytorch"
    )
    SUMMARY = tr(
        "Finds surface, bed and internal layers in echograms by a neural network, and draws one "
        "line per layer with its id, confidence and uncertainty.\n\n"
        "Lines bridge gaps, never cross, and keep their id across the frames of one segment and "
        "where tracks cross. Correct them with QGIS' own editing."
    )
    STYLES: ClassVar = {"OUTPUT": styles.radar_layers, "PROBABILITY": styles.probability}

    def pages(self) -> Sequence[Page]:
        """See the base class."""
        return [
            page(tr("Echograms"), [*self._echograms(), device()]),
            page(tr("Lines"), self._lines()),
            page(tr("Results"), self._results()),
        ]

    def _echograms(self) -> list[Parameter]:
        return [
            described(
                QgsProcessingParameterMultipleLayers(
                    "INPUT", tr("Echograms"), Qgis.ProcessingSourceType.Raster
                ),
                tr(
                    "Echograms that 'Import radargram' wrote. Choose all frames of a segment "
                    "together, and tracks that cross each other, so that each layer has one id."
                ),
            ),
            described(
                file_or_name("MODEL", tr("Model"), "layers", MODEL),
                tr(
                    "Name of an installed model for echograms, or a model package. The default "
                    "comes with the plugin and was trained on simulated echograms."
                ),
            ),
            number(
                "AVERAGE",
                tr("Samples averaged"),
                tr(
                    "The power of so many samples is averaged before the network sees it. 2 suits "
                    "pulses of six samples and more, such as those of low-frequency radars on "
                    "valley glaciers. The default, 1, averages nothing."
                ),
                1,
                kind=WHOLE,
                minValue=1,
                maxValue=8,
                advanced=True,
            ),
        ]

    def _lines(self) -> list[Parameter]:
        return [
            number(
                "MAX_GAP",
                tr("Longest gap (traces)"),
                tr(
                    "A line goes on behind a gap of at most so many traces, along the dip of its "
                    "neighbours. The default is 30."
                ),
                30,
                kind=WHOLE,
                minValue=0,
                maxValue=10_000,
            ),
            number(
                "MIN_LENGTH",
                tr("Shortest line (traces)"),
                tr("Shorter lines are left out. The default is 20."),
                20,
                kind=WHOLE,
                minValue=2,
                maxValue=1_000_000,
            ),
            number(
                "MIN_CONFIDENCE",
                tr("Lowest confidence"),
                tr(
                    "Lines with a lower mean probability are left out, 0 to 1; gaps count as 0. "
                    "The default is 0.4."
                ),
                0.4,
                decimals=2,
                minValue=0,
                maxValue=1,
            ),
            number(
                "MIN_PROBABILITY",
                tr("Lowest probability of a point"),
                tr("Points of lines have at least this probability. The default is 0.6."),
                0.6,
                decimals=2,
                advanced=True,
                minValue=0.02,
                maxValue=0.98,
            ),
            number(
                "WINDOW",
                tr("Search window (samples)"),
                tr(
                    "A line continues with the point nearest to where it is expected, at most so "
                    "far away; at crossings of tracks, depths may differ by as much. The default "
                    "is 2.5."
                ),
                2.5,
                advanced=True,
                minValue=0.5,
                maxValue=50,
            ),
        ]

    def _results(self) -> list[Parameter]:
        return [
            described(
                QgsProcessingParameterFeatureSink("OUTPUT", tr("Layer lines"), LINES),
                tr(
                    "Lines in the coordinates of their echogram, with frame, layer id (1 surface, "
                    "2 bed), confidence (0 to 1) and uncertainty (samples and m). Their order from "
                    "top to bottom is that of the ice."
                ),
            ),
            optional_raster(
                "PROBABILITY",
                tr("Probability"),
                tr(
                    "Probability of surface, bed and layer at each pixel, in a band each; for one "
                    "echogram only."
                ),
            ),
        ]

    def numbers(self) -> Sequence[QgsProcessingOutputDefinition]:
        """See the base class."""
        return [QgsProcessingOutputNumber("LAYERS", tr("Layers"))]
