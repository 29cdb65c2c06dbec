"""A model from a data set."""

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
    device,
    number,
)
from glacier_qgis.processing.models_training.parameters import batch_size, dataset, network, seed
from glacier_qgis.translation import tr


class TrainModel(EngineAlgorithm):
    """`glacier:trainmodel`."""

    ID = "trainmodel"
    TITLE = tr("Train model")
    GROUP = MODELS_TRAINING
    TAGS = tr(
        "training,fit,machine learning,deep learning,pytorch,neural network,cnn,u-net,unet,hrnet,"
        "hed,segmentation,calving,fine-tune"
    )
    SUMMARY = tr(
        "Trains a neural network on a data set and writes a model package that every algorithm "
        "here runs. After each epoch the network is measured on the validation part: loss, "
        "precision, recall, F1 and IoU of each class, and how far its fronts are from the labelled "
        "ones.\n\n"
        "The package always holds the best weights so far, and training ends when they no longer "
        "improve. A run that was cancelled or killed keeps them, and is resumed when it is started "
        "again with the same parameters."
    )

    def declarations(self) -> Sequence[Parameter]:
        """See the base class."""
        return [
            dataset(),
            *network(),
            number(
                "EPOCHS",
                tr("Epochs"),
                tr(
                    "Maximum number of epochs; in each, the network is trained on as many random "
                    "patches as the training part has tiles, and at least 256."
                ),
                50,
                kind=WHOLE,
                minValue=1,
                maxValue=100_000,
            ),
            number(
                "LEARNING_RATE",
                tr("Learning rate"),
                tr("Highest rate of the schedule; 0 = automatic, as 'Find learning rate' does it."),
                0,
                decimals=6,
                word=tr("automatic"),
                minValue=0,
                maxValue=10,
            ),
            number(
                "PATIENCE",
                tr("Patience (epochs)"),
                tr(
                    "Training ends after this number of epochs without a better mean IoU in the "
                    "validation; 0 = never before the last epoch."
                ),
                10,
                word=tr("all epochs"),
                kind=WHOLE,
                minValue=0,
                maxValue=100_000,
                advanced=True,
            ),
            batch_size(),
            seed(tr("Seed of all random numbers: on a processor, equal seeds give equal results.")),
            device(),
            described(
                QgsProcessingParameterFileDestination(
                    "OUTPUT", tr("Model package"), tr("Model packages (*.zip)")
                ),
                tr(
                    "The model with its card. An unfinished training is kept in a folder of this "
                    "name that ends in '.state'. It cannot be the model of START_FROM."
                ),
            ),
            described(
                QgsProcessingParameterFileDestination(
                    "REPORT", tr("Report"), tr("HTML files (*.html)"), optional=True
                ),
                tr(
                    "Curves, scores of each class, confusion matrix, calibration, the best, the "
                    "median and the worst tile, and everything needed to repeat the training."
                ),
            ),
        ]

    def numbers(self) -> Sequence[QgsProcessingOutputDefinition]:
        """See the base class."""
        return [
            QgsProcessingOutputNumber("EPOCHS_TRAINED", tr("Epochs trained")),
            QgsProcessingOutputNumber("BEST_EPOCH", tr("Epoch of the best weights")),
            QgsProcessingOutputNumber("MEAN_IOU", tr("Mean IoU in the validation")),
            QgsProcessingOutputNumber(
                "MEAN_DISTANCE", tr("Mean front distance in the validation (m)")
            ),
            QgsProcessingOutputNumber("ODS", tr("F-score of layers, for echograms (ODS)")),
        ]
