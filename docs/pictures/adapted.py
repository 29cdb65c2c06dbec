"""Draw fronts before and after "Teach it your glacier" from the results of its commands.

    /usr/bin/python3 docs/pictures/adapted.py FOLDER

``run.py`` calls this after the commands, with the FOLDER in which they ran.
"""

from __future__ import annotations

import sys
from pathlib import Path

from qgis.core import (
    QgsCategorizedSymbolRenderer,
    QgsFeature,
    QgsField,
    QgsLineSymbol,
    QgsRendererCategory,
    QgsVectorLayer,
)
from qgis.PyQt.QtCore import QMetaType
from shared import PICTURES, glacier_provider, satellite, sheet

NOT_CORRECTED = ("Jakobshavn_TSX_20110720", "Jakobshavn_TSX_20130817")
LOOKS = {
    "traced": ("jakobshavn/fronts.gpkg", {"color": "#ffe14d", "width": "1.4"}),
    "before": ("series.gpkg", {"color": "#f58518", "width": "0.6"}),
    "after": ("my_series.gpkg", {"color": "#22d3ee", "width": "0.6"}),
}
"""By title: where lines are, and their symbol."""


def main(folder: Path) -> None:
    """Draw all lines of scenes that were not corrected."""
    with glacier_provider():
        panels = {}
        for name in NOT_CORRECTED:
            scene = satellite(folder / "jakobshavn" / f"{name}.tif")
            panels[dated(name)] = ([together(folder, name, scene.crs().authid()), scene], 0)
        sheet(panels, PICTURES / "tutorial_glacier_after.png")


def dated(name: str) -> str:
    """Return the date in a scene's name."""
    digits = name[-8:]
    return f"{digits[:4]}-{digits[4:6]}-{digits[6:]}"


def together(folder: Path, scene: str, crs: str) -> QgsVectorLayer:
    """Return the lines of a scene from all files as one layer with a legend."""
    layer = QgsVectorLayer(f"LineString?crs={crs}", "Front", "memory")
    layer.dataProvider().addAttributes([QgsField("line", QMetaType.Type.QString)])
    layer.updateFields()
    categories = []
    for title, (path, look) in LOOKS.items():
        symbol = QgsLineSymbol.createSimple(look)
        categories.append(QgsRendererCategory(title, symbol, title))
        asked = f"image_id = '{scene}'"
        for row in QgsVectorLayer(str(folder / path)).getFeatures(asked):
            for part in row.geometry().asGeometryCollection():
                line = QgsFeature(layer.fields())
                line.setGeometry(part)
                line.setAttributes([title])
                layer.dataProvider().addFeature(line)
    layer.setRenderer(QgsCategorizedSymbolRenderer("line", categories))
    layer.renderer().setUsingSymbolLevels(True)
    return layer


if __name__ == "__main__":
    main(Path(sys.argv[1]))
