"""Draw the pictures of the tutorial on termini from the results of its commands.

    /usr/bin/python3 docs/pictures/termini.py FOLDER

``run.py`` calls this after the commands, with the FOLDER in which they ran.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from qgis.core import QgsProcessingProvider
from qgis.PyQt.QtGui import QFont
from qgis.PyQt.QtWidgets import QApplication
from reports import finish, plotly_figure, values
from shared import (
    PICTURES,
    draw,
    glacier_provider,
    lines,
    satellite,
    sheet,
    shrink,
)

LINES = {"solid": "-", "dot": ":", "dash": "--"}
MARKERS = {"circle": "o", "x-thin-open": "x"}
POINTS_PER_PIXEL = 0.75
LAST = Path("jakobshavn", "Jakobshavn_TSX_20140918.tif")


def change(report: Path, picture: Path) -> None:
    """Draw the first figure of a report of changes without a browser."""
    figure, axes = plt.subplots(figsize=(9, 4.4), dpi=90)
    traces, layout = plotly_figure(report)
    for trace in traces:
        style, marker = trace.get("line", {}), trace.get("marker", {})
        x = np.array(values(trace["x"]), dtype="datetime64[ms]")
        y = np.array(values(trace["y"]), dtype=float)
        look = {
            "color": style.get("color") or marker.get("color"),
            "linestyle": LINES[style.get("dash", "solid")] if "lines" in trace["mode"] else "",
            "linewidth": POINTS_PER_PIXEL * style.get("width", 1),
            "marker": MARKERS[marker.get("symbol", "circle")] if "markers" in trace["mode"] else "",
            "markersize": POINTS_PER_PIXEL * marker.get("size", 0),
            "label": trace["name"],
        }
        bars = trace.get("error_y")
        if bars:
            axes.errorbar(x, y, values(bars["array"]), ecolor=bars["color"], capsize=3, **look)
        else:
            axes.plot(x, y, **look)
    axes.set_ylabel(layout["yaxis"]["title"]["text"])
    axes.legend(loc="upper right", frameon=False)
    finish(figure, [axes], picture)


def dialogs(provider: QgsProcessingProvider) -> None:
    """Draw two dialogs, filled in as the tutorial says."""
    QApplication.setFont(QFont("DejaVu Sans", 9))
    scene, moved = PICTURES / "tutorial_dialog_scene.png", PICTURES / "tutorial_dialog_change.png"
    draw(provider, "delineatetermini", scene, {"INPUT": str(LAST)})
    inputs = {
        "TERMINI": "clean.gpkg",
        "METHOD": "curvilinear box",
        "CENTERLINE": "jakobshavn/centreline.gpkg",
        "BOX_WIDTH": 2000,
    }
    draw(provider, "terminuschange", moved, inputs)
    shrink(scene)
    shrink(moved)


def main() -> None:
    """Draw them all."""
    os.chdir(sys.argv[1])  # the dialogs show paths as a person in the folder would type them
    with glacier_provider() as provider:
        from glacier_qgis import styles

        front, series = (
            lines("one.gpkg", styles.termini),
            lines("series.gpkg", styles.terminus_series),
        )
        last = satellite(LAST)
        sheet({"18 September 2014": ([front, last], 0)}, PICTURES / "tutorial_front.png")
        last = satellite(LAST)
        sheet({"Jakobshavn Isbræ": ([series, last], 0)}, PICTURES / "tutorial_series.png")
        dialogs(provider)
    change(Path("change.html"), PICTURES / "tutorial_change.png")


if __name__ == "__main__":
    main()
