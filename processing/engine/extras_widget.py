"""The widget for the extras of the set-up; loaded only where there is a window."""

from __future__ import annotations

from collections.abc import Sequence

from qgis.PyQt.QtCore import Qt
from qgis.PyQt.QtWidgets import QCheckBox, QLabel, QVBoxLayout, QWidget

from glacier_qgis.setup.needs import EXTRAS, engine_size, extra_label, is_available
from glacier_qgis.translation import tr
from processing.gui.wrappers import WidgetWrapper


class ExtrasWidget(WidgetWrapper):
    """A box to tick for each extra, with what it is for, and what all of it needs."""

    def createWidget(self) -> QWidget:
        """Build the widget."""
        widget = QWidget()
        column = QVBoxLayout(widget)
        column.setContentsMargins(0, 0, 0, 0)
        self._boxes = {name: QCheckBox(extra_label(name)) for name in EXTRAS}
        for name, box in self._boxes.items():
            box.setEnabled(is_available(name))
            box.stateChanged.connect(self._changed)
            column.addWidget(box)
        self._size = QLabel()
        self._size.setTextFormat(Qt.TextFormat.PlainText)
        self._size.setWordWrap(True)
        column.addWidget(self._size)
        self._changed()
        return widget

    def setValue(self, value: str | Sequence[str] | None) -> None:
        """Tick what is in a list, or in a text with commas."""
        chosen = value.split(",") if isinstance(value, str) else list(value or ())
        for name, box in self._boxes.items():
            box.setChecked(name in chosen)

    def value(self) -> list[str]:
        """Return what is ticked."""
        return [name for name, box in self._boxes.items() if box.isChecked()]

    def _changed(self) -> None:
        size = engine_size(self.value())
        self._size.setText(tr("The whole engine: {size}.").format(size=size) if size else "")
        self.widgetValueHasChanged.emit(self)
