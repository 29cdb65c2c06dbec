"""Draw the pictures of the tutorial from an outline to a projection from its commands' results.

    /usr/bin/python3 docs/pictures/projection.py FOLDER

``run.py`` calls this after the commands, with the FOLDER in which they ran.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

from qgis.core import (
    QgsMapLayer,
    QgsMarkerSymbol,
    QgsProject,
    QgsRasterLayer,
    QgsSingleSymbolRenderer,
    QgsVectorLayer,
)
from reports import simulation
from shared import PICTURES, by_year, glacier_provider, ground, hidden_entries, sheet

SURFACE = "south_surface.tif"
SHOWN = (2000, 2050, 2100)


def inversions(styles: Any, picture: Path) -> None:  # noqa: ANN401  a module
    """Draw both thicknesses in the same colours, and the spread of the second."""
    land = ground(SURFACE)
    first = QgsRasterLayer("outline_thickness.tif", "Thickness")
    styles.thickness(first, {})
    second = QgsRasterLayer("thickness_today.tif", "Thickness")
    second.setRenderer(first.renderer().clone())
    points = QgsVectorLayer("south_soundings.gpkg", "Soundings", "ogr")
    dot = {"color": "#d7191c", "size": "0.25", "outline_style": "no"}
    points.setRenderer(QgsSingleSymbolRenderer(QgsMarkerSymbol.createSimple(dot)))
    panels: dict[str, tuple[list[QgsMapLayer], int]] = {
        "Thickness from the outline": ([first, land], hidden_entries(first)),
        "With soundings": ([second, land], hidden_entries(second)),
        "Where the radar sounded": ([points, land], 0),
    }
    sheet(panels, picture)


def main() -> None:
    """Draw them all."""
    os.chdir(sys.argv[1])
    with glacier_provider():
        from glacier_qgis import styles

        inversions(styles, PICTURES / "tutorial_projection_thickness.png")
        future = PICTURES / "tutorial_projection_ice.png"
        by_year("thickness.tif", "Thickness", styles.thickness, SHOWN, SURFACE, future)
        simulation(Path("report.html"), PICTURES / "tutorial_projection_report.png")
        QgsProject.instance().clear()


if __name__ == "__main__":
    main()
