"""Glacier: glaciology instruments for QGIS."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from qgis.gui import QgisInterface

    from glacier_qgis.plugin import GlacierPlugin


def classFactory(iface: QgisInterface) -> GlacierPlugin:
    """Return the plugin object; called by QGIS."""
    from glacier_qgis.translation import install_translator

    translator = install_translator()  # before what is imported now makes its texts
    from glacier_qgis.plugin import GlacierPlugin

    return GlacierPlugin(iface, translator)
