"""QGIS with its main window in a fresh profile, and a script that works in it.

Only the standard library and QGIS: outside of QGIS, `open_qgis` starts it; inside, `Window` waits,
presses and takes pictures.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

SCREEN = "1600x1000x24"
PROFILE = Path("profiles", "default")
WINDOW = (1500, 950)
SETTINGS = "[qgis]\ncheckVersion=false\nshowTips=false\n[PythonPlugins]\nprocessing=true\n"
SETTINGS += "[app]\nminTaskLengthForSystemNotification=9999\n"  # there is no desktop to show it
FIRST_MOMENT, LONGEST = 1.0, 600.0
"""Seconds until QGIS is ready to be used, and that anything may take."""


def open_qgis(script: str, work: Path, variables: Mapping[str, str], limit: float = LONGEST) -> int:
    """Start QGIS on a virtual screen, in a fresh profile, with a module working in it.

    QGIS 3.40 crashes without a screen.

    Args:
        script: Name of the module, whose function `inside` is called with `work`.
        work: Folder of the profile and of what the script writes; emptied first.
        variables: Environment to set.
        limit: Seconds after which QGIS is ended.

    Returns:
        The status that QGIS ended with.
    """
    shutil.rmtree(work, ignore_errors=True)
    settings = work / PROFILE / "QGIS" / "QGIS3.ini"
    settings.parent.mkdir(parents=True)
    settings.write_text(SETTINGS, encoding="utf-8")
    start = work / "start.py"
    folders = [str(Path(__file__).parents[1]), str(Path(sys.argv[0]).absolute().parent)]
    start.write_text(
        f"import sys\nfrom pathlib import Path\nsys.path[:0] = {folders!r}\n"
        f"import {script}\n{script}.inside(Path({str(work)!r}))\n",
        encoding="utf-8",
    )
    environment = {**os.environ, "XDG_DATA_HOME": str(work / "home"), **variables}
    for foreign in ("QGIS_PLUGINPATH", "PYTHONPATH", "PYTHONHOME"):
        environment.pop(foreign, None)
    environment["QT_QPA_PLATFORM"] = "xcb"
    environment["PATH"] = f"/usr/bin{os.pathsep}{environment['PATH']}"  # QGIS looks for python3
    frame = ["xvfb-run", "--auto-servernum", "--server-args", f"-screen 0 {SCREEN}"]
    program = ["qgis", "--nologo", "--noversioncheck", "--profiles-path", str(work)]
    program += ["--code", str(start)]
    words = ["timeout", "--kill-after", "10", str(limit), *frame, *program]
    return subprocess.run(words, env=environment, check=False).returncode


def begin(work: Callable[[Window], None]) -> None:
    """Run a function in the window as soon as it is there, and end QGIS after it."""
    from qgis.PyQt.QtCore import QTimer

    QTimer.singleShot(round(1000 * FIRST_MOMENT), lambda: _work_and_end(work))


def _work_and_end(work: Callable[[Window], None]) -> None:
    status = 0
    try:
        work(Window())
    except Exception:
        traceback.print_exc(file=sys.__stderr__)
        status = 1
    sys.stdout.flush()
    os._exit(status)  # QGIS' own end is not what is looked at here


class Window:
    """The main window of the QGIS that runs this."""

    def __init__(self) -> None:
        from qgis.utils import iface

        if iface is None:
            raise AssertionError("QGIS has no window")
        self.iface = iface
        self.main = self.iface.mainWindow()
        self.main.move(0, 0)
        self.main.resize(*WINDOW)

    def wait(self, seconds: float) -> None:
        """Let QGIS work for some time."""
        self.until(lambda: False, seconds, must=False)

    def until(
        self, ready: Callable[[], bool], seconds: float = LONGEST, *, must: bool = True
    ) -> None:
        """Let QGIS work until something is so.

        Raises:
            AssertionError: It was not so in time, and `must` be.
        """
        from qgis.PyQt.QtCore import QCoreApplication, QEventLoop

        end = time.monotonic() + seconds
        while not ready():
            if time.monotonic() > end:
                expect(not must, f"it took longer than {seconds:g} s")
                return
            QCoreApplication.processEvents(QEventLoop.ProcessEventsFlag.AllEvents, 20)
            time.sleep(0.005)

    def drawn(self) -> None:
        """Wait until the map is drawn."""
        canvas = self.iface.mapCanvas()
        self.wait(0.5)  # a moment until drawing begins
        self.until(lambda: not canvas.isDrawing())
        self.wait(0.5)

    def picture(self, path: Path) -> None:
        """Write what is on the whole screen, with what lies over the map and beside the window."""
        from qgis.PyQt.QtWidgets import QApplication

        QApplication.primaryScreen().grabWindow(0).save(str(path))  # type: ignore[arg-type]  # a number will do

    def install(self, archive: Path) -> None:
        """Do what "Install from ZIP" of the plugin manager does."""
        import pyplugin_installer

        pyplugin_installer.instance().installFromZipFile(str(archive))

    def action(self, name: str) -> Any:  # noqa: ANN401  QGIS' classes are untyped
        """Return an action of the window by its object name."""
        from qgis.PyQt.QtGui import QAction

        found = self.main.findChild(QAction, name)
        expect(found is not None, f"there is no action {name}")
        return found


def expect(holds: bool, complaint: str) -> None:
    """Complain unless something holds.

    Raises:
        AssertionError: It does not.
    """
    if not holds:
        raise AssertionError(complaint)
