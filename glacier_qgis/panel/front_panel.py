"""The panel "Calving fronts": scene, model, preview of what is in view, run, and the lines."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from qgis.core import (
    Qgis,
    QgsApplication,
    QgsProcessingContext,
    QgsProcessingOutputLayerDefinition,
    QgsProcessingUtils,
    QgsProject,
    QgsRasterLayer,
    QgsReferencedRectangle,
    QgsVectorLayer,
)
from qgis.gui import QgsDockWidget, QgsMapCanvas, QgsMapLayerComboBox
from qgis.PyQt.QtCore import Qt, QTimer
from qgis.PyQt.QtGui import QHideEvent, QShowEvent
from qgis.PyQt.QtWidgets import (
    QCheckBox,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from glacier_qgis.client.engine import engine_obstacle
from glacier_qgis.client.warm_engine import WarmEngine
from glacier_qgis.messages.labels import labels_of, with_labels
from glacier_qgis.messages.links import SET_UP_ENGINE, open_dialog
from glacier_qgis.panel.front_preview import FrontPreview, legend
from glacier_qgis.panel.line_list import LineList
from glacier_qgis.processing.dialogs.name_widget import NameOrFile
from glacier_qgis.translation import tr
from glacier_qgis.window.background import BackgroundRun

ALGORITHM = "glacier:delineatetermini"
LOOK_AGAIN_MS = 2000


class FrontPanel(QgsDockWidget):
    """Looks at a scene with a model, and at the lines that came of it."""

    def __init__(
        self, canvas: QgsMapCanvas, engine: WarmEngine, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setObjectName("GlacierFrontPanel")
        self.setWindowTitle(tr("Calving fronts"))
        self._canvas = canvas
        self._preview = FrontPreview(canvas, engine, self)
        self._run: BackgroundRun | None = None
        self._look_again = QTimer(self)  # the engine is set up in a dialog of its own
        self._look_again.setInterval(LOOK_AGAIN_MS)
        self._make_widgets()
        self._arrange()
        self._connect()
        self._show_state()

    def preview(self) -> None:
        """Show what the network makes of what is in view."""
        layer = self._layer()
        if layer is not None:
            self._preview.ask(layer, self._model.value(), view_only=self._view_only.isChecked())

    def run(self) -> None:
        """Delineate the scene as the toolbox does, in the background."""
        self._run = BackgroundRun(ALGORITHM, self.parameters(), self)
        self._run.feedback.progressChanged.connect(self._show_progress)
        self._run.feedback.said.connect(self._say)
        self._run.finished.connect(self._run_ended)
        self._say(tr("Starting the engine…"))
        self._show_state()
        self._run.start()

    def cancel(self) -> None:
        """End the preview or the run."""
        self._preview.cancel()
        if self._run is not None:
            self._run.cancel()

    def open_dialog(self) -> None:
        """Open the algorithm's dialog, filled in, for all that the panel has no room for."""
        from processing.tools.general import createAlgorithmDialog

        createAlgorithmDialog(ALGORITHM, self.parameters()).show()

    def parameters(self) -> dict[str, Any]:
        """Return what the panel shows, as the algorithm takes it."""
        layer = self._layer()
        lines = QgsProcessingOutputLayerDefinition("TEMPORARY_OUTPUT", QgsProject.instance())
        identifier = layer.id() if layer else None
        chosen: dict[str, Any] = {"INPUT": identifier, "MODEL": self._model.value()}
        if self._view_only.isChecked():
            chosen["EXTENT"] = QgsReferencedRectangle(
                self._canvas.mapSettings().visibleExtent(), self._preview.map_crs(layer)
            )
        return chosen | {"OUTPUT": lines}

    def close_down(self) -> None:
        """Leave nothing behind: neither on the map nor in the background."""
        if self._run is not None:
            self._run.disconnect()
            self._run.cancel()
        self._look_again.stop()
        self._preview.close()
        self.lines.close_down()

    def _make_widgets(self) -> None:
        self._scene = QgsMapLayerComboBox()
        self._scene.setFilters(Qgis.LayerFilter.RasterLayer)
        self._scene.setAllowEmptyLayer(True, tr("Choose a satellite scene"))
        self._model = self._make_model_picker()
        self._view_only = QCheckBox(tr("This view only"))
        self._view_only.setToolTip(
            tr("Work on the part of the scene that the map shows, as if it ended there.")
        )
        self._preview_button = QPushButton(tr("Preview"))
        self._preview_button.setToolTip(
            tr("Show what the model makes of the part that the map shows. Nothing is saved.")
        )
        self._run_button = QPushButton(tr("Run"))
        self._run_button.setToolTip(
            tr("Delineate the termini of the scene, or of this view, into a new layer.")
        )
        self._more_button = QToolButton()
        self._more_button.setText("…")
        self._more_button.setToolTip(tr("All settings: open the dialog of the toolbox."))
        self._progress = QProgressBar()
        self._cancel_button = QPushButton(tr("Cancel"))
        self._status = QLabel()
        self._status.setWordWrap(True)
        self._status.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._set_up_button = QPushButton(tr("Set up the engine…"))
        self._legend = QLabel(legend())
        self._clear_button = QPushButton(tr("Clear preview"))
        self.lines = LineList(self._canvas)

    def _make_model_picker(self) -> NameOrFile:
        """Return the picker of the toolbox' dialog."""
        algorithm = QgsApplication.processingRegistry().createAlgorithmById(ALGORITHM)
        self._labels = labels_of(algorithm)
        self._model_parameter = algorithm.parameterDefinition("MODEL").clone()  # the picker's
        offer = dict(self._model_parameter.metadata()["widget_wrapper"])
        del offer["class"]
        return NameOrFile(self._model_parameter, self, **offer)

    def _arrange(self) -> None:
        form = QFormLayout()
        form.addRow(tr("Scene"), self._scene)
        form.addRow(tr("Model"), self._model.widget)
        form.addRow("", self._view_only)
        buttons = QHBoxLayout()
        buttons.addWidget(self._preview_button, 1)
        buttons.addWidget(self._run_button, 1)
        buttons.addWidget(self._more_button)
        working = QHBoxLayout()
        working.addWidget(self._progress, 1)
        working.addWidget(self._cancel_button)
        shown = QHBoxLayout()
        shown.addWidget(self._legend, 1)
        shown.addWidget(self._clear_button)
        body = QWidget()
        column = QVBoxLayout(body)
        for part in (form, buttons, working):
            column.addLayout(part)
        column.addWidget(self._status)
        column.addWidget(self._set_up_button)
        column.addLayout(shown)
        column.addWidget(QLabel(f"<b>{tr('Lines')}</b>"))
        column.addWidget(self.lines, 1)
        self.setWidget(body)

    def _connect(self) -> None:
        self._preview_button.clicked.connect(self.preview)
        self._run_button.clicked.connect(self.run)
        self._more_button.clicked.connect(self.open_dialog)
        self._cancel_button.clicked.connect(self.cancel)
        self._clear_button.clicked.connect(self._preview.clear)
        self._set_up_button.clicked.connect(lambda: open_dialog(SET_UP_ENGINE))
        self._scene.layerChanged.connect(self._choice_changed)
        self._model.widgetValueHasChanged.connect(self._choice_changed)
        self._preview.progressed.connect(self._show_progress)
        self._preview.said.connect(self._say)
        self._preview.changed.connect(self._show_state)
        self._look_again.timeout.connect(self._prepare)

    def _layer(self) -> QgsRasterLayer | None:
        layer = self._scene.currentLayer()
        return layer if isinstance(layer, QgsRasterLayer) else None

    def showEvent(self, event: QShowEvent) -> None:  # type: ignore[override]  # never None
        """Start the engine for the scene that is chosen; at first the layer that is selected."""
        super().showEvent(event)
        selected = self._canvas.currentLayer()
        if self._scene.currentLayer() is None and isinstance(selected, QgsRasterLayer):
            self._scene.setLayer(selected)
        self._prepare()

    def hideEvent(self, event: QHideEvent) -> None:
        """A closed panel leaves nothing on the map; one behind another tab is still there."""
        super().hideEvent(event)
        self._look_again.stop()
        if self.isHidden():
            self._preview.clear()

    def _choice_changed(self, *_: object) -> None:
        self._preview.clear()
        self._say("")
        QTimer.singleShot(0, self._prepare)

    def _prepare(self) -> None:
        self._show_state()
        layer = self._layer()
        if self.isVisible() and layer is not None and not engine_obstacle():
            self._preview.prepare(layer, self._model.value())

    def _run_ended(self, succeeded: bool, results: Mapping[str, Any]) -> None:
        run, self._run = self._run, None
        self._preview.clear()
        if succeeded:
            self._show_lines(results)
        elif run is not None and not run.feedback.isCanceled():
            self._say(run.feedback.problem)
        else:
            self._say(tr("Cancelled."))

    def _show_lines(self, results: Mapping[str, Any]) -> None:
        context = QgsProcessingContext()
        context.setProject(QgsProject.instance())
        layer = QgsProcessingUtils.mapLayerFromString(str(results["OUTPUT"]), context)
        if isinstance(layer, QgsVectorLayer):
            self.lines.show_layer(layer)
        count = int(results["COUNT"])
        if not count:
            self._say(tr("No front was found. {}").format(results["REASON"]))
        else:
            self._say(tr("One line.") if count == 1 else tr("{} lines.").format(count))

    def _show_progress(self, percent: float) -> None:
        self._progress.setRange(0, 100)
        self._progress.setValue(round(percent))

    def _show_state(self) -> None:
        """Let buttons say what can be done now."""
        problem = engine_obstacle()
        busy = self._preview.is_busy() or self._run is not None
        ready = not busy and not problem and self._scene.currentLayer() is not None
        for button in (self._preview_button, self._run_button):
            button.setEnabled(ready)
        for widget in (self._progress, self._cancel_button):
            widget.setVisible(busy)
        if not busy:
            self._progress.setRange(0, 0)  # until the next progress
        for shown in (self._legend, self._clear_button):
            shown.setVisible(self._preview.is_shown())
        self._show_problem(problem)

    def _show_problem(self, problem: str) -> None:
        """Say that there is no engine, and look for one again and again."""
        if problem:
            self._say(problem)
            self._look_again.start()
        elif self._look_again.isActive():
            self._say("")
            self._look_again.stop()
        self._set_up_button.setVisible(bool(problem))

    def _say(self, text: str) -> None:
        self._status.setText(with_labels(text, self._labels))
        self._status.setVisible(bool(text))
