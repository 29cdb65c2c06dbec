"""A map canvas that is drawn wider or narrower than it is: traces and samples need no one scale."""

from __future__ import annotations

from qgis.gui import QgsMapCanvas
from qgis.PyQt.QtCore import Qt
from qgis.PyQt.QtGui import QResizeEvent, QTransform
from qgis.PyQt.QtWidgets import QFrame, QGraphicsScene, QGraphicsView, QWidget


class Stretched(QGraphicsView):
    """Shows a canvas stretched along x; its events and its own coordinates stay those of QGIS."""

    def __init__(self, canvas: QgsMapCanvas, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._canvas = canvas
        self._factor = 1.0
        self._stage = QGraphicsScene(self)
        self._proxy = self._stage.addWidget(canvas)
        self.setScene(self._stage)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setMinimumHeight(160)

    def stretch(self, factor: float) -> None:
        """Draw each trace so many times as wide as a sample is high."""
        self._factor = factor
        self._fit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Fill the widget."""
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        size = self.viewport().size()
        self._canvas.resize(max(round(size.width() / self._factor), 1), size.height())
        self._proxy.setTransform(QTransform.fromScale(self._factor, 1))
        self._stage.setSceneRect(0, 0, size.width(), size.height())
