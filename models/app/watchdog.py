"""Ends the engine quickly when it is asked to stop or when QGIS has ended."""

from __future__ import annotations

import os
import select
import signal
import socket
import threading
from collections.abc import Callable
from typing import NoReturn

import psutil

CANCELLED = 130
_PARENT_CHECK_SECONDS = 1.0


class Watchdog:
    """Watches for SIGTERM, SIGINT, SIGHUP and the death of the parent process.

    A Python signal handler waits for the running operation to return, which can take seconds for a
    large convolution. Here the interpreter's C handler writes to a socket at once; a thread, which
    runs while torch computes, calls `clean_up` and ends the process.

    Attributes:
        clean_up: Called first; set by the running job.
        owner: The process that wants the result; None for the parent process. It may have ended
            before this one starts, which then has another parent.
    """

    def __init__(self) -> None:
        self.clean_up: Callable[[], None] = _nothing
        self.owner: int | None = None
        self._reader, self._writer = socket.socketpair()
        self._writer.setblocking(False)
        signal.set_wakeup_fd(self._writer.fileno(), warn_on_full_buffer=False)
        for name in ("SIGTERM", "SIGINT", "SIGHUP"):
            if hasattr(signal, name):
                signal.signal(getattr(signal, name), lambda *_: None)
        self._parent = os.getppid()
        threading.Thread(target=self._watch, name="watchdog", daemon=True).start()

    def end(self, status: int) -> NoReturn:
        """Clean up and end the process at once, from any thread."""
        try:
            self.clean_up()
        finally:
            os._exit(status)

    def _watch(self) -> None:
        while True:
            ready, _, _ = select.select([self._reader], [], [], _PARENT_CHECK_SECONDS)
            orphan = os.getppid() != self._parent
            if ready or orphan or (self.owner is not None and not _lives(self.owner)):
                self.end(CANCELLED)


def _lives(process: int) -> bool:
    try:
        return bool(psutil.Process(process).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False
    except psutil.Error:  # access to it is denied
        return True


def _nothing() -> None:
    """Do nothing: no job is running."""
