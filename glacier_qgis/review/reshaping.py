"""QGIS' tool 'Reshape features', for the lines of one task.

It changes every line of the layer that is crossed, drawn or not, unless some are selected.
"""

from __future__ import annotations

from qgis.core import QgsVectorLayer
from qgis.gui import QgsMapCanvas, QgsMapTool

from glacier_qgis.review.queue import ReviewQueue

RESHAPE = "mActionReshapeFeatures"
"""Name of the action of the tool in the window."""


class Reshaping:
    """Selects the lines of the current task as long as the tool is used on their layer."""

    def __init__(self, canvas: QgsMapCanvas) -> None:
        self._canvas = canvas
        self._selected: QgsVectorLayer | None = None

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
        own = [each.id() for each in queue.lines_of_task()]
        chosen = [line for line in lines.selectedFeatureIds() if line in own]
        lines.selectByIds(chosen or own)
        self._selected = lines
        if not own:
            self._canvas.unsetMapTool(self._canvas.mapTool())
        return bool(own)

    def release(self) -> None:
        """Select nothing any more."""
        if self._selected is not None:
            self._selected.removeSelection()
            self._selected = None

    def _is_used_on(self, lines: QgsVectorLayer) -> bool:
        tool: QgsMapTool | None = self._canvas.mapTool()
        action = None if tool is None else tool.action()
        named = action is not None and action.objectName() == RESHAPE
        return named and self._canvas.currentLayer() is lines
