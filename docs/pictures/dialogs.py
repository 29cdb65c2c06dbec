"""Draw the dialog of every algorithm, filled in as the first example of its page.

    /usr/bin/python3 docs/pictures/dialogs.py [FOLDER]

with the Python that QGIS runs in, after ``tools/link.py``; no screen is needed. ``docs/run.py
algorithms`` calls this with the FOLDER in which the examples ran; without one their files are shown
all the same, by name. The pictures are ``docs/pictures/dialogs/ALGORITHM.png``.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

sys.path.append(str(Path(__file__).absolute().parent.parent))

from headless_qgis import ROOT, glacier_provider
from qgis.core import QgsProcessingProvider
from qgis.PyQt.QtCore import QSize
from qgis.PyQt.QtGui import QFont
from qgis.PyQt.QtWidgets import QApplication
from run import blocks
from small import shrink

SIZE = QSize(1000, 720)
FOLDER = ROOT / "docs" / "pictures" / "dialogs"


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


def example(name: str) -> dict[str, object]:
    """Return the parameters of the first example that runs an algorithm."""
    page = ROOT / "docs" / "algorithms" / f"{name}.md"
    found: dict[str, list[str]] = {}
    for word in arguments("\n".join(text for _, text in blocks(page, "sh")), f"glacier:{name}"):
        parameter, _, value = word.partition("=")
        found.setdefault(parameter, []).append(value)
    return {key: each[0] if len(each) == 1 else each for key, each in found.items()}


def arguments(commands: str, algorithm: str) -> list[str]:
    """Return what the shell makes of the first command that runs an algorithm."""
    told = subprocess.run(
        ["bash", "-euc", f"qgis_process() {{ printf '%s\\0' \"$@\" $'\\n'; }}\n{commands}"],
        check=True,
        capture_output=True,
        text=True,
    )
    calls = [line.split("\0") for line in told.stdout.split("\0\n\0")]
    return next((call[3:] for call in calls if call[1:2] == [algorithm]), [])


def main() -> None:
    """Draw them all."""
    os.chdir(sys.argv[1] if len(sys.argv) > 1 else ROOT / "glacier_qgis" / "sample")
    FOLDER.mkdir(exist_ok=True)
    with glacier_provider() as provider:
        QApplication.setFont(QFont("DejaVu Sans", 9))
        for name in (algorithm.name() for algorithm in provider.algorithms()):
            picture = FOLDER / f"{name}.png"
            draw(provider, name, picture, example(name))
            shrink(picture)


if __name__ == "__main__":
    main()
