"""Algorithms that a window starts by itself: in a thread, with their layers on the map in the end.

What happens is what the toolbox' dialog does: an entry in the history, a task that can be watched
and cancelled, results put into the project.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from qgis.core import (
    QgsApplication,
    QgsProcessingAlgRunnerTask,
    QgsProcessingContext,
    QgsProcessingFeedback,
    QgsProject,
)
from qgis.gui import QgsGui
from qgis.PyQt.QtCore import QObject, pyqtSignal


class Heard(QgsProcessingFeedback):
    """A feedback that a window listens to.

    Attributes:
        said: Signal with what is being done.
        problem: The first error; blank where there was none.
        in_window: That it is one, see `Telling`.
    """

    said = pyqtSignal(str)
    in_window = True

    def __init__(self) -> None:
        super().__init__(False)
        self.problem = ""

    def setProgressText(self, text: str) -> None:  # type: ignore[override]  # never None
        """Pass on what is being done."""
        super().setProgressText(text)
        self.said.emit(text)

    def reportError(  # type: ignore[override]  # never None
        self,
        error: str,
        fatalError: bool = False,  # noqa: N803  (QGIS' name)
    ) -> None:
        """Keep what went wrong."""
        super().reportError(error, fatalError)
        self.problem = self.problem or error


class BackgroundRun(QObject):
    """One run of an algorithm.

    Attributes:
        finished: whether it went well, and its results; once, in the main thread.
        feedback: progress (`progressChanged`, `said`), what went wrong, and the log as text.
    """

    finished = pyqtSignal(bool, dict)

    def __init__(
        self, identifier: str, parameters: Mapping[str, Any], parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self.feedback = Heard()
        self._context = QgsProcessingContext()
        self._context.setProject(QgsProject.instance())
        self._context.setFeedback(self.feedback)
        self._parameters = dict(parameters)
        registry = QgsApplication.processingRegistry()
        self._algorithm = registry.createAlgorithmById(identifier)
        self._entry = -1

    def start(self) -> None:
        """Start it, or finish at once with the reason in the log."""
        fits, problem = self._algorithm.checkParameterValues(self._parameters, self._context)
        if fits:
            fits, problem = self._algorithm.canExecute()
        if not fits:
            self.feedback.reportError(problem or "")
            self.finished.emit(False, {})
            return
        self._entry, _ = QgsGui.historyProviderRegistry().addEntry("processing", self._history())
        task = QgsProcessingAlgRunnerTask(
            self._algorithm, self._parameters, self._context, self.feedback
        )
        if task.isCanceled():  # it could not be prepared; the log says why
            self._end(False, {})
            return
        task.executed.connect(self._end)
        QgsApplication.taskManager().addTask(task)

    def cancel(self) -> None:
        """End it within a moment; `finished` tells when that is done."""
        self.feedback.cancel()

    def _end(self, succeeded: bool, results: dict[str, Any]) -> None:
        from processing.gui.Postprocessing import handleAlgorithmResults

        if succeeded:
            handleAlgorithmResults(self._algorithm, self._context, self.feedback, results)
        if self._entry >= 0:
            details = self._history() | {"results": results, "log": self.feedback.htmlLog()}
            QgsGui.historyProviderRegistry().updateEntry(self._entry, details)
        self.finished.emit(succeeded, results)

    def _history(self) -> dict[str, Any]:
        """Return what the history keeps of a run."""
        given = (self._parameters, self._context)
        details = {
            "python_command": self._algorithm.asPythonCommand(*given),
            "algorithm_id": self._algorithm.id(),
            "parameters": self._algorithm.asMap(*given),
        }
        command, complete = self._algorithm.asQgisProcessCommand(*given)
        return details | ({"process_command": command} if complete else {})
