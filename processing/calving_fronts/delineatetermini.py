"""Terminus lines straight from a scene."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from qgis.core import QgsProcessingOutputDefinition

from glacier_qgis import styles
from glacier_qgis.processing.base import EngineAlgorithm
from glacier_qgis.processing.calving_fronts.parameters import (
    LINE_STYLES,
    ONE_SCENE,
    inference,
    line_numbers,
    line_outputs,
    lines_page,
    scene_and_bands,
)
from glacier_qgis.processing.declarations.pages import Page, page
from glacier_qgis.processing.declarations.parameters import CALVING_FRONTS, optional_raster
from glacier_qgis.translation import tr


class DelineateTermini(EngineAlgorithm):
    """`glacier:delineatetermini`."""

    ID = "delineatetermini"
    TITLE = tr("Delineate termini")
    GROUP = CALVING_FRONTS
    TAGS = tr(
        "calving,front,terminus,line,outline,detect,delineation,glacier,sar,radar,optical,"
        "sentinel-1,sentinel-2,landsat,machine learning,deep learning,pytorch,u-net,cnn"
    )
    SUMMARY = tr(
        "Draws the terminus lines of the glaciers in a satellite scene: segments it with a neural "
        "network and traces where glacier meets ocean, within a fraction of a cell.\n\n"
        "Each line has its length, a confidence and an uncertainty in metres. Check the lines "
        "before you use them: in winter, mélange looks like ice."
    )
    STYLES: ClassVar = {
        **LINE_STYLES,
        "UNCERTAINTY": styles.uncertainty,
        "ZONES": styles.zones,
    }

    def pages(self) -> Sequence[Page]:
        """See the base class."""
        outputs = [
            *line_outputs(),
            optional_raster("ZONES", tr("Zones"), tr("The zones that the lines were traced in.")),
            optional_raster(
                "UNCERTAINTY",
                tr("Uncertainty"),
                tr("Normalised entropy of the probabilities: 0 certain, 1 undecided."),
            ),
        ]
        return [
            page(tr("Scene"), [*scene_and_bands(), *inference(ONE_SCENE)]),
            lines_page(),
            page(tr("Results"), outputs),
        ]

    def numbers(self) -> Sequence[QgsProcessingOutputDefinition]:
        """See the base class."""
        return line_numbers()
