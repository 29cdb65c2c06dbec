"""The panel "Review": the queue, the current task, and what became of it."""

from __future__ import annotations

from collections.abc import Callable, Collection

from qgis.core import (
    QgsCoordinateTransform,
    QgsCsException,
    QgsMapLayer,
    QgsProject,
    QgsRectangle,
    QgsVectorLayer,
)
from qgis.gui import QgsDockWidget, QgsMapCanvas
from qgis.PyQt.QtCore import QTimer
from qgis.PyQt.QtGui import QHideEvent, QShowEvent
from qgis.PyQt.QtWidgets import QWidget

from glacier_qgis.review.asking import all_done, may_save
from glacier_qgis.review.backdrop import Backdrop
from glacier_qgis.review.queue import (
    NotReadError,
    NotSavedError,
    ReviewQueue,
    show_all_tasks,
)
from glacier_qgis.review.reshaping import Reshaping
from glacier_qgis.review.review_commands import LineTools, ReviewCommands
from glacier_qgis.review.review_form import ReviewForm
from glacier_qgis.review.snapping import Snapping
from glacier_qgis.review.stretches import EchogramViewer
from glacier_qgis.review.tables import is_tasks, layers_of, review_of
from glacier_qgis.review.task import Task
from glacier_qgis.translation import tr

AROUND = 1.15
"""Size of the view, in footprints of the scene."""
NO_LINE = tr("This task has no line to reshape. Draw one.")
FEW_SCENES = 10
"""Finished tasks up to which 'Retrain' is offered for one glacier."""


class ReviewPanel(QgsDockWidget):
    """Leads through the tasks of a review; lines are edited with QGIS' own tools.

    Args:
        canvas: The map.
        tools: For the lines.
        parent: The window.
        echograms: Where tasks in echograms are shown; without it they are only listed.
    """

    def __init__(
        self,
        canvas: QgsMapCanvas,
        tools: LineTools,
        parent: QWidget | None = None,
        *,
        echograms: EchogramViewer | None = None,
    ) -> None:
        super().__init__(parent)
        self.setObjectName("GlacierReviewPanel")
        self.setWindowTitle(tr("Review"))
        self._canvas, self._tools, self._echograms = canvas, tools, echograms
        self._queue: ReviewQueue | None = None
        self._backdrop, self._snapping = Backdrop(), Snapping()
        self._reshaping = Reshaping(canvas, tools.put_away, self._limit)
        self._trouble = ""
        self.form = ReviewForm(canvas)
        self.commands = ReviewCommands(tools, self)
        self._obey()
        self.setWidget(self.form)
        project = QgsProject.instance()
        project.layersAdded.connect(self._offer)
        project.layersRemoved.connect(self._offer)
        project.layersWillBeRemoved["QStringList"].connect(self._lose)
        project.readProject.connect(self._clean)
        canvas.mapToolSet.connect(self._limit)
        canvas.currentLayerChanged.connect(self._limit)
        self.form.layers.layerChanged.connect(self._begin_soon)
        self.form.people.currentTextChanged.connect(self._choose_person)
        self._offer()
        self._show(None)

    @property
    def queue(self) -> ReviewQueue | None:
        """The queue that is shown."""
        return self._queue

    def step(self, by: int) -> None:
        """Go to the next task or the one before."""
        queue = self._queue
        if queue is not None:
            self._go(lambda: queue.step(by))

    def decide(self, status: str) -> None:
        """Save what became of the task, and go to the next open one."""
        queue = self._queue
        if queue is None or queue.current is None or not may_save(self, queue):
            return
        complete, comment = self.form.entries
        try:
            queue.finish(status, complete=complete, comment=comment)
        except NotSavedError as problem:
            self.form.say(str(problem))
            return
        self.form.saved()
        self._go(queue.next_open)
        if not queue.waiting():
            self.form.say(all_done(queue))

    def work_on_lines(self, tool: Callable[[QgsVectorLayer], None]) -> None:
        """Start to edit the lines with a tool, and with snapping."""
        if self._queue is None:
            return
        lines = self._queue.layers.lines
        if not lines.isEditable() and not lines.startEditing():
            self.form.say(
                tr(
                    "The layer '{}' cannot be edited. Check that its database is there, and that "
                    "you may write to it."
                ).format(lines.name())
            )
            return
        task = self._queue.current
        if self._echograms is not None and task is not None and task.trace is not None:
            self._echograms.draw(new=tool == self._tools.draw)
            return
        self._snapping.begin()
        tool(lines)

    def open_dialog(self, name: str) -> None:
        """Open the dialog of an algorithm of the group, filled in with this review."""
        from processing.tools.general import createAlgorithmDialog

        queue = self._queue
        if queue is None:
            return
        values: dict[str, object] = {**review_of(queue.layers.tasks)}
        if name == "retrain":
            values["ADAPT"] = queue.finished_by_all() <= FEW_SCENES
        createAlgorithmDialog(f"glacier:{name}", values).show()

    def close_down(self) -> None:
        """Let go of project and layers; edits stay as they are."""
        project = QgsProject.instance()
        project.layersAdded.disconnect(self._offer)
        project.layersRemoved.disconnect(self._offer)
        project.layersWillBeRemoved["QStringList"].disconnect(self._lose)
        project.readProject.disconnect(self._clean)
        self._canvas.mapToolSet.disconnect(self._limit)
        self._canvas.currentLayerChanged.disconnect(self._limit)
        self._take(None)
        self.form.original.close_down()

    def showEvent(self, event: QShowEvent) -> None:  # type: ignore[override]  # never None
        """Begin with the review that is chosen; at first the one in the project."""
        super().showEvent(event)
        self._choose_first()
        self._begin()

    def hideEvent(self, event: QHideEvent) -> None:
        """A closed panel leaves no scene on the map; one behind another tab is still there."""
        super().hideEvent(event)
        if self.isHidden():
            self._take(None)

    def _obey(self) -> None:
        """Put a button for each command into the form, and do what it says."""
        commands = self.commands
        commands.stepped.connect(self.step)
        commands.decided.connect(self.decide)
        commands.tool_chosen.connect(self.work_on_lines)
        commands.dialog_wanted.connect(self.open_dialog)
        self.form.arrange(commands.walk, commands.editing, commands.decisions, commands.after)

    def _offer(self, *_: object) -> None:
        layers = QgsProject.instance().mapLayers().values()
        self.form.layers.setExceptedLayerList([layer for layer in layers if not is_tasks(layer)])
        QTimer.singleShot(0, self._choose_first)  # when all layers of a run are there

    def _choose_first(self) -> None:
        layers = QgsProject.instance().mapLayers().values()
        first = next((layer for layer in layers if is_tasks(layer)), None)
        if self.form.layers.currentLayer() is None and first is not None:
            self.form.layers.setLayer(first)

    def _clean(self, *_: object) -> None:
        """Take out of a project what was saved with it while the panel led through a review."""
        self._snapping.end()
        self._backdrop.clear()
        for layer in QgsProject.instance().mapLayers().values():
            if isinstance(layer, QgsVectorLayer):
                show_all_tasks(layer)
        self._begin()

    def _limit(self, *_: object) -> None:
        if not self._reshaping.limit(self._queue):
            self.form.say(NO_LINE)
        elif self.form.status.text() == NO_LINE:
            self.form.say(self._trouble)

    def _begin_soon(self, *_: object) -> None:
        """Begin when what QGIS is doing to the layers of the project is done.

        While it removes layers, none may be added or removed by others.
        """
        QTimer.singleShot(0, self._begin)

    def _begin(self) -> None:
        if self.isVisible():
            self._take(self.form.layers.currentLayer())

    def _take(self, chosen: QgsMapLayer | None) -> None:
        """Begin with a review, at its first open task."""
        tasks = chosen if isinstance(chosen, QgsVectorLayer) and is_tasks(chosen) else None
        layers = layers_of(tasks) if tasks else None  # first: it may let other slots run
        self._let_go()
        self._tidy()
        if layers is not None:
            self._queue = ReviewQueue(layers)
            self._fill_people()
            self._go_to_first(self._queue)
            return
        if tasks is not None:
            self.form.say(tr("The lines of the review '{}' cannot be opened.").format(tasks.name()))
        self._show(None)

    def _lose(self, removed: Collection[str]) -> None:
        """Let go of a review whose layers go away; what it added to the project goes soon."""
        if self._queue is None:
            return
        lost = self._queue.layers
        if any(layer.id() in removed for layer in lost.every()):
            self._let_go()
            self._show(None)
            QTimer.singleShot(0, self._follow if lost.tasks.id() in removed else self._tidy)

    def _follow(self) -> None:
        """Begin with the review that the list jumped to, about which it says nothing."""
        self._tidy()
        if self._queue is None:
            self._begin()

    def _tidy(self) -> None:
        if self._queue is None:
            self._backdrop.clear()
            self._snapping.end()

    def _let_go(self) -> None:
        if self._queue is not None:
            self._queue.leave()
        self._queue = None
        self.form.forget_entries()
        self._reshaping.release()
        self.form.original.show_layer(None)
        if self._echograms is not None:
            self._echograms.leave_stretch()

    def _fill_people(self) -> None:
        people = self.form.people
        people.blockSignals(True)
        people.clear()
        people.addItem(tr("everybody"), "")
        for name in self._queue.people if self._queue else ():
            people.addItem(name, name)
        people.blockSignals(False)

    def _choose_person(self, *_: object) -> None:
        if self._queue is not None:
            self._queue.assignee = str(self.form.people.currentData() or "")
            self._go_to_first(self._queue)

    def _go_to_first(self, queue: ReviewQueue) -> None:
        self._go(lambda: queue.next_open() or queue.step(1))

    def _go(self, move: Callable[[], Task | None]) -> None:
        """Go to another task; stay where the database cannot be read."""
        try:
            task = move()
        except NotReadError as problem:
            self.form.say(str(problem))
        else:
            self._show(task)

    def _show(self, task: Task | None) -> None:
        """Show a task: its scene, its lines, and the view on them."""
        queue = self._queue
        self.commands.enable(review=queue is not None, task=task is not None)
        self.form.enable(task=task is not None)
        if queue is None or task is None:
            self.form.show_no_task(tr("No task") if queue else "")
            self._limit()
            return
        self.form.show_task(queue, task)
        self._trouble = self._backdrop.show(task, {each.scene for each in queue.every})
        self.form.say(self._trouble)
        of_echogram = task.trace is not None
        self.commands.speak_of(echogram=of_echogram)
        self.form.speak_of(echogram=of_echogram)
        if task.trace is None:
            self.form.original.show_layer(self._backdrop.layer)
            self._zoom_to(queue.layers.tasks, task.extent)
        elif self._echograms is not None and self._backdrop.layer is not None:
            first, last = round(task.extent.xMinimum()), round(task.extent.xMaximum())
            echogram, drawn = self._backdrop.layer, queue.layers.lines
            self._echograms.show_stretch(echogram, drawn, first, last, task.trace)
        self._limit()

    def _zoom_to(self, tasks: QgsVectorLayer, box: QgsRectangle) -> None:
        crs = self._canvas.mapSettings().destinationCrs()
        transform = QgsCoordinateTransform(tasks.crs(), crs, QgsProject.instance())
        try:
            view = transform.transformBoundingBox(box)
        except QgsCsException:
            return
        view.scale(AROUND)
        self._canvas.setExtent(view)
        self._canvas.refresh()
