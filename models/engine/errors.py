"""Errors that a person can act on, and the translation of foreign ones."""

from __future__ import annotations

import errno
import shutil
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from pydantic import ValidationError


class EngineError(Exception):
    """A problem that the person who started the job can solve.

    The message says what was wrong, with the value, and what to do about it.
    Anything else that is raised counts as a defect and is logged with a traceback.
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
"""A disk with less room than this is full: drivers write in larger pieces."""


def full_folder(folders: Iterable[Path]) -> Path | None:
    """Return the first folder whose disk is full, which each library reports in its own way."""
    for folder in folders:
        with suppress(OSError):
            if shutil.disk_usage(folder).free < FULL_BYTES:
                return folder
    return None


def explain(error: BaseException) -> str | None:
    """Return the sentence for a person, or None if `error` is a defect of ours."""
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
    """One line a parameter: its name as the toolbox writes it, the rule, the value given."""
    lines = []
    for problem in error.errors():
        name = ".".join(str(part) for part in problem["loc"]).upper()
        rule = problem["msg"].removeprefix("Value error, ")
        if problem["type"] == "extra_forbidden":
            lines.append(f"{name} is not a parameter of this job.")
        elif problem["type"] == "missing":
            lines.append(f"{name} is missing.")
        elif not name:
            lines.append(rule)
        else:
            lines.append(f"{name}: {rule} (given: {problem['input']!r}).")
    return "\n".join(lines)
