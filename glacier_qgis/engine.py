"""The plugin's side of the wall: starts the engine with a job and listens to its events."""

from __future__ import annotations

import codecs
import json
import os
import tempfile
import uuid
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from qgis.core import (
    QgsBlockingProcess,
    QgsProcessingException,
    QgsProcessingFeedback,
    QgsSettings,
)
from qgis.PyQt.QtCore import QByteArray, QProcess

PYTHON_VARIABLE = "GLACIER_ENGINE_PYTHON"
PYTHON_SETTING = "glacier/engine_python"
LAUNCHER = Path(__file__).parent / "launch.py"

NO_ENGINE = (
    "The engine is not set up. Run 'Set up engine' (glacier:setupengine) from the toolbox once, or "
    f"point the variable {PYTHON_VARIABLE} at a Python that has the engine's packages."
)


class Cancelled(QgsProcessingException):
    """The person who started the job stopped it."""


def engine_python() -> str:
    """Return the engine's interpreter.

    Raises:
        QgsProcessingException: None is set up, or the one that is set is gone.
    """
    variable = os.environ.get(PYTHON_VARIABLE)
    path = variable or QgsSettings().value(PYTHON_SETTING, "", str)
    if not path:
        raise QgsProcessingException(NO_ENGINE)
    if not Path(path).is_file():
        where = f"the variable {PYTHON_VARIABLE}" if variable else "the plugin's settings"
        raise QgsProcessingException(
            f"The engine's Python {path}, named by {where}, does not exist. Run 'Set up engine' "
            "(glacier:setupengine), or correct the path."
        )
    return path


def run_job(
    name: str, parameters: Mapping[str, Any], feedback: QgsProcessingFeedback
) -> dict[str, Any]:
    """Run one job in a process of its own and return its outputs.

    Args:
        name: The job, as the engine knows it.
        parameters: Its parameters; destinations among them are swept if the job fails.
        feedback: Shows progress and messages, and cancels.

    Raises:
        QgsProcessingException: The job failed, with the engine's own words where it had any.
    """
    job_id = uuid.uuid4().hex
    order = {"job": name, "id": job_id, "parameters": dict(parameters)}
    with tempfile.TemporaryDirectory(prefix="glacier-") as folder:
        path = Path(folder) / "job.json"
        path.write_text(json.dumps(order), encoding="utf-8")
        try:
            return run_process(engine_python(), ["-I", str(LAUNCHER), str(path)], feedback)
        except QgsProcessingException:
            sweep(job_id, parameters)
            raise


def run_process(
    program: str, arguments: Sequence[str], feedback: QgsProcessingFeedback
) -> dict[str, Any]:
    """Run a program that tells events on stdout, and return the outputs of its result.

    Raises:
        QgsProcessingException: It could not be started, died, told nothing that is an event,
            or reported an error.
    """
    listener = Listener(feedback)
    process = QgsBlockingProcess(program, list(arguments))
    process.setStdOutHandler(listener.stdout)
    process.setStdErrHandler(listener.stderr)
    status = process.run(feedback)
    listener.close()
    if feedback.isCanceled():
        raise Cancelled("The job was cancelled; nothing was kept.")
    if process.processError() == QProcess.ProcessError.FailedToStart:
        raise QgsProcessingException(
            f"The engine's Python {program} could not be started. Run 'Set up engine' "
            "(glacier:setupengine) to repair it."
        )
    if listener.error is not None:
        raise QgsProcessingException(listener.error)
    if process.exitStatus() == QProcess.ExitStatus.CrashExit:
        raise QgsProcessingException(
            "The engine was ended by the system, most often for lack of memory: close other "
            "programs, or choose a smaller EXTENT, TILE_SIZE or BATCH_SIZE, and run again."
        )
    if listener.outputs is None:
        raise QgsProcessingException(
            f"The engine stopped without a result (exit status {status}): see the log above, and "
            "run 'Set up engine' (glacier:setupengine) to repair it."
        )
    return listener.outputs


def sweep(job_id: str, parameters: Mapping[str, Any]) -> None:
    """Remove what an engine that was killed left beside the job's destinations."""
    folders = {
        Path(value).parent
        for value in parameters.values()
        if isinstance(value, str) and Path(value).is_absolute()
    }
    for folder in folders:
        for leftover in folder.glob(f".{job_id}-*"):
            leftover.unlink(missing_ok=True)


class Listener:
    """Turns the engine's output, in whatever pieces it arrives, into feedback."""

    def __init__(self, feedback: QgsProcessingFeedback) -> None:
        self.outputs: dict[str, Any] | None = None
        self.error: str | None = None
        self._feedback = feedback
        self._stage = ""
        self._stdout = Lines(self._event)
        self._stderr = Lines(self._chatter)

    def stdout(self, data: QByteArray) -> None:
        """Take a piece of stdout."""
        self._stdout.feed(bytes(data))

    def stderr(self, data: QByteArray) -> None:
        """Take a piece of stderr."""
        self._stderr.feed(bytes(data))

    def close(self) -> None:
        """Take what is left without a line's end."""
        self._stdout.close()
        self._stderr.close()

    def _chatter(self, line: str) -> None:
        self._feedback.pushDebugInfo(line)

    def _event(self, line: str) -> None:
        try:
            event = json.loads(line)
            kind = event["event"]
        except (ValueError, KeyError, TypeError):
            self._feedback.pushDebugInfo(f"Not an event of the engine: {line[:500]}")
            return
        if kind == "progress":
            self._feedback.setProgress(100 * event["fraction"])
            if event["message"] != self._stage:
                self._stage = event["message"]
                self._feedback.setProgressText(self._stage)
        elif kind == "log":
            self._feedback.pushInfo(event["message"])
        elif kind == "warning":
            self._feedback.pushWarning(event["message"])
        elif kind == "result":
            self.outputs = event["outputs"]
        elif kind == "error":
            self.error = event["message"]
            if event["traceback"]:
                self._feedback.pushDebugInfo(event["traceback"])


class Lines:
    """Cuts a stream of bytes into lines of text; a letter may arrive in two pieces."""

    def __init__(self, take: Callable[[str], None]) -> None:
        self._take = take
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
        self._rest = ""

    def feed(self, data: bytes) -> None:
        """Take some bytes and hand on every line that is whole."""
        *lines, self._rest = (self._rest + self._decoder.decode(data)).split("\n")
        for line in lines:
            if line.strip():
                self._take(line.rstrip("\r"))

    def close(self) -> None:
        """Hand on the last line."""
        self.feed(b"\n")
