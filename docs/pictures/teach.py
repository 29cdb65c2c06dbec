"""Draw the pictures of the tutorial on teaching an emulator from the results of its commands.

    /usr/bin/python3 docs/pictures/teach.py FOLDER

``run.py`` calls this after the commands, with the FOLDER in which they ran.
"""

from __future__ import annotations

import os
import sys

from qgis.core import QgsRasterLayer
from shared import PICTURES, glacier_provider, ground, hidden_entries, sheet

SLIDING_BAND = 2
"""Of the maps of the error: c = 12."""


def main() -> None:
    """Draw the errors of both emulators on one scale."""
    os.chdir(sys.argv[1])
    with glacier_provider():
        from glacier_qgis import styles

        land = ground("aletsch/aletsch.tif")
        panels = {}
        for title, path in (("Delivered", "error_before.tif"), ("Adapted", "error_after.tif")):
            layer = QgsRasterLayer(path, title)
            styles.speed(layer, {})
            layer.renderer().setInputBand(SLIDING_BAND)
            panels[title] = ([layer, land], hidden_entries(layer))
        sheet(panels, PICTURES / "tutorial_teach.png")


if __name__ == "__main__":
    main()
