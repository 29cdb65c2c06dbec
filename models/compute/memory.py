"""Memory, asked for before it is taken."""

from __future__ import annotations

import psutil

from glacier_qgis.models.engine.errors import EngineError

UNASKED = 64 << 20
"""Bytes that are taken without a question."""


def free_memory() -> int:
    """Return how many bytes this process could still take without others being moved to disk."""
    return int(psutil.virtual_memory().available)


def require_memory(size: float, what: str, cure: str) -> None:
    """Make sure that there is memory for something.

    Args:
        size: Bytes that it takes at least.
        what: What it is, for the message.
        cure: What to do where there is not.

    Raises:
        EngineError: There is less.
    """
    if size > UNASKED and size > (free := free_memory()):
        raise EngineError(
            f"{what} would take {size / 2**30:.3g} GiB of memory, and {free / 2**30:.1f} GiB are "
            f"free. {cure}, and run again."
        )
