"""Take pictures of a real QGIS window that inverts a glacier, runs it, trains on it and measures.

    GLACIER_DATA=… python3 docs/pictures/ice_screenshots.py [FOLDER]

Needs Xvfb, an engine (``build/engine``) and, for the reports, Chromium. South Glacier is opened in
a fresh profile with the built plugin; each of the four algorithms is filled in, run and looked at:
every page of its dialog, what the run says half-way and in the end, the map, and the report. The
pictures go to FOLDER (``build/ice-screenshots``).
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

sys.path.append(str(Path(__file__).absolute().parents[2] / "tools"))

import build_plugin
from in_qgis.camera import Camera
from in_qgis.main_window import Window, begin, expect, open_qgis

ROOT = build_plugin.ROOT.absolute()
ENGINE = ROOT / "build" / "engine" / "bin" / "python"
PAGE = (1100, 12000)
"""Pixels of a report's picture, from its top."""
HALF_WAY = 6.0
"""Seconds after the start at which the log is looked at."""


def main() -> int:
    """Start QGIS; return what it ends with."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "build" / "ice-screenshots"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    variables = {
        "SCREENSHOTS_ZIP": str(build_plugin.build()),
        "SCREENSHOTS_FOLDER": str(folder.absolute()),
        "GLACIER_ENGINE_PYTHON": str(ENGINE),
    }
    work = ROOT / "build" / "ice-screenshots-profile"
    status = open_qgis("ice_screenshots", work, variables, limit=1800)
    for report in sorted(work.glob("*.html")):
        photograph(report, folder / f"{report.stem}_report.png")
    return status


def photograph(page: Path, picture: Path) -> None:
    """Take a picture of a report as a browser shows it."""
    browser = shutil.which("chromium") or shutil.which("chromium-browser") or "google-chrome"
    size = f"--window-size={PAGE[0]},{PAGE[1]}"
    words = [browser, "--headless", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=20000"]
    words += [size, f"--screenshot={picture}", page.as_uri()]
    subprocess.run(words, check=True, stderr=subprocess.DEVNULL)


def inside(work: Path) -> None:
    """Work in the window."""
    folder = Path(os.environ["SCREENSHOTS_FOLDER"])
    begin(lambda window: Photographer(window, folder, work).everything())


class Photographer(Camera):
    """Goes through the four algorithms on South Glacier."""

    def __init__(self, window: Window, folder: Path, work: Path) -> None:
        super().__init__(window, folder, work)
        self._data = Path(os.environ["GLACIER_DATA"]) / "iceflow" / "south_glacier"

    def everything(self) -> None:
        """Take all pictures."""
        self.window.install(Path(os.environ["SCREENSHOTS_ZIP"]))
        self.new_project()
        self.faults()
        self.thickness()
        self.instructor()
        self.training()
        self.evaluation()

    def faults(self) -> None:
        """Press Run with what cannot be: points without heights, and snapshots of another kind."""
        surface, outline = self._glacier()
        points = self._vector("IceThick_SouthGlacier.shp", "soundings")
        inputs = {"SURFACE": surface, "OUTLINE": outline, "THICKNESS_POINTS": points}
        raster = [str(self._data / "dem_SouthGlacier.tif")]
        for name, values in (
            ("glacierthickness", inputs),
            ("trainemulator", {"SNAPSHOTS": raster, "LOSS": "energy", "SELECTION": True}),
            ("evaluateemulator", {"SURFACE": surface, "THICKNESS": surface, "SLIDING_VALUES": "c"}),
        ):
            dialog = self.dialog(name, values)
            dialog.runButton().click()
            self.grab(dialog, f"{name}_0_faults")
            dialog.close()
        self.new_project()

    def thickness(self) -> None:
        """Invert the glacier, with soundings."""
        surface, outline = self._glacier()
        points = self._vector("IceThick_SouthGlacier.shp", "soundings")
        inputs = {"SURFACE": surface, "OUTLINE": outline, "THICKNESS_POINTS": points}
        self._run_and_look(
            "glacierthickness",
            inputs | {"THICKNESS_FIELD": "thick", "RESOLUTION": 100, "ENSEMBLE": 4},
            *("THICKNESS.tif", "BED.tif", "SLIDING.tif", "SPREAD.tif", "MISFIT.tif"),
        )

    def instructor(self) -> None:
        """Let the inverted glacier evolve with Blatter-Pattyn ice."""
        surface, outline = self._glacier()
        inputs = {"SURFACE": surface, "ICE_MASK": outline, "RESOLUTION": 100}
        inputs |= {"INITIAL_THICKNESS": str(self.work / "glacierthickness_thickness.tif")}
        inputs |= {"START": 2000, "END": 2004, "SAVE_INTERVAL": 2, "ELA": 2400}
        files = {"SNAPSHOTS": str(self.work / "snapshots.nc")}
        layers = "THICKNESS.tif", "VELOCITY.tif", "OUTLINES.gpkg"
        self._run_and_look("runinstructor", inputs | files, *layers)

    def training(self) -> None:
        """Adapt the delivered emulator to snapshots and valleys."""
        inputs = {"SNAPSHOTS": [str(self.work / "snapshots.nc")], "VALLEYS": 3, "STATES": 2}
        inputs |= {"CELL_SIZE": 100, "START_FROM": "blatter_pattyn", "EPOCHS": 2}
        files = {"OUTPUT": str(self.work / "mine.zip")}
        self._run_and_look("trainemulator", inputs | files)

    def evaluation(self) -> None:
        """Measure the result on South Glacier, also as it evolves."""
        surface, _ = self._glacier()
        inputs = {"EMULATOR": str(self.work / "mine.zip"), "COMPARE_WITH": "blatter_pattyn"}
        inputs |= {"SURFACE": surface, "RESOLUTION": 100, "YEARS": 4, "ELA": 2400}
        inputs |= {"THICKNESS": str(self.work / "glacierthickness_thickness.tif")}
        self._run_and_look(
            "evaluateemulator",
            inputs | {"SLIDING_VALUES": "0, 12, 70"},
            *("ERROR.tif", "OUTPUT.gpkg", "SERIES.gpkg"),
        )

    def _run_and_look(self, name: str, inputs: Mapping[str, object], *files: str) -> None:
        """Fill an algorithm in, look at its pages, press Run, and look at what comes."""
        from qgis.core import QgsProcessingOutputLayerDefinition, QgsProject
        from qgis.PyQt.QtWidgets import QTextEdit

        layers = {
            Path(file).stem: QgsProcessingOutputLayerDefinition(
                str(self.work / f"{name}_{file.lower()}"), QgsProject.instance()
            )
            for file in files
        }
        report = {"REPORT": str(self.work / f"{name}.html")}
        dialog = self.dialog(name, {**inputs, **layers, **report})
        for page in range(dialog.mainWidget().list.count()):
            dialog.mainWidget().list.setCurrentRow(page)
            self.grab(dialog, f"{name}_1_page_{page + 1}")
        ended: list[bool] = []
        dialog.algorithmFinished.connect(lambda succeeded, _results: ended.append(succeeded))
        dialog.runButton().click()
        self.window.wait(HALF_WAY)
        self.grab(dialog, f"{name}_2_running")
        self.window.until(lambda: bool(ended))
        self.grab(dialog, f"{name}_3_log")
        (self.work / f"{name}.log").write_text(
            dialog.findChild(QTextEdit, "txtLog").toPlainText(), encoding="utf-8"
        )
        dialog.close()
        expect(ended == [True], f"{name} failed")
        self.take(f"{name}_4_map")
        self._every_layer(name)
        self.new_project()

    def _every_layer(self, name: str) -> None:
        """Show each of the layers alone, over the surface."""
        root = self.window.iface.layerTreeView().layerTreeModel().rootGroup()
        nodes = root.findLayers()
        for number, shown in enumerate(nodes, 1):
            for node in nodes:
                node.setItemVisibilityChecked(node is shown)
                node.setExpanded(node is shown)
            shown.setItemVisibilityCheckedParentRecursive(True)
            self.take(f"{name}_5_layer_{number}")

    def _glacier(self) -> tuple[str, str]:
        """Open the surface and the outline of South Glacier."""
        from qgis.core import QgsProject

        surface = self.window.iface.addRasterLayer(
            str(self._data / "dem_SouthGlacier.tif"), "surface"
        )
        outline = self._vector("SouthGlacier.shp", "outline")
        self.window.wait(0.5)  # until QGIS has taken the CRS of what it calls the first layer
        QgsProject.instance().setCrs(surface.crs())
        self.window.iface.mapCanvas().setExtent(surface.extent())
        return surface.id(), outline

    def _vector(self, file: str, name: str) -> str:
        return str(self.window.iface.addVectorLayer(str(self._data / file), name, "ogr").id())


if __name__ == "__main__":
    sys.exit(main())
