"""The scene of a task alone, beside the map that shows it under the lines."""

from __future__ import annotations

from qgis.core import QgsMapLayer
from qgis.gui import QgsMapCanvas
from qgis.PyQt.QtCore import QSize, Qt
from qgis.PyQt.QtWidgets import QWidget

SMALLEST = QSize(160, 140)
"""Pixels."""


class Original(QgsMapCanvas):
    """Shows one layer where the map is, and nothing over it.

    Args:
        canvas: The map that is followed.
        parent: The widget that it lies in.
    """

    def __init__(self, canvas: QgsMapCanvas, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._map = canvas
        self.enableAntiAliasing(True)
        self.viewport().setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setMinimumSize(SMALLEST)
        canvas.extentsChanged.connect(self.follow)
        canvas.destinationCrsChanged.connect(self.follow)

    def sizeHint(self) -> QSize:
        """As little as possible: the panel gives it what is left."""
        return SMALLEST

    def show_layer(self, layer: QgsMapLayer | None) -> None:
        """Show a layer; None for nothing."""
        self.setLayers([] if layer is None else [layer])
        self.follow()

    def follow(self) -> None:
        """Go where the map is."""
        if self.layers():
            self.setDestinationCrs(self._map.mapSettings().destinationCrs())
            self.setExtent(self._map.extent())
            self.refresh()

    def close_down(self) -> None:
        """Let go of the map."""
        self._map.extentsChanged.disconnect(self.follow)
        self._map.destinationCrsChanged.disconnect(self.follow)
        self.setLayers([])
