"""What a person does in the panel "Review" and on its map."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qgis.gui import QgsMapCanvas, QgsMapToolPan
from qgis.PyQt.QtGui import QAction

if TYPE_CHECKING:
    from glacier_qgis.review.review_panel import ReviewPanel


def with_a_line(panel: ReviewPanel) -> int:
    """Go to the first task with a line; return its number."""
    while not panel.queue.lines_of_task():
        panel.step(1)
    return int(panel.queue.current.number)


def other_task(panel: ReviewPanel, *, line: bool) -> list[int]:
    """Go to another task with or without a line; return the ids of its lines."""
    before = panel.queue.current
    panel.step(-len(panel.queue.tasks))
    for _ in panel.queue.tasks:
        found = [each.id() for each in panel.queue.lines_of_task()]
        if bool(found) == line and panel.queue.current != before:
            return found
        panel.step(1)
    raise AssertionError


def use_tool(canvas: QgsMapCanvas, name: str) -> QgsMapToolPan:
    """Choose a tool that has the action of one of the window."""
    chosen, action = QgsMapToolPan(canvas), QAction(canvas)
    action.setObjectName(name)
    chosen.setAction(action)
    canvas.setMapTool(chosen)
    return chosen
