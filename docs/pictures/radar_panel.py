"""Draw the panel "Radar echogram" beside the map into ``docs/pictures/radar_panel.png``.

    /usr/bin/python3 docs/pictures/radar_panel.py FOLDER

with the Python that QGIS runs in, after ``tools/link.py``; no screen is needed. ``docs/run.py
radargram`` calls this with the FOLDER in which the tutorial's commands ran.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parent.parent))

from headless_qgis import glacier_provider
from qgis.core import QgsProject, QgsRasterLayer, QgsVectorLayer
from qgis.gui import QgsMapCanvas
from qgis.PyQt.QtCore import QSize, Qt
from qgis.PyQt.QtGui import QFont
from qgis.PyQt.QtWidgets import QApplication, QMainWindow
from small import shrink

PICTURE = Path(__file__).parent / "radar_panel.png"
SIZE = QSize(1200, 860)
TRACE = 300
"""The trace that is marked."""


def draw(folder: Path) -> None:
    """Open a window with map and panel, mark a trace, and draw it."""
    from glacier_qgis.panel.echogram_panel import EchogramPanel

    echogram = QgsRasterLayer(str(folder / "frame.tif"), "frame")
    lines = QgsVectorLayer(str(folder / "layers.gpkg"), "layers")
    points = QgsVectorLayer(str(folder / "accumulation.gpkg"), "accumulation")
    QgsProject.instance().addMapLayers([echogram, lines, points])
    window, canvas = QMainWindow(), QgsMapCanvas()
    canvas.setDestinationCrs(points.crs())
    canvas.setLayers([points])
    panel = EchogramPanel(canvas, window)
    window.setCentralWidget(canvas)
    window.addDockWidget(Qt.DockWidgetArea.BottomDockWidgetArea, panel)
    window.resize(SIZE)
    window.show()
    window.resizeDocks([panel], [SIZE.height() * 3 // 4], Qt.Orientation.Vertical)
    canvas.setExtent(points.extent().buffered(200))
    panel.show_layer(echogram)
    panel.show_lines(lines)
    QApplication.processEvents()
    panel.view.fit_height()
    place = panel.view.canvas.extent().center()
    panel.view.hovered.emit(TRACE + 0.5, place.y())
    panel.view.mark(TRACE)
    for each in (canvas, panel.view.canvas):
        each.refresh()
        QApplication.processEvents()  # rendering begins in a later turn of the loop
        each.waitWhileRendering()
    QApplication.processEvents()
    window.grab().save(str(PICTURE))
    shrink(PICTURE)
    panel.close_down()
    QgsProject.instance().clear()


def main(folder: Path) -> None:
    """Draw it."""
    with glacier_provider():
        QApplication.setFont(QFont("DejaVu Sans", 9))
        draw(folder)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
