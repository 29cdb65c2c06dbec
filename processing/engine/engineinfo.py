"""What the engine is."""

from __future__ import annotations

from collections.abc import Sequence

from qgis.core import (
    QgsProcessingContext,
    QgsProcessingFeedback,
    QgsProcessingOutputDefinition,
    QgsProcessingOutputString,
)

from glacier_qgis.processing.base import EngineAlgorithm
from glacier_qgis.processing.declarations.parameters import ENGINE, Parameter, report
from glacier_qgis.translation import tr


class EngineInfo(EngineAlgorithm):
    """`glacier:engineinfo`."""

    ID = "engineinfo"
    TITLE = tr("Engine information")
    GROUP = ENGINE
    TAGS = tr("engine,version,gpu,cuda,memory,models,machine learning,pytorch,torch,bug report")
    SUMMARY = tr(
        "Versions, devices, memory, disk use, and the models and emulators that are installed, as "
        "a page and in the log. Put the log into every bug report."
    )

    def declarations(self) -> Sequence[Parameter]:
        """See the base class."""
        return [report(tr("Page with all of it."))]

    def numbers(self) -> Sequence[QgsProcessingOutputDefinition]:
        """See the base class."""
        return [QgsProcessingOutputString("TEXT", tr("Information"))]

    def processAlgorithm(  # type: ignore[override]  # never None
        self,
        parameters: dict[str, object],
        context: QgsProcessingContext,
        feedback: QgsProcessingFeedback,
    ) -> dict[str, object]:
        """Ask the engine, and show its answer in the log."""
        outputs = super().processAlgorithm(parameters, context, feedback)
        feedback.pushInfo(str(outputs["TEXT"]))
        return outputs
