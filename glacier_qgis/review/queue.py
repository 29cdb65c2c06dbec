"""The queue of a review: whose turn it is, and what became of each task."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from qgis.core import (
    QgsExpressionContextUtils,
    QgsFeature,
    QgsFeatureRequest,
    QgsRectangle,
    QgsVariantUtils,
    QgsVectorLayer,
)
from qgis.PyQt.QtCore import QDateTime

from glacier_qgis.review.tables import ReviewLayers
from glacier_qgis.styles.review import CURRENT, TASK_LABELS
from glacier_qgis.translation import tr
from glacier_qgis.wall.review import (
    ACCEPTED,
    CORRECTED,
    LINE_ACCEPTED,
    LINE_EDITED,
    LINE_PREDICTED,
    REVIEWED,
)


class NotSavedError(Exception):
    """What a person decided could not be saved, and why."""


@dataclass(frozen=True)
class Task:
    """A task as it was when it was shown.

    Attributes:
        fid: Key of its feature.
        number: Of the task.
        title: What a person calls the scene.
        status: Its state.
        complete: Whether its lines are all fronts of the scene.
        scene: Path of the scene.
        scene_hash: Fingerprint of the scene, blank if unknown.
        assignee: For whom it is, blank for everybody.
        edited_by: Who edited it last.
        edited_at: When.
        extent: Of its footprint, in the CRS of the layer.
    """

    fid: int
    number: int
    title: str
    status: str
    complete: bool
    scene: str
    scene_hash: str
    assignee: str
    edited_by: str
    edited_at: str
    extent: QgsRectangle


class ReviewQueue:
    """The tasks of a review, in order; one of them is current."""

    def __init__(self, layers: ReviewLayers) -> None:
        self.layers = layers
        self.assignee = ""
        self.tasks: list[Task] = []
        self.people: list[str] = []
        self._current: int | None = None
        self.read()

    @property
    def current(self) -> Task | None:
        """The task that is shown."""
        return next((task for task in self.tasks if task.number == self._current), None)

    @property
    def position(self) -> int:
        """Place of the current task among those of the assignee, from 0; -1 for none."""
        numbers = [task.number for task in self.tasks]
        return numbers.index(self._current) if self._current in numbers else -1

    def read(self) -> None:
        """Read the tasks from the database, as others may have changed them."""
        every = [_task(feature) for feature in _stored(self.layers.tasks)]
        self.people = sorted({task.assignee for task in every} - {""})
        mine = (task for task in every if self.assignee in ("", task.assignee))
        self.tasks = list(mine)

    def finished(self) -> int:
        """Return how many tasks a person has finished."""
        return sum(task.status in REVIEWED for task in self.tasks)

    def step(self, by: int) -> Task | None:
        """Go to the next task (1) or the one before (-1); the ends are ends."""
        self.read()
        if not self.tasks:
            self._current = None
        else:
            start = self.position if self.position >= 0 else (-1 if by > 0 else len(self.tasks))
            self._current = self.tasks[min(max(start + by, 0), len(self.tasks) - 1)].number
        self._mark()
        return self.current

    def next_open(self) -> Task | None:
        """Go to the next task that nobody has finished or skipped; stay where there is none."""
        self.read()
        after = [*self.tasks[self.position + 1 :], *self.tasks[: self.position + 1]]
        waiting = next((task for task in after if task.status == "open"), None)
        if waiting is not None:
            self._current = waiting.number
        self._mark()
        return self.current

    def unsaved(self) -> list[QgsVectorLayer]:
        """Return the layers with edits that are not saved."""
        return [layer for layer in (self.layers.lines, self.layers.tasks) if layer.isModified()]

    def finish(self, status: str, *, complete: bool) -> None:
        """Give the current task a status, and save it with the edits of the lines.

        Args:
            status: `accepted` becomes `corrected` if its lines differ from the prediction.
            complete: Whether its lines are all fronts of the scene.

        Raises:
            NotSavedError: Somebody else changed the task since it was shown, or the database does
                not take it. The edits stay where they are, not saved.
        """
        task = self.current
        if task is None:
            return
        self._check_unchanged(task)
        lines = self.layers.lines
        if status == ACCEPTED:
            status = self._mark_lines(task)
        if lines.isEditable():
            self._save(lines)
        tasks = self.layers.tasks
        was_editable = _open_for_edits(tasks)
        for name, value in (("status", status), ("complete", complete)):
            _set(tasks, task.fid, name, value)
        self._save(tasks, stop=not was_editable)
        self.read()

    def leave(self) -> None:
        """Show the lines of all tasks again."""
        self._current = None
        self._mark()

    def lines_of_task(self) -> list[QgsFeature]:
        """Return the lines of the current task, as they are edited."""
        return _of_task(self.layers.lines, self._current)

    def predicted_of_task(self) -> list[QgsFeature]:
        """Return the predicted lines of the current task."""
        return _of_task(self.layers.predicted, self._current)

    def _check_unchanged(self, task: Task) -> None:
        now = next((_task(each) for each in _stored(self.layers.tasks, task.fid)), None)
        if now is None:
            raise NotSavedError(
                tr("Task {} cannot be read. Check that its database is there.").format(task.number)
            )
        if (now.status, now.edited_at) != (task.status, task.edited_at):
            raise NotSavedError(
                tr(
                    "{who} has set this task to '{status}' since it was shown. Nothing was saved: "
                    "go to another task and back to see it."
                ).format(who=now.edited_by or tr("Somebody"), status=now.status)
            )

    def _mark_lines(self, task: Task) -> str:
        """Give the lines of a task their status; return that of the task."""
        before = {each["line_id"]: each.geometry() for each in self.predicted_of_task()}
        now = self.lines_of_task()
        changed = {each["line_id"] for each in now} != before.keys() or len(now) != len(before)
        wanted = {}
        for each in now:
            known = before.get(each["line_id"])
            same = known is not None and known.equals(each.geometry())
            changed |= not same or each["status"] == "rejected"
            if known is not None and each["status"] in (LINE_PREDICTED, LINE_EDITED, LINE_ACCEPTED):
                wanted[each.id()] = LINE_ACCEPTED if same else LINE_EDITED
        _open_for_edits(self.layers.lines)
        for fid, status in wanted.items():
            _set(self.layers.lines, fid, "status", status)
        return CORRECTED if changed else ACCEPTED

    def _save(self, layer: QgsVectorLayer, *, stop: bool = False) -> None:
        if not layer.commitChanges(stop):
            said = "; ".join(layer.commitErrors()) or tr("the database did not say why")
            raise NotSavedError(
                tr(
                    "'{layer}' could not be saved ({said}). Your edits are still there: save "
                    "again when the database is free, or copy them to another layer."
                ).format(layer=layer.name(), said=" ".join(said.split()))
            )

    def _mark(self) -> None:
        """Let the layers show the lines of the current task only."""
        for layer in self.layers.every():
            if self._current is None:
                left = {name: value for name, value in _variables(layer).items() if name != CURRENT}
                QgsExpressionContextUtils.setLayerVariables(layer, left)
            else:
                QgsExpressionContextUtils.setLayerVariable(layer, CURRENT, self._current)
            layer.triggerRepaint()


def status_in_words(task: Task) -> str:
    """Return what became of a task, and by whom."""
    what = TASK_LABELS.get(task.status, task.status).partition(":")[0]
    done = task.status in REVIEWED and task.edited_by
    return tr("{what}, by {who}").format(what=what, who=task.edited_by) if done else what


def _stored(tasks: QgsVectorLayer, fid: int | None = None) -> Sequence[QgsFeature]:
    """Return the rows of the table of tasks in the database, without edits, by rank."""
    request = QgsFeatureRequest() if fid is None else QgsFeatureRequest(fid)
    rank = tasks.fields().indexOf("rank")
    provider = tasks.dataProvider()
    return sorted(provider.getFeatures(request), key=lambda each: int(each.attribute(rank)))


def _open_for_edits(layer: QgsVectorLayer) -> bool:
    """Let a layer be edited; return whether it was being edited already.

    Raises:
        NotSavedError: It cannot be.
    """
    was_editable = layer.isEditable()
    if not was_editable and not layer.startEditing():
        raise NotSavedError(tr("The layer '{}' cannot be edited.").format(layer.name()))
    return was_editable


def _set(layer: QgsVectorLayer, fid: int, name: str, value: object) -> None:
    if not layer.changeAttributeValue(fid, layer.fields().indexOf(name), value):
        raise NotSavedError(
            tr("The field '{field}' of the layer '{layer}' cannot be changed.").format(
                field=name, layer=layer.name()
            )
        )


def _of_task(layer: QgsVectorLayer, number: int | None) -> list[QgsFeature]:
    return list(layer.getFeatures(f'"task" = {number}')) if number is not None else []


def _variables(layer: QgsVectorLayer) -> dict[str, object]:
    names = layer.customProperty("variableNames") or []
    values = layer.customProperty("variableValues") or []
    return dict(zip(names, values, strict=False))


def _task(feature: QgsFeature) -> Task:
    def text(name: str) -> str:
        value = feature[name]
        return "" if QgsVariantUtils.isNull(value) else str(value)

    time = feature["edited_at"]
    return Task(
        fid=feature.id(),
        number=int(feature["task"]),
        title=text("title"),
        status=text("status"),
        complete=bool(feature["complete"]),
        scene=text("scene"),
        scene_hash=text("scene_hash"),
        assignee=text("assignee"),
        edited_by=text("edited_by"),
        edited_at=str(time.toMSecsSinceEpoch()) if isinstance(time, QDateTime) else "",
        extent=feature.geometry().boundingBox(),
    )
