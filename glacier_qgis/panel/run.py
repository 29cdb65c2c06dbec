"""An algorithm of the toolbox in the background: its layers on the map, itself in the history."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from qgis.core import (
    QgsApplication,
    QgsMapLayer,
    QgsProcessingAlgRunnerTask,
    QgsProcessingFeedback,
    QgsProcessingUtils,
)
from qgis.gui import QgsGui
from qgis.PyQt.QtCore import QObject, pyqtSignal


class _Feedback(QgsProcessingFeedback):
    """Keeps the log for the history, and what went wrong."""

    said = pyqtSignal(str)

    def __init__(self) -> None:
        super().__init__(False)
        self.problems: list[str] = []

    def setProgressText(self, text: str) -> None:
        super().setProgressText(text)
        self.said.emit(text)

    def reportError(self, error: str, fatalError: bool = False) -> None:  # noqa: N803  (QGIS' name)
        super().reportError(error, fatalError)
        self.problems.append(error)


class BackgroundRun(QObject):
    """One run. Keep it until it has ended.

    Attributes:
        progressed: Signal with percents.
        said: Signal with what it is doing.
        succeeded: Signal with the output values; layers are in the project by then.
        failed: Signal with a sentence for a person; blank if it was cancelled.
    """

    progressed = pyqtSignal(float)
    said = pyqtSignal(str)
    succeeded = pyqtSignal(object)
    failed = pyqtSignal(str)

    def __init__(
        self, algorithm: str, parameters: Mapping[str, Any], parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        from processing.tools.dataobjects import createContext

        self._algorithm = QgsApplication.processingRegistry().createAlgorithmById(algorithm)
        self._parameters = dict(parameters)
        self._feedback = _Feedback()
        self._feedback.progressChanged.connect(self.progressed)
        self._feedback.said.connect(self.said)
        self._context = createContext(self._feedback)
        self._entry: int | None = None
        self._details: dict[str, Any] = {}

    def start(self) -> None:
        """Begin, unless the parameters are wrong, which `failed` says."""
        fits, problem = self._algorithm.checkParameterValues(self._parameters, self._context)
        if not fits:
            self.failed.emit(problem)
            return
        self._remember()
        self._task = QgsProcessingAlgRunnerTask(
            self._algorithm, self._parameters, self._context, self._feedback
        )
        if self._task.isCanceled():  # it was refused while it was prepared
            self._ended(False, {})
            return
        self._task.executed.connect(self._ended)
        QgsApplication.taskManager().addTask(self._task)

    def cancel(self) -> None:
        """End it soon."""
        self._feedback.cancel()

    def layer(self, output: object) -> QgsMapLayer | None:
        """Return the layer that an output became."""
        return QgsProcessingUtils.mapLayerFromString(str(output), self._context)

    def _ended(self, succeeded: bool, results: dict[str, Any]) -> None:
        if succeeded:
            from processing.gui.Postprocessing import handleAlgorithmResults

            succeeded = handleAlgorithmResults(
                self._algorithm, self._context, self._feedback, results
            )
        if self._entry is not None:
            self._details |= {"results": results, "log": self._feedback.htmlLog()}
            QgsGui.historyProviderRegistry().updateEntry(self._entry, self._details)
        if succeeded:
            self.succeeded.emit(results)
        elif self._feedback.isCanceled():
            self.failed.emit("")
        else:
            self.failed.emit(next(iter(self._feedback.problems), "") or self.tr("The run failed."))

    def _remember(self) -> None:
        """Write the run into the history, as the toolbox' dialog does."""
        algorithm, context = self._algorithm, self._context
        self._details = {
            "python_command": algorithm.asPythonCommand(self._parameters, context),
            "algorithm_id": algorithm.id(),
            "parameters": algorithm.asMap(self._parameters, context),
        }
        command, whole = algorithm.asQgisProcessCommand(self._parameters, context)
        if whole:
            self._details["process_command"] = command
        self._entry, _ = QgsGui.historyProviderRegistry().addEntry("processing", self._details)
        QgsGui.processingRecentAlgorithmLog().push(algorithm.id())
