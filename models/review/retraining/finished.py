"""A training that is over: what its card and the review's table of models say of it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from glacier_qgis.models.engine.events import JsonValue
from glacier_qgis.models.engine.listing import listed
from glacier_qgis.models.package.card import AdaptedTo, Evaluation, ModelCard, TrainingData
from glacier_qgis.models.raster.grid import Grid
from glacier_qgis.models.review.retraining.layers import REPLAYED
from glacier_qgis.models.review.retraining.material import Aim
from glacier_qgis.models.review.retraining.outcome import Outcome
from glacier_qgis.models.review.retraining.package import adapted_to, retrained_card
from glacier_qgis.models.review.retraining.retrain import Retrained
from glacier_qgis.models.review.tables.corrected import CorrectedScene
from glacier_qgis.models.review.tables.kinds import LAYERS, kind_of
from glacier_qgis.models.review.tables.lineage import ADAPTED, FURTHER
from glacier_qgis.models.training.echograms.simulated import knows_simulated


@dataclass(frozen=True)
class FinishedTraining:
    """A training that is over.

    Attributes:
        before: Card of the model before.
        result: The networks.
        taught: The scenes or stretches that it was trained on, at least one.
        tested: How many the frozen test was made of.
        there: Grid of the glacier that the model was adapted to; None if it is for any.
        replayed: Name of the data set that was replayed; empty if none was.
        rate: The highest learning rate.
    """

    before: ModelCard
    result: Retrained
    taught: Sequence[CorrectedScene]
    tested: int
    there: Grid | None
    replayed: str
    rate: float

    @property
    def outcome(self) -> Outcome:
        """The verdict of its test."""
        return Outcome.of(self.result)

    def card(self, name: str, review: str, command: str) -> ModelCard:
        """Return the card of the new model.

        Args:
            name: Of the model.
            review: Name of the review.
            command: That repeats the training.
        """
        data = TrainingData(
            dataset=f"corrections of {review}",
            credit="",
            licence="",
            doi="",
            groups=self._glaciers,
            images=len(self.taught),
            first_date=min(self._dates, default=""),
            last_date=max(self._dates, default=""),
        )
        evaluations = [
            Evaluation(data=title, command=command, values=values)
            for title, values in self.outcome.values().items()
        ]
        return retrained_card(
            self.before, name, self.result, data, self.how(), evaluations, self._adapted
        )

    def how(self) -> str:
        """Say how it was trained."""
        if kind_of(self.taught[0].crs) is LAYERS:
            return (
                f"{len(self.taught)} corrected stretches, beside them {self._beside}; AdamW, "
                f"highest rate {self.rate:g}, running average of the weights. "
                f"{self.result.stop.sentence()}"
            )
        held, mean = "", ", half-way to those before"
        if self.result.aim is Aim.ONE_PLACE:
            held, mean = f", all as they lie{self._again()}", ""
        elif not self.replayed:
            held = ", elsewhere labelled by what the model was certain of"
        old = f", and the data set {self.replayed} replayed" if self.replayed else ""
        return (
            f"{len(self.taught)} corrected scenes, beside them scenes that nobody corrected, with "
            f"the zones on which the corrected ones agree{held}{old}; AdamW, highest rate "
            f"{self.rate:g}, running average of the weights{mean}. {self.result.stop.sentence()}"
            f"{self._coasts()}"
        )

    def _again(self) -> str:
        """Say how often the networks were trained on what they agree on."""
        rounds = self.result.rounds
        often = "twice" if rounds > 1 else "once"
        return f"; {often} again with those on which both networks agree" if rounds else ""

    def _coasts(self) -> str:
        """Say which networks know where nobody draws a front."""
        networks = (self.result.lone, self.result.series)
        knowing = [network.title for network in networks if network and network.coast]
        told = " Along coasts where nobody drew a front, no line is drawn in {}."
        return told.format(" and ".join(knowing)) if knowing else ""

    def record(self, card: ModelCard, path: Path) -> dict[str, JsonValue]:
        """Return the row of the table of models.

        Args:
            card: Of the new model, as written.
            path: Of its package.
        """
        after = self.outcome
        return {
            "model": card.name,
            "model_hash": card.weights.sha256,
            "parent_hash": self.before.weights.sha256,
            "kind": ADAPTED if self.there else FURTHER,
            "path": str(path.absolute()),
            "glacier": listed(self._glaciers),
            "dates": ", ".join(self._dates),
            "error_m": after.errors[1],
            "parent_error_m": after.errors[0],
            "metrics": json.dumps(after.values()),
            "promoted": bool(after.promoted),
            "comment": self.result.stop.sentence(),
        }

    @property
    def _glaciers(self) -> list[str]:
        return sorted({scene.glacier for scene in self.taught if scene.glacier})

    @property
    def _dates(self) -> list[str]:
        return sorted(scene.date.isoformat() for scene in self.taught if scene.date)

    @property
    def _adapted(self) -> AdaptedTo | None:
        if self.there is None:
            return None
        first = self.before.adapted
        parent = first.parent if first else self.before.weights.sha256
        return adapted_to(next(iter(self._glaciers), ""), self._dates, self.there, parent)

    @property
    def _beside(self) -> str:
        """What a network for layers was trained on beside the corrected stretches."""
        if self.replayed:
            return f"the data set {self.replayed} replayed"
        if knows_simulated(self.before):
            return f"{REPLAYED} simulated frames like those that the model was trained on"
        return "stretches that nobody reviewed, labelled by what the model was certain of"
