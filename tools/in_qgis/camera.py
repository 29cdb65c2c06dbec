"""Pictures of a QGIS in which a script works: of the whole screen, and of single windows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from in_qgis.main_window import Window, expect

DIALOG = (1150, 760)
"""Pixels of a dialog."""


class Camera:
    """Works with the plugin as a person does, and takes pictures.

    Args:
        window: What to look at.
        folder: Where pictures go.
        work: For other files.
    """

    def __init__(self, window: Window, folder: Path, work: Path) -> None:
        self.window, self.folder, self.work = window, folder, work

    def take(self, name: str) -> None:
        """Take a picture of the whole screen, with the map drawn."""
        self.window.drawn()
        self.window.picture(self.folder / f"{name}.png")

    def grab(self, widget: Any, name: str) -> None:  # noqa: ANN401  QGIS' classes are untyped
        """Take a picture of one window."""
        self.window.wait(0.5)
        widget.grab().save(str(self.folder / f"{name}.png"))

    def during(self, act: Callable[[], object], look: Callable[[], None]) -> None:
        """Look at the modal dialog that an action opens, and close it."""
        from qgis.PyQt.QtCore import QTimer
        from qgis.PyQt.QtWidgets import QApplication

        problems: list[Exception] = []

        def look_and_close() -> None:
            try:
                look()
            except Exception as problem:  # it would be lost in here
                problems.append(problem)
            QApplication.activeModalWidget().close()

        QTimer.singleShot(1500, look_and_close)
        act()
        if problems:
            raise problems[0]

    def dialog(self, name: str, values: Mapping[str, object], picture: str = "") -> Any:  # noqa: ANN401
        """Open an algorithm's dialog, filled in."""
        from processing.gui.AlgorithmDialog import AlgorithmDialog
        from qgis.core import QgsApplication

        algorithm = QgsApplication.processingRegistry().createAlgorithmById(f"glacier:{name}")
        made: Any = algorithm.createCustomParametersWidget(self.window.main)
        dialog = made or AlgorithmDialog(algorithm, parent=self.window.main)
        dialog.setParameters(dict(values))
        dialog.resize(*DIALOG)
        dialog.show()
        if picture:
            self.grab(dialog, picture)
        return dialog

    def run(self, dialog: Any) -> None:  # noqa: ANN401  QGIS' classes are untyped
        """Press Run and wait until it is done."""
        ended: list[bool] = []
        dialog.algorithmFinished.connect(lambda succeeded, _results: ended.append(succeeded))
        dialog.runButton().click()
        self.window.until(lambda: bool(ended))
        expect(ended == [True], f"{dialog.windowTitle()} failed")

    def frame(self, number: int, name: str) -> None:
        """Let the temporal controller show one of its frames."""
        controller: Any = self.window.iface.mapCanvas().temporalController()
        controller.setCurrentFrameNumber(number)
        self.take(name)

    def new_project(self) -> None:
        """Begin with nothing, and without panels that a run opened."""
        from qgis.core import QgsProject
        from qgis.PyQt.QtWidgets import QDockWidget

        for dock in self.window.main.findChildren(QDockWidget):
            if dock.windowTitle() in ("Temporal Controller", "Results Viewer"):
                dock.close()
        QgsProject.instance().setDirty(False)
        self.window.iface.newProject(False)
        self.window.iface.messageBar().clearWidgets()
