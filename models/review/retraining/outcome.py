"""What a training came to: the verdict of its test, in numbers and in words."""

from __future__ import annotations

import math
from dataclasses import dataclass

from glacier_qgis.models.fronts.termini.metrics import FrontError
from glacier_qgis.models.review.retraining.learning import not_worse
from glacier_qgis.models.review.retraining.retrain import Comparison, Retrained

Values = dict[str, float | int]


@dataclass(frozen=True)
class Outcome:
    """The verdict of a test.

    Attributes:
        compared: Errors before and after, of each network on each set of scenes.
        promoted: Whether the model is no worse; None if no scene was left to tell.
    """

    compared: tuple[Comparison, ...]
    promoted: bool | None

    @classmethod
    def of(cls, result: Retrained) -> Outcome:
        """Judge by the frozen test; without one, by the scenes that were left out."""
        if result.test:
            return cls(result.test, _no_worse(result.test))
        before, after = result.stop.before, result.stop.after
        if before is None or after is None:
            return cls((), None)
        aside = (Comparison("single scenes, left out", before, after),)
        return cls(aside, _no_worse(aside))

    @property
    def errors(self) -> tuple[float | None, float | None]:
        """Mean errors before and after, m, over what was compared; None where not known."""
        before, after = (
            [error.mean_m for error in errors if math.isfinite(error.mean_m)]
            for errors in (
                [each.before for each in self.compared],
                [each.after for each in self.compared],
            )
        )
        mean = [round(sum(each) / len(each), 1) if each else None for each in (before, after)]
        return mean[0], mean[1]

    def values(self) -> dict[str, Values]:
        """Return the numbers of each comparison, for the card and the table of models."""
        return {each.title: _values(each.before, each.after) for each in self.compared}

    def sentence(self, before: str) -> str:
        """Say what follows, in one or two sentences.

        Args:
            before: Name of the model before.
        """
        told = "; ".join(
            f"{each.title}: {_metres(each.before)} before, {_metres(each.after)} after"
            for each in self.compared
        )
        if self.promoted is None:
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


def _no_worse(compared: tuple[Comparison, ...]) -> bool:
    return all(not_worse(each.after, each.before) for each in compared)


def _values(before: FrontError, after: FrontError) -> Values:
    values: Values = {"scenes": before.images}
    for name, error in {"before": before, "after": after}.items():
        if math.isfinite(error.mean_m):
            values[f"mde_box_{name}_m"] = round(error.mean_m, 1)
        values[f"missed_{name}"] = error.missed
    return values


def _metres(error: FrontError) -> str:
    if not math.isfinite(error.mean_m):
        return f"no front found in {error.images} scenes"
    missed = f", {error.missed} of {error.images} missed" if error.missed else ""
    return f"{error.mean_m:.0f} m{missed}"
