"""Checks that there is enough memory before it is allocated."""

from __future__ import annotations

import psutil

from glacier_qgis.models.engine.errors import EngineError

UNASKED = 64 << 20
"""Bytes that are allocated without a check."""


def free_memory() -> int:
    """Return how many bytes this process can allocate without swapping."""
    return int(psutil.virtual_memory().available)


def require_memory(size: float, what: str, remedy: str) -> None:
    """Make sure that there is enough memory.

    Args:
        size: Least number of bytes needed.
        what: What needs it, for the message.
        remedy: What to do where there is not.

    Raises:
        EngineError: There is too little.
    """
    if size > UNASKED and size > (free := free_memory()):
        raise EngineError(
            f"{what} would need {size / 2**30:.3g} GiB of memory, and {free / 2**30:.1f} GiB are "
            f"free. {remedy}, and run again."
        )
