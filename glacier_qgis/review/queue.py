"""The queue of a review: whose turn it is, and what became of each task."""

from __future__ import annotations

from qgis.core import (
    QgsExpressionContextUtils,
    QgsFeature,
    QgsFeatureRequest,
    QgsVariantUtils,
    QgsVectorLayer,
)

from glacier_qgis.review.pasting import Pasting
from glacier_qgis.review.rows import KnownRows
from glacier_qgis.review.tables import ReviewLayers
from glacier_qgis.review.task import Task, is_task, place_in_queue, task_of
from glacier_qgis.styles.review import CURRENT
from glacier_qgis.translation import tr
from glacier_qgis.wall.review import (
    ACCEPTED,
    CORRECTED,
    LINE_ACCEPTED,
    LINE_ADDED,
    LINE_EDITED,
    LINE_PREDICTED,
    OPEN,
    REVIEWED,
    SKIPPED,
)


class NotReadError(Exception):
    """The tasks cannot be read, and why."""


class NotSavedError(Exception):
    """What a person decided could not be saved, and why."""


class ReviewQueue:
    """The tasks of a review, in order; one of them is current."""

    def __init__(self, layers: ReviewLayers) -> None:
        self.layers = layers
        self.assignee = ""
        self.every: list[Task] = []
        self.tasks: list[Task] = []
        self.people: list[str] = []
        self._current: int | None = None
        self._stored = KnownRows(layers.tasks, stored=True)
        self._lines, self._predicted = KnownRows(layers.lines), KnownRows(layers.predicted)
        self._pasting = Pasting(layers.lines, lambda: self._current)
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
        """Read the tasks from the database, as others may have changed them.

        Raises:
            NotReadError: None of them can be read any more; those read before stay.
        """
        rows = sorted(filter(is_task, self._stored.of()), key=place_in_queue)
        if self.tasks and not rows:
            raise NotReadError(
                tr(
                    "The tasks of '{layer}' cannot be read. Check that the database is there, and "
                    "try again: edits that are not saved stay as they are."
                ).format(layer=self.layers.tasks.name())
            )
        self.every = [task_of(row) for row in rows]
        self.people = sorted({task.assignee for task in self.every} - {""})
        self.tasks = [task for task in self.every if self._is_for_assignee(task)]

    def _is_for_assignee(self, task: Task) -> bool:
        return not self.assignee or task.assignee in ("", self.assignee)

    def finished(self) -> int:
        """Return how many tasks of the assignee are finished."""
        return sum(task.status in REVIEWED for task in self.tasks)

    def finished_by_all(self) -> int:
        """Return how many tasks of the review are finished."""
        return sum(task.status in REVIEWED for task in self.every)

    def waiting(self) -> int:
        """Return how many tasks of the assignee nobody has finished or skipped."""
        return sum(task.status == OPEN for task in self.tasks)

    def waiting_for_others(self) -> int:
        """Return how many further tasks of the review nobody has finished or skipped."""
        return sum(task.status == OPEN for task in self.every) - self.waiting()

    def skipped(self) -> int:
        """Return how many tasks were left for later."""
        return sum(task.status == SKIPPED for task in self.tasks)

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
        waiting = next((task for task in after if task.status == OPEN), None)
        if waiting is not None:
            self._current = waiting.number
        self._mark()
        return self.current

    def unsaved(self) -> list[QgsVectorLayer]:
        """Return the layers with edits that are not saved."""
        return [layer for layer in (self.layers.lines, self.layers.tasks) if layer.isModified()]

    def finish(self, status: str, *, complete: bool, comment: str) -> None:
        """Give the current task a status, and save it with the edits of the lines.

        Args:
            status: `accepted` becomes `corrected` if its lines differ from the prediction.
            complete: Whether its lines are all fronts of the scene.
            comment: What the person wrote.

        Raises:
            NotSavedError: Somebody else changed the task since it was shown, or the database does
                not take it. The edits stay where they are, not saved.
        """
        task = self.current
        if task is None:
            return
        self._check_unchanged(task)
        lines = self.layers.lines
        self._adopt_lines(task)
        if status == ACCEPTED:
            status = self._mark_lines(task)
        if lines.isEditable():
            self._save(lines)
        tasks = self.layers.tasks
        was_editable = _open_for_edits(tasks)
        values = {"status": status, "complete": complete, "comment": comment or None}
        try:
            for name, value in values.items():
                _set(tasks, task.fid, name, value)
            self._save(tasks, stop=not was_editable)
        except NotSavedError:
            if not was_editable:
                tasks.rollBack()  # or it would be saved with another task, whatever it is by then
            raise

    def leave(self) -> None:
        """Show the lines of all tasks again; no task is current any more."""
        self._pasting.stop()
        self._current = None
        self._mark()

    def changed_elsewhere(self) -> list[int]:
        """Return the other tasks that edits which are not saved give other lines."""
        lines = self.layers.lines
        buffer, provider = lines.editBuffer(), lines.dataProvider()
        if buffer is None or provider is None:
            return []
        now = buffer.changedGeometries()
        request = QgsFeatureRequest().setFilterFids([*now, *buffer.deletedFeatureIds()])
        before = [
            each
            for each in provider.getFeatures(request)
            if each.id() not in now or not now[each.id()].equals(each.geometry())
        ]
        tasks = [each["task"] for each in (*before, *buffer.addedFeatures().values())]
        known = {int(task) for task in tasks if not QgsVariantUtils.isNull(task)}
        return sorted(known - {self._current})

    def lines_of_task(self) -> list[QgsFeature]:
        """Return the lines of the current task, as they are edited."""
        return [] if self._current is None else self._lines.of(self._current)

    def predicted_of_task(self) -> list[QgsFeature]:
        """Return the predicted lines of the current task."""
        return [] if self._current is None else self._predicted.of(self._current)

    def _check_unchanged(self, task: Task) -> None:
        row = self._stored.by_key(task.fid)
        if row is None:
            raise NotSavedError(
                tr(
                    "Task {} cannot be read, so nothing was saved. Check that its database is "
                    "there, and decide again."
                ).format(task.number)
            )
        now = task_of(row)
        if (now.status, now.edited_at) != (task.status, task.edited_at):
            raise NotSavedError(
                tr(
                    "{who} has set this task to '{status}' since it was shown. Nothing was saved: "
                    "go to another task and back to see it."
                ).format(who=now.edited_by or tr("Somebody"), status=now.status)
            )

    def _adopt_lines(self, task: Task) -> None:
        """Give new lines without a task that of the current one: not every layer has defaults."""
        buffer = self.layers.lines.editBuffer()
        for fid, line in (buffer.addedFeatures() if buffer else {}).items():
            for name, value in (("task", task.number), ("status", LINE_ADDED)):
                if QgsVariantUtils.isNull(line[name]):
                    _set(self.layers.lines, fid, name, value)

    def _mark_lines(self, task: Task) -> str:
        """Give the lines of a task their status; return that of the task."""
        before = {each["line_id"]: each for each in self.predicted_of_task()}
        now = self.lines_of_task()
        changed = {each["line_id"] for each in now} != before.keys() or len(now) != len(before)
        wanted = {}
        for each in now:
            known = before.get(each["line_id"])
            same = known is not None and _are_same(known, each, of_layer=task.trace is not None)
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
                    "'{layer}' could not be saved ({said}). Your edits are still there: decide "
                    "again when the database is free, or copy them to another layer."
                ).format(layer=layer.name(), said=" ".join(said.split()))
            )

    def _mark(self) -> None:
        """Let the layers show the lines of the current task only."""
        for layer in self.layers.every():
            if self._current is None:
                show_all_tasks(layer)
            else:
                shown = {**_variables(layer), CURRENT: self._current}
                QgsExpressionContextUtils.setLayerVariables(layer, shown)
            layer.styleChanged.emit()  # or vertices would snap to the lines of the task before
            layer.triggerRepaint()


def _are_same(line: QgsFeature, other: QgsFeature, *, of_layer: bool) -> bool:
    """Return whether two lines have the same vertices, and those of an echogram the same layer."""
    same_layer = not of_layer or line["line"] == other["line"]
    return same_layer and line.geometry().equals(other.geometry())


def show_all_tasks(layer: QgsVectorLayer) -> None:
    """Let a layer show the lines of all tasks."""
    variables = _variables(layer)
    if CURRENT in variables:
        left = {name: value for name, value in variables.items() if name != CURRENT}
        QgsExpressionContextUtils.setLayerVariables(layer, left)


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


def _variables(layer: QgsVectorLayer) -> dict[str, object]:
    names = layer.customProperty("variableNames") or []
    values = layer.customProperty("variableValues") or []
    return dict(zip(names, values, strict=False))
