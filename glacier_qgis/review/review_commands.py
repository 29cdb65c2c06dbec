"""What a reviewer can do, each with the text of its button and its shortcut."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from qgis.core import QgsVectorLayer
from qgis.PyQt.QtCore import QObject, Qt, pyqtSignal
from qgis.PyQt.QtGui import QAction
from qgis.PyQt.QtWidgets import QWidget

from glacier_qgis.review import stretches
from glacier_qgis.translation import tr
from glacier_qgis.wall.review import ACCEPTED, NO_FRONT, REJECTED, SKIPPED

DECISIONS = (
    (ACCEPTED, tr("Accept"), tr("The lines are right, as predicted or after your edits."), "A"),
    (NO_FRONT, tr("No front"), tr("The scene shows no front; its lines count as deleted."), "N"),
    (SKIPPED, tr("Skip"), tr("Leave the task for later."), "S"),
    (REJECTED, tr("Reject scene"), tr("Clouds, damage or the wrong place: not to be used."), "R"),
)
"""Status, title, tool tip and key of each decision."""
KEYS = "Alt+Shift+"


@dataclass(frozen=True)
class LineTools:
    """QGIS' own tools: each makes a layer the active one, and begins to work on it.

    Attributes:
        reshape: Draws a new course over a part of a line.
        vertices: Moves, adds and removes vertices.
        draw: Adds a line.
        put_away: Leaves the tool that is used, and moves the map instead.
    """

    reshape: Callable[[QgsVectorLayer], None]
    vertices: Callable[[QgsVectorLayer], None]
    draw: Callable[[QgsVectorLayer], None]
    put_away: Callable[[], None]


class ReviewCommands(QObject):
    """The commands of a review; a signal says which was given.

    Attributes:
        keys: Each command of a task with its shortcut.
        previous: To the task before.
        next: To the task after.
        walk: Both, with an arrow for each.
        editing: To reshape, draw and move lines.
        decisions: What may become of a task.
        after: What follows the review.
        stepped: By how many tasks to go on.
        decided: The status that a task gets.
        tool_chosen: The tool to work on lines with.
        dialog_wanted: The algorithm whose dialog is to be opened.
    """

    stepped = pyqtSignal(int)
    decided = pyqtSignal(str)
    tool_chosen = pyqtSignal(object)
    dialog_wanted = pyqtSignal(str)

    def __init__(self, tools: LineTools, parent: QWidget) -> None:
        super().__init__(parent)
        self.keys: list[tuple[QAction, str]] = []
        self.decisions = [
            self._command(title, tip, key, lambda _=False, s=status: self.decided.emit(s))
            for status, title, tip, key in DECISIONS
        ]
        self.editing = [
            self._command(title, tip, key, lambda _=False, t=tool: self.tool_chosen.emit(t))
            for title, tip, key, tool in _editing(tools)
        ]
        self.previous = self._command(
            tr("Previous task"),
            tr("Go to the task before."),
            "PgUp",
            lambda _=False: self.stepped.emit(-1),
        )
        self.next = self._command(
            tr("Next task"),
            tr("Go to the task after."),
            "PgDown",
            lambda _=False: self.stepped.emit(1),
        )
        self.walk = (
            (self.previous, Qt.ArrowType.LeftArrow),
            (self.next, Qt.ArrowType.RightArrow),
        )
        self.after = [
            QAction(tr("Record corrections…"), parent),
            QAction(tr("Retrain…"), parent),
        ]
        for action, name in zip(self.after, ("recordcorrections", "retrain"), strict=True):
            action.triggered.connect(lambda _=False, n=name: self.dialog_wanted.emit(n))
        self.after[0].setToolTip(tr("Compare the finished tasks with the predictions."))
        self.after[1].setToolTip(tr("Train a model on the recorded corrections."))

    def enable(self, *, review: bool, task: bool) -> None:
        """Offer what can be done while there is a review, and a task of it."""
        for action, _ in self.keys:
            action.setEnabled(task)
        for action in self.after:
            action.setEnabled(review)

    def speak_of(self, *, echogram: bool) -> None:
        """Call decisions as they are called in scenes, or in echograms."""
        own = stretches.DECISIONS if echogram else {}
        for action, (status, title, tip, key) in zip(self.decisions, DECISIONS, strict=True):
            words, what = own.get(status, (title, tip))
            action.setText(words)
            action.setToolTip(_with_key(what, key))

    def _command(self, title: str, tip: str, key: str, act: Callable[..., None]) -> QAction:
        action = QAction(title, self.parent())
        action.setToolTip(_with_key(tip, key))
        action.triggered.connect(act)
        self.keys.append((action, KEYS + key))
        return action


def _editing(
    tools: LineTools,
) -> tuple[tuple[str, str, str, Callable[[QgsVectorLayer], None]], ...]:
    """Return title, tool tip, key and tool of each way to edit lines."""
    return (
        (
            tr("Reshape a line"),
            tr(
                "Draw the right course over a part of a line: begin and end across it, and "
                "finish with the right button."
            ),
            "H",
            tools.reshape,
        ),
        (
            tr("Draw a line"),
            tr(
                "Draw a front that was not found: click along it, and finish with the right button."
            ),
            "D",
            tools.draw,
        ),
        (
            tr("Edit vertices"),
            tr("Move single vertices with the vertex tool."),
            "E",
            tools.vertices,
        ),
    )


def _with_key(tip: str, key: str) -> str:
    return tr("{what} Key: {key}").format(what=tip, key=KEYS + key)
