"""Take pictures of a real QGIS window with the built plugin, from first start to results.

    python3 docs/pictures/screenshots.py [FOLDER]

Needs Xvfb and an engine (``build/engine``). The plugin's ZIP is built and installed
into a fresh profile, and the pictures go to FOLDER (``build/screenshots``). Their names begin with
1 a run, 2 its files in a new project, 4 time, 6 the engine, 7 "Try it", 8 the lists of models and
emulators, 9 the pages of a dialog, 10 logs, 11 the panel.
"""

from __future__ import annotations

import os
import shutil
import sys
from functools import partial
from pathlib import Path
from typing import Any

sys.path.append(str(Path(__file__).absolute().parents[2] / "tools"))

import build_plugin
from in_qgis.camera import DIALOG, Camera
from in_qgis.main_window import begin, open_qgis

ROOT = build_plugin.ROOT.absolute()
VARIABLE = "GLACIER_ENGINE_PYTHON"
ENGINE = ROOT / "build" / "engine" / "bin" / "python"
PAGES = ("ground", "climate", "ice", "time", "results")


def main() -> int:
    """Start QGIS; return what it ends with."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "build" / "screenshots"
    variables = {
        "SCREENSHOTS_ZIP": str(build_plugin.build()),
        "SCREENSHOTS_FOLDER": str(folder.absolute()),
        VARIABLE: "",
    }
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    work = ROOT / "build" / "screenshots-profile"
    return open_qgis("screenshots", work, variables, limit=1800)


def inside(work: Path) -> None:
    """Work in the window."""
    folder = Path(os.environ["SCREENSHOTS_FOLDER"])
    begin(lambda window: Photographer(window, folder, work).everything())


class Photographer(Camera):
    """Goes through the plugin from its first start."""

    def everything(self) -> None:
        """Take all pictures."""
        self.window.install(Path(os.environ["SCREENSHOTS_ZIP"]))
        self.without_an_engine()
        os.environ[VARIABLE] = str(ENGINE)
        self.window.iface.messageBar().clearWidgets()
        self.the_engine()
        self.try_it()
        self.one_scene()
        self.pickers()
        self.simulation()
        self.panel()

    def without_an_engine(self) -> None:
        """6: what a first start says."""
        self.take("06_offer_of_the_engine")
        self._options("06_options_without_an_engine")
        self.during(
            lambda: self._execute("delineatetermini"), lambda: self.take("06_cannot_execute")
        )

    def the_engine(self) -> None:
        """6: the set-up's dialog, the options page and the page of information."""
        from qgis.PyQt.QtCore import QUrl
        from qgis.PyQt.QtWidgets import QTextBrowser

        self.dialog("setupengine", {}, "06_set_up_engine").close()
        self._options("06_options_with_an_engine")
        page = self.work / "engine.html"
        dialog = self.dialog("engineinfo", {"REPORT": str(page)})
        self.run(dialog)
        self.grab(dialog, "06_engine_information")
        dialog.close()
        browser = QTextBrowser()
        browser.setSource(QUrl.fromLocalFile(str(page)))
        browser.resize(*DIALOG)
        browser.show()
        self.grab(browser, "06_engine_information_page")
        browser.close()
        self.new_project()

    def try_it(self) -> None:
        """7, 3 and 4: the sample data, its groups, and its time."""
        from qgis.PyQt.QtWidgets import QPushButton

        self.window.action("GlacierTryIt").trigger()
        from glacier_qgis.window.try_it import TryIt

        ended: list[int] = []
        self.window.main.findChild(TryIt).ended.connect(ended.append)
        self.window.wait(8)
        self.take("07_try_it_running")
        self.window.until(lambda: bool(ended))
        self.take("07_try_it_finished")
        self.frame(5, "04_simulation_in_2050")
        fronts = self.window.iface.messageBar().findChildren(QPushButton)[-2]
        fronts.click()
        self.take("07_try_it_fronts")
        self.frame(2, "04_series_in_its_third_year")
        self.window.iface.messageBar().clearWidgets()
        self.new_project()

    def one_scene(self) -> None:
        """1, 3, 10 and 2: Run pressed, the group, the log, and the files in a new project."""
        from qgis.core import QgsProcessingOutputLayerDefinition, QgsProject

        layer = self._open_scene()
        files = {"OUTPUT": "lines.gpkg", "GLACIER_AREA": "area.gpkg"}
        files |= {"ZONES": "zones.tif", "UNCERTAINTY": "uncertainty.tif"}
        outputs = {
            name: QgsProcessingOutputLayerDefinition(str(self.work / file), QgsProject.instance())
            for name, file in files.items()
        }
        dialog = self.dialog("delineatetermini", {"INPUT": layer.id(), **outputs})
        self.run(dialog)
        self.grab(dialog, "10_log_of_a_scene")
        dialog.close()
        self.take("01_fronts_on_the_map")
        self.new_project()
        self._open_scene()
        iface = self.window.iface
        iface.addRasterLayer(str(self.work / "zones.tif"), "zones")
        iface.addVectorLayer(f"{self.work / 'lines.gpkg'}|layername=lines", "lines", "ogr")
        self.take("02_files_in_a_new_project")
        self.new_project()

    def pickers(self) -> None:
        """8: models and emulators."""
        from qgis.PyQt.QtWidgets import QComboBox

        for name, parameter, chosen, inputs in (
            ("delineatetermini", "MODEL", "landsat_unet", {"INPUT": str(_scene())}),
            ("icevelocity", "EMULATOR", "", {}),
        ):
            dialog = self.dialog(name, inputs)
            panel = dialog.mainWidget()
            if name == "icevelocity":
                panel.list.setCurrentRow(1)
            box = panel.wrappers[parameter].widget.findChild(QComboBox)
            box.setCurrentText(chosen or box.itemText(1))
            self.grab(dialog, f"08_{parameter.lower()}")
            box.showPopup()
            self.take(f"08_{parameter.lower()}_list")
            box.hidePopup()
            dialog.close()

    def simulation(self) -> None:
        """9 and 10: the pages, the question about the ice, and the log."""
        from qgis.PyQt.QtWidgets import QApplication

        from glacier_qgis.window.try_it import ALETSCH

        surface = str(ALETSCH / "aletsch.tif")
        ground = {"SURFACE": surface, "RESOLUTION": 200, "SLIDING": 12, "END": 2050}
        dialog = self.dialog("simulateglacier", ground)
        for number, page in enumerate(PAGES):
            dialog.mainWidget().list.setCurrentRow(number)
            self.grab(dialog, f"09_page_{number + 1}_{page}")
        self.during(
            dialog.runButton().click,
            lambda: self.grab(QApplication.activeModalWidget(), "09_question"),
        )
        ice = {
            "INITIAL_THICKNESS": str(ALETSCH / "aletsch_thickness.tif"),
            "ICE_MASK": str(ALETSCH / "aletsch_outline.gpkg"),
        }
        degree_days = {"MASS_BALANCE": "degree days"}
        dialog.setParameters({**ground, **ice, **degree_days})
        dialog.mainWidget().list.setCurrentRow(1)
        self.grab(dialog, "09_page_2_degree_days")
        dialog.setParameters({**ground, **ice, "MASS_BALANCE": "ELA", "ELA": 3150})
        self.run(dialog)
        self.grab(dialog, "10_log_of_a_simulation")
        dialog.close()
        self.new_project()

    def panel(self) -> None:
        """11: the panel with its preview and its list."""
        from qgis import utils

        layer = self._open_scene()
        panels = utils.plugins["glacier_qgis"]._panels
        panels._toggle.trigger()
        panel = panels.fronts
        panel._scene.setLayer(layer)
        self.window.until(panels.engine.is_running)
        panel._preview_button.click()
        self.window.until(lambda: not panel._preview.is_busy())
        self.take("11_panel_with_a_preview")
        panel._run_button.click()
        self.window.until(lambda: panel._run is None)
        panel.lines.next_action.trigger()
        self.take("11_panel_with_lines")

    def _execute(self, name: str) -> None:
        """Open an algorithm as a double click in the toolbox does."""
        from qgis import utils

        utils.plugins["processing"].executeAlgorithm(f"glacier:{name}", self.window.main)

    def _options(self, name: str) -> None:
        """Take a picture of the plugin's page in QGIS' options."""
        from qgis.PyQt.QtCore import Qt
        from qgis.PyQt.QtWidgets import QApplication, QTreeView

        def look() -> None:
            dialog = QApplication.activeModalWidget()
            dialog.resize(*DIALOG)
            tree = dialog.findChild(QTreeView, "mOptionsTreeView")
            anywhere = Qt.MatchFlag.MatchExactly | Qt.MatchFlag.MatchRecursive
            start = tree.model().index(0, 0)
            role = Qt.ItemDataRole.DisplayRole
            index = tree.model().match(start, role, "Glacier", 1, anywhere)[0]
            tree.setCurrentIndex(index)
            self.grab(dialog, name)

        self.during(partial(self.window.iface.showOptionsDialog, self.window.main), look)

    def _open_scene(self) -> Any:  # noqa: ANN401  QGIS' classes are untyped
        """Show the last of the sample scenes alone, in its own CRS."""
        from qgis.core import QgsProject

        scene = _scene()
        layer = self.window.iface.addRasterLayer(str(scene), scene.stem)
        QgsProject.instance().setCrs(layer.crs())
        self.window.iface.zoomFull()
        return layer


def _scene() -> Path:
    from glacier_qgis.window.try_it import JAKOBSHAVN

    return max(JAKOBSHAVN.glob("*.tif"))


if __name__ == "__main__":
    sys.exit(main())
