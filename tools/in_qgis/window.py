"""The built zip in a window of QGIS: dialogs are filled in, Run is pressed, the map is looked at.

    python3 -m in_qgis.window ENGINE_PYTHON ZIP SCENE DEM FOLDER

Only the standard library and QGIS: the same file runs under any QGIS, in any root.
"""

from __future__ import annotations

import os
import shutil
import sys
import zipfile
from pathlib import Path
from typing import Any

LONGEST = 600_000
"""Milliseconds that a run may take."""
FORGOTTEN = 1_500
"""Milliseconds after which the thread of a run is gone, and with it what only it knew."""


def main(engine: str, archive: str, scene: str, dem: str, folder: str) -> None:
    """Run a delineation and a simulation, and check what is on the map."""
    work = Path(folder)
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    os.environ |= {
        "QT_QPA_PLATFORM": os.environ.get("QT_QPA_PLATFORM", "offscreen"),
        "GLACIER_ENGINE_PYTHON": engine,
        "QGIS_CUSTOM_CONFIG_PATH": str(work / "profile"),
    }
    with zipfile.ZipFile(archive) as bundle:
        bundle.extractall(work / "plugins")
    sys.path.insert(0, str(work / "plugins"))
    os._exit(Window().look(scene, dem, work))  # QGIS' own end is not what is looked at here


class Window:
    """QGIS with its dialogs, without a main window."""

    def __init__(self) -> None:
        from qgis.core import QgsApplication
        from qgis.PyQt.QtCore import QThreadPool

        self.application = QgsApplication([], True)
        self.application.initQgis()
        sys.path.append(f"{QgsApplication.pkgDataPath()}/python/plugins")
        from processing.core.Processing import Processing

        from glacier_qgis.plugin import GlacierPlugin

        Processing.initialize()
        self.plugin = GlacierPlugin(None)
        self.plugin.initProcessing()
        QThreadPool.globalInstance().setExpiryTimeout(FORGOTTEN // 10)

    def look(self, scene: str, dem: str, work: Path) -> int:
        """Press Run and compare the map with what it should be; return the exit status."""
        from qgis.core import Qgis, QgsProject

        project = QgsProject.instance()
        self.run("delineatetermini", {"INPUT": scene}, {"OUTPUT", "ZONES", "GLACIER_AREA"})
        names = self.on_the_map(
            {"terminus lines": "graduatedSymbol", "glacier area": "singleSymbol"}, "paletted"
        )
        print("fronts:", ", ".join(names), flush=True)
        project.clear()
        lines = str(work / "outlines.gpkg")
        values = {"BED": dem, "RESOLUTION": 400, "END": 2020}
        self.run("simulateglacier", values, {"THICKNESS", "VELOCITY"}, OUTLINES=lines)
        names = self.on_the_map({"outlines": "graduatedSymbol"}, "singlebandpseudocolor")
        times = project.timeSettings()
        years = (times.temporalRange().begin().date().year(), times.timeStep())
        expect(years == (2000, 10), f"the project's time begins and steps {years}")
        expect(times.timeStepUnit() == Qgis.TemporalUnit.Years, "the step is not in years")
        for layer in project.mapLayers().values():
            expect(layer.temporalProperties().isActive(), f"{layer.name()} does not play")
        print("ice:", ", ".join(names), flush=True)
        return 0

    def run(self, name: str, values: dict[str, Any], wanted: set[str], **files: str) -> None:
        """Fill in a dialog, press Run, and wait until its thread is gone."""
        from processing.gui.AlgorithmDialog import AlgorithmDialog
        from qgis.core import QgsApplication, QgsProcessingOutputLayerDefinition, QgsProject

        registry = QgsApplication.processingRegistry()
        algorithm = registry.createAlgorithmById(f"glacier:{name}")
        dialog: Any = algorithm.createCustomParametersWidget(None) or AlgorithmDialog(algorithm)
        targets = dict.fromkeys(wanted, "TEMPORARY_OUTPUT") | files
        layers = {
            output: QgsProcessingOutputLayerDefinition(target, QgsProject.instance())
            for output, target in targets.items()
        }
        dialog.setParameters(values | layers)
        ended: list[bool] = []
        dialog.algorithmFinished.connect(lambda succeeded, _results: ended.append(succeeded))
        dialog.runButton().click()
        self.wait(lambda: bool(ended), LONGEST)
        expect(ended == [True], f"{name} ended with {ended}")
        self.wait(lambda: False, FORGOTTEN)

    def on_the_map(self, vectors: dict[str, str], raster: str) -> list[str]:
        """Check every layer's renderer, CRS and place; return the names from top to bottom."""
        from qgis.core import QgsProject, QgsRasterLayer

        groups = QgsProject.instance().layerTreeRoot().findGroups()
        expect(len(groups) == 1, f"a run made {len(groups)} groups")
        layers: list[Any] = [node.layer() for node in groups[0].findLayers()]
        expect(len(layers) == len(vectors) + (1 if raster == "paletted" else 2), f"{layers}")
        for layer in layers:
            expect(layer.crs().toWkt() != "", f"{layer.name()} lost its CRS")
            kind = raster
            if not isinstance(layer, QgsRasterLayer):
                called = layer.name().lower()  # by its file, unless that is a temporary one
                kind = next(k for name, k in vectors.items() if called.startswith(name))
            expect(
                layer.renderer().type() == kind, f"{layer.name()} is a {layer.renderer().type()}"
            )
        return [layer.name() for layer in layers]

    def wait(self, done: Any, longest: int) -> None:  # noqa: ANN401  a function of no arguments
        """Let QGIS live until something is done, or so many milliseconds are over."""
        from qgis.PyQt.QtCore import QElapsedTimer, QEventLoop, QTimer

        clock = QElapsedTimer()
        clock.start()
        while not done() and clock.elapsed() < longest:
            loop = QEventLoop()
            QTimer.singleShot(50, loop.quit)
            loop.exec()


def expect(holds: bool, complaint: str) -> None:
    """Stop with `complaint` unless it holds."""
    if not holds:
        print(complaint, flush=True)
        os._exit(1)


if __name__ == "__main__":
    main(*sys.argv[1:])
