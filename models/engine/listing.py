"""Names in a message."""

from __future__ import annotations

from collections.abc import Sequence

SHOWN = 5
"""Number of names that a message lists; it counts the others."""


def listed(names: Sequence[str]) -> str:
    """Return the first `SHOWN` names for a message, and the number of the others."""
    more = len(names) - SHOWN
    return ", ".join(names[:SHOWN]) + (f" and {more} more" if more > 0 else "")
