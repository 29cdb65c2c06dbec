"""Main loop of the engine: read a job, run it, report, then exit or wait for the next."""

from __future__ import annotations

import io
import os
import sys
import tempfile
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path

from glacier_qgis.models.app.jobs import JobRequest
from glacier_qgis.models.app.warm import stay_warm
from glacier_qgis.models.app.watchdog import Watchdog
from glacier_qgis.models.compute.device import rest_idle_threads, tune_allocator
from glacier_qgis.models.engine.errors import EngineError, explain, full_folder
from glacier_qgis.models.engine.events import EventStream, Result
from glacier_qgis.models.engine.job import Job
from glacier_qgis.models.engine.outputs import Outputs
from glacier_qgis.models.engine.runs import RunNote, clear_dead_runs
from glacier_qgis.models.gdal.confine import keep_gdal_to_files

GDAL_CACHE_MB = "128"  # the default, one twentieth of the memory, grows with the machine
FINISHED, REFUSED, DEFECT = 0, 1, 2
WARM = "--warm"


def main(arguments: Sequence[str]) -> int:
    """Run the job file in the only argument, or stay warm for jobs on standard input.

    Returns:
        0 if the job succeeded, 1 for an error that the user can solve, 2 for a defect.
    """
    os.environ.setdefault("GDAL_CACHEMAX", GDAL_CACHE_MB)
    keep_gdal_to_files()
    rest_idle_threads()
    tune_allocator()
    match arguments:
        case [str(option), str(seconds)] if option == WARM and seconds.isdecimal():
            events, watchdog = EventStream(_take_stdout()), Watchdog()
            stay_warm(
                int(seconds),
                watchdog,
                lambda line: perform(lambda: JobRequest.parse(line), events, watchdog),
            )
        case [str(job)] if not job.startswith("-"):
            events, watchdog = EventStream(_take_stdout()), Watchdog()
            return perform(lambda: JobRequest.read(Path(job)), events, watchdog)
    sys.stderr.write(f"usage: python -m glacier_qgis.models JOB.json | {WARM} SECONDS\n")
    return REFUSED


def perform(read: Callable[[], JobRequest], events: EventStream, watchdog: Watchdog) -> int:
    """Run one job; its last event is always a result or an error.

    Returns:
        As `main`.
    """
    try:
        request = read()
        watchdog.owner = request.owner
        clear_dead_runs()
        with RunNote(request.id, request.scratch).alive() as run:
            outputs = Outputs(request.id, run)
            watchdog.clean_up = lambda: _clean_up(outputs, run)
            _keep_temporary_files_in(request.scratch)
            job = request.build()
            with outputs:
                result = _run(job, events, outputs)
    except BaseException as error:  # every exception becomes an event
        message = explain(error)
        if message is not None:
            events.error(message)
            return REFUSED
        events.error(
            f"The engine failed: {type(error).__name__}: {error}. This is a defect: please "
            "report it with the log.",
            traceback="".join(traceback.format_exception(error)),
        )
        return DEFECT
    events.result(result)
    return FINISHED


def _run(job: Job, events: EventStream, outputs: Outputs) -> Result:
    """Run a job; report a full disk as such, however a library reports it.

    Raises:
        EngineError: As raised by the job, or a disk is full.
    """
    try:
        return job.run(events, outputs)
    except EngineError:
        raise
    except Exception as error:
        full = full_folder([*outputs.folders, Path(tempfile.gettempdir())])
        if full is None:
            raise
        raise EngineError(
            f"The disk of {full} is full. Free some space there, or choose another folder, and run "
            "again."
        ) from error


def _clean_up(outputs: Outputs, run: RunNote) -> None:
    outputs.discard()
    run.clear()


def _keep_temporary_files_in(scratch: Path | None) -> None:
    """Let this process and its child processes write temporary files to a folder of the run."""
    if scratch is not None:
        tempfile.tempdir = str(scratch)
        for name in ("TMPDIR", "TEMP", "TMP", "CPL_TMPDIR"):
            os.environ[name] = str(scratch)


def _take_stdout() -> io.TextIOWrapper:
    """Reserve stdout for events; send what libraries print there to stderr."""
    events = os.fdopen(os.dup(1), "w", encoding="utf-8", newline="\n")
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    return events
