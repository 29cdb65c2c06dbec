"""Errors that the user can solve, and the translation of errors of libraries."""

from __future__ import annotations

import errno
import shutil
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from pydantic import ValidationError


class EngineError(Exception):
    """A problem that the user who started the job can solve.

    The message says what is wrong (with the value), where, and what to do. Any other exception
    counts as a defect and is logged with a traceback.
    """


OUT_OF_MEMORY = (
    "The engine ran out of memory. Close other programs, choose a smaller EXTENT, or lower "
    "TILE_SIZE or BATCH_SIZE, and run again."
)
DISK_FULL = (
    "The disk is full while writing the results. Free some space or choose another folder for "
    "the outputs, and run again."
)

FULL_BYTES = 2 << 20
"""Bytes below which a disk counts as full: drivers write in larger pieces."""


def full_folder(folders: Iterable[Path]) -> Path | None:
    """Return the first folder whose disk is full; libraries report that in different ways."""
    for folder in folders:
        with suppress(OSError):
            if shutil.disk_usage(folder).free < FULL_BYTES:
                return folder
    return None


def explain(error: BaseException) -> str | None:
    """Return the sentence for the user, or None if `error` is a defect of this software."""
    match error:
        case EngineError():
            return str(error)
        case ValidationError():
            return explain_validation(error)
        case MemoryError():
            return OUT_OF_MEMORY
        case OSError(errno=errno.ENOSPC | errno.EDQUOT):
            return DISK_FULL
        case PermissionError():
            return f"No permission for {error.filename}: choose a folder that you may write to."
    message = str(error).lower()
    if "can't allocate memory" in message or "out of memory" in message:
        return OUT_OF_MEMORY
    if "no space left" in message:
        return DISK_FULL
    return None


def explain_validation(error: ValidationError) -> str:
    """One line per parameter: its name in the toolbox, the rule, the given value."""
    lines = []
    for problem in error.errors():
        name = ".".join(str(part) for part in problem["loc"]).upper()
        rule = problem["msg"].removeprefix("Value error, ")
        if problem["type"] == "extra_forbidden":
            lines.append(f"{name} is not a parameter of this job: remove it.")
        elif problem["type"] == "missing":
            lines.append(f"{name} is missing.")
        elif not name:
            lines.append(rule)
        else:
            lines.append(f"{name}: {rule} (given: {problem['input']!r}).")
    return "\n".join(lines)
