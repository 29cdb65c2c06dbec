"""What is to be trained on, before anything is solved: by topography, with a split."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from glacier_qgis.models.engine.events import Reporter
from glacier_qgis.models.iceflow.teaching.states.glaciers import (
    Topography,
    Where,
    grouped,
    held_out,
    merged,
)

Make = Callable[[bool, Callable[[int], None]], Topography]
"""From whether velocities are wanted, and a function called with the number of states so far."""


@dataclass(frozen=True)
class Prospect:
    """A topography whose states may not be there yet.

    Attributes:
        name: for people.
        states: how many there will be.
        make: makes them.
        where: on the Earth; None for made ground.
    """

    name: str
    states: int
    make: Make
    where: Where | None = None

    @classmethod
    def of(cls, topography: Topography) -> Prospect:
        """Return one whose states are there."""

        def make(solved: bool, told: Callable[[int], None]) -> Topography:
            told(len(topography.states))
            return topography

        return cls(topography.name, len(topography.states), make, topography.where)


@dataclass(frozen=True)
class Parts:
    """Topographies to train on, and others that are held out.

    Attributes:
        training: to train on.
        check: held out; empty if there is one topography only.
    """

    training: list[Topography]
    check: list[Topography]

    @property
    def measured(self) -> list[Topography]:
        """What errors are measured on."""
        return self.check or self.training


def split(
    prospects: Sequence[Prospect],
    share: float,
    seed: int,
    reporter: Reporter,
    *,
    unsolved: bool,
) -> Parts:
    """Make all states, and hold out some topographies.

    Topographies that overlap on the Earth are one.

    Args:
        prospects: what there is.
        share: of the topographies to hold out.
        seed: of the choice.
        reporter: receives the progress.
        unsolved: whether no velocities are needed to train on.
    """
    groups = grouped([prospect.where for prospect in prospects])
    out = held_out(len(groups), share, seed)
    total, done = sum(prospect.states for prospect in prospects), 0
    training: list[Topography] = []
    check: list[Topography] = []
    for place, group in enumerate(groups):
        made = []
        for index in group:
            prospect, before = prospects[index], done

            def told(states: int, name: str = prospect.name, before: int = before) -> None:
                share = (before + states) / total
                words = f"Preparing states: {before + states} of {total} ({name})"
                reporter.progress(share, words)

            told(0)
            wanted = place in out or not out or not unsolved
            made.append(prospect.make(wanted, told))
            done += prospect.states
        (check if place in out else training).append(merged(made))
    return Parts(training, check)
