"""The panels of a QGIS window, with the one warm engine that they share."""

from __future__ import annotations

from qgis.gui import QgisInterface
from qgis.PyQt.QtCore import Qt
from qgis.PyQt.QtGui import QAction, QIcon

from glacier_qgis.client.warm_engine import WarmEngine
from glacier_qgis.panel.front_panel import FrontPanel
from glacier_qgis.resources import ICONS
from glacier_qgis.translation import tr

MENU = "Glacier"
NEXT_KEY, PREVIOUS_KEY = "Alt+PgDown", "Alt+PgUp"


class Panels:
    """Adds the panels and their actions to the window, and takes them away again."""

    def __init__(self, iface: QgisInterface) -> None:
        self._iface = iface
        window = iface.mainWindow()
        self.engine = WarmEngine(window)
        self.fronts = FrontPanel(iface.mapCanvas(), self.engine, window)
        title = tr("Calving fronts panel")
        self._toggle = QAction(QIcon(str(ICONS / "calving_fronts.svg")), title, window)
        self._toggle.setCheckable(True)
        self._toggle.setObjectName("GlacierToggleFrontPanel")
        self.fronts.setToggleVisibilityAction(self._toggle)
        iface.addDockWidget(Qt.DockWidgetArea.RightDockWidgetArea, self.fronts)
        self.fronts.hide()
        iface.addPluginToMenu(MENU, self._toggle)
        iface.addToolBarIcon(self._toggle)
        lines = self.fronts.lines
        self._keys = [(lines.next_action, NEXT_KEY), (lines.previous_action, PREVIOUS_KEY)]
        for action, key in self._keys:
            iface.registerMainWindowAction(action, key)

    def close(self) -> None:
        """Leave no widget, no action and no process behind."""
        for action, _ in self._keys:
            self._iface.unregisterMainWindowAction(action)
        self._iface.removePluginMenu(MENU, self._toggle)
        self._iface.removeToolBarIcon(self._toggle)
        self.fronts.close_down()
        self._iface.removeDockWidget(self.fronts)
        self.fronts.deleteLater()
        self.engine.stop()
        self.engine.deleteLater()
        self._toggle.deleteLater()
