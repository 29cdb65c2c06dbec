"""Draw the picture of the tutorial on a model of one's own from the results of its commands.

    /usr/bin/python3 docs/pictures/own_model.py FOLDER

``run.py`` calls this after the commands, with the FOLDER in which they ran.
"""

from __future__ import annotations

import sys
from pathlib import Path

from shared import (
    PICTURES,
    glacier_provider,
    lines,
    satellite,
    sheet,
)


def main(folder: Path) -> None:
    """Draw the fronts by both models over the last scene."""
    last = max((folder / "scenes").glob("*.tif"))
    with glacier_provider():
        from glacier_qgis.styles import terminus_series

        panels = {
            title: ([lines(str(folder / name), terminus_series), satellite(last)], 0)
            for title, name in (
                ("The delivered model", "series.gpkg"),
                ("The model trained here", "own_series.gpkg"),
            )
        }
        sheet(panels, PICTURES / "tutorial_own_model.png")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
