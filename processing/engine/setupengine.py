"""Builds or repairs the engine's environment."""

from __future__ import annotations

from qgis.core import (
    QgsProcessingContext,
    QgsProcessingException,
    QgsProcessingFeedback,
    QgsProcessingOutputString,
    QgsProcessingParameterEnum,
    QgsProcessingParameterFile,
    QgsProcessingParameterString,
)

from glacier_qgis import environment
from glacier_qgis.engine import run_program
from glacier_qgis.processing.base import Described, described
from glacier_qgis.processing.common import ENGINE, choice
from glacier_qgis.settings import default_environment, set_engine_setting

EXTRAS = ("igm", "tensorflow", "onnx")


class SetupEngine(Described):
    """`glacier:setupengine`."""

    ID = "setupengine"
    TITLE = "Set up engine"
    GROUP = ENGINE
    TAGS = (
        "engine,install,setup,repair,environment,machine learning,pytorch,torch,gpu,cuda,"
        "tensorflow,onnx,igm"
    )
    SUMMARY = (
        "Builds the engine's environment, or repairs it: a Python of its own with PyTorch and the "
        "geospatial packages, downloaded from the Python package index. QGIS' own Python is not "
        "touched.\n\n"
        "The log states the size of the download before it starts. On Linux it is largest, since "
        "the index' PyTorch for Linux contains the CUDA libraries. A run that was stopped is "
        "resumed."
    )

    def initAlgorithm(self, configuration: dict[str, object] | None = None) -> None:
        """Declare parameters and outputs."""
        self.addParameter(
            choice(
                "DEVICE",
                "Device",
                "'cuda' checks in the end that PyTorch can use an NVIDIA graphics card. On Linux "
                "the index' PyTorch can; on Windows name an index with CUDA builds below.",
                ["cpu", "cuda"],
            )
        )
        self.addParameter(
            described(
                QgsProcessingParameterEnum(
                    "EXTRAS",
                    "Extras",
                    list(EXTRAS),
                    allowMultiple=True,
                    defaultValue=["igm"],
                    optional=True,
                    usesStaticStrings=True,
                ),
                "igm: the published emulators for 'Simulate glacier' (25 MB). tensorflow: Keras "
                "emulators as they are. onnx: segmentation models from and for other programs.",
            )
        )
        self.addParameter(
            described(
                QgsProcessingParameterFile(
                    "FOLDER",
                    "Folder",
                    QgsProcessingParameterFile.Behavior.Folder,
                    optional=True,
                ),
                "Where the environment is built. Left empty, a folder of yours that all QGIS "
                "profiles share.",
                advanced=True,
            )
        )
        self.addParameter(
            described(
                QgsProcessingParameterString(
                    "PACKAGE_INDEX", "Further package index", "", optional=True
                ),
                "Address of a package index to search besides the usual one, such as PyTorch's own "
                "for CPU-only or CUDA builds.",
                advanced=True,
            )
        )
        self.addOutput(QgsProcessingOutputString("PYTHON", "The engine's Python"))

    def processAlgorithm(
        self,
        parameters: dict[str, object],
        context: QgsProcessingContext,
        feedback: QgsProcessingFeedback,
    ) -> dict[str, object]:
        """Run the installer in a process of its own and remember the interpreter."""
        folder = self.parameterAsString(parameters, "FOLDER", context) or str(default_environment())
        try:
            python = environment.base_python()
        except environment.SetupError as error:
            raise QgsProcessingException(str(error)) from error
        command = [str(python), "-I", environment.__file__, folder]
        for extra in self.parameterAsEnumStrings(parameters, "EXTRAS", context):
            command += ["--extra", extra]
        index = self.parameterAsString(parameters, "PACKAGE_INDEX", context)
        if index:
            command += ["--index", index]
        if self.parameterAsEnumString(parameters, "DEVICE", context) == "cuda":
            command.append("--cuda")
        outputs = run_program(command, feedback)
        set_engine_setting(outputs["PYTHON"])
        return outputs
