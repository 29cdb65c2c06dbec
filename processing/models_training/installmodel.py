"""Adds a model or an emulator to those that are offered by name."""

from __future__ import annotations

from collections.abc import Sequence

from qgis.core import (
    QgsProcessingOutputDefinition,
    QgsProcessingOutputFolder,
    QgsProcessingOutputString,
    QgsProcessingParameterBoolean,
    QgsProcessingParameterFile,
    QgsProcessingParameterString,
)

from glacier_qgis.processing.base import EngineAlgorithm
from glacier_qgis.processing.declarations.described import described
from glacier_qgis.processing.declarations.parameters import MODELS_TRAINING, Parameter
from glacier_qgis.translation import tr

FILTER = tr("Models (*.zip *.onnx *.h5 card.json);;All files (*)")


class InstallModel(EngineAlgorithm):
    """`glacier:installmodel`."""

    ID = "installmodel"
    TITLE = tr("Install model")
    GROUP = MODELS_TRAINING
    TAGS = tr(
        "model,install,package,stac,mlm,onnx,pytorch,machine learning,deepness,igm,emulator,import"
    )
    SUMMARY = tr(
        "Adds a model to those that other algorithms offer: a model package (zip), an ONNX "
        "segmentation model with the metadata that the plugin Deepness reads, or an ice-flow "
        "emulator: a package of 'Train emulator', or one of the Instructed Glacier Model.\n\n"
        "The file is checked whole before anything is kept. Nothing in it is ever executed: "
        "pickles, custom operators and files that lead out of the package are refused by name."
    )

    def declarations(self) -> Sequence[Parameter]:
        """See the base class."""
        return [
            described(
                QgsProcessingParameterFile(
                    "INPUT",
                    tr("Model file"),
                    QgsProcessingParameterFile.Behavior.File,
                    fileFilter=FILTER,
                ),
                tr(
                    "A package of a model or an emulator (.zip, or a model's card.json), an ONNX "
                    "model (.onnx), or the model.h5 of an emulator with fieldin.dat and "
                    "fieldout.dat beside it."
                ),
            ),
            described(
                QgsProcessingParameterString("NAME", tr("Name"), "", optional=True),
                tr(
                    "Name of the installed model. Leave it empty for the name in its card or that "
                    "of the file; for an emulator those of its folders, such as 'f15_mine/100' "
                    "(family / cell size in m)."
                ),
            ),
            described(
                QgsProcessingParameterBoolean(
                    "OVERWRITE", tr("Replace a model of that name"), False
                ),
                tr(
                    "Replace what is installed under that name; the models that come with the "
                    "plugin cannot be replaced."
                ),
            ),
        ]

    def numbers(self) -> Sequence[QgsProcessingOutputDefinition]:
        """See the base class."""
        return [
            QgsProcessingOutputString("NAME", tr("Name")),
            QgsProcessingOutputString("KIND", tr("Kind")),
            QgsProcessingOutputFolder("FOLDER", tr("Folder")),
        ]
