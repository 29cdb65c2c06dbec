"""Draw the dialogs of the main algorithms into ``build/dialogs``, or a folder.

    /usr/bin/python3 docs/pictures/dialogs.py [FOLDER]

with the Python that QGIS runs in, after ``tools/link.py``; no screen is needed.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

sys.path.append(str(Path(__file__).parent.parent))

from headless_qgis import ROOT, glacier_provider
from qgis.core import QgsProcessingProvider
from qgis.PyQt.QtCore import QSize
from qgis.PyQt.QtGui import QFont
from qgis.PyQt.QtWidgets import QApplication

DIALOGS = (
    "segmentcalvingfront",
    "delineatetermini",
    "simulateglacier",
    "icevelocity",
    "setupengine",
)
SIZE = QSize(1000, 720)


def draw(
    provider: QgsProcessingProvider,
    name: str,
    path: Path,
    parameters: Mapping[str, object] | None = None,
    page: int = 0,
) -> None:
    """Draw a page of an algorithm's dialog, filled in with `parameters`, into a picture."""
    from processing.gui.AlgorithmDialog import AlgorithmDialog

    algorithm = provider.algorithm(name).create()
    dialog = algorithm.createCustomParametersWidget(None) or AlgorithmDialog(algorithm)
    if parameters:
        dialog.setParameters(dict(parameters))
    if page:
        dialog.mainWidget().list.setCurrentRow(page)
    dialog.resize(SIZE)
    dialog.show()
    QApplication.processEvents()
    dialog.grab().save(str(path))
    dialog.close()


def main() -> None:
    """Draw them all."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "build" / "dialogs"
    folder.mkdir(parents=True, exist_ok=True)
    with glacier_provider() as provider:
        QApplication.setFont(QFont("DejaVu Sans", 9))
        for name in DIALOGS:
            draw(provider, name, folder / f"dialog_{name}.png")


if __name__ == "__main__":
    main()
