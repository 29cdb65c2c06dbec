"""What the panel "Review" asks before it saves, and says at the end."""

from __future__ import annotations

from qgis.PyQt.QtWidgets import QMessageBox, QWidget

from glacier_qgis.review.queue import ReviewQueue
from glacier_qgis.translation import tr


def may_save(parent: QWidget, queue: ReviewQueue) -> bool:
    """Ask before edits of lines or tasks are saved; without any there is nothing to ask."""
    edited = queue.unsaved()
    if not edited:
        return True
    names = ", ".join(f"'{layer.name()}'" for layer in edited)
    answer = QMessageBox.question(
        parent,
        tr("Save the edits?"),
        tr("Your edits of {names} are saved with the task.").format(names=names)
        + _told_of(queue.changed_elsewhere()),
        QMessageBox.StandardButton.Save | QMessageBox.StandardButton.Cancel,
        QMessageBox.StandardButton.Save,
    )
    return bool(answer == QMessageBox.StandardButton.Save)


def _told_of(tasks: list[int]) -> str:
    """Say which other tasks are changed; blank for none."""
    if not tasks:
        return ""
    return " " + tr(
        "They also change lines of other tasks, which are not shown: {}. Cancel and undo (Ctrl+Z) "
        "if they should stay as they are."
    ).format(", ".join(map(str, tasks)))


def all_done(queue: ReviewQueue) -> str:
    """Say what follows when no task is open."""
    others = queue.waiting_for_others()
    if others:
        text = tr("You have no open task any more; {} of others are open.").format(others)
    else:
        text = tr("No task is open any more. Record the corrections, then retrain.")
    skipped = queue.skipped()
    if skipped:
        text += " " + tr("Skipped for later: {}.").format(skipped)
    return text
