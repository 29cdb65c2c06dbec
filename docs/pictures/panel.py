"""Draw the panel "Calving fronts" with a preview into ``docs/pictures/panel.png``.

    GLACIER_ENGINE_PYTHON=build/engine/bin/python /usr/bin/python3 docs/pictures/panel.py [FOLDER]

with the Python that QGIS runs in, after ``tools/link.py``; no screen is needed.
"""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

sys.path.append(str(Path(__file__).parent.parent))

from headless_qgis import glacier_provider
from qgis.core import QgsProject, QgsRasterLayer
from qgis.gui import QgsMapCanvas
from qgis.PyQt.QtCore import QSize, Qt
from qgis.PyQt.QtGui import QFont
from qgis.PyQt.QtWidgets import QApplication, QMainWindow, QPushButton

ROOT = Path(__file__).parents[2]
SCENE = ROOT / "glacier_qgis" / "sample" / "jakobshavn" / "Jakobshavn_TSX_20100711.tif"
SIZE = QSize(1000, 560)
PATIENCE = 120.0


def wait(ready: Callable[[], bool]) -> None:
    """Let Qt work until something has happened."""
    deadline = time.monotonic() + PATIENCE
    while not ready():
        if time.monotonic() > deadline:
            raise SystemExit("the engine did not answer")
        QApplication.processEvents()
        time.sleep(0.01)


def draw(scene: Path, path: Path) -> None:
    """Open a window with map and panel, press both buttons, and draw it."""
    from glacier_qgis.client.warm_engine import WarmEngine
    from glacier_qgis.panel.front_panel import FrontPanel

    layer = QgsRasterLayer(str(scene), scene.stem)
    QgsProject.instance().addMapLayer(layer)
    window, canvas, engine = QMainWindow(), QgsMapCanvas(), WarmEngine()
    canvas.setDestinationCrs(layer.crs())
    canvas.setLayers([layer])
    panel = FrontPanel(canvas, engine, window)
    window.setCentralWidget(canvas)
    window.addDockWidget(Qt.DockWidgetArea.RightDockWidgetArea, panel)
    window.resize(SIZE)
    window.show()
    canvas.setExtent(layer.extent())
    for title in ("Run", "Preview"):
        buttons = [each for each in panel.findChildren(QPushButton) if each.text() == title]
        buttons[0].click()
        wait(buttons[0].isEnabled)
    wait(lambda: not canvas.isDrawing())
    window.grab().save(str(path))
    panel.close_down()
    engine.stop()
    QgsProject.instance().clear()


def main() -> None:
    """Draw it."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent
    with glacier_provider(), TemporaryDirectory() as work:  # QGIS writes beside what it opens
        QApplication.setFont(QFont("DejaVu Sans", 9))
        draw(Path(shutil.copy(SCENE, work)), folder / "panel.png")


if __name__ == "__main__":
    main()
