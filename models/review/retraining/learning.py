"""Training of a model's networks on corrected scenes, from the weights that it has.

What the model knew is held by replay: patches of the data that it was trained on where these are at
hand, and otherwise of scenes that nobody corrected, labelled by what it was certain of itself
(distillation; Li & Hoiem 2018, Learning without Forgetting, doi:10.1109/TPAMI.2017.2773081).

How long to train is chosen without a further glacier: one training leaves a part of the corrected
scenes out and is measured on these, before it and after each quarter of the schedule; the training
on all scenes ends at the best of these. With fewer than `FEWEST_TO_LEAVE_OUT` scenes none is left
out, and the schedule runs to its end.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields

import numpy as np
import torch
from torch import Tensor, nn

from glacier_qgis.models.compute.arrays import Float32Array
from glacier_qgis.models.engine.events import Reporter
from glacier_qgis.models.fronts.termini.metrics import FrontError
from glacier_qgis.models.package.building import build
from glacier_qgis.models.package.card import Architecture
from glacier_qgis.models.review.retraining.samples import SceneInPlace
from glacier_qgis.models.training.data.dataset import LabelledTile
from glacier_qgis.models.training.data.samples import Labelled
from glacier_qgis.models.training.fitting.batch_and_rate import CPU_BATCH
from glacier_qgis.models.training.fitting.fit import Fit, Schedule
from glacier_qgis.models.training.fitting.objective import objective
from glacier_qgis.models.training.measuring.evaluator import Evaluator
from glacier_qgis.models.training.measuring.totals import totals
from glacier_qgis.models.training.views.augment import Augmentation
from glacier_qgis.models.training.views.rock import RockAugmentation, SeriesRockAugmentation
from glacier_qgis.models.training.views.sampling import Batches, sampler
from glacier_qgis.models.training.views.series import SeriesAugmentation, SeriesScenes

FEWEST_TO_LEAVE_OUT = 3
"""Corrected scenes from which one is left out; of more, every third."""
QUARTERS = (0.25, 0.5, 0.75, 1.0)
PATCH = 192
"""Rows and columns of the largest patch: a front and three kilometres on either side."""
RATE = 5e-4
"""Highest learning rate, a third of that of a training from random weights."""
AVERAGING = 0.98
"""Of the running average of the weights, over the last fifty steps."""
OFTEN = 10
"""Steps between two looks at the clock."""


@dataclass(frozen=True)
class Network:
    """One of a model's networks.

    Attributes:
        title: What it is for.
        architecture: The network.
        weights: Its weights.
        beside: Whether it sees the other scenes of a series.
        rock: Whether it sees a channel of rock.
    """

    title: str
    architecture: Architecture
    weights: Mapping[str, Tensor]
    beside: bool
    rock: bool

    def with_weights(self, weights: Mapping[str, Tensor]) -> Network:
        """Return the network after a training."""
        return Network(self.title, self.architecture, weights, self.beside, self.rock)

    def built(self) -> nn.Module:
        """Return the network, ready to predict."""
        network = build(self.architecture)
        network.load_state_dict(dict(self.weights))
        return network.eval()

    def samples(self, scenes: Sequence[SceneInPlace]) -> list[Labelled]:
        """Return the scenes of one place as this network sees them, each beside all others.

        A network for series leaves out scenes without a date.
        """
        if not self.beside:
            return [*scenes]
        dated = [scene for scene in scenes if scene.date]
        return [*SeriesScenes(dated).members()] if dated else []


@dataclass(frozen=True)
class TileWithoutRock(LabelledTile):
    """A tile of an earlier data set, for a network that also sees rock."""

    def equalised(self) -> tuple[Float32Array, Float32Array]:
        """See `Labelled`; nothing is known of rock."""
        ranks, valid = super().equalised()
        return np.concatenate([ranks, np.zeros_like(valid)[None]]), valid


def replayed(tiles: Sequence[LabelledTile], *, rock: bool) -> list[Labelled]:
    """Return tiles of an earlier data set as a network sees them."""
    if not rock:
        return [*tiles]
    names = [field.name for field in fields(LabelledTile)]
    return [TileWithoutRock(**{name: getattr(tile, name) for name in names}) for tile in tiles]


@dataclass(frozen=True)
class Material:
    """What one network is trained on.

    Attributes:
        corrected: Scenes with corrected fronts.
        known: Pools of what holds what the model knew.
        complete: Whether every front of every corrected scene is labelled.
    """

    corrected: Sequence[Labelled]
    known: Sequence[Sequence[Labelled]]
    complete: bool


@dataclass(frozen=True)
class Pace:
    """How long one training may take.

    Attributes:
        steps: Steps of the schedule.
        minutes: The longest computing time; the schedule is scaled accordingly.
        seed: Of the patches.
        device: Where to compute.
    """

    steps: int
    minutes: float
    seed: int
    device: torch.device


@dataclass(frozen=True)
class Stop:
    """When to stop, and why.

    Attributes:
        done: Completed fraction of the schedule, 0 to 1.
        errors: Error on the scenes that were left out, by fraction; none if none were.
    """

    done: float
    errors: Mapping[float, FrontError]

    @property
    def before(self) -> FrontError | None:
        """Error of the model before on the scenes that were left out."""
        return self.errors.get(0.0)

    @property
    def after(self) -> FrontError | None:
        """Error at the best fraction."""
        return self.errors.get(self.done)

    def sentence(self) -> str:
        """Say how it was chosen, for the card."""
        if not self.errors:
            return "The schedule ran to its end: too few scenes were corrected to leave one out."
        told = ", ".join(
            f"{error.mean_m:.0f} m ({error.missed} missed) after {done:.0%}"
            for done, error in self.errors.items()
        )
        return (
            f"Ended after {self.done:.0%} of the schedule, the best of a training that left out "
            f"{next(iter(self.errors.values())).images} of the scenes: {told}."
        )


def choose_stop(
    network: Network,
    folds: tuple[Material, Sequence[Labelled]] | None,
    pace: Pace,
    reporter: Reporter,
) -> Stop:
    """Choose when to stop on scenes that are left out.

    Args:
        network: To train.
        folds: What to train on, and the scenes that are left out; None without any.
        pace: How long.
        reporter: Receives progress.
    """
    if folds is None:
        return Stop(1.0, {})
    material, left_out = folds
    errors = {0.0: measure(network, left_out, pace.device)}
    for done, weights in _course(network, material, pace, reporter):
        errors[done] = measure(network.with_weights(weights), left_out, pace.device)
    return Stop(min(QUARTERS, key=lambda done: _rank(errors[done])), errors)


def train(
    network: Network, material: Material, stop: Stop, pace: Pace, reporter: Reporter
) -> Network:
    """Train a network until the chosen stop; return it with its averaged weights."""
    for done, weights in _course(network, material, pace, reporter):
        if done >= stop.done:
            return network.with_weights(weights)
    return network


def measure(network: Network, scenes: Sequence[Labelled], device: torch.device) -> FrontError:
    """Return the distance between predicted and corrected fronts, in the box around these."""
    cell = scenes[0].cell_size[0]
    return totals(Evaluator(network.built(), device, cell).answers(scenes)).box


def not_worse(after: FrontError, before: FrontError) -> bool:
    """Return whether a network finds as many fronts, as near, as the one before."""
    return _rank(after) <= _rank(before)


def left_out(count: int) -> list[int]:
    """Return which of some corrected scenes, in order of time, are left out."""
    return list(range(1, count, 3)) if count >= FEWEST_TO_LEAVE_OUT else []


def _rank(error: FrontError) -> tuple[int, float]:
    """Order errors: first fewer missed fronts, then smaller distances."""
    return error.missed, error.mean_m if math.isfinite(error.mean_m) else math.inf


def _course(
    network: Network, material: Material, pace: Pace, reporter: Reporter
) -> Iterator[tuple[float, dict[str, Tensor]]]:
    """Train to each quarter of the schedule; yield it and the averaged weights there."""
    start = objective(network.architecture, network.built(), fronts_alone=material.complete)
    schedule = Schedule(
        steps=pace.steps,
        minutes=pace.minutes,
        rate=RATE,
        averaging=AVERAGING,
    )
    fit = Fit(start.network, schedule, None, pace.seed, pace.device, start.loss)
    batches = _batches(network, material, int(getattr(start.network, "stride", 1)))
    for quarter in QUARTERS:
        while fit.done < quarter:
            before = fit.done
            loss = fit.learn(batches, min(OFTEN, math.ceil((quarter - before) * pace.steps)))
            reporter.progress(fit.done, f"Training the network for {network.title}: {loss:.3f}")
        yield (
            quarter,
            start.zones_alone(
                {name: value.clone().contiguous() for name, value in fit.average.items()}
            ),
        )


def _batches(network: Network, material: Material, stride: int) -> Batches:
    """Draw a half of the patches from the corrected scenes, the other from what is known."""
    known = [pool for pool in material.known if pool]
    pools = [*[material.corrected] * max(1, len(known)), *known]
    scene = material.corrected[0]
    size = max(1, min(PATCH, *scene.shape) // stride) * stride
    kinds: dict[tuple[bool, bool], type[Augmentation]] = {
        (False, False): Augmentation,
        (False, True): RockAugmentation,
        (True, False): SeriesAugmentation,
        (True, True): SeriesRockAugmentation,
    }
    augmentation = kinds[network.beside, network.rock]
    return sampler(pools, CPU_BATCH, size, scene.cell_size[0], augmentation)
