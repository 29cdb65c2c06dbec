"""What a program that talks in events says, told to a Processing feedback."""

from __future__ import annotations

import codecs
import json
from collections import deque
from typing import Any

from qgis.core import QgsProcessingFeedback
from qgis.PyQt.QtCore import QByteArray

from glacier_qgis.messages.telling import Telling, TimeLeft
from glacier_qgis.translation import tr

_LINES_KEPT = 20
_LONGEST_QUOTE = 200


class Conversation:
    """Assembles lines from chunks of bytes and passes on each event.

    Attributes:
        result: Outputs of the result event, once there was one.
        error: Message of the error event, once there was one.
    """

    def __init__(self, feedback: QgsProcessingFeedback, telling: Telling | None = None) -> None:
        self.result: dict[str, Any] | None = None
        self.error: str | None = None
        self._feedback = feedback
        self._telling = telling or Telling()
        self._left = TimeLeft()
        self._warnings: list[str] = []
        self._told_since = False
        self._events = LineBuffer()
        self._asides = LineBuffer()
        self._kept: deque[str] = deque(maxlen=_LINES_KEPT)
        self._step = ""
        self._steps: set[str] = set()

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

    def repeat_warnings(self) -> None:
        """Repeat all warnings, unless nothing was reported after them."""
        if not (self._warnings and self._told_since):
            return
        count = len(self._warnings)
        heading = tr("1 warning:") if count == 1 else tr("{count} warnings:").format(count=count)
        self._feedback.pushWarning("\n".join([heading, *(f"- {each}" for each in self._warnings)]))

    def last_words(self) -> str:
        """Return the last line that was no event, cut to what fits into a sentence."""
        return self._kept[-1].strip()[:_LONGEST_QUOTE] if self._kept else ""

    def _take(self, line: str) -> None:
        match _event(line):
            case {"event": "progress", "fraction": float() | int() as fraction, **rest}:
                self._feedback.setProgress(100.0 * fraction)
                self._tell_step(str(rest.get("message", "")), float(fraction))
            case {"event": "log", "message": message}:
                self._told_since = bool(self._warnings)
                self._feedback.pushInfo(self._telling.words(str(message)))
            case {"event": "warning", "message": message}:
                warning = self._telling.words(str(message))
                if warning not in self._warnings:
                    self._warnings.append(warning)
                self._feedback.pushWarning(warning)
            case {"event": "result", "outputs": dict(outputs)}:
                self.result = outputs
            case {"event": "error", "message": message, **rest}:
                self.error = str(message)
                if rest.get("traceback"):
                    self._feedback.pushDebugInfo(str(rest["traceback"]))
            case _:
                self._remark(line)

    def _tell_step(self, message: str, fraction: float) -> None:
        """Tell what is being done, "step: how far", the step once and the rest beside the bar."""
        step = message.partition(": ")[0] or self._step
        self._step = step
        if step and step not in self._steps:
            self._steps.add(step)
            self._told_since = bool(self._warnings)
            self._feedback.setProgressText(self._telling.words(step))
        if self._telling.has_bar:
            doing = self._telling.words(message or step)
            parts = [doing, self._left.after(fraction)]
            self._telling.put_beside_bar(", ".join(filter(None, parts)))
        elif news := self._left.news_after(fraction):
            self._feedback.setProgressText(f"{step}: {news}")

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
