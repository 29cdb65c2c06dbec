"""Draw the pictures of the tutorial from the results of its commands.

    /usr/bin/python3 docs/tutorials/pictures.py FOLDER

``termini.py`` calls this after the commands, with the FOLDER in which they ran.
"""

from __future__ import annotations

import base64
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np

ROOT = Path(__file__).absolute().parent.parent.parent
PICTURES = ROOT / "docs" / "pictures"
sys.path += [str(ROOT / "docs"), str(ROOT / "docs" / "pictures"), str(ROOT / ".ci")]

from dialogs import draw
from headless_qgis import glacier_provider
from maps import Page
from qgis.core import (
    QgsContrastEnhancement,
    QgsProcessingProvider,
    QgsProject,
    QgsRasterLayer,
    QgsRasterMinMaxOrigin,
    QgsVectorLayer,
)
from qgis.PyQt.QtCore import Qt
from qgis.PyQt.QtGui import QFont, QImage
from qgis.PyQt.QtWidgets import QApplication

LINES = {"solid": "-", "dot": ":", "dash": "--"}
MARKERS = {"circle": "o", "x-thin-open": "x"}
POINTS_PER_PIXEL = 0.75
WIDTH = 480
"""Of a map, pixels."""


def dated_lines(lines_path: Path, scene_path: Path, picture: Path) -> None:
    """Draw a series over its last scene as the plugin styles it."""
    from glacier_qgis import styles

    lines = QgsVectorLayer(str(lines_path), "Terminus lines", "ogr")
    scene = QgsRasterLayer(str(scene_path), "Last scene")
    scene.setContrastEnhancement(
        QgsContrastEnhancement.ContrastEnhancementAlgorithm.StretchToMinimumMaximum,
        QgsRasterMinMaxOrigin.Limits.CumulativeCut,
    )
    scene.brightnessFilter().setGamma(2.0)
    scene.setOpacity(0.75)
    styles.terminus_series(lines, {})
    project = QgsProject.instance()
    project.setCrs(scene.crs())
    project.addMapLayers([lines, scene])
    page = Page()
    page.add("Simulated glacier, fronts by date", [lines, scene], scene.extent())
    page.save(picture)
    project.removeAllMapLayers()
    small = QImage(str(picture)).scaledToWidth(WIDTH, Qt.TransformationMode.SmoothTransformation)
    small.convertToFormat(QImage.Format.Format_RGB16, Qt.ImageConversionFlag.AvoidDither).save(
        str(picture)
    )  # fewer shades, which compress


def change(report: Path, picture: Path) -> None:
    """Draw the first figure of a report of changes without a browser."""
    figure, axes = plt.subplots(figsize=(9, 4.4), dpi=110)
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
    axes.grid(color="#dde3ea")
    axes.spines[:].set_visible(False)
    axes.legend(loc="upper right", frameon=False)
    figure.tight_layout()
    figure.savefig(picture)


def plotly_figure(report: Path, number: int = 1) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Return the traces and the layout of one of a report's interactive figures."""
    page = report.read_text(encoding="utf-8")
    decoder = json.JSONDecoder()
    start = page.index("[", page.index(f'"figure-{number}"', page.index("Plotly.newPlot(")))
    traces, end = decoder.raw_decode(page, start)
    layout, _ = decoder.raw_decode(page, page.index("{", end))
    return traces, layout


def values(stored: dict[str, str] | list[object]) -> Sequence[object] | np.ndarray:
    """Return an array that Plotly stored as a list, or as bytes with their type."""
    if isinstance(stored, dict):
        return np.frombuffer(base64.b64decode(stored["bdata"]), stored["dtype"])
    return stored


def dialogs(provider: QgsProcessingProvider) -> None:
    """Draw two dialogs, filled in as the tutorial says."""
    QApplication.setFont(QFont("DejaVu Sans", 9))
    scene = {
        "INPUT": "scenes/Practice_S1_20170310.tif",
        "OUTPUT": "one.gpkg",
        "POINTS": "points.gpkg",
        "UNCERTAINTY": "uncertainty.tif",
    }
    draw(provider, "delineatetermini", PICTURES / "tutorial_dialog_scene.png", scene)
    moved = {
        "TERMINI": "clean.gpkg",
        "METHOD": "curvilinear box",
        "CENTERLINE": "centreline.gpkg",
        "BOX_WIDTH": 2000,
        "OUTPUT": "change.gpkg",
        "REPORT": "change.html",
    }
    draw(provider, "terminuschange", PICTURES / "tutorial_dialog_change.png", moved)


def main() -> None:
    """Draw them all."""
    folder = Path(sys.argv[1]).absolute()
    os.chdir(folder)  # the dialogs show paths as a person in the folder would type them
    last = sorted((folder / "scenes").glob("*.tif"))[-1]
    with glacier_provider() as provider:
        dated_lines(folder / "series.gpkg", last, PICTURES / "tutorial_series.png")
        dated_lines(folder / "own_series.gpkg", last, PICTURES / "tutorial_own_series.png")
        dialogs(provider)
    change(folder / "change.html", PICTURES / "tutorial_change.png")


if __name__ == "__main__":
    main()
