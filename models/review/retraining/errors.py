"""What an error is that a training is judged by, of fronts or of layers."""

from __future__ import annotations

import math
from typing import Protocol


class Error(Protocol):
    """Errors of a network on some images."""

    @property
    def mean_m(self) -> float:
        """Mean distance from what a person drew, m; NaN if nothing was found."""

    @property
    def images(self) -> int:
        """Images that it was measured on."""

    @property
    def order(self) -> tuple[float, float]:
        """Orders errors, the best first."""

    @property
    def words(self) -> str:
        """What it is, for a sentence."""

    def named(self, when: str) -> dict[str, float | int]:
        """Return its numbers for a card; `when` says of which model."""


def not_worse(after: Error, before: Error) -> bool | None:
    """Return whether a network does as well as the one before; None if neither found anything."""
    if math.isnan(after.mean_m) and math.isnan(before.mean_m):
        return None
    return after.order <= before.order
