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
    """Selects the lines of the current task as long as the tool is active."""

    def __init__(self, canvas: QgsMapCanvas) -> None:
        self._canvas = canvas
        self._selected: QgsVectorLayer | None = None

    @property
    def active(self) -> bool:
        """Whether the tool is chosen."""
        tool: QgsMapTool | None = self._canvas.mapTool()
        action = None if tool is None else tool.action()
        return action is not None and action.objectName() == RESHAPE

    def limit(self, queue: ReviewQueue | None) -> None:
        """Let the tool change lines of the current task only; without any, put it away."""
        if not self.active or queue is None or queue.current is None:
            self.release()
            return
        lines = queue.layers.lines
        own = [each.id() for each in queue.lines_of_task()]
        lines.selectByIds(own)
        self._selected = lines
        if not own:
            self._canvas.unsetMapTool(self._canvas.mapTool())

    def release(self) -> None:
        """Select nothing any more."""
        if self._selected is not None:
            self._selected.removeSelection()
            self._selected = None
