"""A learning rate to train with."""

from __future__ import annotations

from collections.abc import Sequence

from qgis.core import (
    QgsProcessingOutputDefinition,
    QgsProcessingOutputNumber,
    QgsProcessingParameterFileDestination,
)

from glacier_qgis.processing.base import EngineAlgorithm
from glacier_qgis.processing.declarations.described import described
from glacier_qgis.processing.declarations.parameters import MODELS_TRAINING, Parameter, device
from glacier_qgis.processing.models_training.parameters import batch_size, dataset, network, seed
from glacier_qgis.translation import tr


class FindLearningRate(EngineAlgorithm):
    """`glacier:findlearningrate`."""

    ID = "findlearningrate"
    TITLE = tr("Find learning rate")
    GROUP = MODELS_TRAINING
    TAGS = tr(
        "learning rate,range test,lr finder,training,machine learning,deep learning,"
        "neural network,pytorch"
    )
    SUMMARY = tr(
        "Trains for a hundred batches while the learning rate increases from very small to very "
        "large, and suggests the rate at which the loss falls fastest, well below the one at which "
        "training diverges (Smith 2017).\n\n"
        "'Train model' does the same by itself if its learning rate is 0."
    )

    def declarations(self) -> Sequence[Parameter]:
        """See the base class."""
        return [
            dataset(),
            *network(),
            batch_size(),
            seed(tr("Seed of all random numbers: on a processor, equal seeds give equal results.")),
            device(),
            described(
                QgsProcessingParameterFileDestination(
                    "REPORT", tr("Report"), tr("HTML files (*.html)")
                ),
                tr("Loss by learning rate, with the suggested rate."),
            ),
        ]

    def numbers(self) -> Sequence[QgsProcessingOutputDefinition]:
        """See the base class."""
        return [QgsProcessingOutputNumber("SUGGESTED_RATE", tr("Suggested learning rate"))]
