"""Ends the engine within a moment when it is told to stop or when QGIS is gone."""

from __future__ import annotations

import os
import select
import signal
import socket
import threading
from collections.abc import Callable

CANCELLED = 130
_PARENT_CHECK_SECONDS = 1.0


def start_watchdog(clean_up: Callable[[], None]) -> None:
    """Watch for SIGTERM, SIGINT and the death of the parent process.

    A Python signal handler waits for the running operation to return, which for a large
    convolution can be seconds. Here the interpreter's C handler writes to a socket at once
    and a thread, free to run while torch computes, calls `clean_up` and ends the process.
    """
    reader, writer = socket.socketpair()
    writer.setblocking(False)
    signal.set_wakeup_fd(writer.fileno(), warn_on_full_buffer=False)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)
    parent = os.getppid()

    def watch(_open: socket.socket) -> None:
        while True:
            ready, _, _ = select.select([reader], [], [], _PARENT_CHECK_SECONDS)
            if ready or os.getppid() != parent:
                try:
                    clean_up()
                finally:
                    os._exit(CANCELLED)

    threading.Thread(target=watch, args=(writer,), name="watchdog", daemon=True).start()
