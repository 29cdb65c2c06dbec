"""Limits on a process that runs an untrusted network or reads an untrusted file."""

from __future__ import annotations

import subprocess  # nosec B404: only watches processes that others start
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import psutil

from glacier_qgis.models.compute.memory import free_memory

LOOK_SECONDS = 0.05
LEAST_MEMORY = 1 << 30


def fair_memory() -> int:
    """Return how many bytes such a process may use: half of the free memory."""
    return max(LEAST_MEMORY, free_memory() // 2)


class Guard:
    """Ends a process that uses too much memory or time; a thread checks it regularly.

    Attributes:
        reason: Why it was ended, as the predicate of a sentence; empty if it was not.
    """

    def __init__(
        self, process: subprocess.Popen[bytes], memory: int, seconds: float | None = None
    ) -> None:
        """Begin to watch.

        Args:
            process: To watch until it ends.
            memory: Limit of the resident memory, bytes.
            seconds: Limit of the run time; None for no limit.
        """
        self.reason = ""
        self._process, self._memory = process, memory
        self._limit = None if seconds is None else (time.monotonic() + seconds, seconds)
        threading.Thread(target=self._watch, name="guard", daemon=True).start()

    @contextmanager
    def at_most(self, seconds: float) -> Iterator[None]:
        """End the process if what happens within the context takes longer."""
        self._limit = time.monotonic() + seconds, seconds
        try:
            yield
        finally:
            self._limit = None

    def _watch(self) -> None:
        while self._process.poll() is None:
            if _resident(self._process.pid) > self._memory:
                self.reason = f"used more than {self._memory / 2**30:.1f} GiB of memory"
            elif (limit := self._limit) and time.monotonic() > limit[0]:
                self.reason = f"took longer than {limit[1]:g} s"
            if self.reason:
                self._process.kill()
                return
            time.sleep(LOOK_SECONDS)


def _resident(process: int) -> int:
    try:
        return int(psutil.Process(process).memory_info().rss)
    except psutil.Error:  # it has just ended
        return 0
