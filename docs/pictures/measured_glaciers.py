"""Draw the pictures of the tutorial on measured glaciers from the results of its commands.

    /usr/bin/python3 docs/pictures/measured_glaciers.py FOLDER

``run.py`` calls this after the commands, with the FOLDER in which they ran.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import numpy as np
from qgis.core import (
    QgsFillSymbol,
    QgsProject,
    QgsRasterLayer,
    QgsSingleSymbolRenderer,
    QgsVectorLayer,
)
from reports import simulation
from shared import (
    PICTURES,
    by_year,
    glacier_provider,
    ground,
    hidden_entries,
    raster,
    sheet,
)

SHOWN = (1880, 2017, 2100)
OUTLINED = (1880, 1920, 1960, 2017, 2040, 2070, 2100)
LAST_SURFACE = "surface_2017.tif"
CELL_KM2 = 0.01


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
        panels[f"{title} after a thousand years"] = ([layer, land], hidden_entries(layer))
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
        panels[title] = ([layer, land], hidden_entries(layer))
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
    land = ground(LAST_SURFACE)
    panels = {
        "Outlines; red: measured in 2017": ([layer, measured, land], 0),
        "Misfit of the surface in 2017": ([misfit, land], 1),
    }
    sheet(panels, picture)


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


def main() -> None:
    """Draw them all."""
    os.chdir(sys.argv[1])
    with glacier_provider():
        from glacier_qgis import styles

        for path, title, style in (
            ("thickness.tif", "Thickness", styles.thickness),
            ("speed.tif", "Speed", styles.speed),
        ):
            picture = PICTURES / f"measured_{title.lower()}.png"
            by_year(path, title, style, SHOWN, LAST_SURFACE, picture)
        ice_age(styles, PICTURES / "measured_age.png")
        south(styles, PICTURES / "measured_south.png")
        outlines(styles, PICTURES / "measured_outlines.png")
        simulation(Path("report.html"), PICTURES / "measured_report.png", measured())
        QgsProject.instance().clear()


if __name__ == "__main__":
    main()
