"""First pass over a series on a running Dask cluster."""

from __future__ import annotations

import queue
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from glacier_qgis.models.engine import errors
from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.engine.events import Reporter
from glacier_qgis.models.engine.extras import import_extra
from glacier_qgis.models.fronts.series.first_pass import DoTasks
from glacier_qgis.models.fronts.series.task import Outcome, SceneTask

if TYPE_CHECKING:
    from distributed import Client, Future

CONNECT_SECONDS = 20
POLL_SECONDS = 1.0
PATIENCE_SECONDS = 60.0
"""Longest time without any worker before the job ends with an error, s."""
CODE = str(Path(errors.__file__).parents[3])


@contextmanager
def run_on_cluster(address: str, paths: Sequence[Path], reporter: Reporter) -> Iterator[DoTasks]:
    """Connect to a cluster; yield the function that runs tasks there.

    A task of a lost worker is run again by another one; finished tasks are on disk. The workers
    import this code from its folder and use their own Python and packages.

    Args:
        address: Address of the scheduler, such as ``tcp://host:8786``.
        paths: Paths that must be the same on every worker; the first is written to.
        reporter: Receives a message on the workers.

    Raises:
        EngineError: The package is not installed, or there is no scheduler, no worker, or one that
            cannot do the work.
    """
    distributed = import_extra("distributed", "cluster", "SCHEDULER: a Dask cluster needs")
    try:
        client = distributed.Client(address, timeout=CONNECT_SECONDS, set_as_default=False)
    except (OSError, ValueError, ImportError) as error:
        raise EngineError(
            f"SCHEDULER: no Dask scheduler answers at {address!r} ({error}). Give its address as "
            "in 'tcp://host:8786', or leave it empty to work on this machine."
        ) from error
    with client:
        _check_workers(client, [str(path) for path in paths])
        threads = client.nthreads()
        reporter.log(
            f"Using {len(threads)} workers of {address} with {sum(threads.values())} threads."
        )
        yield lambda tasks, watch: _run(client, tasks)


def _check_workers(client: Client, paths: Sequence[str]) -> None:
    """Raise EngineError unless every worker has the Python, packages and files of this machine."""
    versions = cast("dict[str, Any]", client.get_versions(check=False))["workers"]
    if not versions:
        raise EngineError(
            "SCHEDULER: the cluster has no worker. Start some with "
            f"'{sys.executable} -m distributed.cli.dask_worker ADDRESS' and run again."
        )
    here = "{}.{}".format(*sys.version_info)
    for worker, found in versions.items():
        there = ".".join(str(found["host"]["python"]).split(".")[:2])
        if there != here:
            raise EngineError(
                f"SCHEDULER: the worker {worker} runs Python {there}, the engine {here}. Start the "
                f"workers with a Python {here} that has the engine's packages."
            )
    for worker, problem in client.run(_probe(CODE, paths)).items():
        if problem:
            raise EngineError(f"SCHEDULER: the worker {worker} {problem}")


def _probe(code: str, paths: Sequence[str]) -> Callable[[], str]:
    """Return a function that checks the worker on which it runs; a closure can be sent there."""

    def look() -> str:
        import os
        import sys

        for path in [code, *paths]:
            if not os.path.exists(path):  # noqa: PTH110  (a worker imports the least)
                return (
                    f"cannot read {path}. Put scenes, models, the plugin and WORK_FOLDER on disks "
                    "that all workers access under the same paths."
                )
        if not os.access(paths[0], os.W_OK):
            return f"cannot write to {paths[0]}. Choose another WORK_FOLDER."
        if code not in sys.path:
            sys.path.append(code)
        try:
            import glacier_qgis.models.fronts.series.task  # noqa: F401
        except ImportError as error:
            return f"lacks the engine's packages ({error}). Start it with the engine's Python."
        return ""

    return look


def _remote(code: str) -> Callable[[str], str]:
    """Return the function that runs a task on a worker, also on one that joined later."""

    def work(task: str) -> str:
        import sys

        if code not in sys.path:
            sys.path.append(code)
        from glacier_qgis.models.fronts.series.task import SceneTask, work_on

        return work_on(SceneTask.model_validate_json(task)).model_dump_json()

    return work


def _run(client: Client, tasks: Sequence[SceneTask]) -> Iterator[tuple[SceneTask, Outcome]]:
    orders = [task.model_dump_json() for task in tasks]
    futures = client.map(_remote(CODE), orders, pure=False)
    pending = dict(zip(futures, tasks, strict=True))
    done: queue.SimpleQueue[Future[str]] = queue.SimpleQueue()
    for future in futures:
        future.add_done_callback(done.put)
    seen_worker = time.monotonic()
    while pending:
        try:
            future = done.get(timeout=POLL_SECONDS)
        except queue.Empty:
            if client.nthreads():
                seen_worker = time.monotonic()
            elif time.monotonic() - seen_worker > PATIENCE_SECONDS:
                raise EngineError(
                    f"SCHEDULER: the cluster lost all its workers; {len(pending)} scenes are left. "
                    "Start workers and run again: finished scenes are not computed again."
                ) from None
            continue
        yield pending.pop(future), _outcome(future)


def _outcome(future: Future[str]) -> Outcome:
    from distributed import KilledWorker

    if future.status == "finished":
        return Outcome.model_validate_json(future.result())
    if future.status != "error":
        raise EngineError(
            "SCHEDULER: the cluster stopped the work, probably because its scheduler ended. Run "
            "again when it is available: finished scenes are not computed again."
        )
    error = future.exception()
    if isinstance(error, KilledWorker):
        return Outcome(
            reason=(
                f"{error.allowed_failures + 1} workers ended while computing it, perhaps for "
                "lack of memory."
            )
        )
    raise error
