"""Terminus lines from zones."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import ClassVar

from qgis.core import (
    QgsProcessingOutputDefinition,
    QgsProcessingOutputNumber,
    QgsProcessingOutputString,
    QgsProcessingParameterRasterLayer,
)

from glacier_qgis import styles
from glacier_qgis.processing.base import EngineAlgorithm
from glacier_qgis.processing.declarations.described import described
from glacier_qgis.processing.declarations.pages import Page, page
from glacier_qgis.processing.declarations.parameters import CALVING_FRONTS, extraction, line_outputs


def line_numbers() -> list[QgsProcessingOutputDefinition]:
    """Declare the values that models can decide on."""
    return [
        QgsProcessingOutputNumber("COUNT", "Number of lines"),
        QgsProcessingOutputNumber("TOTAL_LENGTH", "Total length (m)"),
        QgsProcessingOutputString("REASON", "Why no front was found"),
    ]


ATTRIBUTES = {"GLACIER", "DATE", "SENSOR", "GLACIER_ID", "AUTHOR"}


def lines_page(unused: Collection[str] = ()) -> Page:
    """Return the page on how zones become lines, less the parameters that are unused."""
    parameters = [p for p in extraction() if p.name() not in unused]
    lines = page("Lines", (p for p in parameters if p.name() not in ATTRIBUTES))
    attributes = [p for p in parameters if p.name() in ATTRIBUTES]
    return Page(lines.title, lines.main, {"Attributes": attributes, **lines.sections})


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
    TAGS = "calving,front,terminus,line,outline,detect,vectorise,zones,glacier"
    SUMMARY = (
        "Traces the lines where glacier meets ocean in a zones raster, one feature per front.\n\n"
        "With the probabilities of the same run, lines are placed within a fraction of a cell, "
        "where glacier and ocean are equally probable."
    )
    STYLES: ClassVar = LINE_STYLES

    def pages(self) -> Sequence[Page]:
        """See the base class."""
        zones = [
            described(
                QgsProcessingParameterRasterLayer("INPUT", "Zones"),
                "Zones that 'Segment calving front' wrote, on the grid of the model.",
            ),
            described(
                QgsProcessingParameterRasterLayer("PROBABILITY", "Probabilities", optional=True),
                "Probabilities of the same run, for lines that are more accurate than a cell.",
            ),
        ]
        return [page("Zones", zones), lines_page(), page("Results", line_outputs())]

    def numbers(self) -> Sequence[QgsProcessingOutputDefinition]:
        """See the base class."""
        return line_numbers()
