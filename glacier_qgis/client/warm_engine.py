"""An engine that stays warm for the panels: requests one after another, answers as signals.

Nothing here waits, so the window stays alive. The engine starts with the first request, ends
by itself when none has come for a while, and ends with QGIS. A request that is cancelled, or that
crashes, takes its engine with it; the next one gets a new engine.
"""

from __future__ import annotations

import json
import os
import uuid
from collections import deque
from collections.abc import Mapping
from typing import Any, ClassVar
from weakref import WeakSet

from qgis.core import Qgis, QgsMessageLog, QgsProcessingException, QgsProcessingFeedback
from qgis.PyQt.QtCore import QObject, QProcess, QTimer, pyqtBoundSignal, pyqtSignal

from glacier_qgis.client.engine import explain_end, find_python, sweep
from glacier_qgis.messages.conversation import Conversation
from glacier_qgis.resources import LAUNCHER

IDLE_SECONDS = 600
GRACE_MS = 700
"""How long an engine that is asked to stop may clean up before it is killed."""
STOP_MS = 2000


class Request(QgsProcessingFeedback):
    """One job, as the one who asks sees it; `cancel` ends it, and then it says no more.

    Attributes:
        finished: Signal with the job's output values.
        failed: Signal with a sentence for a person.
        warned: Signal with what may make the result wrong.
    """

    finished = pyqtSignal(object)
    failed = pyqtSignal(str)
    warned = pyqtSignal(str)

    def __init__(self, job: str, parameters: Mapping[str, Any]) -> None:
        super().__init__(False)
        self.id = uuid.uuid4().hex
        self.job = job
        self.parameters = dict(parameters)
        self.resent = False

    def order(self) -> bytes:
        """Return the line that the engine reads."""
        content = {"job": self.job, "id": self.id, "parameters": self.parameters}
        return json.dumps(content).encode("ascii") + b"\n"

    def pushWarning(self, warning: str) -> None:  # type: ignore[override]  # never None
        """Pass a warning on."""
        self.warned.emit(warning)

    def pushDebugInfo(self, info: str) -> None:  # type: ignore[override]  # never None
        """Keep the traceback of a defect in QGIS' log."""
        QgsMessageLog.logMessage(info, "Glacier", Qgis.MessageLevel.Critical, False)


class WarmEngine(QObject):
    """The one warm engine of a QGIS, with the requests that wait for it."""

    _all: ClassVar[WeakSet[WarmEngine]] = WeakSet()

    def __init__(self, parent: QObject | None = None, idle_seconds: int = IDLE_SECONDS) -> None:
        super().__init__(parent)
        self._all.add(self)
        self._idle_seconds = idle_seconds
        self._process: QProcess | None = None
        self._waiting: deque[Request] = deque()
        self._current: Request | None = None
        self._conversation: Conversation | None = None
        self._heard = False
        self._leaving: list[QProcess] = []

    def submit(self, job: str, parameters: Mapping[str, Any]) -> Request:
        """Ask for a job; it begins when those before it have ended and the caller has returned."""
        request = Request(job, parameters)
        request.canceled.connect(self._drop_cancelled)
        self._waiting.append(request)
        QTimer.singleShot(0, self._next)
        return request

    @classmethod
    def stop_all(cls) -> None:
        """End all engines, before what they are made of is changed; requests start new ones."""
        for engine in [*cls._all]:
            engine.stop()

    def is_running(self) -> bool:
        """Whether there is an engine, busy or not."""
        return self._process is not None

    def stop(self) -> None:
        """End the engine and forget all requests; returns when the process is gone."""
        self._waiting.clear()
        request, self._current, self._conversation = self._current, None, None
        self._dismiss(request)
        for process in [*self._leaving]:
            if not process.waitForFinished(STOP_MS):
                process.kill()
                process.waitForFinished(STOP_MS)

    def _next(self) -> None:
        if self._current is not None or not self._waiting:
            return
        self._current = self._waiting.popleft()
        self._hand_over(self._current)

    def _hand_over(self, request: Request) -> None:
        self._heard = False
        self._conversation = Conversation(request)
        try:
            process = self._started(str(find_python()))
        except QgsProcessingException as problem:
            self._end(request.failed, str(problem))
            return
        process.write(request.order())

    def _started(self, python: str) -> QProcess:
        """Return the engine of this interpreter, which may be another than before."""
        if self._process is not None and self._process.program() == python:
            return self._process
        self._dismiss(None)
        process = QProcess(self)
        process.setProgram(python)
        process.setArguments(["-I", str(LAUNCHER), "--warm", str(self._idle_seconds)])
        process.readyReadStandardOutput.connect(self._hear)
        process.readyReadStandardError.connect(self._overhear)
        process.finished.connect(self._ended)
        process.errorOccurred.connect(self._not_started)
        process.start()
        self._process = process
        return process

    def _hear(self) -> None:
        if self._process is None or self._conversation is None:
            return
        chunk = self._process.readAllStandardOutput()
        self._heard = self._heard or not chunk.isEmpty()
        self._conversation.hear(chunk)
        self._deliver()

    def _overhear(self) -> None:
        if self._process is None:
            return
        chunk = self._process.readAllStandardError()
        if self._conversation is not None:
            self._conversation.overhear(chunk)

    def _deliver(self) -> bool:
        """Return whether the current request has its last event, after passing that on."""
        request, conversation = self._current, self._conversation
        if request is None or conversation is None:
            return False
        if conversation.error is not None:
            self._end(request.failed, conversation.error)
        elif conversation.result is not None:
            self._end(request.finished, conversation.result)
        else:
            return False
        return True

    def _not_started(self, error: QProcess.ProcessError) -> None:
        if error == QProcess.ProcessError.FailedToStart:
            self._ended(0, QProcess.ExitStatus.NormalExit)

    def _ended(self, code: int, status: QProcess.ExitStatus) -> None:
        """The process is gone: by itself when idle, or in the middle of a request."""
        process, request, conversation = self._process, self._current, self._conversation
        if process is None:
            return
        self._hear()
        self._overhear()
        self._process = None
        process.deleteLater()
        if request is None or conversation is None or self._current is not request:
            return
        conversation.close()
        if self._deliver():
            return
        error = process.error()  # type: ignore[operator]  # PyQt5 has a signal of that name too
        left = code == 0 and status == QProcess.ExitStatus.NormalExit and not self._heard
        if left and error != QProcess.ProcessError.FailedToStart and not request.resent:
            request.resent = True  # it went idle just as the request was sent
            self._hand_over(request)
            return
        sweep(request.id, request.parameters)
        words = conversation.last_words()
        sentence = explain_end(process.program(), error, status, code, words)
        self._end(request.failed, sentence)

    def _end(self, outcome: pyqtBoundSignal, value: object) -> None:
        self._current = self._conversation = None
        QTimer.singleShot(0, self._next)
        outcome.emit(value)

    def _drop_cancelled(self) -> None:
        self._waiting = deque(waiting for waiting in self._waiting if not waiting.isCanceled())
        request = self._current
        if request is not None and request.isCanceled():
            self._current = self._conversation = None
            self._dismiss(request)
            QTimer.singleShot(0, self._next)

    def _dismiss(self, request: Request | None) -> None:
        """Let go of the process, which has a moment to clean up; what it leaves is swept."""
        process, self._process = self._process, None
        if process is None:
            return
        for signal in (
            process.readyReadStandardOutput,
            process.readyReadStandardError,
            process.finished,
            process.errorOccurred,
        ):
            signal.disconnect()

        def gone(*_: object) -> None:
            if process in self._leaving:
                self._leaving.remove(process)
                process.deleteLater()
                if request is not None:
                    sweep(request.id, request.parameters)

        self._leaving.append(process)
        process.finished.connect(gone)
        if process.state() == QProcess.ProcessState.NotRunning:
            gone()
        elif os.name == "nt":  # where only programs with a window understand `terminate`
            process.kill()
        else:
            process.terminate()
            QTimer.singleShot(GRACE_MS, process.kill)
