"""The panel "Radar echogram": an echogram beside the map, and the layers that are drawn in it."""

from __future__ import annotations

import math
from collections.abc import Sequence

from qgis.core import (
    QgsMapLayer,
    QgsPointXY,
    QgsProject,
    QgsRasterLayer,
    QgsVectorLayer,
)
from qgis.gui import QgsDockWidget, QgsMapCanvas
from qgis.PyQt import sip
from qgis.PyQt.QtCore import pyqtBoundSignal
from qgis.PyQt.QtGui import QHideEvent, QShowEvent
from qgis.PyQt.QtWidgets import QWidget

from glacier_qgis.panel.echo_snap import EchoSnap
from glacier_qgis.panel.echogram_axes import EchogramAxes
from glacier_qgis.panel.echogram_canvas import EchogramCanvas
from glacier_qgis.panel.echogram_form import EchogramForm
from glacier_qgis.panel.echogram_grey import show_grey
from glacier_qgis.panel.echogram_lines import is_of_others, lines_of
from glacier_qgis.panel.echogram_track import TrackOnMap
from glacier_qgis.panel.layer_pick import PickTool, layer_ids, put
from glacier_qgis.panel.layer_splice import Line, Point, within
from glacier_qgis.review.rows import KnownRows
from glacier_qgis.translation import tr


class EchogramPanel(QgsDockWidget):
    """Shows an echogram upright; what is under the cursor is marked on the map, and back."""

    def __init__(self, canvas: QgsMapCanvas, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("GlacierEchogramPanel")
        self.setWindowTitle(tr("Radar echogram"))
        self._map = canvas
        self._track = TrackOnMap(canvas)
        self._axes: EchogramAxes | None = None
        self._snap: EchoSnap | None = None
        self._shown: QgsRasterLayer | None = None
        self._heard: QgsVectorLayer | None = None
        self._rows: KnownRows | None = None
        self._reviewed: tuple[float, float] | None = None
        self.view = EchogramCanvas(self)
        self.form = EchogramForm(self.view)
        self.setWidget(self.form)
        self._pick = PickTool(self.view.canvas, self._to_echo, self._finish)
        self._connect()
        self._show_state()

    def show_layer(self, layer: QgsRasterLayer) -> None:
        """Show an echogram of the project."""
        self.form.echogram.setLayer(layer)

    def show_lines(self, layer: QgsVectorLayer) -> None:
        """Show a line layer of the project in the echogram."""
        self.form.lines.setLayer(layer)

    def show_stretch(
        self, echogram: QgsRasterLayer, lines: QgsVectorLayer, first: int, last: int, trace: int
    ) -> None:
        """Show an echogram at a trace, and shade what is not of a stretch of it.

        Lines are then drawn within this stretch only.

        Args:
            echogram: In the project.
            lines: Its lines.
            first: First trace of the stretch.
            last: The one after its last.
            trace: Which to show.
        """
        self.setUserVisible(True)
        self.show_layer(echogram)
        self.show_lines(lines)
        self._reviewed = (float(first), float(last))
        self.view.show_stretch(first, last, trace)
        self._track.show_trace(trace)
        self.form.say("")
        self._show_state()

    def draw(self, *, new: bool) -> None:
        """Start to draw a layer that is there or a new one, in lines that are being edited."""
        self.setUserVisible(True)
        self._show_state()
        if new:
            self.form.number.setCurrentIndex(0)
        self.form.draw_button.setChecked(True)

    def leave_stretch(self) -> None:
        """Let lines be drawn anywhere."""
        self._reviewed = None
        self.view.leave_stretch()

    def close_down(self) -> None:
        """Leave nothing behind on the map."""
        self._listen(None)
        self.view.canvas.setMapTool(self.view.pan)
        self._map.xyCoordinates.disconnect(self._map_hovered)
        QgsProject.instance().legendLayersAdded.disconnect(self._show_added)
        self._track.close()
        self.view.clear()

    def _connect(self) -> None:
        self.form.echogram.layerChanged.connect(self._echogram_changed)
        self.form.lines.layerChanged.connect(self._lines_changed)
        self.form.contrast.valueChanged.connect(self._show_contrast)
        self.form.gain.valueChanged.connect(self._show_contrast)
        self.form.stretch.valueChanged.connect(self.view.stretch)
        self.form.height_button.clicked.connect(self.view.fit_height)
        self.form.all_button.clicked.connect(self.view.fit_all)
        self.form.edit_button.clicked.connect(self._toggle_editing)
        self.form.draw_button.toggled.connect(self._toggle_drawing)
        self.view.hovered.connect(self._hovered)
        self._map.xyCoordinates.connect(self._map_hovered)
        QgsProject.instance().legendLayersAdded.connect(self._show_added)

    def showEvent(self, event: QShowEvent) -> None:  # type: ignore[override]  # never None
        """Begin with the echogram that is selected, and put the track on the map."""
        super().showEvent(event)
        selected = self._map.currentLayer()
        if self._layer() is None and isinstance(selected, QgsRasterLayer):
            self.form.echogram.setLayer(selected)
        self._track.show(self._axes)

    def hideEvent(self, event: QHideEvent) -> None:
        """A closed panel leaves nothing on the map."""
        super().hideEvent(event)
        if self.isHidden():
            self._track.show(None)

    def _layer(self) -> QgsRasterLayer | None:
        layer = self.form.echogram.currentLayer()
        return layer if isinstance(layer, QgsRasterLayer) else None

    def _line_layer(self) -> QgsVectorLayer | None:
        layer = self.form.lines.currentLayer()
        return layer if isinstance(layer, QgsVectorLayer) else None

    def _echogram_changed(self) -> None:
        layer = self._layer()
        self._axes, self._snap, self._shown, self._reviewed = None, None, None, None
        self.form.say("")
        if layer is not None:
            try:
                self._axes = EchogramAxes.beside(layer.source())
            except ValueError as error:
                self.form.say(str(error))
        if layer is not None and self._axes is not None:
            self._shown = layer.clone()
            self._snap = EchoSnap(self._shown.dataProvider(), self._axes.values)
            self._show_contrast()
            self._find_lines(self._axes.frame_id)
            self.view.show_echogram(self._shown, self._axes, self._line_layer())
        else:
            self.view.clear()
        self._track.show(self._axes if self.isVisible() else None)
        self._show_state()

    def _lines_changed(self) -> None:
        self.form.draw_button.setChecked(False)
        self._listen(self._line_layer())
        self._restyle()
        self._show_state()

    def _find_lines(self, frame: str) -> None:
        """Choose lines of a frame, unless the chosen ones are edited or may belong to it."""
        layer, root = self._line_layer(), QgsProject.instance().layerTreeRoot()
        if layer is None or (not layer.isEditable() and is_of_others(layer, frame)):
            self._choose(lines_of(frame, [] if root is None else root.layerOrder()))

    def _show_added(self, added: Sequence[QgsMapLayer]) -> None:
        """Choose lines of the frame that are new, such as traced ones, unless others are in use."""
        layer = self._line_layer()
        busy = self._reviewed is not None or (layer is not None and layer.isEditable())
        if self._axes is not None and not busy:
            self._choose(lines_of(self._axes.frame_id, added))

    def _choose(self, lines: QgsVectorLayer | None) -> None:
        if lines is not None:
            self.form.lines.setLayer(lines)

    def _restyle(self) -> None:
        """Draw the lines as their layer's style says now."""
        if self._shown is not None and self._axes is not None:
            self.view.show_lines(self._shown, self._axes, self._line_layer())

    def _listen(self, layer: QgsVectorLayer | None) -> None:
        """Follow the edits of a line layer, and no longer those of the one before."""
        before, self._heard = self._heard, layer
        if before is not None and not sip.isdeleted(before):
            for signal in _edits(before):
                signal.disconnect(self._show_state)
            before.styleChanged.disconnect(self._restyle)
        self._rows = None if layer is None else KnownRows(layer)
        if layer is not None:
            for signal in _edits(layer):
                signal.connect(self._show_state)
            layer.styleChanged.connect(self._restyle)

    def _show_contrast(self) -> None:
        layer = self._layer()
        if layer is not None and self._shown is not None:
            show_grey(layer, self._shown, self.form.contrast_share, self.form.gain_share)

    def _hovered(self, x: float, y: float) -> None:
        if self._axes is None or math.isnan(x):
            self._track.unmark()
            self.form.place.clear()
            return
        trace = self._axes.trace_at(x)
        self.view.unmark()
        self._track.mark(trace)
        self.form.show_place(self._axes, x, y)

    def _map_hovered(self, point: QgsPointXY) -> None:
        if self._axes is None or not self.isVisible():
            return
        trace = self._track.nearest(point)
        if trace is None:
            self.view.unmark()
            self._track.unmark()
            return
        self._track.mark(trace)
        self.view.mark(trace)

    def _toggle_editing(self, wanted: bool) -> None:
        layer = self._line_layer()
        if layer is None:
            return
        if not wanted:
            self.form.draw_button.setChecked(False)
            self._stop_editing(layer)
        elif not layer.startEditing():
            self.form.say(
                tr(
                    "The layer '{name}' cannot be edited. Save it as a GeoPackage, and choose that."
                ).format(name=layer.name())
            )
        self._show_state()

    def _stop_editing(self, layer: QgsVectorLayer) -> None:
        """End editing as QGIS' own button does: it asks whether to save."""
        from qgis.utils import iface

        if iface is not None:
            iface.vectorLayerTools().stopEditing(layer, allowCancel=True)

    def _toggle_drawing(self, wanted: bool) -> None:
        self.view.canvas.setMapTool(self._pick if wanted else self.view.pan)

    def _to_echo(self, point: Point) -> Point:
        return self._snap.to_echo(point, self.form.snapping.value()) if self._snap else point

    def _finish(self, drawn: Line) -> None:
        layer = self._line_layer()
        if layer is None or self._rows is None or self._axes is None or self._snap is None:
            return
        line = self._snap.follow(drawn, self.form.snapping.value())
        if self._reviewed is not None:
            line = within(line, *self._reviewed)
            if not line:
                self.form.say(
                    tr("The line lies outside the stretch that is reviewed (not shaded).")
                )
                return
        try:
            rows = self._rows.of()
            number = put(layer, rows, self._axes.frame_id, self.form.number.currentData(), line)
        except ValueError as error:
            self.form.say(str(error))
            return
        self._show_state()
        self.form.number.setCurrentIndex(self.form.number.findData(number))
        layer.triggerRepaint()
        self.form.say(
            tr("Layer {number} was drawn. Save the edits to keep it.").format(number=number)
        )

    def _show_state(self) -> None:
        """Let buttons and the list of layers say what can be done now."""
        layer, rows, axes = self._line_layer(), self._rows, self._axes
        editing = layer is not None and layer.isEditable()
        self.form.enable(echogram=axes is not None, lines=layer is not None, editing=editing)
        numbers: list[int] = []
        if layer is not None and rows is not None and axes is not None:
            numbers = layer_ids(layer, rows.of(), axes.frame_id)
        self.form.offer_layers(numbers)


def _edits(layer: QgsVectorLayer) -> tuple[pyqtBoundSignal, ...]:
    return layer.editingStarted, layer.editingStopped, layer.layerModified
