"""Waiting without standing still: Qt works on."""

from __future__ import annotations

import os
import time
from collections.abc import Callable

from qgis.PyQt.QtCore import QCoreApplication, QEventLoop

PATIENCE = 60.0


def until(ready: Callable[[], bool], seconds: float = PATIENCE) -> None:
    """Let Qt work until something has happened."""
    deadline = time.monotonic() + seconds
    while not ready():
        assert time.monotonic() < deadline, "it never happened"
        QCoreApplication.processEvents(QEventLoop.ProcessEventsFlag.AllEvents, 50)
        time.sleep(0.005)


def is_alive(process: int) -> bool:
    """Whether there is a process of that number."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True
