"""Terminus lines from zones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from qgis.core import (
    QgsProcessingOutputDefinition,
    QgsProcessingParameterRasterLayer,
)

from glacier_qgis.processing.base import EngineAlgorithm
from glacier_qgis.processing.calving_fronts.parameters import (
    LINE_STYLES,
    line_numbers,
    line_outputs,
    lines_page,
)
from glacier_qgis.processing.declarations.described import described
from glacier_qgis.processing.declarations.pages import Page, page
from glacier_qgis.processing.declarations.parameters import CALVING_FRONTS
from glacier_qgis.translation import tr


class ExtractTermini(EngineAlgorithm):
    """`glacier:extracttermini`."""

    ID = "extracttermini"
    TITLE = tr("Extract termini")
    GROUP = CALVING_FRONTS
    TAGS = tr("calving,front,terminus,line,outline,detect,vectorise,zones,glacier")
    SUMMARY = tr(
        "Traces the lines where glacier meets ocean in a zones raster, one feature per front.\n\n"
        "With the probabilities of the same run, lines are placed within a fraction of a cell, "
        "where glacier and ocean are equally probable."
    )
    STYLES: ClassVar = LINE_STYLES

    def pages(self) -> Sequence[Page]:
        """See the base class."""
        zones = [
            described(
                QgsProcessingParameterRasterLayer("INPUT", tr("Zones")),
                tr("Zones that 'Segment calving front' wrote, on the grid of the model."),
            ),
            described(
                QgsProcessingParameterRasterLayer(
                    "PROBABILITY", tr("Probabilities"), optional=True
                ),
                tr("Probabilities of the same run, for lines that are more accurate than a cell."),
            ),
        ]
        return [page(tr("Zones"), zones), lines_page(), page(tr("Results"), line_outputs())]

    def numbers(self) -> Sequence[QgsProcessingOutputDefinition]:
        """See the base class."""
        return line_numbers()
