"""The sample data on the map: a retreating front and a shrinking glacier, ready to be played."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from qgis.core import (
    Qgis,
    QgsBilinearRasterResampler,
    QgsHillshadeRenderer,
    QgsLayerTreeGroup,
    QgsMapLayer,
    QgsProcessing,
    QgsProcessingOutputLayerDefinition,
    QgsProject,
    QgsRasterDataProvider,
    QgsRasterLayer,
    QgsTemporalNavigationObject,
)
from qgis.PyQt.QtCore import QObject, QUrl, pyqtSignal
from qgis.PyQt.QtGui import QAction, QDesktopServices, QIcon
from qgis.PyQt.QtWidgets import QDockWidget, QProgressBar, QPushButton

from glacier_qgis.resources import ICONS, SAMPLE
from glacier_qgis.results.project_time import play
from glacier_qgis.translation import tr
from glacier_qgis.window.background import BackgroundRun

if TYPE_CHECKING:
    from qgis.gui import QgisInterface

JAKOBSHAVN, ALETSCH = SAMPLE / "jakobshavn", SAMPLE / "aletsch"
MARGIN = 1.1
"""How much more than a result is shown."""
SUN_AZIMUTH, SUN_HEIGHT = 315.0, 45.0
"""Degrees, as QGIS has them by default."""
TITLE = "Glacier"
INVITATION = tr("Try it on sample data")


@dataclass(frozen=True)
class Part:
    """One algorithm on the sample data.

    Attributes:
        title: What is to be seen.
        algorithm: Its id.
        inputs: Its parameters but for the layers that it makes.
        layers: Names of the outputs that go onto the map.
        played: The output whose time is played.
        ground: Elevations to show as relief below it; None for none.
    """

    title: str
    algorithm: str
    inputs: Mapping[str, object]
    layers: tuple[str, ...]
    played: str
    ground: Path | None = None

    def parameters(self) -> dict[str, object]:
        """Return all of its parameters."""
        layer = QgsProcessingOutputLayerDefinition(
            QgsProcessing.TEMPORARY_OUTPUT, QgsProject.instance()
        )
        return {**self.inputs, **dict.fromkeys(self.layers, layer)}


PARTS = (
    Part(
        title=tr("Jakobshavn Isbræ, 2009 to 2014"),
        algorithm="glacier:terminustimeseries",
        inputs={"FOLDER": str(JAKOBSHAVN), "GLACIER": tr("Jakobshavn"), "LOAD_SCENES": True},
        layers=("OUTPUT",),
        played="OUTPUT",
    ),
    Part(
        title=tr("Great Aletsch Glacier, 2000 to 2100"),
        algorithm="glacier:simulateglacier",
        inputs={
            "SURFACE": str(ALETSCH / "aletsch.tif"),
            "INITIAL_THICKNESS": str(ALETSCH / "aletsch_thickness.tif"),
            "ICE_MASK": str(ALETSCH / "aletsch_outline.gpkg"),
            "RESOLUTION": 200,
            "START": 2000,
            "END": 2100,
            "SAVE_INTERVAL": 10,
            "ELA": 3150,
            "SLIDING": 12,
        },
        layers=("THICKNESS", "VELOCITY", "OUTLINES"),
        played="THICKNESS",
        ground=ALETSCH / "aletsch.tif",
    ),
)


class TryIt(QObject):
    """Runs the parts one after another, shows each when it is done, and offers to go back.

    Attributes:
        ended: Signal that all is done, with how many results are on the map.
    """

    ended = pyqtSignal(int)

    def __init__(self, iface: QgisInterface, parts: tuple[Part, ...] = PARTS) -> None:
        super().__init__(iface.mainWindow())
        self._iface = iface
        self._waiting = list(parts)
        self._shown: dict[str, QgsMapLayer] = {}
        self._run: BackgroundRun | None = None
        self._bar = QProgressBar()
        self._message = iface.messageBar().createMessage(TITLE, "")

    def start(self) -> None:
        """Begin, with a bar above the map that shows how far it is."""
        stop = QPushButton(tr("Cancel"))
        stop.clicked.connect(self.cancel)
        for widget in (self._bar, stop):
            self._message.layout().addWidget(widget)
        self._iface.messageBar().pushWidget(self._message, Qgis.MessageLevel.Info)
        self._next()

    def cancel(self) -> None:
        """End what is running, and begin nothing more."""
        self._waiting.clear()
        if self._run is not None:
            self._run.cancel()

    def _next(self) -> None:
        if not self._waiting:
            self._finish()
            return
        part = self._waiting.pop(0)
        self._message.setText(part.title)
        self._run = BackgroundRun(part.algorithm, part.parameters(), self)
        self._run.feedback.progressChanged.connect(lambda done: self._bar.setValue(round(done)))
        self._run.finished.connect(partial(self._take, part, self._run))
        self._run.start()

    def _take(
        self, part: Part, run: BackgroundRun, succeeded: bool, results: Mapping[str, Any]
    ) -> None:
        if succeeded:
            layer = self._shown[part.title] = _layer_of(str(results[part.played]))
            if part.ground is not None:
                _put_below(layer, part.ground)
            show(self._iface, layer)
        elif not run.feedback.isCanceled():
            self._waiting.clear()
            self._iface.messageBar().pushCritical(TITLE, run.feedback.problem)
        self._next()

    def _finish(self) -> None:
        """Leave a button for each result in place of the progress."""
        bar = self._iface.messageBar()
        bar.popWidget(self._message)
        if self._shown:
            message = bar.createMessage(TITLE, tr("Press play, or show:"))
            for title, layer in self._shown.items():
                button = QPushButton(title.split(",")[0])
                button.clicked.connect(partial(_show_if_there, self._iface, layer.id()))
                message.layout().addWidget(button)
            bar.pushWidget(message, Qgis.MessageLevel.Success)
        self.ended.emit(len(self._shown))
        self.deleteLater()


def show(iface: QgisInterface, layer: QgsMapLayer) -> None:
    """Bring a result into view, in its own CRS and time."""
    project, canvas = QgsProject.instance(), iface.mapCanvas()
    project.setCrs(layer.crs())
    extent = layer.extent()
    extent.scale(MARGIN)
    canvas.setExtent(extent)
    play(project, layer)
    controller = iface.mainWindow().findChild(QDockWidget, "Temporal Controller")
    player = canvas.temporalController()
    if controller is not None and isinstance(player, QgsTemporalNavigationObject):
        controller.show()
        player.setNavigationMode(Qgis.TemporalNavigationMode.Animated)
        player.skipToEnd()
    canvas.refresh()


def _put_below(layer: QgsMapLayer, ground: Path) -> None:
    """Show a relief at the bottom of the group that a layer is in."""
    relief = QgsRasterLayer(str(ground), tr("Relief: {name}").format(name=ground.stem))
    relief.resampleFilter().setZoomedInResampler(QgsBilinearRasterResampler())
    relief.setRenderer(QgsHillshadeRenderer(relief.dataProvider(), 1, SUN_AZIMUTH, SUN_HEIGHT))
    relief.setResamplingStage(Qgis.RasterResamplingStage.Provider)  # heights, before their shade
    provider = relief.dataProvider()
    provider.enableProviderResampling(True)
    provider.setZoomedInResamplingMethod(QgsRasterDataProvider.ResamplingMethod.Cubic)
    project = QgsProject.instance()
    project.addMapLayer(relief, addToLegend=False)
    group = cast(QgsLayerTreeGroup, project.layerTreeRoot().findLayer(layer.id()).parent())
    group.addLayer(relief).setExpanded(False)


def _show_if_there(iface: QgisInterface, identifier: str) -> None:
    """Show a result that may have been removed from the project since."""
    layer = QgsProject.instance().mapLayer(identifier)
    if layer is not None:
        show(iface, layer)


class SampleMenu:
    """The entries about the sample data in the Plugins menu."""

    def __init__(self, iface: QgisInterface) -> None:
        self._iface = iface
        self._actions: list[QAction] = []
        self._add("GlacierTryIt", INVITATION, lambda: TryIt(iface).start())
        self._add("GlacierSampleFolder", tr("Open sample data folder"), open_sample_folder)

    def close(self) -> None:
        """Leave the menu."""
        for action in self._actions:
            self._iface.removePluginMenu(TITLE, action)
            action.deleteLater()

    def _add(self, name: str, title: str, act: Callable[[], None]) -> None:
        action = QAction(QIcon(str(ICONS / "glacier.svg")), title, self._iface.mainWindow())
        action.setObjectName(name)
        action.triggered.connect(lambda: act())
        self._iface.addPluginToMenu(TITLE, action)
        self._actions.append(action)


def open_sample_folder() -> None:
    """Show the sample data in the system's file manager."""
    QDesktopServices.openUrl(QUrl.fromLocalFile(str(SAMPLE)))


def _layer_of(source: str) -> QgsMapLayer:
    """Return the project's layer of an output: its id, or the file that it shows."""
    project = QgsProject.instance()
    known = project.mapLayer(source)
    if known is not None:
        return known
    return next(one for one in project.mapLayers().values() if one.source() == source)
