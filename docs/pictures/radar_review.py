"""Photograph the review of an echogram in a QGIS window into ``docs/pictures/radar_review.png``.

    /usr/bin/python3 docs/pictures/radar_review.py FOLDER

with the Python that QGIS runs in, after ``tools/link.py``; QGIS and Xvfb must be installed.
``docs/run.py radargram`` calls this with the FOLDER in which the tutorial's commands ran.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).absolute().parents[2]
sys.path.append(str(ROOT / "tools"))

from in_qgis.main_window import Window, begin, expect, open_qgis

PICTURE = ROOT / "docs" / "pictures" / "radar_review.png"
FOLDER = "RADARGRAM_FOLDER"
"""Variable that names the folder with the results of the tutorial."""


def main(folder: Path) -> int:
    """Open QGIS with the review of the tutorial."""
    work = folder / "window"
    return open_qgis("radar_review", work, {FOLDER: str(folder.absolute())}, limit=300)


def inside(work: Path) -> None:
    """Work in the window: this is the module's second start, within QGIS."""
    begin(lambda window: photograph(window, Path(os.environ[FOLDER])))


def photograph(window: Window, folder: Path) -> None:
    """Open the review, and take the picture of its first task."""
    review, echogram = open_review(window, folder)
    expect(review.queue is not None, "the panel Review has no queue")
    task = review.queue.current
    expect(echogram.isVisible(), "the echogram is not shown")
    view = echogram.view.canvas.extent()
    expect(view.xMinimum() <= task.trace <= view.xMaximum(), "the doubtful trace is out of view")
    window.drawn()
    window.wait(2)
    window.picture(PICTURE)
    from PIL import Image
    from small import WIDTH, shrink

    with Image.open(PICTURE) as screen:
        image = screen.convert("RGB")
    image.crop(image.getbbox()).save(PICTURE)  # without the black screen around the window
    shrink(PICTURE, WIDTH)


def open_review(window: Window, folder: Path) -> tuple[Any, Any]:
    """Load the plugin and the layers, and open both panels; return them."""
    import qgis.utils
    from qgis.core import QgsCoordinateReferenceSystem, QgsProject, QgsRasterLayer, QgsVectorLayer
    from qgis.gui import QgsDockWidget

    sys.path.append(str(ROOT / "build" / "plugins"))
    qgis.utils.plugin_paths.append(str(ROOT / "build" / "plugins"))
    qgis.utils.updateAvailablePlugins()
    expect(qgis.utils.loadPlugin("glacier_qgis"), "the plugin cannot be loaded")
    expect(qgis.utils.startPlugin("glacier_qgis"), "the plugin does not start")
    project = QgsProject.instance()
    track = QgsVectorLayer(str(folder / "track.gpkg"), "Ground track")
    project.setCrs(track.crs())
    project.addMapLayer(track)
    frame = QgsRasterLayer(str(folder / "frame.tif"), "Echogram")
    tables = ("tasks", "lines_predicted", "lines")
    path = folder / "review.gpkg"
    aside = [frame, *(QgsVectorLayer(f"{path}|layername={name}", name) for name in tables)]
    for layer in aside:
        layer.setCrs(QgsCoordinateReferenceSystem())
        project.addMapLayer(layer)
        project.layerTreeRoot().findLayer(layer.id()).setItemVisibilityChecked(False)
    for name in ("Browser", "Layers", "LayerOrder"):
        dock = window.main.findChild(QgsDockWidget, name)
        if dock is not None:
            dock.setVisible(name == "Layers")
    panels = [
        window.main.findChild(QgsDockWidget, name)
        for name in ("GlacierReviewPanel", "GlacierEchogramPanel")
    ]
    window.wait(1)
    window.iface.messageBar().clearWidgets()
    panels[0].setUserVisible(True)
    window.wait(1)
    from qgis.PyQt.QtCore import Qt

    window.main.resizeDocks([panels[1]], [560], Qt.Orientation.Vertical)
    window.main.resizeDocks([panels[0]], [330], Qt.Orientation.Horizontal)
    window.wait(1)
    panels[0].step(0)  # now that the panel has its size
    return panels[0], panels[1]


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
