"""Draw the pictures of the tutorial on ice flow from the results of its commands.

    /usr/bin/python3 docs/tutorials/ice_flow_pictures.py FOLDER

``ice_flow.py`` calls this after the commands, with the FOLDER in which they ran.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np

ROOT = Path(__file__).absolute().parent.parent.parent
sys.path += [str(ROOT / "docs"), str(ROOT / "docs" / "pictures"), str(ROOT / ".ci")]

from dialogs import draw
from headless_qgis import glacier_provider
from maps import BAND_AND_NO_ICE, Page
from pictures import PICTURES, plotly_figure, values
from PIL import Image
from qgis.core import (
    QgsBilinearRasterResampler,
    QgsFillSymbol,
    QgsHillshadeRenderer,
    QgsMapLayer,
    QgsMapRendererSequentialJob,
    QgsMapSettings,
    QgsProcessingProvider,
    QgsProject,
    QgsRasterLayer,
    QgsSingleSymbolRenderer,
    QgsVectorLayer,
)
from qgis.PyQt.QtCore import QSize, Qt
from qgis.PyQt.QtGui import QColor, QFont, QImage, QPainter
from qgis.PyQt.QtWidgets import QApplication

SHOWN = (1880, 2017, 2100)
OUTLINED = (1880, 1920, 1960, 2017, 2040, 2070, 2100)
SOFTER = -60
"""Contrast of the ground, so that ice and outlines stand out."""
WIDTH = 1000
"""Of a sheet of maps, pixels."""
FRAME = QSize(240, 409)
FRAME_COLOURS = 64
FRAME_MS, LAST_MS = 350, 2000
"""How long a frame of the animation is seen, and the last one, ms."""
CELL_KM2 = 0.01


def years_of(layer: QgsRasterLayer) -> list[float]:
    """Return the year of each band."""
    names = [layer.bandName(band) for band in range(1, layer.bandCount() + 1)]
    return [float(name.rpartition("year ")[2]) for name in names]


def raster(path: str, title: str, style: Callable[..., None]) -> QgsRasterLayer:
    """Open a raster with a band a year, as the toolbox loads it."""
    layer = QgsRasterLayer(path, title)
    style(layer, {"TIMES": years_of(layer)})
    return layer


def ground(path: str = "surface_2017.tif") -> QgsRasterLayer:
    """Return the shaded landscape of a surface, of the last measured one unless said."""
    layer = QgsRasterLayer(path, "Ground")
    shade = QgsHillshadeRenderer(layer.dataProvider(), 1, 315, 45)
    shade.setZFactor(1.5)
    layer.setRenderer(shade)
    layer.brightnessFilter().setContrast(SOFTER)
    layer.resampleFilter().setZoomedInResampler(QgsBilinearRasterResampler())
    return layer


def sheet(panels: Mapping[str, tuple[Sequence[QgsMapLayer], int]], picture: Path) -> None:
    """Draw maps side by side; the legend of each explains its first layer.

    Args:
        panels: By title: layers from top to bottom, and how many entries of the legend to hide.
        picture: Where to.
    """
    project = QgsProject.instance()
    page = Page()
    for title, (layers, hidden) in panels.items():
        project.addMapLayers([layer for layer in layers if project.mapLayer(layer.id()) is None])
        project.setCrs(layers[-1].crs())
        page.add(title, layers, layers[-1].extent(), hidden)
    page.save(picture)
    small = QImage(str(picture)).scaledToWidth(WIDTH, Qt.TransformationMode.SmoothTransformation)
    small.convertToFormat(QImage.Format.Format_RGB16, Qt.ImageConversionFlag.AvoidDither).save(
        str(picture)
    )  # fewer shades, which compress


def by_year(path: str, title: str, style: Callable[..., None], picture: Path) -> None:
    """Draw the shown years of a raster side by side."""
    land = ground()
    panels = {}
    for year in SHOWN:
        layer = raster(path, title, style)
        layer.temporalProperties().setIsActive(False)
        layer.renderer().setInputBand(years_of(layer).index(year) + 1)
        panels[f"{title} in {year}"] = ([layer, land], BAND_AND_NO_ICE)
    sheet(panels, picture)


def ice_age(styles: Any, picture: Path) -> None:  # noqa: ANN401  a module
    """Draw the last state of the icefield: thickness and speed."""
    land = ground("alps.tif")
    panels = {}
    for title, path, style in (
        ("Thickness", "ice_age_thickness.tif", styles.thickness),
        ("Speed", "ice_age_speed.tif", styles.speed),
    ):
        layer = raster(path, title, style)
        layer.temporalProperties().setIsActive(False)
        panels[f"{title} after a thousand years"] = ([layer, land], BAND_AND_NO_ICE)
    sheet(panels, picture)


def south(styles: Any, picture: Path) -> None:  # noqa: ANN401  a module
    """Draw South Glacier: its thickness in the first and the last year, and its first speed."""
    land = ground("south_surface.tif")
    panels = {}
    for title, path, style, band in (
        ("Thickness", "south_ice.tif", styles.thickness, 1),
        ("Thickness after 100 years", "south_ice.tif", styles.thickness, 11),
        ("Speed", "south_speed.tif", styles.speed, 1),
    ):
        layer = raster(path, title, style)
        layer.temporalProperties().setIsActive(False)
        layer.renderer().setInputBand(band)
        panels[title] = ([layer, land], BAND_AND_NO_ICE)
    sheet(panels, picture)


def outlines(styles: Any, picture: Path) -> None:  # noqa: ANN401  a module
    """Draw the outlines by year, with the measured one, and the misfit beside them."""
    layer = QgsVectorLayer("outlines.gpkg", "Outlines", "ogr")
    layer.setSubsetString(f"time IN {OUTLINED}")
    styles.ice_outlines(layer, {})
    layer.temporalProperties().setIsActive(False)
    measured = QgsVectorLayer("outline_2017.gpkg", "Measured in 2017", "ogr")
    look = {"style": "no", "outline_color": "#d7191c", "outline_width": "0.5"}
    measured.setRenderer(QgsSingleSymbolRenderer(QgsFillSymbol.createSimple(look)))
    misfit = QgsRasterLayer("misfit.tif", "Misfit")
    styles.misfit(misfit, {})
    land = ground()
    panels = {
        "Outlines; red: measured in 2017": ([layer, measured, land], 0),
        "Misfit of the surface in 2017": ([misfit, land], 1),
    }
    sheet(panels, picture)


def retreat(styles: Any, picture: Path) -> None:  # noqa: ANN401  a module
    """Draw what the temporal controller shows, frame by frame."""
    ice = raster("thickness.tif", "Ice thickness", styles.thickness)
    lines = QgsVectorLayer("outlines.gpkg", "Outlines", "ogr")
    styles.ice_outlines(lines, {})
    land = ground()
    spans = ice.temporalProperties().fixedRangePerBand()
    settings = QgsMapSettings()
    settings.setLayers([lines, ice, land])
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


def report(picture: Path) -> None:
    """Draw curves and hypsometry of the report without a browser, with what was measured."""
    figure, axes = plt.subplots(2, 2, figsize=(10, 6.6), dpi=100)
    curves, layout = plotly_figure(Path("report.html"))
    for number, (axis, trace) in enumerate(zip(axes[0], curves[:2], strict=True), 1):
        axis.plot(values(trace["x"]), values(trace["y"]), color="#1f5a94", marker=".", label="run")
        axis.set_ylabel(layout[f"yaxis{number if number > 1 else ''}"]["title"]["text"])
        axis.set_ylim(bottom=0)
    years, volumes, areas = measured()
    for axis, amounts in zip(axes[0], (volumes, areas), strict=True):
        axis.plot(years, amounts, "D", color="#d1661f", label="measured")
        axis.legend(frameon=False)
    stairs, layout = plotly_figure(Path("report.html"), 2)
    for number, trace in enumerate(stairs):
        axis = axes[1][number % 2]
        look = {"color": trace["line"]["color"], "label": trace["name"]}
        axis.plot(values(trace["x"]), values(trace["y"]), **look)
        axis.set_xlabel(layout["xaxis2" if number % 2 else "xaxis"]["title"]["text"])
    axes[1][0].set_ylabel(layout["yaxis"]["title"]["text"])
    axes[1][0].legend(frameon=False)
    for axis in axes.flat:
        axis.grid(color="#dde3ea")
        axis.spines[:].set_visible(False)
    figure.tight_layout()
    figure.savefig(picture)
    plt.close(figure)


def measured() -> tuple[list[int], list[float], list[float]]:
    """Return years, volumes (km³) and areas (km²) inside the outline of 1880."""
    first = band("thickness_1880.tif")
    bed = band("bed.tif")
    years, volumes, areas = [], [], []
    for path in sorted(Path().glob("surface_*.tif")):
        ice = np.where(first > 0, (band(str(path)) - bed).clip(min=0), 0)
        years.append(int(path.stem.rpartition("_")[2]))
        volumes.append(float(ice.sum()) * CELL_KM2 / 1000)
        areas.append(int((ice >= 1).sum()) * CELL_KM2)
    return years, volumes, areas


def band(path: str) -> np.ndarray:
    """Return the values of a raster of one band."""
    layer = QgsRasterLayer(path, path)
    block = layer.dataProvider().block(1, layer.extent(), layer.width(), layer.height())
    size = layer.width() * layer.height()
    return np.array([block.value(index) for index in range(size)])


def dialog(provider: QgsProcessingProvider) -> None:
    """Draw the dialog, filled in as the tutorial says."""
    QApplication.setFont(QFont("DejaVu Sans", 9))
    run = {
        "BED": "bed.tif",
        "INITIAL_THICKNESS": "thickness_1880.tif",
        "ICE_MASK": "outline_1880.gpkg",
        "START": 1880,
        "END": 2100,
        "BALANCE_TABLE": "warming.csv",
        "THICKNESS": "thickness.tif",
        "VELOCITY": "speed.tif",
        "OUTLINES": "outlines.gpkg",
        "REPORT": "report.html",
    }
    draw(provider, "simulateglacier", PICTURES / "tutorial_dialog_ice.png", run)


def main() -> None:
    """Draw them all."""
    os.chdir(sys.argv[1])
    with glacier_provider() as provider:
        from glacier_qgis import styles

        by_year(
            "thickness.tif", "Thickness", styles.thickness, PICTURES / "tutorial_ice_thickness.png"
        )
        by_year("speed.tif", "Speed", styles.speed, PICTURES / "tutorial_ice_speed.png")
        ice_age(styles, PICTURES / "tutorial_ice_age.png")
        south(styles, PICTURES / "tutorial_ice_south.png")
        outlines(styles, PICTURES / "tutorial_ice_outlines.png")
        retreat(styles, PICTURES / "tutorial_ice_retreat.gif")
        report(PICTURES / "tutorial_ice_report.png")
        dialog(provider)
        QgsProject.instance().clear()


if __name__ == "__main__":
    main()
