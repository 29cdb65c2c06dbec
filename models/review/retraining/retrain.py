"""From places with corrected scenes to the networks of a better model, and the test of them."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import chain

from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.engine.events import Reporter, Stage, parts
from glacier_qgis.models.fronts.termini.metrics import FrontError
from glacier_qgis.models.networks.unet import with_more_bands
from glacier_qgis.models.package.card import ModelCard, SeriesNetwork
from glacier_qgis.models.package.folder import Model
from glacier_qgis.models.review.retraining.coast import without_fronts
from glacier_qgis.models.review.retraining.comparison import Comparison, without_worse
from glacier_qgis.models.review.retraining.errors import not_worse
from glacier_qgis.models.review.retraining.learning import (
    Pace,
    Plan,
    Stop,
    choose_stop,
    left_out,
    tell_if_short,
    train,
)
from glacier_qgis.models.review.retraining.material import Aim, Material, Network
from glacier_qgis.models.review.retraining.places import Place
from glacier_qgis.models.review.retraining.second_opinion import SecondOpinion
from glacier_qgis.models.review.retraining.taught import CorrectedPlace, TaughtPlace
from glacier_qgis.models.review.retraining.trial import Trial
from glacier_qgis.models.training.data.dataset import LabelledTile
from glacier_qgis.models.training.data.samples import OPEN, UNLABELLED
from glacier_qgis.models.zones.codes import CLASS_NAMES

SHARE_OF_TRAINING, LEAST_SHARE = 0.8, 0.5
"""Largest and least share of the time that trainings take; the other is for reading and tests."""


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
        aim: What the networks for fronts shall be good for; None of one for layers.
        rounds: How often both networks were trained again, on what they agree on.
    """

    lone: Network
    series: Network | None
    stop: Stop
    test: tuple[Comparison, ...]
    aim: Aim | None = None
    rounds: int = 0


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
        return Network(title, architecture, weights, beside, sees, own.oriented, own.coast)

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
    networks = [each for each in networks_of(model, rock=rock) if each]
    lone, trial, begun = networks[0], Trial(model.card, pace.device), time.monotonic()
    taught = [
        TaughtPlace.by_fronts(each, lone, pace.device, stage)
        for each, stage in zip(places, parts(reporter, len(places), 0.05, 0.07), strict=True)
    ]
    order = sorted(
        (each.place.scenes[name].date, name)
        for each in places
        for name in with_front(each, each.corrected)
    )
    aside = {order[index][1] for index in left_out(len(order))}
    tested = [(each.place, names) for each in places if (names := with_front(each, each.test))]
    opinion = SecondOpinion.of(networks, taught, aim, pace.device, Stage(reporter, 0.07, 0.1))
    testing = time.monotonic()
    reporter.progress(0.1, "Testing the model before")
    before = [trial.error(tested, each, lone) for each in networks if tested]
    networks = [replace(each, coast=_coast_left(each, places)) for each in networks]
    lone = networks[0]

    def trainings(rounds: int) -> int:
        return len(networks) * (1 + rounds) + bool(aside)

    rounds = opinion.rounds(pace.minutes)
    spent = testing - begun + rounds * opinion.seconds + 2 * (time.monotonic() - testing)
    minutes = minutes_left(pace.minutes, spent) / trainings(rounds)
    plan = pace.decided(Plan(rounds, minutes))
    if advice := opinion.advice(pace.minutes, plan.rounds):
        reporter.log(advice)
    each_pace = replace(pace, minutes=plan.minutes)
    stages = parts(reporter, trainings(plan.rounds) + plan.rounds, 0.1, 0.9)

    rest = OPEN if aim is Aim.HELD else UNLABELLED
    folds = None
    if aside:
        away = [(each.place, each.corrected.keys() & aside) for each in places]
        without = frozenset(aside)
        labelled = [each.carried(without, rest) for each in taught]
        fewer = _material(lone, labelled, tiles, aim, without)
        folds = (fewer, lambda network: trial.error(away, network, lone))
    stop = choose_stop(lone, folds, each_pace, next(stages) if aside else reporter)

    shares: list[float] = []

    def trained(labelled: Sequence[TaughtPlace], again: int) -> list[Network]:
        materials = [_material(each, labelled, tiles, aim) for each in networks]
        results = [
            train(network, material, stop, each_pace, next(stages), again)
            for network, material in zip(networks, materials, strict=True)
        ]
        shares.extend(share for _, share in results)
        return [network for network, _ in results]

    carried = [each.carried(rest=rest) for each in taught]
    after = trained(carried, 0)
    for number in range(1, plan.rounds + 1):
        after = trained(opinion.labelled(carried, after, pace.device, next(stages)), number)
    to_choose = shares[: bool(aside)]
    tell_if_short([*to_choose, *shares], plan.minutes, pace.minutes, reporter)
    if aim is Aim.ONE_PLACE:
        stages = parts(reporter, len(after), 0.9, 0.93)
        after = [
            each if each is old else replace(each, coast=taught[0].coast(each, pace.device, stage))
            for each, old, stage in zip(after, networks, stages, strict=True)
        ]
    reporter.progress(0.93, "Testing the new model")
    compared = _compared(trial, tested, networks, after, before)
    dropped = {each.title for each in compared if each.dropped is not None}
    lone, *beside = (
        old if old.title in dropped else new for old, new in zip(networks, after, strict=True)
    )
    return Retrained(lone, beside[0] if beside else None, stop, compared, aim, plan.rounds)


def _compared(
    trial: Trial,
    tested: Sequence[tuple[Place, Sequence[str]]],
    networks: Sequence[Network],
    after: Sequence[Network],
    before: Sequence[FrontError],
) -> tuple[Comparison, ...]:
    """Test the networks that were trained, each beside the one that it is delivered with."""
    if not tested:
        return ()
    compared: list[Comparison] = []
    lone = after[0]
    for old, new, error in zip(networks, after, before, strict=True):
        if new is old:
            continue
        measured = trial.error(tested, new, lone)
        compared.append(Comparison(new.title, error, measured))
        if new is lone and not_worse(measured, error) is False:
            lone = old
    return tuple(without_worse(compared))


def _coast_left(network: Network, places: Sequence[CorrectedPlace]) -> str:
    """Return the coast that a network knows, where nobody has drawn a front since."""
    coast = network.coast
    for each in places:
        drawn = [line for name in each.corrected for line in each.place.scenes[name].lines]
        coast = without_fronts(coast, drawn, each.place.grid.crs)
    return coast


def _material(
    network: Network,
    labelled: Sequence[TaughtPlace],
    tiles: Sequence[LabelledTile],
    aim: Aim,
    without: frozenset[str] = frozenset(),
) -> Material:
    """Return what a network is trained on: places, less some corrected scenes, and old data."""
    names = [(each, each.of.corrected.keys() - without) for each in labelled]
    corrected = [each.samples(network, chosen) for each, chosen in names]
    known = [each.samples(network, each.of.uncorrected) for each in labelled]
    old = [replace(tile, rock=network.rock) for tile in tiles]
    return Material([*chain(*corrected)], [[*chain(*known)], old], aim)


def minutes_left(minutes: float, spent_s: float) -> float:
    """Return how long all trainings may take.

    Args:
        minutes: For trainings, reading and tests together.
        spent_s: On labels and tests, also those that are still to come.
    """
    share = 1 - spent_s / 60 / minutes
    return minutes * min(max(share, LEAST_SHARE), SHARE_OF_TRAINING)


def with_front(each: CorrectedPlace, names: Iterable[str]) -> list[str]:
    """Return the scenes that show a front: on others no distance can be measured."""
    return [name for name in names if each.place.scenes[name].lines]
