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


class EngineInfo(EngineAlgorithm):
    """`glacier:engineinfo`."""

    ID = "engineinfo"
    TITLE = "Engine information"
    GROUP = ENGINE
    TAGS = "engine,version,gpu,cuda,memory,models,machine learning,pytorch,torch,bug report"
    SUMMARY = (
        "Versions, devices, memory, disk use, and the models and emulators that are installed, as "
        "a page and in the log. Put the log into every bug report."
    )

    def declarations(self) -> Sequence[Parameter]:
        """See the base class."""
        return [report("Page with all of it.")]

    def numbers(self) -> Sequence[QgsProcessingOutputDefinition]:
        """See the base class."""
        return [QgsProcessingOutputString("TEXT", "Information")]

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
