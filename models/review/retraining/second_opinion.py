"""Two networks of one place that label its scenes for each other, several times.

See `TaughtPlace.by_agreement`. To look at all scenes of a large place takes long, so there it is
done less often.
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import torch

from glacier_qgis.models.engine.events import Reporter, parts
from glacier_qgis.models.review.retraining.labels import Prediction
from glacier_qgis.models.review.retraining.material import Aim, Network
from glacier_qgis.models.review.retraining.taught import TaughtPlace

ROUNDS = 2
"""Times that the networks label the scenes, and are trained again."""
LARGEST_SHARE = 0.25
"""Of the time of a job, for looking at the scenes."""


@dataclass(frozen=True)
class SecondOpinion:
    """How often two networks label the scenes, and what the model before says of these.

    Attributes:
        rounds: How often.
        seconds: What looking at the scenes takes each time.
        before: What both of its networks are certain of, by place.
    """

    rounds: int
    seconds: float
    before: Sequence[Mapping[str, Prediction]]

    @classmethod
    def of(
        cls,
        networks: Sequence[Network],
        taught: Sequence[TaughtPlace],
        aim: Aim,
        minutes: float,
        device: torch.device,
        reporter: Reporter,
    ) -> Self:
        """Look at the scenes with the model before; measure how long that takes.

        There is no second opinion on networks that shall be good for any place, nor where fewer
        than two see a corrected scene: the one for series sees none without a date.

        Args:
            networks: Those of the model before.
            taught: The places.
            aim: What the networks shall be good for.
            minutes: Of the whole job.
            device: Where to compute.
            reporter: Receives progress, and the advice to give more time.
        """
        seeing = [network for network in networks if _sees(network, taught)]
        if len(seeing) < 2 or aim is not Aim.ONE_PLACE:
            return cls(0, 0.0, [])
        begun = time.monotonic()
        before = [
            each.certain(networks, device, stage)
            for each, stage in zip(taught, parts(reporter, len(taught)), strict=True)
        ]
        seconds = time.monotonic() - begun
        rounds = rounds_in(minutes, seconds)
        if rounds < ROUNDS:
            enough = math.ceil(ROUNDS * seconds / 60 / LARGEST_SHARE)
            done = "once" if rounds else "not at all"
            reporter.log(
                f"MINUTES: {minutes:g} are too few for both networks to label all scenes for each "
                f"other {ROUNDS} times, so they do it {done}. For a better model, set MINUTES to "
                f"{enough}."
            )
        return cls(rounds, seconds, before)

    def labelled(
        self,
        taught: Sequence[TaughtPlace],
        adapted: Sequence[Network],
        device: torch.device,
        reporter: Reporter,
    ) -> list[TaughtPlace]:
        """Return the places with labels on which the adapted networks agree."""
        stages = parts(reporter, len(taught))
        return [
            each.by_agreement(adapted, before, device, stage)
            for each, before, stage in zip(taught, self.before, stages, strict=True)
        ]


def rounds_in(minutes: float, seconds: float) -> int:
    """Return how often the networks can label the scenes.

    Args:
        minutes: Of the whole job.
        seconds: What it takes once.
    """
    enough = minutes * 60 * LARGEST_SHARE
    return next(rounds for rounds in range(ROUNDS, -1, -1) if rounds * seconds <= enough)


def _sees(network: Network, taught: Sequence[TaughtPlace]) -> bool:
    """Return whether a network sees a corrected scene."""
    return any(each.samples(network, each.of.corrected) for each in taught)
