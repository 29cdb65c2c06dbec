"""A look at training data."""

from __future__ import annotations

from collections.abc import Sequence

from qgis.core import (
    QgsProcessingOutputDefinition,
    QgsProcessingOutputNumber,
    QgsProcessingParameterFileDestination,
)

from glacier_qgis.processing.base import EngineAlgorithm
from glacier_qgis.processing.declarations.described import described
from glacier_qgis.processing.declarations.parameters import (
    MODELS_TRAINING,
    WHOLE,
    Parameter,
    number,
)
from glacier_qgis.processing.models_training.parameters import dataset, seed
from glacier_qgis.translation import tr


class InspectTrainingData(EngineAlgorithm):
    """`glacier:inspecttrainingdata`."""

    ID = "inspecttrainingdata"
    TITLE = tr("Inspect training data")
    GROUP = MODELS_TRAINING
    TAGS = tr(
        "training,data set,labels,leakage,class balance,contact sheet,quality,"
        "machine learning,deep learning"
    )
    SUMMARY = tr(
        "Checks every file of a training data set and shows its contents: pictures of tiles "
        "with zones and fronts, class balance, glaciers and dates of each part.\n\n"
        "Warns if parts are not independent (one glacier, picture or place in two of them) or "
        "have no front, and lists tiles that look wrong: empty, hardly labelled, or labelled "
        "differently from another tile with the same picture."
    )

    def declarations(self) -> Sequence[Parameter]:
        """See the base class."""
        return [
            dataset(),
            number(
                "COLUMNS",
                tr("Tiles to show of each class"),
                tr("Number of tiles to show for each part and class."),
                5,
                kind=WHOLE,
                minValue=1,
                maxValue=20,
                advanced=True,
            ),
            seed(tr("Seed of the random sample of tiles: the same seed gives the same sample.")),
            described(
                QgsProcessingParameterFileDestination(
                    "REPORT", tr("Report"), tr("HTML files (*.html)"), optional=True
                ),
                tr("Page with all of this, which needs no network."),
            ),
        ]

    def numbers(self) -> Sequence[QgsProcessingOutputDefinition]:
        """See the base class."""
        return [
            QgsProcessingOutputNumber("TILES", tr("Number of tiles")),
            QgsProcessingOutputNumber("WARNINGS", tr("Number of warnings")),
        ]
