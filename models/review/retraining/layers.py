"""From corrected stretches of echograms to the network of a better model, and the test of it.

As for fronts, half of the patches are of what was corrected. The other half holds what the model
knew: tiles of the data that it was trained on; simulated frames, if it was trained on such; or
stretches of the same frames that nobody reviewed, labelled by what it is certain of.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import cycle, islice

import numpy as np

from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.engine.events import Reporter, parts
from glacier_qgis.models.package.card import ModelCard
from glacier_qgis.models.package.folder import Model
from glacier_qgis.models.radar.layers.labels import Codes
from glacier_qgis.models.review.retraining.comparison import Comparison
from glacier_qgis.models.review.retraining.layer_error import LayerError, layer_error
from glacier_qgis.models.review.retraining.learning import (
    Course,
    Pace,
    Stop,
    Weights,
    best_stop,
    left_out,
    schedule,
    tell_if_short,
)
from glacier_qgis.models.review.retraining.material import Network
from glacier_qgis.models.review.retraining.retrain import (
    SHARE_OF_TRAINING,
    Retrained,
)
from glacier_qgis.models.review.retraining.stretches import LabelledStretch
from glacier_qgis.models.training.data.dataset import LabelledTile
from glacier_qgis.models.training.echograms.measure import inputs_of
from glacier_qgis.models.training.echograms.patches import Inputs, sampler
from glacier_qgis.models.training.echograms.simulated import simulated_frames
from glacier_qgis.models.training.echograms.train import BATCH, PATCH
from glacier_qgis.models.training.fitting.fit import Fit
from glacier_qgis.models.training.losses.layers import layer_loss
from glacier_qgis.models.training.views.sampling import Batches

Taught = LabelledStretch | LabelledTile
TITLE = "echograms"


REPLAYED = 48
"""Simulated frames that are replayed."""


def replayed(seed: int) -> list[LabelledStretch]:
    """Return frames like those on which the delivered network was trained."""
    return [LabelledStretch(*frame, 1.0) for frame in simulated_frames(REPLAYED, seed)]


@dataclass(frozen=True)
class LayerMaterial:
    """What a network for layers is trained and tested on.

    Attributes:
        corrected: Stretches to train on, in the order of their tasks.
        known: Simulated or predicted stretches that hold what the model knew.
        old: Tiles of the data that it was trained on.
        test: Corrected stretches of the frozen test, which are never trained on.
    """

    corrected: Sequence[LabelledStretch]
    known: Sequence[LabelledStretch]
    old: Sequence[LabelledTile]
    test: Sequence[LabelledStretch]


def check_for_layers(card: ModelCard) -> None:
    """Refuse a model that is not for echograms.

    Raises:
        EngineError: It is not.
    """
    if card.input_values.kind != "echo":
        raise EngineError(
            f"MODEL: {card.name} is for {card.task}, but the review is of layers in echograms. "
            "Choose a model for echograms."
        )


def retrain_layers(
    model: Model, material: LayerMaterial, pace: Pace, reporter: Reporter
) -> Retrained:
    """Train a model for layers on corrected stretches.

    Args:
        model: The model before.
        material: At least one corrected stretch.
        pace: How long all of it may take, and the steps of one training.
        reporter: Receives progress.
    """
    card = model.card
    lone = Network(TITLE, card.architecture, model.network.state_dict(), beside=False, rock=False)
    aside = {*left_out(len(material.corrected))}
    trainings = 1 + bool(aside)
    each = replace(pace, minutes=SHARE_OF_TRAINING * pace.minutes / trainings)
    stages = [*parts(reporter, trainings, 0.1, 0.9)]

    def error(weights: Weights | None, stretches: Sequence[LabelledStretch]) -> LayerError:
        network = lone if weights is None else lone.with_weights(weights)
        return layer_error(network.built().to(pace.device), stretches, pace.device)

    stop = Stop(1.0, {})
    if aside:
        taught = [one for place, one in enumerate(material.corrected) if place not in aside]
        course = _course(lone, replace(material, corrected=taught), each, "when-to-stop")
        held = [material.corrected[place] for place in sorted(aside)]
        stop = best_stop(course, lambda weights: error(weights, held), LayerError, stages[0])
    course = _course(lone, material, each, "lone")
    weights = course.until(stop.done, stages[-1])
    tell_if_short([course.share(stop.done)] * trainings, each.minutes, pace.minutes, reporter)
    tested = stop.comparison(TITLE)
    if material.test:
        before, after = (error(each, material.test) for each in (None, weights))
        tested = (Comparison(TITLE, before, after),)
    return Retrained(lone.with_weights(weights), None, stop, tested)


def _course(network: Network, material: LayerMaterial, pace: Pace, name: str) -> Course:
    """Return the training of a network for layers; `name` is that of its folder."""
    learner = network.built().train()
    fit = Fit(learner, schedule(pace), pace.room(name), pace.seed, pace.device, layer_loss)
    return Course(fit, _batches(material, int(getattr(learner, "stride", 1))), network.title)


def _batches(material: LayerMaterial, stride: int) -> Batches:
    """Draw half of the patches from what was corrected, the other half from what is known."""
    corrected: list[Taught] = [*material.corrected]
    known: list[Taught] = [*material.known, *material.old]
    half = max(len(corrected), len(known)) if known else len(corrected)
    drawn = [*islice(cycle(corrected), half), *islice(cycle(known), half)]
    rows, traces = (min(one.codes.shape[axis] for one in material.corrected) for axis in (0, 1))
    size = max(min(PATCH, rows, traces) // stride, 1) * stride
    return sampler(lambda index: _labelled(drawn[index]), len(drawn), BATCH, size)


def _labelled(one: Taught) -> tuple[Inputs, Codes]:
    if isinstance(one, LabelledStretch):
        return one.inputs, one.codes
    return inputs_of(one).astype(np.float32), one.zones
