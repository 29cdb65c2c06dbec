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
MARGIN = 1.2
"""More time than is needed, as another run may be slower."""


@dataclass(frozen=True)
class SecondOpinion:
    """What two networks need to label the scenes for each other.

    Attributes:
        seconds: What looking at the scenes takes once; 0 without a second opinion.
        before: What both networks of the model before are certain of, by place; none without.
    """

    seconds: float
    before: Sequence[Mapping[str, Prediction]]

    @classmethod
    def of(
        cls,
        networks: Sequence[Network],
        taught: Sequence[TaughtPlace],
        aim: Aim,
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
            device: Where to compute.
            reporter: Receives progress.
        """
        if aim is not Aim.ONE_PLACE or sum(_sees(network, taught) for network in networks) < 2:
            return cls(0.0, [])
        begun = time.monotonic()
        before = [
            each.certain(networks, device, stage)
            for each, stage in zip(taught, parts(reporter, len(taught)), strict=True)
        ]
        return cls(time.monotonic() - begun, before)

    def rounds(self, minutes: float) -> int:
        """Return how often the networks can label the scenes in so many minutes of the whole job.

        They look once more than that, with the model before.
        """
        enough = minutes * 60 * LARGEST_SHARE
        possible = range(ROUNDS, 0, -1) if self.before else []
        return next((most for most in possible if (1 + most) * self.seconds <= enough), 0)

    def advice(self, minutes: float, rounds: int) -> str:
        """Say how long the job should take for a better model; blank where it does."""
        if not self.before or rounds == ROUNDS:
            return ""
        enough = math.ceil(MARGIN * (1 + ROUNDS) * self.seconds / 60 / LARGEST_SHARE)
        return (
            f"MINUTES: {minutes:g} are too few for both networks to label all scenes for each "
            f"other {ROUNDS} times, so they do it {'once' if rounds else 'not at all'}. For a "
            f"better model, set MINUTES to {enough}."
        )

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


def _sees(network: Network, taught: Sequence[TaughtPlace]) -> bool:
    """Return whether a network sees a corrected scene."""
    corrected = [each.of.place.scenes[name] for each in taught for name in each.of.corrected]
    return any(scene.date or not network.beside for scene in corrected)
