"""From the ZIP to the first map in a fresh profile: installed, "Try it" pressed, and timed.

    python3 -m in_qgis.first_map ENGINE_PYTHON ZIP FOLDER

Needs Xvfb; FOLDER/first_map.png shows the screen in the end.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import Any

from in_qgis.main_window import Window, begin, expect, open_qgis

CLICKS = ("Install Plugin", "Close", "Plugins", "Glacier", "Try it on sample data")
"""In the plugin manager once the ZIP is chosen there, and in the menu."""
GROUPS = {
    "Jakobshavn": {"Terminus lines": "RuleRenderer"},
    "aletsch": {
        "Outlines": "graduatedSymbol",
        "Ice thickness": "singlebandpseudocolor",
        "Speed": "singlebandpseudocolor",
        "Relief": "hillshade",
    },
}
"""What a group's layers begin with, and how they are drawn."""


def main(engine: str, archive: str, folder: str) -> int:
    """Start QGIS and return what it ends with."""
    variables = {
        "GLACIER_ENGINE_PYTHON": engine,
        "FIRST_MAP_ZIP": str(Path(archive).absolute()),
    }
    return open_qgis("in_qgis.first_map", Path(folder).absolute(), variables)


def inside(work: Path) -> None:
    """Work in the window."""
    begin(lambda window: _install_and_try(window, work))


def _install_and_try(window: Window, work: Path) -> None:
    begun = time.monotonic()
    window.install(Path(os.environ["FIRST_MAP_ZIP"]))
    installed = time.monotonic()
    window.action("GlacierTryIt").trigger()
    from glacier_qgis.window.try_it import TryIt

    results: list[int] = []
    window.main.findChild(TryIt).ended.connect(results.append)
    window.until(lambda: bool(results))
    window.drawn()
    seconds = time.monotonic() - begun
    window.picture(work / "first_map.png")
    expect(results == [2], f"{results} of 2 results are on the map")
    check_project()
    print(
        f"From the ZIP to the first map: {seconds:.0f} s ({installed - begun:.0f} s to install), "
        f"{len(CLICKS)} clicks: {' > '.join(CLICKS)}"
    )


def check_project() -> None:
    """Hold groups, layers, looks and time against what they should be."""
    from qgis.core import QgsProject

    project = QgsProject.instance()
    groups = project.layerTreeRoot().findGroups()
    expect(len(groups) == len(GROUPS), f"the groups are {[one.name() for one in groups]}")
    for begins, looks in GROUPS.items():
        found = [one for one in groups if one.name().startswith(begins)]
        expect(len(found) == 1, f"the groups are {[one.name() for one in groups]}")
        layers: list[Any] = [node.layer() for node in found[0].findLayers()]
        for title, renderer in looks.items():
            named = [layer for layer in layers if layer.name().startswith(title)]
            expect(len(named) == 1, f"{title} is not in {[layer.name() for layer in layers]}")
            drawn = named[0].renderer().type()
            expect(drawn == renderer, f"{title} is drawn as {drawn}, not as {renderer}")
            plays = named[0].temporalProperties().isActive()
            expect(plays or title == "Relief", f"{title} does not play")
    times = project.timeSettings()
    span = times.temporalRange()
    years = (span.begin().date().year(), span.end().date().year(), times.timeStep())
    expect(years == (2000, 2109, 10), f"the project's time is {years}")


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
