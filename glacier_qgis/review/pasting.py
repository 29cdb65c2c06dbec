"""Lines that are pasted belong to the task that is shown, whichever they were copied from."""

from __future__ import annotations

from collections.abc import Callable

from qgis.core import QgsVariantUtils, QgsVectorLayer
from qgis.PyQt.QtCore import QTimer

from glacier_qgis.translation import tr
from glacier_qgis.wall.review import LINE_ADDED

ADOPTED = tr("Lines of the task that is shown")
"""Title of the step of undo that follows one in which lines were pasted."""


class Pasting:
    """Watches the lines of a review while a task of it is shown.

    Args:
        lines: The layer.
        current: Returns the number of the task that is shown; None for no task.
    """

    def __init__(self, lines: QgsVectorLayer, current: Callable[[], int | None]) -> None:
        self._lines, self._current = lines, current
        self._added: list[int] = []
        lines.featureAdded.connect(self._note)
        lines.editCommandEnded.connect(self._adopt)
        lines.editCommandDestroyed.connect(self._added.clear)
        self._index = lines.undoStack().index()
        lines.undoStack().indexChanged.connect(self._keep_together)

    def stop(self) -> None:
        """Watch no more."""
        self._lines.featureAdded.disconnect(self._note)
        self._lines.editCommandEnded.disconnect(self._adopt)
        self._lines.editCommandDestroyed.disconnect(self._added.clear)
        self._lines.undoStack().indexChanged.disconnect(self._keep_together)

    def _note(self, line: int) -> None:
        if self._lines.isEditCommandActive():  # what is undone or done again has its task already
            self._added.append(line)

    def _adopt(self) -> None:
        """Let new lines be additions to the current task, once they are all there."""
        task, added = self._current(), [*self._added]
        self._added.clear()
        rows = [self._lines.getFeature(line) for line in added]
        copies = [
            row.id()
            for row in rows
            if row["task"] != task or not QgsVariantUtils.isNull(row["line_id"])
        ]
        if task is None or not copies:
            return
        wanted = {"task": task, "line_id": None, "status": LINE_ADDED}
        values = {self._lines.fields().indexOf(name): each for name, each in wanted.items()}
        self._lines.beginEditCommand(ADOPTED)
        if all(self._lines.changeAttributeValues(line, values) for line in copies):
            self._lines.endEditCommand()
        else:
            self._lines.destroyEditCommand()

    def _keep_together(self, index: int) -> None:
        """Undo lines that are pasted in one step, and bring them back in one."""
        steps = self._lines.undoStack()
        if steps.text(index) == ADOPTED:
            QTimer.singleShot(0, steps.undo if index < self._index else steps.redo)
        self._index = index
