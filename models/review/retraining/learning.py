"""Training of a model's networks on corrected scenes, from the weights that it has.

Half of the patches are of the corrected scenes. The other half is of the same place on other dates,
with the zones on which all corrections or two networks agree (`taught`), and of the data that the
model was trained on where these are at hand, so that it keeps what it knew.

How long to train is chosen without a further glacier: one training leaves a part of the corrected
scenes out and is measured on these, before it and after each quarter of the schedule; the training
on all scenes ends at the last that is close to the best of these. With fewer than
`FEWEST_TO_LEAVE_OUT` scenes none is left out, and the schedule runs to its end.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, astuple, dataclass, replace
from pathlib import Path

import torch
from torch import Tensor

from glacier_qgis.models.compute.unfinished import UnfinishedTraining
from glacier_qgis.models.engine.events import Reporter
from glacier_qgis.models.fronts.termini.metrics import FrontError
from glacier_qgis.models.review.retraining.comparison import Comparison
from glacier_qgis.models.review.retraining.errors import Error
from glacier_qgis.models.review.retraining.holding import half_way, with_teacher
from glacier_qgis.models.review.retraining.layer_error import LayerError
from glacier_qgis.models.review.retraining.material import Aim, Material, Network, batches_of
from glacier_qgis.models.training.fitting.fit import Fit, Schedule
from glacier_qgis.models.training.fitting.objective import objective
from glacier_qgis.models.training.views.sampling import Batches

Weights = dict[str, Tensor]

FEWEST_TO_LEAVE_OUT = 5
"""Corrected scenes from which some are left out, every third: one alone says little."""
QUARTERS = (0.25, 0.5, 0.75, 1.0)
RATE = 5e-4
"""Highest learning rate, a third of that of a training from random weights."""
ADAPTING_MINUTES, ADAPTING_RATE = 10.0, 1e-3
"""Of an adaptation to a glacier."""
SHORT, LONG = 400, 1200
"""Steps of each of its trainings: on fewer scenes than `FEWEST_TO_LEAVE_OUT`, to which longer ones
fit too closely, and on more."""
CHANCE = 1.25
"""Ratio of two distances on few scenes that says nothing."""
AVERAGING = 0.98
"""Of the running average of the weights, over the last fifty steps."""
OFTEN = 10
"""Steps between two looks at the clock."""
LEAST_SHARE_OF_STEPS = 0.25
"""Part of the steps below which the end of a training by the clock is worth a warning."""


def rate_of(aim: Aim) -> float:
    """Return the highest learning rate of a training for fronts."""
    return ADAPTING_RATE if aim is Aim.ONE_PLACE else RATE


def steps_to_adapt(fronts: int) -> int:
    """Return the steps of each training of an adaptation to so many scenes with a front."""
    return LONG if fronts >= FEWEST_TO_LEAVE_OUT else SHORT


@dataclass(frozen=True)
class Plan:
    """What is decided when a job begins, by how fast the computer is.

    Attributes:
        rounds: How often two networks label the scenes for each other, see `SecondOpinion`.
        minutes: The longest computing time of each training.
    """

    rounds: int
    minutes: float


@dataclass(frozen=True)
class Pace:
    """How long one training may take.

    Attributes:
        steps: Steps of the schedule.
        minutes: The longest computing time; the schedule is scaled accordingly.
        seed: Of the patches.
        device: Where to compute.
        unfinished: Where the trainings keep their state, to be resumed after a stop; None for
            nowhere.
        rate: The highest learning rate.
    """

    steps: int
    minutes: float
    seed: int
    device: torch.device
    unfinished: UnfinishedTraining | None = None
    rate: float = RATE

    def room(self, training: str) -> Path | None:
        """Return the folder of one training."""
        return self.unfinished.folder / training if self.unfinished else None

    def decided(self, plan: Plan) -> Plan:
        """Return the plan from before a stop if there is one, otherwise keep this one."""
        if self.unfinished is None:
            return plan
        if not self.unfinished.decided:
            self.unfinished.decide(asdict(plan))
            return plan
        return Plan(**self.unfinished.decided)  # type: ignore[arg-type]


@dataclass(frozen=True)
class Stop:
    """When to stop, and why.

    Attributes:
        done: Completed fraction of the schedule, 0 to 1.
        errors: Error on the scenes that were left out, by fraction; none if none were.
    """

    done: float
    errors: Mapping[float, Error]

    @property
    def before(self) -> Error | None:
        """Error of the model before on the scenes that were left out."""
        return self.errors.get(0.0)

    @property
    def after(self) -> Error | None:
        """Error at the best fraction."""
        return self.errors.get(self.done)

    def comparison(self, title: str) -> tuple[Comparison, ...]:
        """Compare a network on the scenes that were left out; empty if none were."""
        if self.before is None or self.after is None:
            return ()
        return (Comparison(f"{title}, left out", self.before, self.after),)

    def sentence(self) -> str:
        """Say how it was chosen, for the card."""
        if not self.errors:
            return "The schedule ran to its end: too few scenes were corrected to leave one out."
        told = ", ".join(f"{error.words} after {done:.0%}" for done, error in self.errors.items())
        return (
            f"Ended after {self.done:.0%} of the schedule, by a training that left out "
            f"{next(iter(self.errors.values())).images} of the scenes: {told}."
        )


def choose_stop(
    network: Network,
    folds: tuple[Material, Callable[[Network], FrontError]] | None,
    pace: Pace,
    reporter: Reporter,
) -> Stop:
    """Choose when to stop on scenes that are left out.

    Args:
        network: To train.
        folds: What to train on, and the error of a network on the scenes that are left out; None
            without any.
        pace: How long.
        reporter: Receives progress.
    """
    if folds is None:
        return Stop(1.0, {})
    material, measured = folds

    def error(weights: Weights | None) -> FrontError:
        return measured(network if weights is None else trained(network, weights, material.aim))

    course = course_of(network, material, pace, "when-to-stop")
    return best_stop(course, error, FrontError, reporter)


def best_stop(
    course: Course,
    measured: Callable[[Weights | None], FrontError | LayerError],
    kind: type[FrontError] | type[LayerError],
    reporter: Reporter,
) -> Stop:
    """Return the last quarter of a training after which its error is close to the smallest.

    Args:
        course: The training.
        measured: Returns the error with some weights; with None, that of the model before.
        kind: Of the errors, which are noted in the state of the training.
        reporter: Receives progress.
    """
    noted: dict[str, list[float]] = course.fit.notes.setdefault("errors", {})  # type: ignore[assignment]
    if not noted:
        noted["0.0"] = [*astuple(measured(None))]
    for done in QUARTERS:
        if str(done) not in noted:
            noted[str(done)] = [*astuple(measured(course.until(done, reporter)))]
            course.fit.save()
    errors = {float(done): kind(*values) for done, values in noted.items()}  # type: ignore[arg-type]
    best = min(errors[done].order for done in QUARTERS)
    return Stop(max(done for done in QUARTERS if _near(errors[done].order, best)), errors)


def _near(order: tuple[float, float], best: tuple[float, float]) -> bool:
    """Return whether an error is no worse than the best by more than chance."""
    return order[0] <= best[0] and order[1] <= best[1] * CHANCE


def train(
    network: Network, material: Material, stop: Stop, pace: Pace, reporter: Reporter, again: int = 0
) -> tuple[Network, float]:
    """Train a network until the chosen stop.

    `again` counts its trainings, each of which has a folder of its own. A network without a scene
    to train on stays as it is.

    Returns:
        The network with its averaged weights, and which part of the steps there was time for.
    """
    if not material.corrected:
        return network, 1.0
    name = "series" if network.beside else "lone"
    course = course_of(network, material, pace, f"{name}-{again}")
    weights = course.until(stop.done, reporter)
    return trained(network, weights, material.aim), course.share(stop.done)


def trained(network: Network, weights: Weights, aim: Aim) -> Network:
    """Return a network with its weights after a training."""
    oriented = network.oriented or aim is Aim.ONE_PLACE
    return replace(network.with_weights(weights), oriented=oriented)


def left_out(count: int) -> list[int]:
    """Return which of some corrected scenes, in order of time, are left out."""
    return list(range(1, count, 3)) if count >= FEWEST_TO_LEAVE_OUT else []


class Course:
    """One training, which resumes where it was stopped.

    Args:
        fit: The network in training.
        batches: What it is trained on.
        title: What the network is for.
        averaged: From the averaged weights in training to those of the network.
    """

    def __init__(
        self,
        fit: Fit,
        batches: Batches,
        title: str,
        averaged: Callable[[Weights], Weights] = lambda weights: weights,
    ) -> None:
        self.fit, self._batches, self._title, self._averaged = fit, batches, title, averaged

    def until(self, done: float, reporter: Reporter) -> Weights:
        """Train until a fraction of the schedule; return the averaged weights."""
        fit, steps = self.fit, self.fit.schedule.steps
        while fit.done < done:
            loss = fit.learn(self._batches, min(OFTEN, math.ceil((done - fit.done) * steps)))
            if fit.step % fit.schedule.save_every < OFTEN:
                fit.save()
            doing = f"Training the network for {self._title}: {loss:.3f}"
            reporter.progress(fit.done, doing)
        fit.save()
        return self._averaged(
            {name: value.cpu().clone().contiguous() for name, value in fit.average.items()}
        )

    def share(self, done: float) -> float:
        """Return which part of the steps of a fraction of the schedule there was time for."""
        return min(1.0, self.fit.step / (done * self.fit.schedule.steps))


def tell_if_short(shares: Sequence[float], each: float, minutes: float, reporter: Reporter) -> None:
    """Say how long a job should take if the clock ended a training before it took its steps.

    Args:
        shares: Of the steps that each training had time for, 0 to 1; at least one.
        each: The longest computing time of each training, minutes.
        minutes: The longest time of the job.
        reporter: Receives it; as a warning if a training took less than a quarter of its steps.
    """
    least = min(shares)
    if least == 1:
        return
    enough = math.ceil(minutes + sum(each * (1 / share - 1) for share in shares))
    (reporter.log if least >= LEAST_SHARE_OF_STEPS else reporter.warning)(
        f"A training ended after {least:.0%} of its steps, as MINUTES is {minutes:g}. For all of "
        f"them, set MINUTES to about {enough}."
    )


def course_of(network: Network, material: Material, pace: Pace, name: str) -> Course:
    """Return the training of a network for fronts; `name` is that of its folder.

    The contact of glacier and ocean in unlabelled cells does not cost: a front lies in those of
    every scene that nobody corrected.
    """
    start = objective(network.architecture, network.built(), fronts_alone=False)
    stride = int(getattr(start.network, "stride", 1))
    batches = batches_of(network, material, stride, pace.device)
    if material.aim is Aim.HELD:
        batches = with_teacher(batches, network.built().to(pace.device))
    fit = Fit(start.network, schedule(pace), pace.room(name), pace.seed, pace.device, start.loss)

    def weights(averaged: Weights) -> Weights:
        own = start.zones_alone(averaged)
        return own if material.aim is Aim.ONE_PLACE else half_way(network.weights, own)

    return Course(fit, batches, network.title, weights)


def schedule(pace: Pace) -> Schedule:
    """Return the schedule of a training."""
    return Schedule(steps=pace.steps, minutes=pace.minutes, rate=pace.rate, averaging=AVERAGING)
