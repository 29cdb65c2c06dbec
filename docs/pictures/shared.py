"""What the pictures of several tutorials are made with."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from PIL import Image

PICTURES = Path(__file__).absolute().parent
sys.path += [str(PICTURES.parent), str(PICTURES.parents[1] / "tools")]

from dialogs import draw
from headless_qgis import glacier_provider
from in_qgis.maps import Page, hidden_entries
from qgis.core import (
    QgsBilinearRasterResampler,
    QgsContrastEnhancement,
    QgsHillshadeRenderer,
    QgsMapLayer,
    QgsProject,
    QgsRasterLayer,
    QgsRasterMinMaxOrigin,
    QgsVectorLayer,
)
from small import shrink

__all__ = [
    "PICTURES",
    "by_year",
    "draw",
    "glacier_provider",
    "ground",
    "hidden_entries",
    "lines",
    "raster",
    "satellite",
    "sheet",
    "shrink",
    "side_by_side",
    "years_of",
]

WIDTH = 1000
"""Of a sheet of maps, pixels."""
SOFTER = -60
"""Contrast of the ground, so that ice and outlines stand out."""


def side_by_side(left: Path, right: Path, picture: Path) -> None:
    """Join two pictures of the same height."""
    images = [Image.open(left), Image.open(right)]
    whole = Image.new("RGB", (sum(one.width for one in images), images[0].height))
    whole.paste(images[0], (0, 0))
    whole.paste(images[1], (images[0].width, 0))
    whole.save(picture)


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
    project.removeAllMapLayers()
    shrink(picture, WIDTH // 2 if len(panels) == 1 else WIDTH)


def satellite(path: Path) -> QgsRasterLayer:
    """Open a scene, bright enough to see its dark parts."""
    scene = QgsRasterLayer(str(path), "Scene")
    scene.setContrastEnhancement(
        QgsContrastEnhancement.ContrastEnhancementAlgorithm.StretchToMinimumMaximum,
        QgsRasterMinMaxOrigin.Limits.CumulativeCut,
    )
    if path.name.startswith("Practice"):
        scene.brightnessFilter().setGamma(2.0)  # linear power, of which most is near black
    scene.setOpacity(0.75)
    return scene


def lines(path: str, style: Callable[..., None]) -> QgsVectorLayer:
    """Open terminus lines, styled as the toolbox does it."""
    layer = QgsVectorLayer(path, "Terminus lines", "ogr")
    style(layer, {})
    return layer


def years_of(layer: QgsRasterLayer) -> list[float]:
    """Return the year of each band."""
    names = [layer.bandName(band) for band in range(1, layer.bandCount() + 1)]
    return [float(name.rpartition("year ")[2]) for name in names]


def raster(path: str, title: str, style: Callable[..., None]) -> QgsRasterLayer:
    """Open a raster with one band per year, as the toolbox loads it."""
    layer = QgsRasterLayer(path, title)
    style(layer, {"TIMES": years_of(layer)})
    return layer


def ground(path: str) -> QgsRasterLayer:
    """Return the shaded landscape of a surface."""
    layer = QgsRasterLayer(path, "Ground")
    shade = QgsHillshadeRenderer(layer.dataProvider(), 1, 315, 45)
    shade.setZFactor(1.5)
    layer.setRenderer(shade)
    layer.brightnessFilter().setContrast(SOFTER)
    layer.resampleFilter().setZoomedInResampler(QgsBilinearRasterResampler())
    return layer


def by_year(
    path: str,
    title: str,
    style: Callable[..., None],
    years: Sequence[float],
    surface: str,
    picture: Path,
) -> None:
    """Draw some years of a raster side by side over the landscape of a surface."""
    land = ground(surface)
    panels = {}
    for year in years:
        layer = raster(path, title, style)
        layer.temporalProperties().setIsActive(False)
        layer.renderer().setInputBand(years_of(layer).index(year) + 1)
        panels[f"{title} in {year:g}"] = ([layer, land], hidden_entries(layer))
    sheet(panels, picture)
