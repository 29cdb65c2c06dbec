"""Consecutive jobs for a warm engine, as lines on its standard input.

Most of the time of a short job goes into loading Python, torch and the network. A panel therefore
keeps one engine, which loads these once. The engine ends when no job arrives for a while, and at
once, even during a job, when its standard input is closed, because QGIS has ended.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from queue import Empty, Queue
from typing import IO, NoReturn

from glacier_qgis.models.app.watchdog import Watchdog

GONE = 0
"""Exit status of an engine that is no longer needed."""


def stay_warm(idle_seconds: int, watchdog: Watchdog, perform: Callable[[bytes], int]) -> NoReturn:
    """Run jobs as they arrive; end the process after `idle_seconds` without one."""
    orders: Queue[bytes] = Queue()
    thread = threading.Thread(
        target=_read, args=(_take_stdin(), orders, watchdog), name="orders", daemon=True
    )
    thread.start()
    while True:
        try:
            order = orders.get(timeout=idle_seconds)
        except Empty:
            watchdog.end(GONE)
        perform(order)


def _read(stream: IO[bytes], orders: Queue[bytes], watchdog: Watchdog) -> None:
    for line in stream:
        orders.put(line)
    watchdog.end(GONE)


def _take_stdin() -> IO[bytes]:
    """Reserve stdin for jobs; libraries and child processes find it empty."""
    orders = os.fdopen(os.dup(0), "rb")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    return orders
