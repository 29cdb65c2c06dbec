"""Names in a message."""

from __future__ import annotations

from collections.abc import Sequence

SHOWN = 5
"""Names that a message lists before it says how many more there are."""


def listed(names: Sequence[str]) -> str:
    """Return names for a message: `SHOWN` of them, and how many more there are."""
    more = len(names) - SHOWN
    return ", ".join(names[:SHOWN]) + (f" and {more} more" if more > 0 else "")
