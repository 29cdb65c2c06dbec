"""Terminus lines from zones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from qgis.core import (
    QgsProcessingOutputDefinition,
    QgsProcessingOutputNumber,
    QgsProcessingOutputString,
    QgsProcessingParameterRasterLayer,
)

from glacier_qgis import styles
from glacier_qgis.processing.base import EngineAlgorithm, described
from glacier_qgis.processing.common import CALVING_FRONTS, Parameter, extraction, line_outputs


def line_numbers() -> list[QgsProcessingOutputDefinition]:
    """Declare the values that models can decide on."""
    return [
        QgsProcessingOutputNumber("COUNT", "Number of lines"),
        QgsProcessingOutputNumber("TOTAL_LENGTH", "Total length (m)"),
        QgsProcessingOutputString("REASON", "Why no front was found"),
    ]


LINE_STYLES = {
    "OUTPUT": styles.termini,
    "POINTS": styles.terminus_points,
    "GLACIER_AREA": styles.glacier_area,
    "OCEAN_AREA": styles.ocean_area,
}


class ExtractTermini(EngineAlgorithm):
    """`glacier:extracttermini`."""

    ID = "extracttermini"
    TITLE = "Extract termini"
    GROUP = CALVING_FRONTS
    TAGS = "calving,front,terminus,line,vectorise,zones,glacier"
    SUMMARY = (
        "Traces the lines where glacier meets ocean in a zones raster, one feature a front.\n\n"
        "With the probabilities of the same run the lines are placed within a fraction of a cell, "
        "where ocean becomes likelier than glacier."
    )
    STYLES: ClassVar = LINE_STYLES

    def declarations(self) -> Sequence[Parameter]:
        """See the base class."""
        return [
            described(
                QgsProcessingParameterRasterLayer("INPUT", "Zones"),
                "The output of 'Segment calving front', on the grid of the model.",
            ),
            described(
                QgsProcessingParameterRasterLayer("PROBABILITY", "Probabilities", optional=True),
                "The probabilities of the same run, for lines more exact than the cells.",
            ),
            *extraction(),
            *line_outputs(),
        ]

    def numbers(self) -> Sequence[QgsProcessingOutputDefinition]:
        """See the base class."""
        return line_numbers()
