"""Builds or repairs the engine's environment."""

from __future__ import annotations

from pathlib import Path

from qgis.core import (
    QgsProcessingContext,
    QgsProcessingException,
    QgsProcessingFeedback,
    QgsProcessingOutputString,
    QgsProcessingParameterBoolean,
    QgsProcessingParameterEnum,
    QgsProcessingParameterFile,
    QgsProcessingParameterString,
)

from glacier_qgis.client.engine import run_program
from glacier_qgis.client.warm_engine import WarmEngine
from glacier_qgis.processing.declarations.described import Described, described
from glacier_qgis.processing.declarations.parameters import ENGINE, choice
from glacier_qgis.settings import default_environment, set_engine_setting
from glacier_qgis.setup import environment
from glacier_qgis.setup.needs import EXTRAS
from glacier_qgis.setup.programs import SetupError
from glacier_qgis.translation import tr

INSTALLER = Path(environment.__file__).with_name("install.py")
CANCELLED = tr(
    "The set-up was cancelled: run it again, and it continues from here. What is downloaded is "
    "kept."
)


class SetupEngine(Described):
    """`glacier:setupengine`."""

    ID = "setupengine"
    TITLE = tr("Set up engine")
    GROUP = ENGINE
    TAGS = tr(
        "engine,install,setup,repair,environment,machine learning,pytorch,torch,gpu,cuda,"
        "tensorflow,onnx,igm"
    )
    SUMMARY = tr(
        "Builds the engine's environment, or repairs it: a Python of its own with PyTorch and the "
        "geospatial packages, downloaded from the Python package index. QGIS' own Python is not "
        "touched.\n\n"
        "Exact versions are installed, each file checked against its hash, from the package index "
        "that pip is set up with. The log shows the size before the download starts. It is "
        "largest on Linux, where PyTorch comes with the CUDA libraries. A run that was stopped "
        "continues from where it was."
    )

    def initAlgorithm(self, configuration: dict[str, object] | None = None) -> None:
        """Declare parameters and outputs."""
        self.addParameter(
            choice(
                "DEVICE",
                tr("Device"),
                tr(
                    "'cuda' checks in the end that PyTorch can use an NVIDIA graphics card. On "
                    "Linux the index' PyTorch can; on Windows name an index with CUDA builds below."
                ),
                ["cpu", "cuda"],
            )
        )
        extras = QgsProcessingParameterEnum(
            "EXTRAS",
            tr("Extras"),
            list(EXTRAS),
            allowMultiple=True,
            defaultValue=["igm"],
            optional=True,
            usesStaticStrings=True,
        )
        extras.setMetadata({"widget_wrapper": f"{__package__}.extras_widget.ExtrasWidget"})
        self.addParameter(
            described(
                extras,
                tr(
                    "igm: the published emulators for 'Simulate glacier' (25 MB). tensorflow: "
                    "Keras emulators as they are, about 300 MB more. onnx: segmentation models "
                    "from and for other programs, about 40 MB more. cluster: time series on the "
                    "machines of a Dask cluster, about 5 MB more."
                ),
            )
        )
        self.addParameter(
            described(
                QgsProcessingParameterFile(
                    "FOLDER",
                    tr("Folder"),
                    QgsProcessingParameterFile.Behavior.Folder,
                    optional=True,
                ),
                tr(
                    "Where the environment is built. Left empty, a folder of yours that all QGIS "
                    "profiles share."
                ),
                advanced=True,
            )
        )
        self.addParameter(
            described(
                QgsProcessingParameterString(
                    "PACKAGE_INDEX", tr("Package index for PyTorch"), "", optional=True
                ),
                tr(
                    "Address of the package index that PyTorch and its GPU libraries are taken "
                    "from, such as PyTorch's own for CPU-only builds (about 200 MB on Linux, where "
                    "the default is 3 GB) or CUDA builds. These files are not checked against "
                    "hashes. Everything else comes from the usual index, and nothing is searched "
                    "for in both."
                ),
                advanced=True,
            )
        )
        self.addParameter(
            described(
                QgsProcessingParameterBoolean("REPAIR", tr("Install every package again"), False),
                tr(
                    "Repairs an environment whose files are damaged. Packages that pip has kept "
                    "are not downloaded again. A PyTorch from another index is left alone unless "
                    "PACKAGE_INDEX names that index again."
                ),
                advanced=True,
            )
        )
        self.addOutput(QgsProcessingOutputString("PYTHON", tr("The engine's Python")))

    def prepareAlgorithm(  # type: ignore[override]  # never None
        self,
        parameters: dict[str, object],
        context: QgsProcessingContext,
        feedback: QgsProcessingFeedback,
    ) -> bool:
        """End a warm engine, whose files cannot be replaced everywhere while it runs."""
        WarmEngine.stop_all()
        return True

    def processAlgorithm(  # type: ignore[override]  # never None
        self,
        parameters: dict[str, object],
        context: QgsProcessingContext,
        feedback: QgsProcessingFeedback,
    ) -> dict[str, object]:
        """Run the installer in a process of its own and remember the interpreter."""
        folder = self.parameterAsString(parameters, "FOLDER", context) or str(default_environment())
        try:
            python = environment.base_python()
        except SetupError as error:
            raise QgsProcessingException(str(error)) from error
        command = [str(python), "-I", str(INSTALLER), folder]
        for extra in self.parameterAsEnumStrings(parameters, "EXTRAS", context):
            command += ["--extra", extra]
        index = self.parameterAsString(parameters, "PACKAGE_INDEX", context)
        if index:
            command += ["--index", index]
        if self.parameterAsEnumString(parameters, "DEVICE", context) == "cuda":
            command.append("--cuda")
        if self.parameterAsBoolean(parameters, "REPAIR", context):
            command.append("--repair")
        try:
            outputs = run_program(command, feedback)
        except QgsProcessingException as problem:
            raise QgsProcessingException(
                CANCELLED if feedback.isCanceled() else str(problem)
            ) from None
        set_engine_setting(outputs["PYTHON"])
        return outputs
