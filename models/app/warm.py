"""Jobs one after another for an engine that stays warm, as lines on its standard input.

What takes most of a short job is starting: Python, torch, the network. A panel therefore keeps
one engine, which loads these once. It ends by itself when nothing has come for a while, and at
once, also in the middle of a job, when its standard input is closed: then QGIS is gone.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from queue import Empty, Queue
from typing import IO, NoReturn

from glacier_qgis.models.app.watchdog import Watchdog

GONE = 0
"""Exit status of an engine that nobody needs any longer."""


def stay_warm(idle_seconds: int, watchdog: Watchdog, perform: Callable[[bytes], int]) -> NoReturn:
    """Perform jobs as they come; end the process when none has come for `idle_seconds`."""
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
    """Keep stdin for orders; libraries and processes started by them find it empty."""
    orders = os.fdopen(os.dup(0), "rb")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    return orders
