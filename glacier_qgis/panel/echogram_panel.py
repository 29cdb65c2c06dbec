"""The panel "Radar echogram": an echogram beside the map, and the layers that are drawn in it."""

from __future__ import annotations

import math
from collections.abc import Sequence

from qgis.core import (
    Qgis,
    QgsContrastEnhancement,
    QgsMapLayer,
    QgsPointXY,
    QgsProject,
    QgsRasterLayer,
    QgsSingleBandGrayRenderer,
    QgsVectorLayer,
)
from qgis.gui import QgsDockWidget, QgsMapCanvas, QgsMapLayerComboBox
from qgis.PyQt import sip
from qgis.PyQt.QtCore import Qt, pyqtBoundSignal
from qgis.PyQt.QtGui import QHideEvent, QShowEvent
from qgis.PyQt.QtWidgets import (
    QComboBox,
    QDoubleSpinBox,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSlider,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from glacier_qgis.panel.echo_snap import EchoSnap
from glacier_qgis.panel.echogram_axes import EchogramAxes
from glacier_qgis.panel.echogram_canvas import EchogramCanvas
from glacier_qgis.panel.echogram_lines import is_of_others, lines_of
from glacier_qgis.panel.echogram_track import TrackOnMap
from glacier_qgis.panel.layer_pick import PickTool, layer_ids, put
from glacier_qgis.panel.layer_splice import Line, Point
from glacier_qgis.review.rows import KnownRows
from glacier_qgis.translation import tr

SLIDER = 100
"""Ends of a slider, either way from its middle."""
WIDEST = 4.0
"""Contrast at the ends of its slider, times that of the layer's style."""
STRETCH = (0.25, 8.0)
"""Narrowest and widest trace, in heights of a sample."""
WINDOW, LARGEST_WINDOW = 4, 100
"""Samples up and down to look at for the strongest echo."""


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
        self._make_widgets()
        self._arrange()
        self._connect()
        self._show_state()

    def show_layer(self, layer: QgsRasterLayer) -> None:
        """Show an echogram of the project."""
        self._echogram.setLayer(layer)

    def show_lines(self, layer: QgsVectorLayer) -> None:
        """Show a line layer of the project in the echogram."""
        self._lines.setLayer(layer)

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
        self._say("")
        self._show_state()

    def draw(self, *, new: bool) -> None:
        """Start to draw a layer that is there or a new one, in lines that are being edited."""
        self.setUserVisible(True)
        self._show_state()
        if new:
            self._number.setCurrentIndex(0)
        self._draw_button.setChecked(True)

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

    def _make_widgets(self) -> None:
        self._echogram = QgsMapLayerComboBox()
        self._echogram.setFilters(Qgis.LayerFilter.RasterLayer)
        self._echogram.setAllowEmptyLayer(True, tr("Choose an echogram"))
        self._echogram.setCurrentIndex(0)
        self._lines = QgsMapLayerComboBox()
        self._lines.setFilters(Qgis.LayerFilter.LineLayer)
        self._lines.setAllowEmptyLayer(True, tr("Choose layer lines"))
        self._lines.setCurrentIndex(0)
        self._contrast = self._slider(tr("Contrast: how far apart black and white are."))
        self._gain = self._slider(tr("Gain: brighter or darker echoes."))
        self._stretch = QDoubleSpinBox()
        self._stretch.setRange(*STRETCH)
        self._stretch.setValue(1)
        self._stretch.setSingleStep(0.25)
        self._stretch.setSuffix(" ×")
        self._stretch.setToolTip(tr("Width of a trace, in heights of a sample."))
        self._height_button = QPushButton(tr("Fit height"))
        self._height_button.setToolTip(tr("Show all samples of the first traces."))
        self._all_button = QPushButton(tr("Whole frame"))
        self.view = EchogramCanvas(self)
        self._pick = PickTool(self.view.canvas, self._to_echo, self._finish)
        self._edit_button = QPushButton(tr("Edit lines"))
        self._edit_button.setCheckable(True)
        self._edit_button.setToolTip(
            tr("Start editing the line layer; ask to save when it is switched off.")
        )
        self._draw_button = QPushButton(tr("Draw layer"))
        self._draw_button.setCheckable(True)
        self._draw_button.setToolTip(
            tr(
                "Left clicks add vertices, a right click ends the line, Backspace takes one back. "
                "A stretch of a layer that exists is replaced by what is drawn."
            )
        )
        self._number = QComboBox()
        self._number.setToolTip(tr("The layer to draw."))
        self._window = QSpinBox()
        self._window.setRange(0, LARGEST_WINDOW)
        self._window.setValue(WINDOW)
        self._window.setSpecialValueText(tr("off"))
        self._window.setToolTip(
            tr("Snap to the strongest echo within so many samples up and down, at each trace.")
        )
        self._place = QLabel()
        self._place.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._status = QLabel()
        self._status.setWordWrap(True)

    def _slider(self, text: str) -> QSlider:
        slider = QSlider(Qt.Orientation.Horizontal)
        slider.setRange(-SLIDER, SLIDER)
        slider.setToolTip(text)
        return slider

    def _arrange(self) -> None:
        form = QFormLayout()
        form.addRow(tr("Echogram"), self._echogram)
        form.addRow(tr("Layer lines"), self._lines)
        looks = QHBoxLayout()
        for title, widget in ((tr("Contrast"), self._contrast), (tr("Gain"), self._gain)):
            looks.addWidget(QLabel(title))
            looks.addWidget(widget, 1)
        looks.addWidget(QLabel(tr("Stretch")))
        looks.addWidget(self._stretch)
        looks.addWidget(self._height_button)
        looks.addWidget(self._all_button)
        drawing = QHBoxLayout()
        drawing.addWidget(self._edit_button)
        drawing.addWidget(self._draw_button)
        drawing.addWidget(self._number, 1)
        drawing.addWidget(QLabel(tr("Snap (samples)")))
        drawing.addWidget(self._window)
        body = QWidget()
        column = QVBoxLayout(body)
        column.addLayout(form)
        column.addLayout(looks)
        column.addWidget(self.view, 1)
        column.addWidget(self._place)
        column.addLayout(drawing)
        column.addWidget(self._status)
        self.setWidget(body)

    def _connect(self) -> None:
        self._echogram.layerChanged.connect(self._echogram_changed)
        self._lines.layerChanged.connect(self._lines_changed)
        self._contrast.valueChanged.connect(self._show_contrast)
        self._gain.valueChanged.connect(self._show_contrast)
        self._stretch.valueChanged.connect(self.view.stretch)
        self._height_button.clicked.connect(self.view.fit_height)
        self._all_button.clicked.connect(self.view.fit_all)
        self._edit_button.clicked.connect(self._toggle_editing)
        self._draw_button.toggled.connect(self._toggle_drawing)
        self.view.hovered.connect(self._hovered)
        self._map.xyCoordinates.connect(self._map_hovered)
        QgsProject.instance().legendLayersAdded.connect(self._show_added)

    def showEvent(self, event: QShowEvent) -> None:  # type: ignore[override]  # never None
        """Begin with the echogram that is selected, and put the track on the map."""
        super().showEvent(event)
        selected = self._map.currentLayer()
        if self._layer() is None and isinstance(selected, QgsRasterLayer):
            self._echogram.setLayer(selected)
        self._track.show(self._axes)

    def hideEvent(self, event: QHideEvent) -> None:
        """A closed panel leaves nothing on the map."""
        super().hideEvent(event)
        if self.isHidden():
            self._track.show(None)

    def _layer(self) -> QgsRasterLayer | None:
        layer = self._echogram.currentLayer()
        return layer if isinstance(layer, QgsRasterLayer) else None

    def _line_layer(self) -> QgsVectorLayer | None:
        layer = self._lines.currentLayer()
        return layer if isinstance(layer, QgsVectorLayer) else None

    def _echogram_changed(self) -> None:
        layer = self._layer()
        self._axes, self._snap, self._shown, self._reviewed = None, None, None, None
        self._say("")
        if layer is not None:
            try:
                self._axes = EchogramAxes.beside(layer.source())
            except ValueError as error:
                self._say(str(error))
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
        self._draw_button.setChecked(False)
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
            self._lines.setLayer(lines)

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
        """Let sliders widen and shift the range of grey that the layer's own style has."""
        layer = self._layer()
        if layer is None or self._shown is None:
            return
        renderer = layer.renderer()
        if not isinstance(renderer, QgsSingleBandGrayRenderer):
            return
        enhancement = renderer.contrastEnhancement()
        if enhancement is None:
            return
        low, high = enhancement.minimumValue(), enhancement.maximumValue()
        factor = WIDEST ** (-self._contrast.value() / SLIDER)
        middle = (low + high) / 2 - self._gain.value() / SLIDER * (high - low)
        half = (high - low) / 2 * factor
        own = QgsContrastEnhancement(enhancement)
        own.setMinimumValue(middle - half)
        own.setMaximumValue(middle + half)
        shown = renderer.clone()
        shown.setContrastEnhancement(own)
        self._shown.setRenderer(shown)
        self._shown.triggerRepaint()

    def _hovered(self, x: float, y: float) -> None:
        if self._axes is None or math.isnan(x):
            self._track.unmark()
            self._place.clear()
            return
        trace = self._axes.trace_at(x)
        self.view.unmark()
        self._track.mark(trace)
        self._place.setText(_described(self._axes, x, y))

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
            self._draw_button.setChecked(False)
            self._stop_editing(layer)
        elif not layer.startEditing():
            self._say(
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
        return self._snap.to_echo(point, self._window.value()) if self._snap else point

    def _finish(self, drawn: Line) -> None:
        layer = self._line_layer()
        if layer is None or self._rows is None or self._axes is None or self._snap is None:
            return
        line = self._snap.follow(drawn, self._window.value())
        if self._reviewed is not None:
            first, last = self._reviewed
            line = [point for point in line if first <= point[0] <= last]
            if len(line) < 2:
                self._say(tr("The line lies outside the stretch that is reviewed (not shaded)."))
                return
        try:
            rows = self._rows.of()
            number = put(layer, rows, self._axes.frame_id, self._number.currentData(), line)
        except ValueError as error:
            self._say(str(error))
            return
        self._show_state()
        self._number.setCurrentIndex(self._number.findData(number))
        layer.triggerRepaint()
        self._say(tr("Layer {number} was drawn. Save the edits to keep it.").format(number=number))

    def _show_state(self) -> None:
        """Let buttons say what can be done now."""
        layer, ready = self._line_layer(), self._axes is not None
        editing = layer is not None and layer.isEditable()
        self._edit_button.setEnabled(ready and layer is not None)
        self._edit_button.setChecked(editing)
        drawing: tuple[QWidget, ...] = (self._draw_button, self._number, self._window)
        for widget in drawing:
            widget.setEnabled(ready and editing)
        if not editing:
            self._draw_button.setChecked(False)
        looks: tuple[QWidget, ...] = (self._contrast, self._gain, self._stretch)
        for widget in (*looks, self._height_button, self._all_button):
            widget.setEnabled(ready)
        self._show_numbers(layer)

    def _show_numbers(self, layer: QgsVectorLayer | None) -> None:
        chosen = self._number.currentData()
        self._number.clear()
        self._number.addItem(tr("New layer"), None)
        self._number.addItem(tr("Surface"), 1)
        self._number.addItem(tr("Bed"), 2)
        if layer is not None and self._rows is not None and self._axes is not None:
            for number in layer_ids(layer, self._rows.of(), self._axes.frame_id):
                if self._number.findData(number) < 0:
                    self._number.addItem(tr("Layer {number}").format(number=number), number)
        self._number.setCurrentIndex(max(self._number.findData(chosen), 0))

    def _say(self, text: str) -> None:
        self._status.setText(text)
        self._status.setVisible(bool(text))


def _edits(layer: QgsVectorLayer) -> tuple[pyqtBoundSignal, ...]:
    return layer.editingStarted, layer.editingStopped, layer.layerModified


def _described(axes: EchogramAxes, x: float, y: float) -> str:
    """Return what a place in an echogram stands for."""
    parts = [tr("Trace {trace}").format(trace=axes.trace_at(x))]
    distance, time = axes.distance_at(x), axes.time_at(x, y)
    if not math.isnan(distance):
        parts.append(tr("{distance:.3f} km").format(distance=distance / 1000))
    if not math.isnan(time):
        parts.append(tr("{time:.4g} µs").format(time=time * 1e6))
        parts.append(tr("depth {depth:.1f} m").format(depth=axes.depth_at(x, y)))
    return ", ".join(parts)
