"""Every text that the plugin shows, in a language in which each is put between marks.

    python every_text.py PLUGINS OUT.json

A program of its own: texts are made when the plugin is imported, after the language is known.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

from qgis.core import QgsApplication, QgsProcessingAlgorithm, QgsProcessingParameterFile
from qgis.gui import QgsDockWidget, QgsFileWidget, QgsMapCanvas, QgsMessageBar
from qgis.PyQt.QtCore import Qt, QTranslator
from qgis.PyQt.QtGui import QAction
from qgis.PyQt.QtWidgets import (
    QAbstractButton,
    QAbstractSpinBox,
    QGroupBox,
    QLabel,
    QListWidget,
    QMainWindow,
    QTreeView,
    QWidget,
)

MARKS = "⟦⟧"
CONTEXT = "Glacier"
HORIZONTAL = Qt.Orientation.Horizontal
ANY_FILE = QgsProcessingParameterFile("ANY").fileFilter()
"""What QGIS adds by itself."""
Texts = Iterator[tuple[str, str]]


class Marker(QTranslator):
    """A language of marks, which remembers what it was asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: set[str] = set()

    def isEmpty(self) -> bool:
        return False

    def translate(
        self, context: str, text: str, disambiguation: str | None = None, n: int = -1
    ) -> str | None:
        if context != CONTEXT:
            return None
        self.asked.add(text)
        return MARKS[0] + text + MARKS[1]


class Interface:
    """What the plugin needs of QGIS' window."""

    def __init__(self) -> None:
        self.window = QMainWindow()
        self.canvas = QgsMapCanvas(self.window)
        self.bar = QgsMessageBar(self.window)
        self.menu: list[QAction] = []

    def mainWindow(self) -> QMainWindow:
        return self.window

    def mapCanvas(self) -> QgsMapCanvas:
        return self.canvas

    def messageBar(self) -> QgsMessageBar:
        return self.bar

    def addDockWidget(self, _area: object, dock: QgsDockWidget) -> None:
        dock.setParent(self.window)

    def addPluginToMenu(self, _menu: str, action: QAction) -> None:
        self.menu.append(action)

    def __getattr__(self, _name: str) -> object:
        return lambda *_: None


def of_algorithm(algorithm: QgsProcessingAlgorithm) -> Texts:
    """Yield what the toolbox, the model designer and the dialog's list of pages show."""
    yield "title", algorithm.displayName()
    yield "group", algorithm.group()
    yield "description", algorithm.shortDescription()
    yield "tags", ",".join(algorithm.tags())
    for definition in algorithm.parameterDefinitions():
        name = definition.name()
        yield f"{name}, label", definition.description()
        yield f"{name}, help", definition.help()
        yield f"{name}, word", str(definition.metadata().get("word") or "")
        if definition.type() in ("file", "fileDestination"):
            yield f"{name}, filter", definition.fileFilter().replace(ANY_FILE, "")
    for output in algorithm.outputDefinitions():
        yield f"{output.name()}, label", output.description()
    for page in getattr(algorithm, "pages", list)():
        yield "page", page.title
        for section in page.sections:
            yield "section", section


def of_widget(widget: QWidget) -> Texts:
    """Yield what a window of ours shows."""
    yield "title", widget.windowTitle()
    for child in [widget, *widget.findChildren(QWidget)]:
        if isinstance(child, QgsFileWidget) or isinstance(child.parent(), QgsFileWidget):
            continue  # QGIS' own
        yield f"{type(child).__name__}, tip", child.toolTip()
        if isinstance(child, QLabel | QAbstractButton):
            yield type(child).__name__, child.text()
        if isinstance(child, QGroupBox):
            yield "box", child.title()
        if isinstance(child, QListWidget):
            yield from (("page", child.item(row).text()) for row in range(child.count()))
        if isinstance(child, QTreeView) and child.model() is not None:
            for column in range(child.model().columnCount()):
                yield "column", str(child.model().headerData(column, HORIZONTAL))
        if isinstance(child, QAbstractSpinBox):
            yield "number", child.specialValueText()


def shown(interface: Interface) -> Iterator[tuple[str, str]]:
    """Yield every text with where it is."""
    from glacier_qgis.panel.panels import Panels
    from glacier_qgis.styles.fields import ALIASES
    from glacier_qgis.window.first_start import offer_engine
    from glacier_qgis.window.options import OptionsPage
    from glacier_qgis.window.try_it import SampleMenu

    provider = QgsApplication.processingRegistry().providerById("glacier")
    for algorithm in provider.algorithms():
        for where, text in of_algorithm(algorithm.create()):
            yield f"{algorithm.name()}: {where}", text
    panels, menu = Panels(interface), SampleMenu(interface)
    page = OptionsPage(None)
    offer_engine(interface)
    for name, widget in (
        ("panel", panels.fronts),
        ("review panel", panels.review),
        ("options", page),
        ("offer", interface.bar.currentItem()),
    ):
        for where, text in of_widget(widget):
            yield f"{name}: {where}", text
    yield "options: state", page.state()
    yield from (("menu", action.text()) for action in interface.menu)
    yield from ((f"field {name}", alias) for name, alias in ALIASES.items())
    menu.close()
    panels.close()


def main(plugins: str, out: str) -> None:
    """Start QGIS in the language of marks, and write what is shown."""
    application = QgsApplication([], True)
    application.initQgis()
    sys.path[:0] = [plugins, f"{QgsApplication.pkgDataPath()}/python/plugins"]
    from processing.core.Processing import Processing

    Processing.initialize()
    marker = Marker()
    QgsApplication.installTranslator(marker)
    from glacier_qgis import classFactory

    interface = Interface()
    plugin = classFactory(None)
    plugin.initProcessing()
    found = sorted({*shown(interface)})
    plugin.unload()
    content = {"shown": found, "asked": sorted(marker.asked)}
    Path(out).write_text(json.dumps(content), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
