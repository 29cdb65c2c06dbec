"""Evaluate a model on a data set."""

from __future__ import annotations

from collections.abc import Sequence

from qgis.core import (
    Qgis,
    QgsProcessingOutputDefinition,
    QgsProcessingOutputNumber,
    QgsProcessingParameterFeatureSink,
    QgsProcessingParameterFileDestination,
)

from glacier_qgis.processing.base import EngineAlgorithm
from glacier_qgis.processing.declarations.described import described
from glacier_qgis.processing.declarations.parameters import (
    MODELS_TRAINING,
    Parameter,
    choice,
    device,
)
from glacier_qgis.processing.declarations.pickers import DELIVERED_MODEL, file_or_name
from glacier_qgis.processing.models_training.parameters import dataset
from glacier_qgis.translation import tr


class EvaluateModel(EngineAlgorithm):
    """`glacier:evaluatemodel`."""

    ID = "evaluatemodel"
    TITLE = tr("Evaluate model")
    GROUP = MODELS_TRAINING
    TAGS = tr(
        "evaluation,accuracy,iou,precision,recall,mean distance error,calibration,test,"
        "metrics,machine learning,pytorch"
    )
    SUMMARY = tr(
        "Measures a model on the tiles of a data set: precision, recall, F1 and IoU of each class, "
        "the mean distance error of its fronts, missed fronts, and whether its probabilities and "
        "uncertainties mean what they say.\n\n"
        "If the model was trained on glaciers that it is measured on, the report says so: such "
        "figures say nothing about unseen glaciers."
    )

    def declarations(self) -> Sequence[Parameter]:
        """See the base class."""
        return [
            described(
                file_or_name("MODEL", tr("Model"), "model", DELIVERED_MODEL),
                tr(
                    "Name of an installed model, or a model package. The default comes with the "
                    "plugin and is for radar scenes."
                ),
            ),
            dataset(),
            choice(
                "PART",
                tr("Part"),
                tr("Part of the data set to measure on; only 'test' was held out of the training."),
                ["test", "validation", "training", "all"],
            ),
            device(),
            described(
                QgsProcessingParameterFeatureSink(
                    "OUTPUT",
                    tr("Figures of each tile"),
                    Qgis.ProcessingSourceType.Vector,
                    optional=True,
                    createByDefault=False,
                ),
                tr(
                    "Table with one row per tile: group, date, loss, IoU of each class, distance "
                    "between predicted and labelled front (m), whether it was missed."
                ),
            ),
            described(
                QgsProcessingParameterFileDestination(
                    "REPORT", tr("Report"), tr("HTML files (*.html)")
                ),
                tr("Tables, reliability curves, and the best, the median and the worst tile."),
            ),
        ]

    def numbers(self) -> Sequence[QgsProcessingOutputDefinition]:
        """See the base class."""
        return [
            QgsProcessingOutputNumber("MEAN_IOU", tr("Mean IoU")),
            QgsProcessingOutputNumber(
                "MEAN_DISTANCE_ERROR_BOX", tr("Mean distance error in the box (m)")
            ),
            QgsProcessingOutputNumber("MEAN_DISTANCE_ERROR", tr("Mean distance error (m)")),
            QgsProcessingOutputNumber("MISSED", tr("Missed fronts")),
            QgsProcessingOutputNumber("ODS", tr("F-score of layers, for echograms (ODS)")),
        ]
