"""The panel "Review": the queue, the current task, and what became of it."""

from __future__ import annotations

from collections.abc import Callable

from qgis.core import (
    Qgis,
    QgsCoordinateTransform,
    QgsCsException,
    QgsMapLayer,
    QgsProject,
    QgsRectangle,
    QgsSnappingConfig,
    QgsTolerance,
    QgsVectorLayer,
)
from qgis.gui import QgsDockWidget, QgsMapCanvas, QgsMapLayerComboBox
from qgis.PyQt.QtCore import Qt, QTimer
from qgis.PyQt.QtGui import QAction, QHideEvent, QShowEvent
from qgis.PyQt.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFormLayout,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QMessageBox,
    QProgressBar,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from glacier_qgis.review.backdrop import Backdrop
from glacier_qgis.review.queue import NotSavedError, ReviewQueue, Task, status_in_words
from glacier_qgis.review.tables import is_tasks, layers_of
from glacier_qgis.translation import tr
from glacier_qgis.wall.review import ACCEPTED, NO_FRONT, REJECTED, SKIPPED

AROUND = 1.15
"""Size of the view, in footprints of the scene."""
SNAP_PIXELS = 12
DECISIONS = (
    (ACCEPTED, tr("Accept"), tr("The lines are right, as predicted or after your edits."), "A"),
    (NO_FRONT, tr("No front"), tr("The scene shows no front; its lines count as deleted."), "N"),
    (SKIPPED, tr("Skip"), tr("Leave the task for later."), "S"),
    (REJECTED, tr("Reject scene"), tr("Clouds, damage or the wrong place: not to be used."), "R"),
)
"""Status, title, tool tip and key of each decision."""
KEYS = "Alt+Shift+"


class ReviewPanel(QgsDockWidget):
    """Leads through the tasks of a review; lines are edited with QGIS' own tools.

    Args:
        canvas: The map.
        edit_lines: Makes a layer the active one, and starts the vertex tool on it.
        parent: The window.
    """

    def __init__(
        self,
        canvas: QgsMapCanvas,
        edit_lines: Callable[[QgsVectorLayer], None],
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setObjectName("GlacierReviewPanel")
        self.setWindowTitle(tr("Review"))
        self._canvas, self._edit_lines = canvas, edit_lines
        self._queue: ReviewQueue | None = None
        self._backdrop = Backdrop()
        self._snapping: QgsSnappingConfig | None = None
        self.keys: list[tuple[QAction, str]] = []
        self._make_widgets()
        self._make_actions()
        self._arrange()
        project = QgsProject.instance()
        project.layersAdded.connect(self._offer)
        project.layersRemoved.connect(self._offer)
        self._layers.layerChanged.connect(self._begin)
        self._people.currentTextChanged.connect(self._choose_person)
        self._offer()
        self._show(None)

    @property
    def queue(self) -> ReviewQueue | None:
        """The queue that is shown."""
        return self._queue

    def step(self, by: int) -> None:
        """Go to the next task or the one before."""
        if self._queue is not None:
            self._show(self._queue.step(by))

    def decide(self, status: str) -> None:
        """Save what became of the task, and go to the next open one."""
        queue = self._queue
        if queue is None or queue.current is None or not self._may_save(queue):
            return
        try:
            queue.finish(status, complete=self._complete.isChecked())
        except NotSavedError as problem:
            self._say(str(problem))
            return
        self._show(queue.next_open())

    def edit(self) -> None:
        """Start to edit the lines with snapping and the vertex tool."""
        if self._queue is None:
            return
        lines = self._queue.layers.lines
        if not lines.isEditable() and not lines.startEditing():
            self._say(tr("The layer '{}' cannot be edited.").format(lines.name()))
            return
        self._snap_to(lines)
        self._edit_lines(lines)

    def close_down(self) -> None:
        """Let go of project and layers; edits stay as they are."""
        project = QgsProject.instance()
        project.layersAdded.disconnect(self._offer)
        project.layersRemoved.disconnect(self._offer)
        self._take(None)

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

    def _make_widgets(self) -> None:
        self._layers = QgsMapLayerComboBox()
        self._layers.setFilters(Qgis.LayerFilter.PolygonLayer)
        self._layers.setAllowEmptyLayer(True, tr("No review is open"))
        self._people = QComboBox()
        self._progress = QProgressBar()
        self._title, self._state, self._status = QLabel(), QLabel(), QLabel()
        for label in (self._title, self._state, self._status):
            label.setWordWrap(True)
            label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._complete = QCheckBox(tr("Every front of the scene is drawn"))
        self._complete.setToolTip(
            tr("Untick it if a front is left out: what is not near a line is then unlabelled.")
        )

    def _make_actions(self) -> None:
        self._decisions: list[QAction] = []
        for status, title, tip, key in DECISIONS:
            action = self._action(title, tip, key, lambda _=False, s=status: self.decide(s))
            self._decisions.append(action)
        self._edit = self._action(
            tr("Edit lines"),
            tr("Start to edit the lines, with snapping and the vertex tool."),
            "E",
            lambda _=False: self.edit(),
        )
        self._previous = self._action(
            tr("Previous task"), tr("Go to the task before."), "PgUp", lambda _=False: self.step(-1)
        )
        self._next = self._action(
            tr("Next task"), tr("Go to the task after."), "PgDown", lambda _=False: self.step(1)
        )

    def _action(self, title: str, tip: str, key: str, act: Callable[..., None]) -> QAction:
        action = QAction(title, self)
        action.setToolTip(tr("{what} Key: {key}").format(what=tip, key=KEYS + key))
        action.triggered.connect(act)
        self.keys.append((action, KEYS + key))
        return action

    def _arrange(self) -> None:
        form = QFormLayout()
        form.addRow(tr("Review"), self._layers)
        form.addRow(tr("Tasks for"), self._people)
        walk = QHBoxLayout()
        for action, arrow in (
            (self._previous, Qt.ArrowType.LeftArrow),
            (self._next, Qt.ArrowType.RightArrow),
        ):
            button = _button(action)
            button.setArrowType(arrow)
            walk.addWidget(button)
        walk.addWidget(self._progress, 1)
        decisions = QGridLayout()
        for place, action in enumerate(self._decisions):
            button = _button(action)
            button.setSizePolicy(self._progress.sizePolicy())
            decisions.addWidget(button, place // 2, place % 2)
        body = QWidget()
        column = QVBoxLayout(body)
        column.addLayout(form)
        column.addLayout(walk)
        column.addWidget(self._title)
        column.addWidget(self._state)
        column.addWidget(_button(self._edit))
        column.addWidget(self._complete)
        column.addLayout(decisions)
        column.addWidget(self._status)
        column.addStretch(1)
        self.setWidget(body)

    def _offer(self, *_: object) -> None:
        layers = QgsProject.instance().mapLayers().values()
        self._layers.setExceptedLayerList([layer for layer in layers if not is_tasks(layer)])
        QTimer.singleShot(0, self._choose_first)  # when all layers of a run are there

    def _choose_first(self) -> None:
        layers = QgsProject.instance().mapLayers().values()
        first = next((layer for layer in layers if is_tasks(layer)), None)
        if self._layers.currentLayer() is None and first is not None:
            self._layers.setLayer(first)

    def _begin(self, *_: object) -> None:
        if self.isVisible():
            self._take(self._layers.currentLayer())

    def _take(self, chosen: QgsMapLayer | None) -> None:
        """Begin with a review, at its first open task."""
        if self._queue is not None:
            for layer in self._queue.layers.every():
                layer.willBeDeleted.disconnect(self._lose)
            self._queue.leave()
        self._forget()
        if isinstance(chosen, QgsVectorLayer) and is_tasks(chosen):
            layers = layers_of(chosen)
            if layers is None:
                self._say(
                    tr("The lines of the review '{}' cannot be opened.").format(chosen.name())
                )
            else:
                self._queue = ReviewQueue(layers)
                for layer in layers.every():
                    layer.willBeDeleted.connect(self._lose)
                self._fill_people()
                self._show(self._queue.next_open() or self._queue.step(1))
                return
        self._show(None)

    def _lose(self) -> None:
        """Let go of a review whose layers go away."""
        self._forget()
        self._show(None)

    def _forget(self) -> None:
        self._queue = None
        self._backdrop.clear()
        if self._snapping is not None:
            QgsProject.instance().setSnappingConfig(self._snapping)
            self._snapping = None

    def _fill_people(self) -> None:
        self._people.blockSignals(True)
        self._people.clear()
        self._people.addItem(tr("everybody"), "")
        for name in self._queue.people if self._queue else ():
            self._people.addItem(name, name)
        self._people.blockSignals(False)

    def _choose_person(self, *_: object) -> None:
        if self._queue is not None:
            self._queue.assignee = str(self._people.currentData() or "")
            self._show(self._queue.next_open() or self._queue.step(1))

    def _show(self, task: Task | None) -> None:
        """Show a task: its scene, its lines, and the view on them."""
        queue = self._queue
        for action, _ in self.keys:
            action.setEnabled(task is not None)
        self._complete.setEnabled(task is not None)
        if queue is None or task is None:
            self._title.setText(tr("No task") if queue else "")
            self._state.setText("")
            self._progress.setRange(0, 1)
            self._progress.setValue(0)
            self._progress.setFormat("")
            return
        count = len(queue.tasks)
        self._progress.setRange(0, count)
        self._progress.setValue(queue.finished())
        self._progress.setFormat(
            tr("{done} of {count} finished").format(done=queue.finished(), count=count)
        )
        place = tr("{place} of {count}").format(place=queue.position + 1, count=count)
        self._title.setText(f"<b>{task.title}</b> ({place})")
        lines = len(queue.predicted_of_task())
        found = tr("one predicted line") if lines == 1 else tr("{} predicted lines").format(lines)
        self._state.setText(f"{status_in_words(task)} · {found}")
        self._complete.setChecked(task.complete)
        self._say(self._backdrop.show(task))
        self._zoom_to(task.extent)

    def _zoom_to(self, box: QgsRectangle) -> None:
        layer = self._queue.layers.tasks if self._queue else None
        if layer is None:
            return
        crs = self._canvas.mapSettings().destinationCrs()
        transform = QgsCoordinateTransform(layer.crs(), crs, QgsProject.instance())
        try:
            view = transform.transformBoundingBox(box)
        except QgsCsException:
            return
        view.scale(AROUND)
        self._canvas.setExtent(view)
        self._canvas.refresh()

    def _snap_to(self, lines: QgsVectorLayer) -> None:
        """Let vertices snap to lines; the project's setting is put back at the end."""
        project = QgsProject.instance()
        if self._snapping is None:
            self._snapping = QgsSnappingConfig(project.snappingConfig())
        config = QgsSnappingConfig(project.snappingConfig())
        config.setEnabled(True)
        config.setMode(Qgis.SnappingMode.ActiveLayer)
        config.setTypeFlag(Qgis.SnappingTypes(Qgis.SnappingType.Vertex) | Qgis.SnappingType.Segment)
        config.setTolerance(SNAP_PIXELS)
        config.setUnits(QgsTolerance.UnitType.Pixels)
        project.setSnappingConfig(config)

    def _may_save(self, queue: ReviewQueue) -> bool:
        """Ask before edits of lines or tasks are saved; without any there is nothing to ask."""
        edited = queue.unsaved()
        if not edited:
            return True
        names = ", ".join(f"'{layer.name()}'" for layer in edited)
        answer = QMessageBox.question(
            self,
            tr("Save the edits?"),
            tr("Your edits of {names} are saved with the task.").format(names=names),
            QMessageBox.StandardButton.Save | QMessageBox.StandardButton.Cancel,
            QMessageBox.StandardButton.Save,
        )
        return bool(answer == QMessageBox.StandardButton.Save)

    def _say(self, text: str) -> None:
        self._status.setText(text)
        self._status.setVisible(bool(text))


def _button(action: QAction) -> QToolButton:
    button = QToolButton()
    button.setDefaultAction(action)
    button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextOnly)
    return button
