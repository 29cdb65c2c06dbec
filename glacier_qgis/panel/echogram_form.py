"""The widgets of the panel "Radar echogram", and where they lie."""

from __future__ import annotations

import math
from collections.abc import Iterable

from qgis.core import Qgis
from qgis.gui import QgsMapLayerComboBox
from qgis.PyQt.QtCore import Qt
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

from glacier_qgis.panel.echogram_axes import EchogramAxes
from glacier_qgis.translation import tr

SLIDER = 100
"""Ends of a slider, either way from its middle."""
STRETCH = (0.25, 8.0)
"""Narrowest and widest trace, in heights of a sample."""
WINDOW, LARGEST_WINDOW = 4, 100
"""Samples up and down to look at for the strongest echo."""


class EchogramForm(QWidget):
    """What the panel shows.

    Args:
        view: Of the echogram.
    """

    def __init__(self, view: QWidget) -> None:
        super().__init__()
        self.echogram = QgsMapLayerComboBox()
        self.echogram.setFilters(Qgis.LayerFilter.RasterLayer)
        self.echogram.setAllowEmptyLayer(True, tr("Choose an echogram"))
        self.echogram.setCurrentIndex(0)
        self.lines = QgsMapLayerComboBox()
        self.lines.setFilters(Qgis.LayerFilter.LineLayer)
        self.lines.setAllowEmptyLayer(True, tr("Choose layer lines"))
        self.lines.setCurrentIndex(0)
        self.contrast = self._slider(tr("Contrast: how far apart black and white are."))
        self.gain = self._slider(tr("Gain: brighter or darker echoes."))
        self.stretch = QDoubleSpinBox()
        self.stretch.setRange(*STRETCH)
        self.stretch.setValue(1)
        self.stretch.setSingleStep(0.25)
        self.stretch.setSuffix(" ×")
        self.stretch.setToolTip(tr("Width of a trace, in heights of a sample."))
        self.height_button = QPushButton(tr("Fit height"))
        self.height_button.setToolTip(tr("Show all samples of the first traces."))
        self.all_button = QPushButton(tr("Whole frame"))
        self.edit_button = QPushButton(tr("Edit lines"))
        self.edit_button.setCheckable(True)
        self.edit_button.setToolTip(
            tr("Start editing the line layer; ask to save when it is switched off.")
        )
        self.draw_button = QPushButton(tr("Draw layer"))
        self.draw_button.setCheckable(True)
        self.draw_button.setToolTip(
            tr(
                "Left clicks add vertices, a right click ends the line, Backspace takes one back. "
                "A stretch of a layer that exists is replaced by what is drawn."
            )
        )
        self.number = QComboBox()
        self.number.setToolTip(tr("The layer to draw."))
        self.snapping = QSpinBox()
        self.snapping.setRange(0, LARGEST_WINDOW)
        self.snapping.setValue(WINDOW)
        self.snapping.setSpecialValueText(tr("off"))
        self.snapping.setToolTip(
            tr("Snap to the strongest echo within so many samples up and down, at each trace.")
        )
        self.place = QLabel()
        self.place.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.status = QLabel()
        self.status.setWordWrap(True)
        self._arrange(view)

    @property
    def contrast_share(self) -> float:
        """Where the slider of the contrast is, from -1 to 1."""
        return self.contrast.value() / SLIDER

    @property
    def gain_share(self) -> float:
        """Where the slider of the gain is, from -1 to 1."""
        return self.gain.value() / SLIDER

    def enable(self, *, echogram: bool, lines: bool, editing: bool) -> None:
        """Let buttons say what can be done now.

        Args:
            echogram: Whether one is shown.
            lines: Whether a line layer is chosen.
            editing: Whether it is being edited.
        """
        self.edit_button.setEnabled(echogram and lines)
        self.edit_button.setChecked(editing)
        drawing: tuple[QWidget, ...] = (self.draw_button, self.number, self.snapping)
        for widget in drawing:
            widget.setEnabled(echogram and editing)
        if not editing:
            self.draw_button.setChecked(False)
        looks: tuple[QWidget, ...] = (self.contrast, self.gain, self.stretch)
        for widget in (*looks, self.height_button, self.all_button):
            widget.setEnabled(echogram)

    def offer_layers(self, numbers: Iterable[int]) -> None:
        """Offer layers to draw, and leave the chosen one if it is still there."""
        chosen = self.number.currentData()
        self.number.clear()
        self.number.addItem(tr("New layer"), None)
        self.number.addItem(tr("Surface"), 1)
        self.number.addItem(tr("Bed"), 2)
        for number in numbers:
            if self.number.findData(number) < 0:
                self.number.addItem(tr("Layer {number}").format(number=number), number)
        self.number.setCurrentIndex(max(self.number.findData(chosen), 0))

    def show_place(self, axes: EchogramAxes, x: float, y: float) -> None:
        """Show what a place in an echogram stands for."""
        self.place.setText(_described(axes, x, y))

    def say(self, text: str) -> None:
        """Show a message; a blank one leaves no room."""
        self.status.setText(text)
        self.status.setVisible(bool(text))

    def _slider(self, text: str) -> QSlider:
        slider = QSlider(Qt.Orientation.Horizontal)
        slider.setRange(-SLIDER, SLIDER)
        slider.setToolTip(text)
        return slider

    def _arrange(self, view: QWidget) -> None:
        form = QFormLayout()
        form.addRow(tr("Echogram"), self.echogram)
        form.addRow(tr("Layer lines"), self.lines)
        looks = QHBoxLayout()
        for title, widget in ((tr("Contrast"), self.contrast), (tr("Gain"), self.gain)):
            looks.addWidget(QLabel(title))
            looks.addWidget(widget, 1)
        looks.addWidget(QLabel(tr("Stretch")))
        looks.addWidget(self.stretch)
        looks.addWidget(self.height_button)
        looks.addWidget(self.all_button)
        drawing = QHBoxLayout()
        drawing.addWidget(self.edit_button)
        drawing.addWidget(self.draw_button)
        drawing.addWidget(self.number, 1)
        drawing.addWidget(QLabel(tr("Snap (samples)")))
        drawing.addWidget(self.snapping)
        column = QVBoxLayout(self)
        column.addLayout(form)
        column.addLayout(looks)
        column.addWidget(view, 1)
        column.addWidget(self.place)
        column.addLayout(drawing)
        column.addWidget(self.status)


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
