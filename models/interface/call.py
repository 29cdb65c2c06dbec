"""Runs a job in the caller's process."""

from __future__ import annotations

import inspect
import os
import tempfile
import uuid
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import ParamSpec, TypeVar

from glacier_qgis.models.engine.errors import EngineError, explain
from glacier_qgis.models.engine.events import Result
from glacier_qgis.models.engine.job import Job
from glacier_qgis.models.engine.outputs import Outputs
from glacier_qgis.models.engine.runs import SCRATCH, RunNote, clear_dead_runs
from glacier_qgis.models.interface.inputs import GivenValues
from glacier_qgis.models.interface.progress import Caller, Progress

P = ParamSpec("P")
R = TypeVar("R")


@dataclass(frozen=True)
class Done:
    """What a job returned, and the files that it wrote, by the name of the parameter."""

    result: Result
    files: dict[str, Path]


@contextmanager
def done(
    job: type[Job],
    given: Mapping[str, object],
    wanted: Mapping[str, str],
    progress: Progress | None,
) -> Iterator[Done]:
    """Run a job; the files that it writes for the caller go when the context ends.

    Args:
        job: Its schema.
        given: Parameters; layers may be objects in memory. Where an output is given as a path, it
            is written there and stays.
        wanted: Names of the outputs to have in any case, with their suffixes.
        progress: Called as the work goes on.

    Raises:
        EngineError: As the same algorithm of the toolbox.
    """
    clear_dead_runs()
    scratch = Path(tempfile.mkdtemp(prefix=SCRATCH))
    name = uuid.uuid4().hex
    with RunNote(name, scratch).alive() as run:
        files = {
            output: _path(output, given.get(output)) or scratch / f"{output}{suffix}"
            for output, suffix in wanted.items()
        }
        values = {key: value for key, value in given.items() if value is not None}
        try:
            parameters = GivenValues(scratch).of(job, {**values, **files})
            task = job.model_validate(parameters)
            with Outputs(name, run) as outputs:
                result = task.run(Caller(progress), outputs)
        except EngineError:
            raise
        except Exception as error:
            message = explain(error)
            if message is None:
                raise
            raise EngineError(message) from error
        yield Done(result, files)


def options_of(
    job: type[Job], without: Collection[str] = ()
) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Let a function show the parameters of a job, with their defaults, in place of `**options`."""

    def show(function: Callable[P, R]) -> Callable[P, R]:
        own = inspect.signature(function)
        named = {
            name: parameter
            for name, parameter in own.parameters.items()
            if parameter.kind is not inspect.Parameter.VAR_KEYWORD
        }
        shown = [
            inspect.Parameter(
                name,
                inspect.Parameter.KEYWORD_ONLY,
                default=None if field.is_required() else field.get_default(),
            )
            for name, field in job.model_fields.items()
            if name not in named and name not in without
        ]
        function.__signature__ = own.replace(parameters=[*named.values(), *shown])  # type: ignore[attr-defined]
        return function

    return show


def _path(output: str, value: object) -> Path | None:
    """Return where a caller wants an output; None where it is to be in memory only.

    Raises:
        EngineError: The value is neither a path nor a switch.
    """
    if value is None or isinstance(value, bool) or value == "":
        return None
    if not isinstance(value, str | os.PathLike):
        raise EngineError(f"{output.upper()} is {value!r}: give the path of a file.")
    return Path(os.fspath(value))
