"""Draw the pictures of the concepts from the results of the algorithms' examples.

    /usr/bin/python3 docs/pictures/concepts.py FOLDER

``docs/run.py algorithms`` calls this with the FOLDER in which the examples ran.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

from qgis.core import QgsRasterLayer, QgsVectorLayer
from shared import PICTURES, glacier_provider, lines, satellite, sheet

SCENE = "jakobshavn/Jakobshavn_TSX_20140918.tif"


def styled(path: str, title: str, style: Callable[..., None]) -> QgsRasterLayer:
    """Open a raster as the toolbox shows it."""
    layer = QgsRasterLayer(path, title)
    style(layer, {})
    return layer


def points(path: str, style: Callable[..., None]) -> QgsVectorLayer:
    """Open points along a front as the toolbox shows them."""
    layer = QgsVectorLayer(path, "Points along the line", "ogr")
    style(layer, {})
    return layer


def main() -> None:
    """Draw both."""
    os.chdir(sys.argv[1])
    with glacier_provider():
        from glacier_qgis import styles

        scene = Path(SCENE)
        front = lines("termini.gpkg", styles.termini)
        zones = styled("zones.tif", "Zones", styles.zones)
        panels = {
            "Scene and terminus": ([front, satellite(scene)], 0),
            "Zones": ([zones, satellite(scene)], 1),
        }
        sheet(panels, PICTURES / "concept_zones.png")
        along = points("points.gpkg", styles.terminus_points)
        doubt = styled("zones_uncertainty.tif", "Uncertainty", styles.uncertainty)
        panels = {
            "Uncertainty along the line": ([along, satellite(scene)], 0),
            "Uncertainty of the zones": ([doubt], 1),
        }
        sheet(panels, PICTURES / "concept_uncertainty.png")


if __name__ == "__main__":
    main()
