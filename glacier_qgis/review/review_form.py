"""The widgets of the panel "Review", and where they lie."""

from __future__ import annotations

from collections.abc import Sequence

from qgis.core import Qgis
from qgis.gui import QgsMapCanvas, QgsMapLayerComboBox
from qgis.PyQt.QtCore import Qt
from qgis.PyQt.QtGui import QAction
from qgis.PyQt.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFormLayout,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QProgressBar,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from glacier_qgis.review import stretches
from glacier_qgis.review.original import Original
from glacier_qgis.review.queue import ReviewQueue
from glacier_qgis.review.task import Task, status_in_words
from glacier_qgis.translation import tr

ORIGINAL = 1000
"""Part of the free height for the scene without lines, if it is shown, to 1 for nothing."""
COMPLETE = (
    tr("Every front of the scene is drawn"),
    tr("Untick it if a front is left out: what is not near a line is then unlabelled."),
)
"""Text and tool tip of the box."""


class ReviewForm(QWidget):
    """What the panel shows.

    Args:
        canvas: The map.
    """

    def __init__(self, canvas: QgsMapCanvas) -> None:
        super().__init__()
        self.layers = QgsMapLayerComboBox()
        self.layers.setFilters(Qgis.LayerFilter.PolygonLayer)
        self.layers.setAllowEmptyLayer(True, tr("No review is open"))
        self.people = QComboBox()
        self.progress = QProgressBar()
        self.title, self.state, self.status = QLabel(), QLabel(), QLabel()
        for label in (self.title, self.state, self.status):
            label.setWordWrap(True)
            label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.complete = QCheckBox(COMPLETE[0])
        self.comment = QLineEdit()
        self.comment.setPlaceholderText(tr("Comment"))
        self.comment.setToolTip(tr("It is saved with your decision, and kept here until then."))
        self._shown: Task | None = None
        self._entered: dict[int, tuple[Task, tuple[bool, str]]] = {}
        self.original = Original(canvas)
        self.original.setToolTip(tr("The scene without lines, where the map is."))

    def arrange(
        self,
        walk: Sequence[tuple[QAction, Qt.ArrowType]],
        editing: Sequence[QAction],
        decisions: Sequence[QAction],
        after: Sequence[QAction],
    ) -> None:
        """Lay out the widgets with a button for each action.

        Args:
            walk: To other tasks, with an arrow for each.
            editing: To edit lines.
            decisions: What may become of a task.
            after: What follows the review.
        """
        form = QFormLayout()
        form.addRow(tr("Review"), self.layers)
        form.addRow(tr("Tasks for"), self.people)
        top = QHBoxLayout()
        for action, arrow in walk:
            button = _button(action)
            button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonIconOnly)
            button.setArrowType(arrow)
            top.addWidget(button)
        top.addWidget(self.progress, 1)
        column = QVBoxLayout(self)
        column.addLayout(form)
        column.addLayout(top)
        column.addWidget(self.title)
        column.addWidget(self.state)
        column.addLayout(_grid(editing))
        column.addWidget(self.complete)
        column.addWidget(self.comment)
        column.addLayout(_grid(decisions))
        column.addWidget(self.status)
        column.addWidget(self.original, ORIGINAL)
        column.addStretch(1)
        column.addLayout(_grid(after))

    @property
    def entries(self) -> tuple[bool, str]:
        """Whether every front is drawn, and the comment, as a person entered them."""
        return self.complete.isChecked(), self.comment.text().strip()

    def saved(self) -> None:
        """Take note that what was entered is in the review."""
        self._shown = None

    def forget_entries(self) -> None:
        """Forget what was entered for tasks of a review that is left."""
        self._shown = None
        self._entered.clear()

    def enable(self, *, task: bool) -> None:
        """Take entries only while there is a task."""
        for widget in (self.complete, self.comment):
            widget.setEnabled(task)

    def show_no_task(self, title: str) -> None:
        """Show that there is no task."""
        self._keep_entries()
        self.title.setText(title)
        self.state.setText("")
        self.comment.clear()
        self.progress.setRange(0, 1)
        self.progress.setValue(0)
        self.progress.setFormat("")

    def show_task(self, queue: ReviewQueue, task: Task) -> None:
        """Show a task of a queue, and how far the review is.

        What was entered for it before, and not saved, is shown again, unless somebody else has
        decided meanwhile.
        """
        self._keep_entries()
        count = len(queue.tasks)
        self.progress.setRange(0, count)
        self.progress.setValue(queue.finished())
        self.progress.setFormat(
            tr("{done} of {count} finished").format(done=queue.finished(), count=count)
        )
        place = tr("{place} of {count}").format(place=queue.position + 1, count=count)
        self.title.setText(f"<b>{task.title}</b> ({place})")
        self.state.setText(_state(queue, task))
        earlier, entries = self._entered.pop(task.number, (task, (task.complete, task.comment)))
        if (earlier.status, earlier.edited_at) != (task.status, task.edited_at):
            entries = (task.complete, task.comment)
        complete, comment = entries
        self.complete.setChecked(complete)
        self.comment.setText(comment)
        self._shown = task

    def _keep_entries(self) -> None:
        task, self._shown = self._shown, None
        if task is not None and self.entries != (task.complete, task.comment):
            self._entered[task.number] = task, self.entries

    def speak_of(self, *, echogram: bool) -> None:
        """Call things as they are called in scenes, or in echograms."""
        self.original.setVisible(not echogram)
        text, tip = stretches.COMPLETE if echogram else COMPLETE
        self.complete.setText(text)
        self.complete.setToolTip(tip)

    def say(self, text: str) -> None:
        """Show a message; a blank one leaves no room."""
        self.status.setText(text)
        self.status.setVisible(bool(text))


def _state(queue: ReviewQueue, task: Task) -> str:
    """Say what became of a task, and what was predicted."""
    lines = len(queue.predicted_of_task())
    found = tr("one predicted line") if lines == 1 else tr("{} predicted lines").format(lines)
    drawn = [tr("drawn at random")] if task.audit else []
    whose = [tr("for {}").format(task.assignee)] if task.assignee else []
    return " · ".join([status_in_words(task), found, *drawn, *whose])


def _grid(actions: Sequence[QAction]) -> QGridLayout:
    """Return buttons in two columns."""
    grid = QGridLayout()
    for place, action in enumerate(actions):
        button = _button(action)
        button.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        grid.addWidget(button, place // 2, place % 2)
    return grid


def _button(action: QAction) -> QToolButton:
    button = QToolButton()
    button.setDefaultAction(action)
    button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextOnly)
    return button
