"""What a training came to: the verdict of its test, in numbers and in words."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import fmean

from glacier_qgis.models.review.retraining.comparison import Comparison
from glacier_qgis.models.review.retraining.errors import not_worse
from glacier_qgis.models.review.retraining.retrain import Retrained

Values = dict[str, float | int]


@dataclass(frozen=True)
class Outcome:
    """The verdict of a test.

    Attributes:
        compared: Errors before and after, of each network on each set of scenes.
        promoted: Whether the model is no worse; None if nothing tells: no scene was left, or
            nothing was found before and after.
    """

    compared: tuple[Comparison, ...]
    promoted: bool | None

    @classmethod
    def of(cls, result: Retrained) -> Outcome:
        """Judge by what was compared."""
        return cls(result.test, _no_worse(result.test))

    @property
    def errors(self) -> tuple[float | None, float | None]:
        """Mean errors before and after, m, over the networks for which both are known."""
        pairs = [(each.before.mean_m, each.after.mean_m) for each in self.compared]
        known = [pair for pair in pairs if all(map(math.isfinite, pair))]
        if not known:
            return None, None
        before, after = (_rounded(fmean(each)) for each in zip(*known, strict=True))
        return before, after

    def values(self) -> dict[str, Values]:
        """Return the numbers of each comparison, for the card and the table of models."""
        return {
            each.title: {
                "scenes": each.before.images,
                **each.before.named("before"),
                **each.after.named("after"),
            }
            for each in self.compared
        }

    def sentence(self, before: str) -> str:
        """Say what follows, in one or two sentences.

        Args:
            before: Name of the model before.
        """
        told = "; ".join(each.words for each in self.compared)
        if self.promoted is None:
            if told:
                return (
                    f"The test decides nothing ({told}): check the lines of the model before you "
                    f"use it instead of {before}."
                )
            return (
                "No corrected scene was left to test the model on: check its lines before you use "
                f"it instead of {before}."
            )
        if self.promoted:
            return f"On scenes of the test, the model is not worse than {before} ({told})."
        return (
            f"The model is worse than {before} on scenes that it was not trained on ({told}): "
            f"keep using {before}, and correct more scenes."
        )


def _no_worse(compared: tuple[Comparison, ...]) -> bool | None:
    verdicts = {not_worse(each.after, each.before) for each in compared} - {None}
    return all(verdicts) if verdicts else None


def _rounded(metres: float) -> float:
    """Return a length to a decimetre, lengths below 1 m with two digits."""
    return round(metres, 1) if metres >= 1 else float(f"{metres:.2g}")
