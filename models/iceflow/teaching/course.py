"""The course of a training: epochs, validation, selection of glaciers, the best weights."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from glacier_qgis.models.engine.events import Reporter
from glacier_qgis.models.iceflow.teaching.energy import Unsolved
from glacier_qgis.models.iceflow.teaching.examples import placed
from glacier_qgis.models.iceflow.teaching.fidelity import MEAN, Fidelity, in_words
from glacier_qgis.models.iceflow.teaching.loss import PARTS, relative_loss
from glacier_qgis.models.iceflow.teaching.patches import Patches
from glacier_qgis.models.iceflow.teaching.pupils import Pupil, device_of
from glacier_qgis.models.iceflow.teaching.states.glaciers import Topography
from glacier_qgis.models.iceflow.teaching.training import Training
from glacier_qgis.models.iceflow.velocity.errors import length

Epoch = dict[str, Any]
"""What is known of an epoch, by name."""
CHECKPOINT = "training.pt"
FIRST_SHARE = 1 / 3
"""Share of the topographies that a selection begins with."""
MOST_SETBACKS = 12
"""Returns to earlier weights after which a training is given up."""
MOST_MEASURED = 64
"""States that a training loss is measured on, evenly spread."""
LEAST_PATCHES = 256
"""Patches of an epoch, where there is little ice."""
LEAST_ENERGIES = 64
"""States of an epoch that trains on the energy alone, where there are few."""
ENERGY_STATES = 4
"""States of a step whose energy is computed."""


@dataclass(frozen=True)
class Settings:
    """What decides the course, beside the data.

    Attributes:
        epochs: most of them.
        batch: patches of a step.
        patch: cells along a side; 0 for whole states.
        patience: epochs without a better validation after which it stops; 0 for never.
        loss: 'L1', 'relative', 'energy' or 'L1 and energy'.
        selecting: whether topographies are added only where the test loss exceeds the training
            loss (Jouvet et al. 2022, Section 2.3).
        seed: of all chance.
    """

    epochs: int
    batch: int
    patch: int
    patience: int
    loss: str
    selecting: bool
    seed: int

    @property
    def solutions(self) -> bool:
        """Whether it is trained on velocities."""
        return self.loss != "energy"

    @property
    def energy(self) -> bool:
        """Whether it is trained on the energy."""
        return "energy" in self.loss


@dataclass
class Lessons:
    """The states of a topography, as the network takes them.

    Attributes:
        name: of the topography.
        states: examples, (12, rows, columns) each.
        energies: of the states; empty unless they train.
    """

    name: str
    states: list[Tensor]
    energies: list[Unsolved] = field(default_factory=list)

    @classmethod
    def of(cls, topography: Topography, pupil: Pupil, *, energy: bool) -> Lessons:
        """Return those of a topography, on the device of the pupil's network."""
        device, states = device_of(pupil), topography.states
        found = [Unsolved.of(state.on(device)) for state in states] if energy else []
        return cls(topography.name, [pupil.example(one).to(device) for one in states], found)


class Course:
    """A training over epochs, which a folder keeps.

    Args:
        training: the network and its optimiser.
        lessons: topographies to train on.
        check: topographies held out; those trained on if there are none.
        settings: of the course.
        folder: where its state is kept.
        keep: called with the pupil with the best weights so far, and the epoch.
    """

    def __init__(
        self,
        training: Training,
        lessons: Sequence[Lessons],
        check: Sequence[Lessons],
        settings: Settings,
        folder: Path,
        keep: Callable[[Pupil, Epoch], None],
    ) -> None:
        self.training, self.settings = training, settings
        self._lessons, self._check = list(lessons), list(check or lessons)
        self._path, self._keep = folder / CHECKPOINT, keep
        self.epochs: list[Epoch] = []
        first = max(round(FIRST_SHARE * len(lessons)), 1) if settings.selecting else len(lessons)
        self.chosen = list(range(first))
        self._scale = _typical(lessons)
        if self._path.is_file():
            self._resume()
        self._gather()

    @property
    def names(self) -> list[str]:
        """Topographies that are trained on."""
        return [self._lessons[place].name for place in self.chosen]

    @property
    def left_out(self) -> list[str]:
        """Topographies that the selection did not need."""
        return [one.name for place, one in enumerate(self._lessons) if place not in self.chosen]

    def run(self, reporter: Reporter) -> list[Epoch]:
        """Train until the last epoch, or until nothing improves; return all epochs."""
        if not self.epochs:
            self._end_epoch(math.nan, 0.0, reporter)
        while len(self.epochs) <= self.settings.epochs and not self._ended(reporter):
            begin = time.monotonic()
            loss = self._train(reporter)
            self._end_epoch(loss, time.monotonic() - begin, reporter)
        return self.epochs

    @property
    def best(self) -> Epoch:
        """The epoch whose weights are kept."""
        return min(self.epochs, key=lambda epoch: epoch["l1"])

    def _ended(self, reporter: Reporter) -> bool:
        settings, done = self.settings, len(self.epochs) - 1
        if self.training.setbacks >= MOST_SETBACKS:
            rate = self.training.recipe.rate
            reporter.warning(
                f"The training diverged {self.training.setbacks} times and ends after epoch "
                f"{done}; the best weights, of epoch {self.best['epoch']}, are kept. Choose a "
                f"LEARNING_RATE of {rate / 10:.1g} or less."
            )
            return True
        if settings.patience and done - self.best["epoch"] >= settings.patience:
            reporter.log(
                f"Stopped early: no smaller error in {settings.patience} epochs; the best weights "
                f"are those of epoch {self.best['epoch']}."
            )
            return True
        return False

    def _train(self, reporter: Reporter) -> float:
        """Take the steps of an epoch and return the mean of their finite losses."""
        losses = []
        steps = self.steps
        for index in range(steps):
            number = (len(self.epochs) - 1) * steps + index
            rng = np.random.default_rng([self.settings.seed, len(self.epochs), index])
            before = self.training.setbacks
            quieter = self._quieter(number / (self.settings.epochs * steps))
            losses.append(self.training.take_step(lambda rng=rng: self._loss(rng), quieter))  # type: ignore[misc]
            if self.training.setbacks > before:
                reporter.warning(
                    f"The loss rose to {losses[-1]:.3g} in epoch {len(self.epochs)}: the last good "
                    f"weights are taken, and {self.training.calm:.2g} of the learning rate."
                )
                if self.training.setbacks >= MOST_SETBACKS:
                    break
            reporter.progress(
                number / (self.settings.epochs * steps),
                f"Training: epoch {len(self.epochs)} of {self.settings.epochs}",
            )
        finite = [loss for loss in losses if math.isfinite(loss)]
        return sum(finite) / len(finite) if finite else math.nan

    @property
    def steps(self) -> int:
        """Steps of an epoch: each part of the ice is drawn about once."""
        if not self.settings.solutions:
            return -(-max(len(self._energies), LEAST_ENERGIES) // ENERGY_STATES)
        return -(-max(self._patches.count, LEAST_PATCHES) // self.settings.batch)

    @staticmethod
    def _quieter(done: float) -> float:
        """Return the factor of the learning rate: a cosine from 1 to 0."""
        return max(0.5 * (1 + math.cos(math.pi * min(done, 1.0))), 0.01)

    def _loss(self, rng: np.random.Generator) -> Tensor:
        parts = []
        if self.settings.solutions:
            parts.append(self._of_solutions(rng))
        if self.settings.energy:
            parts.append(self._of_energy(rng))
        return torch.stack(parts).sum()

    def _of_solutions(self, rng: np.random.Generator) -> Tensor:
        batch = placed(self._patches.draw(self.settings.batch, rng), rng)
        found, true, glacier, glaciers = self.training.pupil.answer(batch)
        true = torch.where(_unknown(true), found.detach(), true)
        if self.settings.loss == "relative":
            return relative_loss(found, true, glacier, glaciers)
        weights = found.new_tensor(PARTS)
        error = length(found - true).mean(1)
        return (error * weights).sum() / (weights.sum() * self._scale)

    def _of_energy(self, rng: np.random.Generator) -> Tensor:
        number = min(ENERGY_STATES, len(self._energies))
        chosen = rng.choice(len(self._energies), number, replace=False)
        found = []
        for index in chosen:
            example, state = self._energies[int(index)]
            found.append(state.energy(self.training.pupil.flow(example)))
        return torch.stack(found).mean()

    def _gather(self) -> None:
        """Take the topographies that are trained on."""
        chosen = [self._lessons[place] for place in self.chosen]
        states = [state for one in chosen for state in one.states]
        self._patches = Patches(
            states, self.settings.patch, oriented=not self.training.pupil.symmetric
        )
        self._energies = [
            pair for one in chosen for pair in zip(one.states, one.energies, strict=False)
        ]

    def _end_epoch(self, loss: float, seconds: float, reporter: Reporter) -> None:
        """Measure, keep what is best, choose further topographies, save."""
        pupil = self.training.averaged()
        found = fidelity(pupil, [state for one in self._check for state in one.states])
        trained = [state for place in self.chosen for state in self._lessons[place].states]
        epoch: Epoch = {
            "epoch": len(self.epochs),
            "loss": loss,
            "l1": found.l1,
            "eq7": found.mean,
            "total": found.total,
            "training_l1": fidelity(pupil, _spread(trained)).l1,
            "topographies": len(self.chosen),
            "setbacks": self.training.setbacks,
            "skipped": self.training.skipped,
            "seconds": seconds,
        }
        better = not self.epochs or epoch["l1"] < self.best["l1"]
        self.epochs.append(epoch)
        if better:
            self._keep(pupil, epoch)
        if len(self.epochs) > 1:
            reporter.log(_line(epoch, self.settings.epochs, better=better))
        self._select(pupil, epoch["training_l1"], reporter)
        self._save()

    def _select(self, pupil: Pupil, trained: float, reporter: Reporter) -> None:
        """Add the topography with the largest loss, if that exceeds the loss of the training."""
        waiting = [place for place in range(len(self._lessons)) if place not in self.chosen]
        if not waiting or len(self.epochs) == 1:
            return
        tested = {
            place: fidelity(pupil, _spread(self._lessons[place].states)).l1 for place in waiting
        }
        worst = max(tested, key=lambda place: tested[place])
        if tested[worst] > trained:
            self.chosen.append(worst)
            self._gather()
            reporter.log(
                f"{self._lessons[worst].name} is trained on from now on: its test loss of "
                f"{tested[worst]:.3g} m/a exceeds the training loss of {trained:.3g} m/a."
            )

    def _save(self) -> None:
        self.training.notes = {"epochs": self.epochs, "chosen": self.chosen}
        self.training.write(self._path)

    def _resume(self) -> None:
        state = torch.load(self._path, device_of(self.training.pupil), weights_only=True)
        self.training.resume(state)
        self.epochs = list(self.training.notes["epochs"])
        self.chosen = list(self.training.notes["chosen"])


@torch.inference_mode()
def fidelity(pupil: Pupil, examples: Sequence[Tensor]) -> Fidelity:
    """Return how well a pupil does on some states that are solved."""
    total = Fidelity.none()
    for one in examples:
        found = pupil.answer(one[None])
        if bool(torch.isfinite(found.true[MEAN]).all()):
            total.add(found.found[MEAN], found.true[MEAN])
    return total


def _unknown(true: Tensor) -> Tensor:
    """Return where the bed or the surface is not known; the mean always is."""
    unknown = torch.isnan(true)
    unknown[MEAN] = False
    return unknown


def _typical(lessons: Sequence[Lessons]) -> float:
    """Return the mean |u| + |v| of what is trained on, m a⁻¹; 1 where it is not known."""
    sums = torch.zeros(2, dtype=torch.double)
    for one in lessons:
        for state in one.states:
            speed = length(state[8:10].flatten(1))[state[0].flatten() > 0]
            sums += torch.tensor([float(speed.sum()), float(len(speed))])
    found = float(sums[0] / sums[1])
    return found if math.isfinite(found) and found > 0 else 1.0


def _spread(states: Sequence[Tensor]) -> Sequence[Tensor]:
    """Return at most some states, evenly spread."""
    return states[:: -(-len(states) // MOST_MEASURED)]


def _line(epoch: Mapping[str, Any], epochs: int, *, better: bool) -> str:
    """One line for the log."""
    return (
        f"Epoch {epoch['epoch']}/{epochs}: loss {epoch['loss']:.4f}, "
        f"{in_words(epoch['l1'], epoch['total'], epoch['eq7'])}, "
        f"{epoch['seconds']:.0f} s{', best so far, written' if better else ''}"
    )
