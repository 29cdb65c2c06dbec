"""The plugin object: registers provider, options page, panels and menu, and removes them."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from qgis.core import QgsApplication
from qgis.PyQt.QtCore import QCoreApplication, QTimer, QTranslator

from glacier_qgis.processing.provider import GlacierProvider

if TYPE_CHECKING:
    from qgis.gui import QgisInterface

    from glacier_qgis.messages.links import LinkOpener
    from glacier_qgis.panel.panels import Panels
    from glacier_qgis.window.options import OptionsFactory
    from glacier_qgis.window.try_it import SampleMenu


class GlacierPlugin:
    """Created by QGIS; `iface` is None under ``qgis_process``.

    Args:
        iface: The window.
        translator: Installed for the plugin's texts; None where there is no translation.
    """

    def __init__(self, iface: QgisInterface | None, translator: QTranslator | None = None) -> None:
        self._iface = iface
        self._translator = translator
        self._provider: GlacierProvider | None = None
        self._options: OptionsFactory | None = None
        self._links: LinkOpener | None = None
        self._panels: Panels | None = None
        self._sample_menu: SampleMenu | None = None

    def initProcessing(self) -> None:
        """Register the provider; all that ``qgis_process`` calls."""
        self._provider = GlacierProvider()
        QgsApplication.processingRegistry().addProvider(self._provider)
        self._provider.refreshAlgorithms()  # the models find their steps only now

    def initGui(self) -> None:
        """Register everything."""
        self.initProcessing()
        if self._iface is not None:
            from glacier_qgis.messages.links import LinkOpener
            from glacier_qgis.panel.panels import Panels
            from glacier_qgis.window.first_start import offer_engine
            from glacier_qgis.window.options import OptionsFactory
            from glacier_qgis.window.try_it import SampleMenu

            self._links = LinkOpener()
            self._options = OptionsFactory()
            self._iface.registerOptionsWidgetFactory(self._options)
            self._panels = Panels(self._iface)
            self._sample_menu = SampleMenu(self._iface)
            self._iface.projectRead.connect(self._show_all_times)
            QTimer.singleShot(0, partial(offer_engine, self._iface))  # once the window is there

    def unload(self) -> None:
        """Take everything away."""
        if self._panels is not None:
            self._panels.close()
        if self._sample_menu is not None:
            self._sample_menu.close()
        if self._links is not None:
            self._links.close()
        if self._iface is not None and self._options is not None:
            self._iface.projectRead.disconnect(self._show_all_times)
            self._iface.unregisterOptionsWidgetFactory(self._options)
        if self._provider is not None:
            QgsApplication.processingRegistry().removeProvider(self._provider)
        if self._translator is not None:
            QCoreApplication.removeTranslator(self._translator)
        self._links = self._options = self._provider = self._panels = self._sample_menu = None

    def _show_all_times(self) -> None:
        from glacier_qgis.results.project_time import show_all_times

        if self._iface is not None:
            show_all_times(self._iface.mapCanvas())
