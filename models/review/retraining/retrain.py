"""From places with corrected scenes to the networks of a better model, and the test of them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain

import numpy as np

from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.engine.events import Reporter, Stage
from glacier_qgis.models.networks.unet import with_more_bands
from glacier_qgis.models.package.card import ModelCard, SeriesNetwork
from glacier_qgis.models.package.folder import Model
from glacier_qgis.models.review.retraining.comparison import Comparison, without_worse
from glacier_qgis.models.review.retraining.errors import not_worse
from glacier_qgis.models.review.retraining.labels import (
    Prediction,
    carried_zones,
    leaning,
    zones_around,
)
from glacier_qgis.models.review.retraining.learning import (
    Pace,
    Stop,
    choose_stop,
    left_out,
    train,
)
from glacier_qgis.models.review.retraining.material import Aim, Material, Network
from glacier_qgis.models.review.retraining.places import Place
from glacier_qgis.models.review.retraining.samples import SceneInPlace
from glacier_qgis.models.review.retraining.trial import Trial
from glacier_qgis.models.training.data.dataset import LabelledTile
from glacier_qgis.models.training.data.samples import OPEN, UNLABELLED, Labelled
from glacier_qgis.models.training.measuring.evaluator import Evaluator
from glacier_qgis.models.zones.codes import CLASS_NAMES

SHARE_OF_TRAINING, LEAST_SHARE = 0.8, 0.5
"""Largest and least share of the time that trainings take; the other is for reading and tests."""


@dataclass(frozen=True)
class CorrectedPlace:
    """A place with what was corrected there.

    Attributes:
        place: Its scenes.
        corrected: Scenes to train on, by name: whether all of their fronts are labelled.
        test: Corrected scenes of the frozen test, which are never trained on.
    """

    place: Place
    corrected: Mapping[str, bool]
    test: Mapping[str, bool]


@dataclass(frozen=True)
class Retrained:
    """The networks after a training.

    Attributes:
        lone: For single scenes.
        series: For series; None if the model has none.
        stop: How long they were trained, chosen with the one for single scenes.
        test: What the frozen test says, or for layers, without one, the stretches that were left
            out; none without either. Scenes that were left out do not judge: there are few, chosen
            to differ, so that each is unlike all others.
    """

    lone: Network
    series: Network | None
    stop: Stop
    test: tuple[Comparison, ...]


def networks_of(model: Model, *, rock: bool) -> tuple[Network, Network | None]:
    """Return a model's networks, which see a channel of rock if asked to.

    The weights of a new channel are zero, so the networks predict as before.

    Raises:
        EngineError: The model cannot be trained on: its classes, input or architecture.
    """
    card = model.card
    if [zone.value for zone in card.classes] != list(CLASS_NAMES):
        raise EngineError(
            f"MODEL: {card.name} does not have the classes {', '.join(CLASS_NAMES.values())}. "
            "Choose another model."
        )
    if card.input_values.kind != "rank" or not card.has_mask or card.architecture.name == "onnx":
        raise EngineError(
            f"MODEL: {card.name} was made by another program, or sees other values than ranks and "
            "a mask, so it cannot be trained further here. Choose another model."
        )
    added = rock and not card.rock and card.architecture.name == "unet"
    sees = card.rock or added

    def network(
        title: str, own: ModelCard | SeriesNetwork, module: object, *, beside: bool
    ) -> Network:
        architecture = own.architecture
        weights = module.state_dict()  # type: ignore[attr-defined]
        if added:
            parameters = architecture.parameters
            bands, stem = int(str(parameters["bands"])), int(str(parameters.get("stem", 1)))
            weights = with_more_bands(weights, 1, stem)
            more = {"parameters": {**parameters, "bands": bands + 1}}
            architecture = architecture.model_copy(update=more)
        return Network(title, architecture, weights, beside, sees, own.oriented)

    lone = network("single scenes", card, model.network, beside=False)
    if card.series is None:
        return lone, None
    return lone, network("series", card.series, model.series, beside=True)


def retrain(
    model: Model,
    places: Sequence[CorrectedPlace],
    tiles: Sequence[LabelledTile],
    pace: Pace,
    reporter: Reporter,
    *,
    rock: bool,
    aim: Aim,
) -> Retrained:
    """Train a model's networks on corrected scenes.

    Args:
        model: The model before.
        places: At least one, with a scene to train on that shows a front.
        tiles: Data that the model was trained on, to replay.
        pace: How long all of it may take, and the steps of one training.
        reporter: Receives progress.
        rock: Whether rock is known.
        aim: What the model shall be good for.

    Raises:
        EngineError: See `networks_of`.
    """
    lone, series = networks_of(model, rock=rock)
    trial, begun = Trial(model.card, pace.device), time.monotonic()
    labelled = [(each, _labelled(each, lone, pace)) for each in places]
    order = sorted(
        (scene.date, scene.name)
        for each, scenes in labelled
        for scene in scenes
        if scene.name in each.corrected and scene.lines
    )
    aside = {order[index][1] for index in left_out(len(order))}
    tested = [(each.place, names) for each in places if (names := _with_front(each, each.test))]
    trainings = 1 + (series is not None) + bool(aside)
    ready = time.monotonic()
    reporter.progress(0.1, "Testing the model before")
    networks = [lone, *([series] if series else [])]
    before = [trial.error(tested, each, lone) for each in networks if tested]
    spent = ready - begun + 2 * (time.monotonic() - ready)
    each_pace = replace(pace, minutes=minutes_left(pace.minutes, spent) / trainings)
    stages = iter(
        Stage(reporter, 0.1 + 0.8 * number / trainings, 0.1 + 0.8 * (number + 1) / trainings)
        for number in range(trainings)
    )

    def material(network: Network, without: frozenset[str]) -> Material:
        here = [(each, _carried(each, scenes, without, aim)) for each, scenes in labelled]
        taught = _samples(network, here, lambda each: each.corrected.keys() - without)
        known = _samples(network, here, _uncorrected)
        old = [replace(tile, rock=network.rock) for tile in tiles]
        return Material(taught, [known, old], aim)

    folds = None
    away = [(each.place, each.corrected.keys() & aside) for each in places]
    if aside:
        folds = (material(lone, frozenset(aside)), lambda network: trial.error(away, network, lone))
    stop = choose_stop(lone, folds, each_pace, next(stages) if aside else reporter)
    after = [
        train(network, material(network, frozenset()), stop, each_pace, next(stages))
        for network in networks
    ]
    reporter.progress(0.9, "Testing the new model")
    compared: list[Comparison] = []
    for each, error in zip(after, before, strict=False):
        worse = compared and not not_worse(compared[0].after, compared[0].before)
        delivered = lone if worse else after[0]
        compared.append(Comparison(each.title, error, trial.error(tested, each, delivered)))
    compared = without_worse(compared)
    for place, one in enumerate(compared):
        if one.dropped is not None:
            after[place] = networks[place]
    return Retrained(after[0], after[1] if series else None, stop, tuple(compared))


def minutes_left(minutes: float, spent_s: float) -> float:
    """Return how long all trainings may take.

    Args:
        minutes: For trainings, reading and tests together.
        spent_s: On labels and tests, also those that are still to come.
    """
    share = 1 - spent_s / 60 / minutes
    return minutes * min(max(share, LEAST_SHARE), SHARE_OF_TRAINING)


def _with_front(each: CorrectedPlace, names: Iterable[str]) -> list[str]:
    """Return the scenes that show a front: on others no distance can be measured."""
    return [name for name in names if each.place.scenes[name].lines]


_Samples = list[Labelled]


def _samples(
    network: Network,
    labelled: Sequence[tuple[CorrectedPlace, list[SceneInPlace]]],
    wanted: Callable[[CorrectedPlace], Iterable[str]],
) -> _Samples:
    """Return the wanted scenes of every place as a network sees them."""
    found: list[list[Labelled]] = []
    for each, scenes in labelled:
        names = set(wanted(each))
        seen = [replace(scene, rock=each.place.rock if network.rock else None) for scene in scenes]
        found.append([sample for sample in network.samples(seen) if sample.name in names])
    return [*chain.from_iterable(found)]


def _labelled(each: CorrectedPlace, lone: Network, pace: Pace) -> list[SceneInPlace]:
    """Label the corrected scenes of a place by their fronts."""
    place, complete = each.place, {**each.corrected, **each.test}
    scenes = [*place.scenes.values()]
    seen = [replace(scene, rock=place.rock if lone.rock else None) for scene in scenes]
    evaluator = Evaluator(lone.built(), pace.device, place.grid.cell_size)
    ice = np.zeros(place.grid.shape, np.float32)
    predicted = {}
    for scene, probabilities in zip(scenes, evaluator.probabilities(seen), strict=True):
        ice += leaning(probabilities) / len(scenes)
        if scene.name in complete:
            predicted[scene.name] = Prediction.of(probabilities)
    zones = {
        name: zones_around(
            place.scenes[name].lines, own, ice, place.rock, place.grid, complete=complete[name]
        )
        for name, own in predicted.items()
    }
    return [scene.labelled(zones.get(scene.name, scene.zones)) for scene in scenes]


def _uncorrected(each: CorrectedPlace) -> set[str]:
    """Return the scenes that nobody corrected."""
    return set(each.place.scenes) - set(each.corrected) - set(each.test)


def _carried(
    each: CorrectedPlace,
    scenes: Sequence[SceneInPlace],
    without: frozenset[str],
    aim: Aim,
) -> list[SceneInPlace]:
    """Label the scenes that nobody corrected by those that were, less some.

    What these do not tell is `OPEN` for the model before if what it knew is held.
    """
    names = each.corrected.keys() - without
    known = [scene.zones for scene in scenes if scene.name in names]
    if not known:
        return [*scenes]
    zones, others = carried_zones(known, each.place.rock, each.place.grid), _uncorrected(each)
    if aim is Aim.HELD:
        zones = np.where(zones == UNLABELLED, OPEN, zones)
    return [
        scene.labelled(np.where(scene.valid > 0, zones, UNLABELLED).astype(np.uint8))
        if scene.name in others
        else scene
        for scene in scenes
    ]
