"""Draw the panel "Review" over a review of the sample scenes into ``docs/pictures/review.png``.

    /usr/bin/python3 docs/pictures/review.py FOLDER

with the Python that QGIS runs in, after ``tools/link.py``; no screen is needed. FOLDER is where
the examples ran: it holds ``review.gpkg``.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

sys.path.append(str(Path(__file__).parent.parent))

from headless_qgis import glacier_provider
from qgis.core import QgsProject, QgsVectorLayer
from qgis.gui import QgsMapCanvas
from qgis.PyQt.QtCore import QSize, Qt
from qgis.PyQt.QtGui import QFont
from qgis.PyQt.QtWidgets import QApplication, QMainWindow

SIZE = QSize(1000, 560)
TABLES = ("tasks", "lines_predicted", "lines")
SECONDS = 3.0


def draw(review: Path, path: Path) -> None:
    """Open a window with map and panel at the first task, and draw it."""
    from glacier_qgis.review.review_commands import LineTools
    from glacier_qgis.review.review_panel import ReviewPanel

    project, window, canvas = QgsProject.instance(), QMainWindow(), QgsMapCanvas()
    panel = ReviewPanel(canvas, LineTools(*3 * [lambda layer: None], lambda: None), window)
    window.setCentralWidget(canvas)
    window.addDockWidget(Qt.DockWidgetArea.RightDockWidgetArea, panel)
    for table in TABLES:
        project.addMapLayer(QgsVectorLayer(f"{review}|layername={table}", table, "ogr"))
    (tasks,) = project.mapLayersByName("tasks")
    canvas.setDestinationCrs(tasks.crs())
    window.resize(SIZE)
    window.show()
    deadline = time.monotonic() + SECONDS
    shown = False
    while time.monotonic() < deadline:
        QApplication.processEvents()
        if panel.queue is not None and not shown:
            shown = True
            panel.work_on_lines(lambda layer: None)
            canvas.setLayers([node.layer() for node in project.layerTreeRoot().findLayers()])
    window.grab().save(str(path))
    panel.close_down()
    project.clear()


def main() -> None:
    """Draw it."""
    with glacier_provider():
        QApplication.setFont(QFont("DejaVu Sans", 9))
        draw(Path(sys.argv[1]).absolute() / "review.gpkg", Path(__file__).parent / "review.png")


if __name__ == "__main__":
    main()
