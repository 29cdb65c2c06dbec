"""The engine's client: one process a job, JSON in, events out.

Everything that can go wrong on the other side of the wall (no interpreter, a crash, the system's
memory killer, garbage on the wire) ends here as one sentence with its remedy.
"""

from __future__ import annotations

import json
import os
import shutil
import uuid
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from qgis.core import QgsBlockingProcess, QgsProcessingException, QgsProcessingFeedback
from qgis.PyQt.QtCore import QProcess

from glacier_qgis.messages.conversation import Conversation
from glacier_qgis.messages.telling import Telling
from glacier_qgis.resources import LAUNCHER
from glacier_qgis.settings import VARIABLE, default_environment, engine_setting
from glacier_qgis.setup.state import interpreter, read_state
from glacier_qgis.translation import tr

SET_UP = tr("run 'Set up engine' (glacier:setupengine)")
OUT_OF_MEMORY = tr(
    "The system ended the engine (signal 9), most often because memory ran out: close other "
    "programs or choose a smaller EXTENT, TILE_SIZE or BATCH_SIZE, and run again."
)
ENDED = tr(
    "The engine was ended by another program (signal 15) before it was done: run it again, and ask "
    "who looks after this computer if it happens again."
)
_CANCELLED = 130
"""Exit status of an engine that was asked to end, and did so in order."""
_KILLED = 9
_TERMINATED = 15


def run_job(
    name: str,
    parameters: Mapping[str, Any],
    feedback: QgsProcessingFeedback,
    telling: Telling | None = None,
) -> dict[str, Any]:
    """Run the job `name` in the engine and return its output values.

    Raises:
        QgsProcessingException: The job did not end well; nothing of it is left on disk.
    """
    job_id = uuid.uuid4().hex
    python = find_python()
    with ExitStack() as stack:
        try:
            folder = stack.enter_context(
                TemporaryDirectory(prefix="glacier-", ignore_cleanup_errors=True)
            )
            order = Path(folder) / "job.json"
            content: dict[str, object] = {"job": name, "id": job_id, "parameters": parameters}
            content |= {"owner": os.getpid(), "scratch": folder}
            order.write_text(json.dumps(content), encoding="utf-8")
        except OSError as error:
            raise QgsProcessingException(
                tr(
                    "Temporary files cannot be written ({error}): free some space "
                    "on that disk, or start QGIS with the variable TMPDIR naming another folder."
                ).format(error=error.strerror or error)
            ) from error
        feedback.setProgressText(tr("Starting the engine…"))
        command = [str(python), "-I", str(LAUNCHER), str(order)]
        try:
            return run_program(command, feedback, telling)
        except QgsProcessingException:
            sweep(job_id, parameters)
            raise


def run_program(
    command: Sequence[str], feedback: QgsProcessingFeedback, telling: Telling | None = None
) -> dict[str, Any]:
    """Run a program that talks in events and return the outputs of its result event.

    Raises:
        QgsProcessingException: It was cancelled, could not be started, or gave no result.
    """
    if feedback.isCanceled():  # QgsBlockingProcess would wait for a process that it had ended
        raise QgsProcessingException(tr("Cancelled."))
    conversation = Conversation(feedback, telling)
    process = QgsBlockingProcess(command[0], list(command[1:]))
    # QGIS does not keep these two alive; bound methods made here and held until the end do.
    hear, overhear = conversation.hear, conversation.overhear
    process.setStdOutHandler(hear)
    process.setStdErrHandler(overhear)
    code = process.run(feedback)
    conversation.close()
    conversation.repeat_warnings()
    if feedback.isCanceled():
        raise QgsProcessingException(tr("Cancelled."))
    if conversation.error is not None:
        raise QgsProcessingException(conversation.error)
    if conversation.result is not None:
        return conversation.result
    error, status = process.processError(), process.exitStatus()
    words = conversation.last_words()
    raise QgsProcessingException(explain_end(command[0], error, status, code, words))


def find_python() -> Path:
    """Return the engine's interpreter: the variable's, the setting's, or the one built here.

    Raises:
        QgsProcessingException: There is none, or the one that was named does not exist.
    """
    named = os.environ.get(VARIABLE)
    if named:
        return _existing(named, tr("the variable {variable}").format(variable=VARIABLE))
    chosen = engine_setting()
    if chosen:
        return _existing(chosen, tr("the setting 'Engine interpreter'"))
    built = interpreter(default_environment())
    if built.is_file():
        return _complete(built)
    unfinished = unfinished_set_up(built)
    if unfinished:
        raise QgsProcessingException(unfinished)
    raise QgsProcessingException(
        tr(
            "There is no engine yet: {set_up}, or let the variable {variable} name the Python "
            "interpreter of an existing one."
        ).format(set_up=SET_UP, variable=VARIABLE)
    )


def engine_obstacle() -> str:
    """Return why no engine can be started, or "" if one can; looks at files alone."""
    try:
        find_python()
    except QgsProcessingException as problem:
        return str(problem)
    return ""


def is_begun() -> bool:
    """Return whether an engine was ever named, built, or begun to be built."""
    built = interpreter(default_environment())
    named = os.environ.get(VARIABLE) or engine_setting()
    return bool(named or built.is_file() or unfinished_set_up(built))


def unfinished_set_up(python: Path) -> str:
    """Return what a set-up of the interpreter's environment that did not end well needs."""
    state = read_state(python.parent.parent)
    if not state.get("unfinished"):
        return ""
    if state.get("problem"):
        return tr("The engine's last set-up failed: {problem}").format(problem=state["problem"])
    return tr(
        "The engine's last set-up was cancelled, or still runs. If it was cancelled, {set_up}: "
        "it continues from where it was."
    ).format(set_up=SET_UP)


def sweep(job_id: str, parameters: Mapping[str, Any]) -> None:
    """Remove what an engine that ended early left beside the destinations of its outputs."""
    paths = [Path(value) for value in parameters.values() if isinstance(value, str) and value]
    for folder in {path.parent for path in paths if path.is_absolute()}:
        for leftover in folder.glob(f".{job_id}-*"):
            if leftover.is_dir():
                shutil.rmtree(leftover, ignore_errors=True)
            else:
                leftover.unlink(missing_ok=True)


def explain_end(
    program: str,
    error: QProcess.ProcessError,
    status: QProcess.ExitStatus,
    code: int,
    last_words: str,
) -> str:
    """Return one sentence for a process that gave no result."""
    if error == QProcess.ProcessError.FailedToStart:
        return tr(
            "The engine's interpreter {program} cannot be started: {set_up} to repair it, or "
            "name another in the settings."
        ).format(program=program, set_up=SET_UP)
    if status == QProcess.ExitStatus.CrashExit:
        if code == _KILLED:
            return OUT_OF_MEMORY
        if code == _TERMINATED:
            return ENDED
        return tr(
            "The engine crashed (signal or code {code}): {set_up} to repair it, and report a "
            "defect with the log if that does not help."
        ).format(code=code, set_up=SET_UP)
    unfinished = unfinished_set_up(Path(program))
    if unfinished:
        return unfinished
    if code == _CANCELLED:
        return ENDED
    said = (
        tr("; its last words were '{last_words}'").format(last_words=last_words)
        if last_words
        else ""
    )
    return tr(
        "The engine {program} ended without a result (exit status {code}{said}): {set_up} to "
        "repair it, and report a defect with the log if that does not help."
    ).format(program=program, code=code, said=said, set_up=SET_UP)


def _existing(python: str, origin: str) -> Path:
    if not Path(python).is_file():
        raise QgsProcessingException(
            tr(
                "The engine's interpreter {python}, named by {origin}, does not exist: correct it, "
                "or clear it and {set_up}."
            ).format(python=python, origin=origin, set_up=SET_UP)
        )
    return _complete(Path(python))


def _complete(python: Path) -> Path:
    """Refuse an environment whose packages are not all there yet."""
    if not read_state(python.parent.parent).get("complete", True):
        raise QgsProcessingException(unfinished_set_up(python))
    return python
