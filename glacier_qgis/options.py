"""The page "Glacier" in QGIS' options."""

from __future__ import annotations

import os
from pathlib import Path

from qgis.gui import QgsFileWidget, QgsOptionsPageWidget, QgsOptionsWidgetFactory
from qgis.PyQt.QtCore import QCoreApplication
from qgis.PyQt.QtGui import QIcon
from qgis.PyQt.QtWidgets import QFormLayout, QLabel, QWidget

from .settings import VARIABLE, default_environment, engine_setting, set_engine_setting

ICON = Path(__file__).parent / "icons" / "glacier.svg"


class OptionsFactory(QgsOptionsWidgetFactory):
    """Makes the page whenever the options are opened."""

    def __init__(self) -> None:
        super().__init__("Glacier", QIcon(str(ICON)))

    def createWidget(self, parent: QWidget | None) -> OptionsPage:
        """Return a new page."""
        return OptionsPage(parent)


class OptionsPage(QgsOptionsPageWidget):
    """Lets a person point at the engine's interpreter."""

    def __init__(self, parent: QWidget | None) -> None:
        super().__init__(parent)
        self._python = QgsFileWidget(self)
        self._python.setFilePath(engine_setting())
        explanation = QLabel(
            QCoreApplication.translate(
                "Glacier",
                "The Python interpreter of the engine. 'Set up engine' in the toolbox fills it in; "
                "blank means the environment in {folder}. The variable {variable} goes before it.",
            ).format(folder=default_environment(), variable=VARIABLE)
        )
        explanation.setWordWrap(True)
        overridden = bool(os.environ.get(VARIABLE))
        self._python.setEnabled(not overridden)
        form = QFormLayout(self)
        form.addRow(QCoreApplication.translate("Glacier", "Engine interpreter"), self._python)
        form.addRow(explanation)

    def apply(self) -> None:
        """Keep what was entered."""
        if self._python.isEnabled():
            set_engine_setting(self._python.filePath().strip())
