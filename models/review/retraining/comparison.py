"""Errors of networks before and after a training, and which of the two is delivered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from glacier_qgis.models.review.retraining.errors import Error, not_worse


@dataclass(frozen=True)
class Comparison:
    """Errors of one network before and after, on the same scenes.

    Attributes:
        title: What the network is for.
        before: Of the model before.
        after: Of what is delivered.
        dropped: Of the network after its training, where it was worse than before and stays as it
            was; else None.
    """

    title: str
    before: Error
    after: Error
    dropped: Error | None = None

    @property
    def words(self) -> str:
        """What happened, for a sentence."""
        if self.dropped is not None:
            return (
                f"{self.title}: {self.before.words} before, {self.dropped.words} after the "
                "training, so that network stays as it was"
            )
        return f"{self.title}: {self.before.words} before, {self.after.words} after"


def without_worse(compared: Sequence[Comparison]) -> list[Comparison]:
    """Drop the networks that are worse than before.

    Where none is known to be as good as before, all stay, and the model is refused.
    """
    verdicts = [not_worse(each.after, each.before) for each in compared]
    if True not in verdicts:
        return [*compared]
    return [
        replace(each, after=each.before, dropped=each.after) if verdict is False else each
        for each, verdict in zip(compared, verdicts, strict=True)
    ]
