"""QGIS' tool 'Reshape features', for the lines of one task.

It changes every line of the layer that is crossed, drawn or not, unless some are selected.
"""

from __future__ import annotations

from collections.abc import Callable

from qgis.core import QgsVectorLayer
from qgis.gui import QgsMapCanvas, QgsMapTool
from qgis.PyQt.QtCore import pyqtBoundSignal

from glacier_qgis.review.queue import ReviewQueue

RESHAPE = "mActionReshapeFeatures"
"""Name of the action of the tool in the window."""


class Reshaping:
    """Selects the lines of the current task as long as the tool is used on their layer.

    Args:
        canvas: The map.
        put_away: Chooses another tool.
        changed: Called while the tool is used, if the selection or the lines are others; it is
            to call `limit` again.
    """

    def __init__(
        self, canvas: QgsMapCanvas, put_away: Callable[[], None], changed: Callable[[], None]
    ) -> None:
        self._canvas, self._put_away, self._changed = canvas, put_away, changed
        self._lines: QgsVectorLayer | None = None
        self._all: set[int] = set()

    def limit(self, queue: ReviewQueue | None) -> bool:
        """Let the tool change lines of the current task only.

        What a person selected among them stays selected.

        Returns:
            False if the task has no line, so the tool was put away.
        """
        if queue is None or queue.current is None or not self._is_used_on(queue.layers.lines):
            self.release()
            return True
        lines = queue.layers.lines
        self._watch(lines)
        own = {each.id() for each in queue.lines_of_task()}
        before = {*lines.selectedFeatureIds()}
        chosen = before & own
        if not chosen or chosen == self._all:
            chosen = own
        self._all = own
        if chosen != before:
            lines.selectByIds([*chosen])
        if not own:
            self._put_away()
        return bool(own)

    def release(self) -> None:
        """Select nothing any more."""
        lines, self._lines = self._lines, None
        if lines is not None:
            for signal in _changes_of(lines):
                signal.disconnect(self._look_again)
            lines.removeSelection()

    def _look_again(self, *_: object) -> None:
        self._changed()

    def _watch(self, lines: QgsVectorLayer) -> None:
        if self._lines is None:
            self._lines, self._all = lines, set()
            for signal in _changes_of(lines):
                signal.connect(self._look_again)

    def _is_used_on(self, lines: QgsVectorLayer) -> bool:
        tool: QgsMapTool | None = self._canvas.mapTool()
        action = None if tool is None else tool.action()
        named = action is not None and action.objectName() == RESHAPE
        return named and self._canvas.currentLayer() is lines


def _changes_of(lines: QgsVectorLayer) -> tuple[pyqtBoundSignal, ...]:
    return lines.selectionChanged, lines.featureAdded, lines.featuresDeleted
