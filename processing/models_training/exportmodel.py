"""Export of a model as one file."""

from __future__ import annotations

from collections.abc import Sequence

from qgis.core import (
    QgsProcessingOutputDefinition,
    QgsProcessingOutputString,
    QgsProcessingParameterFileDestination,
)

from glacier_qgis.processing.base import EngineAlgorithm
from glacier_qgis.processing.declarations.described import described
from glacier_qgis.processing.declarations.parameters import MODELS_TRAINING, Parameter, choice
from glacier_qgis.processing.declarations.pickers import DELIVERED_MODEL, file_or_name
from glacier_qgis.translation import tr


class ExportModel(EngineAlgorithm):
    """`glacier:exportmodel`."""

    ID = "exportmodel"
    TITLE = tr("Export model")
    GROUP = MODELS_TRAINING
    TAGS = tr("model,export,package,stac,mlm,onnx,pytorch,machine learning,deepness,share")
    SUMMARY = tr(
        "Writes a calving-front model as one file: a package that 'Install model' reads, with its "
        "card and a STAC item that catalogues read, or an ONNX model that other programs run.\n\n"
        "An ONNX file is verified: its predicted probabilities must equal those of the model "
        "within 0.0001. It has the metadata that the plugin Deepness reads, and no network for "
        "series."
    )

    def declarations(self) -> Sequence[Parameter]:
        """See the base class."""
        return [
            described(
                file_or_name("MODEL", tr("Model"), "model", DELIVERED_MODEL),
                tr(
                    "Name of an installed model, or a model file. The default comes with the "
                    "plugin and is for radar scenes."
                ),
            ),
            choice(
                "FORMAT",
                tr("Format"),
                tr(
                    "'package': a zip with card, STAC item and weights. 'onnx': needs the engine's "
                    "extra 'onnx'."
                ),
                ["package", "onnx"],
            ),
            described(
                QgsProcessingParameterFileDestination(
                    "OUTPUT", tr("Model file"), tr("Model packages (*.zip);;ONNX models (*.onnx)")
                ),
                tr("The file to write: *.zip for a package, *.onnx for ONNX."),
            ),
        ]

    def numbers(self) -> Sequence[QgsProcessingOutputDefinition]:
        """See the base class."""
        return [QgsProcessingOutputString("NAME", tr("Name"))]
