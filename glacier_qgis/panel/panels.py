"""The panels of a QGIS window, with the one warm engine that they share."""

from __future__ import annotations

from qgis.core import QgsVectorLayer
from qgis.gui import QgisInterface, QgsDockWidget
from qgis.PyQt.QtCore import Qt
from qgis.PyQt.QtGui import QAction, QIcon

from glacier_qgis.client.warm_engine import WarmEngine
from glacier_qgis.panel.echogram_panel import EchogramPanel
from glacier_qgis.panel.front_panel import FrontPanel
from glacier_qgis.resources import ICONS
from glacier_qgis.review.reshaping import RESHAPE
from glacier_qgis.review.review_commands import LineTools
from glacier_qgis.review.review_panel import ReviewPanel
from glacier_qgis.translation import tr

MENU = "Glacier"
"""Name of an action of QGIS' window that its interface lacks."""
NEXT_KEY, PREVIOUS_KEY = "Alt+PgDown", "Alt+PgUp"


class Panels:
    """Adds the panels and their actions to the window, and takes them away again."""

    def __init__(self, iface: QgisInterface) -> None:
        self._iface = iface
        window = iface.mainWindow()
        self.engine = WarmEngine(window)
        self.fronts = FrontPanel(iface.mapCanvas(), self.engine, window)
        self.echogram = EchogramPanel(iface.mapCanvas(), window)
        self.review = ReviewPanel(
            iface.mapCanvas(), self._line_tools(), window, echograms=self.echogram
        )
        self._toggles = [
            self._add(
                self.fronts,
                tr("Calving fronts panel"),
                "calving_fronts",
                Qt.DockWidgetArea.RightDockWidgetArea,
            ),
            self._add(
                self.echogram,
                tr("Radar echogram panel"),
                "radar_layers",
                Qt.DockWidgetArea.BottomDockWidgetArea,
            ),
            self._add(
                self.review,
                tr("Review panel"),
                "review",
                Qt.DockWidgetArea.RightDockWidgetArea,
            ),
        ]
        lines = self.fronts.lines
        self._keys = [
            (lines.next_action, NEXT_KEY),
            (lines.previous_action, PREVIOUS_KEY),
            *self.review.commands.keys,
        ]
        for action, key in self._keys:
            iface.registerMainWindowAction(action, key)

    def _add(self, panel: QgsDockWidget, title: str, icon: str, area: Qt.DockWidgetArea) -> QAction:
        """Add a hidden panel, and the action that shows it."""
        toggle = QAction(QIcon(str(ICONS / f"{icon}.svg")), title, self._iface.mainWindow())
        toggle.setCheckable(True)
        toggle.setObjectName(panel.objectName().replace("Glacier", "GlacierToggle"))
        panel.setToggleVisibilityAction(toggle)
        self._iface.addDockWidget(area, panel)
        panel.hide()
        self._iface.addPluginToMenu(MENU, toggle)
        self._iface.addToolBarIcon(toggle)
        return toggle

    def _line_tools(self) -> LineTools:
        """Return QGIS' tools for lines."""
        iface = self._iface

        def begin(layer: QgsVectorLayer, action: QAction) -> None:
            iface.setActiveLayer(layer)
            action.trigger()

        return LineTools(
            reshape=lambda layer: begin(layer, iface.mainWindow().findChild(QAction, RESHAPE)),
            vertices=lambda layer: begin(layer, iface.actionVertexToolActiveLayer()),
            draw=lambda layer: begin(layer, iface.actionAddFeature()),
            put_away=lambda: iface.actionPan().trigger(),
        )

    def close(self) -> None:
        """Leave no widget, no action and no process behind."""
        for action, _ in self._keys:
            self._iface.unregisterMainWindowAction(action)
        for toggle in self._toggles:
            self._iface.removePluginMenu(MENU, toggle)
            self._iface.removeToolBarIcon(toggle)
            toggle.deleteLater()
        for panel in (self.fronts, self.echogram, self.review):
            panel.close_down()
            self._iface.removeDockWidget(panel)
            panel.deleteLater()
        self.engine.stop()
        self.engine.deleteLater()
