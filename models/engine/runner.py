"""The life of an engine: read a job, run it, tell how it went, exit."""

from __future__ import annotations

import io
import os
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path

from glacier_qgis.models.engine.device import rest_idle_threads, tune_allocator
from glacier_qgis.models.engine.errors import explain
from glacier_qgis.models.engine.events import EventStream
from glacier_qgis.models.engine.job import Order
from glacier_qgis.models.engine.outputs import Outputs
from glacier_qgis.models.engine.watchdog import start_watchdog

GDAL_CACHE_MB = "128"  # the default, a twentieth of the memory, grows with the machine
FINISHED, REFUSED, DEFECT = 0, 1, 2


def main(arguments: Sequence[str]) -> int:
    """Run the job file named by the only argument.

    Returns:
        0 when the job ended well, 1 when a person can mend what was wrong, 2 for a defect.
    """
    if len(arguments) != 1:
        sys.stderr.write("usage: python -m glacier_qgis.models JOB.json\n")
        return REFUSED
    os.environ.setdefault("GDAL_CACHEMAX", GDAL_CACHE_MB)
    events = EventStream(_take_stdout())
    rest_idle_threads()
    tune_allocator()
    try:
        order = Order.read(Path(arguments[0]))
        outputs = Outputs(order.id)
        start_watchdog(outputs.discard)
        job = order.build()
        with outputs:
            result = job.run(events, outputs)
    except BaseException as error:  # the last line of defence: everything becomes an event
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


def _take_stdout() -> io.TextIOWrapper:
    """Keep stdout for events and send whatever libraries print there to stderr."""
    events = os.fdopen(os.dup(1), "w", encoding="utf-8", newline="\n")
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    return events
