"""Events of a running job, one JSON object per line."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping
from typing import IO, Protocol

JsonValue = None | bool | int | float | str | list["JsonValue"] | dict[str, "JsonValue"]
Result = dict[str, JsonValue]


class Reporter(Protocol):
    """Receives what a running job reports."""

    def progress(self, fraction: float, message: str = "") -> None:
        """Report the completed fraction of the work, 0 to 1."""

    def log(self, message: str) -> None:
        """Log a message."""

    def warning(self, message: str) -> None:
        """Warn of something that may make the result wrong."""


class EventStream:
    """Writes events to a text stream; safe to call from several threads."""

    def __init__(self, stream: IO[str]) -> None:
        self._stream = stream
        self._lock = threading.Lock()

    def emit(self, event: str, **fields: JsonValue) -> None:
        """Write one event and flush it."""
        line = json.dumps({"event": event, **fields}, ensure_ascii=True, allow_nan=False)
        with self._lock:
            self._stream.write(line + "\n")
            self._stream.flush()

    def progress(self, fraction: float, message: str = "") -> None:
        """See :class:`Reporter`."""
        self.emit("progress", fraction=min(max(float(fraction), 0.0), 1.0), message=message)

    def log(self, message: str) -> None:
        """See :class:`Reporter`."""
        self.emit("log", message=message)

    def warning(self, message: str) -> None:
        """See :class:`Reporter`."""
        self.emit("warning", message=message)

    def result(self, outputs: Mapping[str, JsonValue]) -> None:
        """End the job with its result."""
        self.emit("result", outputs=dict(outputs))

    def error(self, message: str, traceback: str = "") -> None:
        """End the job with an error; `traceback` only for defects."""
        self.emit("error", message=message, traceback=traceback)


class Stage:
    """A reporter for one part of a job: maps its 0 to 1 onto `start` to `stop`.

    Its own message, if any, replaces those of the part.
    """

    def __init__(self, parent: Reporter, start: float, stop: float, message: str = "") -> None:
        self._parent = parent
        self._start = start
        self._span = stop - start
        self._message = message

    def progress(self, fraction: float, message: str = "") -> None:
        """See :class:`Reporter`."""
        self._parent.progress(self._start + self._span * fraction, self._message or message)

    def log(self, message: str) -> None:
        """See :class:`Reporter`."""
        self._parent.log(message)

    def warning(self, message: str) -> None:
        """See :class:`Reporter`."""
        self._parent.warning(message)


def parts(
    reporter: Reporter, count: int, start: float = 0.0, stop: float = 1.0
) -> Iterator[Reporter]:
    """Yield reporters for so many parts of a job, of the same length, from `start` to `stop`."""
    step = (stop - start) / max(count, 1)
    for number in range(count):
        yield Stage(reporter, start + number * step, start + (number + 1) * step)


class Silent:
    """A reporter that nobody listens to."""

    def progress(self, fraction: float, message: str = "") -> None:
        """See :class:`Reporter`."""

    def log(self, message: str) -> None:
        """See :class:`Reporter`."""

    def warning(self, message: str) -> None:
        """See :class:`Reporter`."""
