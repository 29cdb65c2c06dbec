"""QGIS without a window, with the plugin of this checkout: shared by the scripts of ``docs/``."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from qgis.core import QgsApplication, QgsProcessingProvider

ROOT = Path(__file__).parent.parent


@contextmanager
def glacier_provider() -> Iterator[QgsProcessingProvider]:
    """Start QGIS, load the plugin from ``build/plugins`` (see tools/link.py), and end QGIS."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    application = QgsApplication([], True)
    application.initQgis()
    plugins = f"{QgsApplication.pkgDataPath()}/python/plugins"
    sys.path[:0] = [plugins, str(ROOT / "build" / "plugins")]
    from processing.core.Processing import Processing

    from glacier_qgis.plugin import GlacierPlugin

    Processing.initialize()
    plugin = GlacierPlugin(None)
    plugin.initProcessing()
    yield QgsApplication.processingRegistry().providerById("glacier")
    plugin.unload()
    application.exitQgis()
