"""A dialog as the toolbox opens it, and ground in the project."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from qgis.core import (
    QgsProcessingProvider,
    QgsProject,
    QgsRasterLayer,
)

from glacier_qgis.processing.dialogs.dialog import GlacierDialog
from kit.qgis.dialogs import opened


@pytest.fixture
def no_window(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take away pytest-qgis' stand-in for the main window, which dialogs cannot use."""
    for name, module in list(sys.modules.items()):
        if name.startswith("processing.") and hasattr(module, "iface"):
            monkeypatch.setattr(module, "iface", None)


@pytest.fixture
def dialog(provider: QgsProcessingProvider) -> Iterator[GlacierDialog]:
    dialog = opened(provider, "simulateglacier")
    yield dialog
    dialog.close()


@pytest.fixture
def ground(aletsch: Path) -> Iterator[QgsRasterLayer]:
    layer = QgsProject.instance().addMapLayer(QgsRasterLayer(str(aletsch), "Aletsch"))
    yield layer
    QgsProject.instance().removeAllMapLayers()
