"""What a program that talks in events says, told to a Processing feedback."""

from __future__ import annotations

import codecs
import json
from collections import deque
from typing import Any

from qgis.core import QgsProcessingFeedback
from qgis.PyQt.QtCore import QByteArray

_LINES_KEPT = 20
_LONGEST_QUOTE = 200


class Conversation:
    """Assembles lines from chunks of bytes and passes on each event.

    Attributes:
        result: Outputs of the result event, once there was one.
        error: Message of the error event, once there was one.
    """

    def __init__(self, feedback: QgsProcessingFeedback) -> None:
        self.result: dict[str, Any] | None = None
        self.error: str | None = None
        self._feedback = feedback
        self._events = LineBuffer()
        self._asides = LineBuffer()
        self._kept: deque[str] = deque(maxlen=_LINES_KEPT)
        self._task = ""

    def hear(self, chunk: QByteArray) -> None:
        """Take bytes from the program's standard output."""
        for line in self._events.feed(bytes(chunk)):
            self._take(line)

    def overhear(self, chunk: QByteArray) -> None:
        """Take bytes from the program's standard error: words of libraries, for the log."""
        for line in self._asides.feed(bytes(chunk)):
            self._remark(line)

    def close(self) -> None:
        """Take the last line, which may have no end."""
        for line in self._events.flush():
            self._take(line)
        for line in self._asides.flush():
            self._remark(line)

    def last_words(self) -> str:
        """Return the last line that was no event, cut to what fits into a sentence."""
        return self._kept[-1].strip()[:_LONGEST_QUOTE] if self._kept else ""

    def _take(self, line: str) -> None:
        match _event(line):
            case {"event": "progress", "fraction": float() | int() as fraction, **rest}:
                self._feedback.setProgress(100.0 * fraction)
                self._tell_task(str(rest.get("message", "")))
            case {"event": "log", "message": message}:
                self._feedback.pushInfo(str(message))
            case {"event": "warning", "message": message}:
                self._feedback.pushWarning(str(message))
            case {"event": "result", "outputs": dict(outputs)}:
                self.result = outputs
            case {"event": "error", "message": message, **rest}:
                self.error = str(message)
                if rest.get("traceback"):
                    self._feedback.pushDebugInfo(str(rest["traceback"]))
            case _:
                self._remark(line)

    def _tell_task(self, message: str) -> None:
        if message and message != self._task:
            self._task = message
            self._feedback.setProgressText(message)

    def _remark(self, line: str) -> None:
        if line.strip():
            self._kept.append(line)
            self._feedback.pushConsoleInfo(line)


class LineBuffer:
    """Cuts a stream of UTF-8 bytes into lines, wherever its chunks begin and end."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._rest = ""

    def feed(self, chunk: bytes) -> list[str]:
        """Return the lines that `chunk` completes."""
        *lines, self._rest = (self._rest + self._decoder.decode(chunk)).split("\n")
        return lines

    def flush(self) -> list[str]:
        """Return the line that never ended, if there is one."""
        rest, self._rest = self._rest + self._decoder.decode(b"", final=True), ""
        return [rest] if rest else []


def _event(line: str) -> object:
    try:
        return json.loads(line)
    except ValueError:
        return None
