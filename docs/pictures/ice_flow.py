"""Draw the pictures of the tutorial on ice flow from the results of its commands.

    /usr/bin/python3 docs/pictures/ice_flow.py FOLDER

``run.py`` calls this after the commands, with the FOLDER in which they ran.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

from PIL import Image
from qgis.core import (
    QgsMapRendererSequentialJob,
    QgsMapSettings,
    QgsProcessingProvider,
    QgsProject,
    QgsRasterLayer,
    QgsVectorLayer,
)
from qgis.PyQt.QtCore import QSize
from qgis.PyQt.QtGui import QColor, QFont, QImage, QPainter
from qgis.PyQt.QtWidgets import QApplication
from reports import simulation
from shared import (
    PICTURES,
    by_year,
    draw,
    glacier_provider,
    ground,
    hidden_entries,
    raster,
    sheet,
    shrink,
    side_by_side,
    years_of,
)

SURFACE = "aletsch/aletsch.tif"
SHOWN = (2000, 2050, 2100)
FRAME = QSize(300, 400)
FRAME_COLOURS = 64
FRAME_MS, LAST_MS = 500, 2000
"""How long a frame of the animation is seen, and the last one, ms."""


def speeds(styles: Any, picture: Path) -> None:  # noqa: ANN401  a module
    """Draw today's speed with and without sliding, in the same colours."""
    land = ground(SURFACE)
    sliding = QgsRasterLayer("speed_today.tif", "Speed")
    styles.speed(sliding, {})
    frozen = QgsRasterLayer("speed_frozen.tif", "Speed")
    frozen.setRenderer(sliding.renderer().clone())
    panels = {
        "Speed, sliding coefficient 12": ([sliding, land], hidden_entries(sliding)),
        "Speed without sliding": ([frozen, land], hidden_entries(frozen)),
    }
    sheet(panels, picture)


def retreat(styles: Any, picture: Path) -> None:  # noqa: ANN401  a module
    """Draw what the temporal controller shows, frame by frame."""
    ice = raster("thickness.tif", "Ice thickness", styles.thickness)
    outlines = QgsVectorLayer("outlines.gpkg", "Outlines", "ogr")
    styles.ice_outlines(outlines, {})
    spans = ice.temporalProperties().fixedRangePerBand()
    land = ground(SURFACE)  # the settings do not keep it alive
    settings = QgsMapSettings()
    settings.setLayers([outlines, ice, land])
    settings.setDestinationCrs(ice.crs())
    settings.setExtent(ice.extent())
    settings.setOutputSize(FRAME)
    settings.setBackgroundColor(QColor("white"))
    settings.setIsTemporal(True)
    frames = []
    for band, year in enumerate(years_of(ice), 1):
        settings.setTemporalRange(spans[band])
        job = QgsMapRendererSequentialJob(settings)
        job.start()
        job.waitForFinished()
        frames.append(framed(job.renderedImage(), f"{year:g}"))
    durations = [FRAME_MS] * (len(frames) - 1) + [LAST_MS]
    frames[0].save(picture, save_all=True, append_images=frames[1:], duration=durations, loop=0)


def framed(image: QImage, text: str) -> Image.Image:
    """Return a frame with its year, in few colours."""
    painter = QPainter(image)
    painter.setFont(QFont("DejaVu Sans", 16))
    painter.setPen(QColor("white"))
    painter.fillRect(0, 0, 76, 34, QColor(0, 0, 0, 150))
    painter.drawText(10, 25, text)
    painter.end()
    plain = image.convertToFormat(QImage.Format.Format_RGB888)
    data = plain.constBits().asstring(plain.sizeInBytes())
    size = (plain.width(), plain.height())
    whole = Image.frombuffer("RGB", size, data, "raw", "RGB", plain.bytesPerLine(), 1)
    return whole.quantize(FRAME_COLOURS, dither=Image.Dither.NONE)


def dialog(provider: QgsProcessingProvider, folder: Path) -> None:
    """Draw two pages of the dialog, filled in as the tutorial says."""
    QApplication.setFont(QFont("DejaVu Sans", 9))
    run = {
        "SURFACE": SURFACE,
        "INITIAL_THICKNESS": "aletsch/aletsch_thickness.tif",
        "ICE_MASK": "aletsch/aletsch_outline.gpkg",
        "RESOLUTION": 200,
        "BALANCE_TABLE": "warming.csv",
    }
    pages = [folder / f"page_{number}.png" for number in range(2)]
    for number, page in enumerate(pages):
        draw(provider, "simulateglacier", page, run, number)
    side_by_side(*pages, PICTURES / "tutorial_dialog_ice.png")
    shrink(PICTURES / "tutorial_dialog_ice.png")


def main() -> None:
    """Draw them all."""
    folder = Path(sys.argv[1])
    os.chdir(folder)
    with glacier_provider() as provider:
        from glacier_qgis import styles

        speeds(styles, PICTURES / "tutorial_ice_speed.png")
        thick = PICTURES / "tutorial_ice_thickness.png"
        by_year("thickness.tif", "Thickness", styles.thickness, SHOWN, SURFACE, thick)
        retreat(styles, PICTURES / "tutorial_ice_retreat.gif")
        simulation(Path("report.html"), PICTURES / "tutorial_ice_report.png")
        dialog(provider, folder)
        QgsProject.instance().clear()


if __name__ == "__main__":
    main()
