"""Training a network on solved states; it can stop and resume at any step."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.utils import clip_grad_norm_

from glacier_qgis.models.iceflow.teaching.examples import placed
from glacier_qgis.models.iceflow.teaching.loss import relative_loss
from glacier_qgis.models.iceflow.teaching.pupils import Pupil, PyramidPupil
from glacier_qgis.models.networks.ice_pyramid import Sizes

RATE = 2e-3
"""Learning rate at its highest; it falls with the square root of the steps from `STEADY` on."""
WARM, STEADY = 50, 1500
"""Steps."""
CLIP = 1.0
MEMORY = 0.1
"""Share of all steps so far that the averaged weights remember."""
DECAY = 1e-4
TYPICAL = 0.98
"""How slowly the typical loss changes."""
TOO_MUCH = 3.0
"""Times the lowest typical loss from which training counts as diverging; an energy is negative."""
SMALL = 0.05
"""Loss below which changes by a factor mean little."""
KEEP_EVERY = 200
"""Steps between two states that diverging training returns to."""
FAR_TOO_MUCH = 30.0
"""Times the first loss, and 1 at least, from which a single step counts as diverging."""
MOST_SKIPPED = 20
"""Steps in a row that are not finite, from which training counts as diverging."""
CALMER = 0.3
"""Factor of the learning rate after each return to earlier weights."""


@dataclass(frozen=True)
class Recipe:
    """How weights are changed.

    Attributes:
        rate: learning rate at its highest.
        steady: steps from which on it falls with their square root.
        decay: of the weights (AdamW); 0 is Adam.
        momentum: the two of Adam.
    """

    rate: float = RATE
    steady: float = STEADY
    decay: float = DECAY
    momentum: tuple[float, float] = (0.9, 0.98)


USUAL = Recipe()


class Training:
    """A network, its optimiser and what is known of the past.

    Attributes:
        pupil: what is trained.
        calm: factor of the learning rate, smaller after each time that it diverged.
        highest: the first loss, 1 at least.
        notes: of the caller, kept with the state; numbers, texts, lists.
        average: its weights averaged over the last steps, by name; these are the ones to use.
        step: how many were taken.
        typical: loss of the last steps.
        lowest: that it was.
        skipped: steps that were not taken, as their gradient was not finite.
        setbacks: how often it diverged and returned to earlier weights.
    """

    def __init__(self, pupil: Pupil, recipe: Recipe = USUAL) -> None:
        self.pupil, self.recipe = pupil, recipe
        self.average = {name: weight.clone() for name, weight in self._weights().items()}
        self.step = 0
        self.typical = self.lowest = math.inf
        self.highest = 1.0
        self.calm = 1.0
        self.notes: dict[str, Any] = {}
        self.skipped = self.setbacks = self._in_a_row = 0
        self._optimiser = torch.optim.AdamW(
            self.network.parameters(),
            lr=recipe.rate,
            weight_decay=recipe.decay,
            betas=recipe.momentum,
            fused=True,
        )
        self._good = self.state()

    @property
    def network(self) -> nn.Module:
        """The network as it is trained."""
        return self.pupil.network

    def learn(
        self, examples: Sequence[Tensor], rng: np.random.Generator, quieter: float = 1.0
    ) -> float:
        """Take one step on some states by the relative loss; return it.

        Args:
            examples: of :meth:`~glacier_qgis.models.iceflow.teaching.pupils.Pupil.example`.
            rng: where chance comes from.
            quieter: factor of the learning rate, for the end of a training.
        """

        def loss() -> Tensor:
            found, true, glacier, glaciers = self.pupil.answer(placed(examples, rng))
            return relative_loss(found, true, glacier, glaciers)

        return self.take_step(loss, quieter)

    def take_step(self, loss: Callable[[], Tensor], quieter: float = 1.0) -> float:
        """Take one step against the gradient of a loss, and return the loss before it.

        A step that is not finite is not taken. Training that diverges returns to the last good
        weights and a lower learning rate.
        """
        for group in self._optimiser.param_groups:
            group["lr"] = rate(self.step, self.recipe) * quieter * self.calm
        now = loss()
        self._optimiser.zero_grad()
        now.backward()  # type: ignore[no-untyped-call]
        norm = clip_grad_norm_(self.network.parameters(), CLIP)
        value = float(now.detach())
        if not (math.isfinite(float(norm)) and math.isfinite(value)):
            self.skipped += 1
            self._in_a_row += 1
            if self._in_a_row >= MOST_SKIPPED:
                self._return()
            return value
        self._in_a_row = 0
        if value > FAR_TOO_MUCH * self.highest:
            self._return()
            return value
        if self.step == 0:
            self.highest = max(self.highest, value)
        self._optimiser.step()
        self._count(value)
        if self.typical > self.lowest + (TOO_MUCH - 1) * max(abs(self.lowest), SMALL):
            self._return()
        return value

    def averaged(self) -> Pupil:
        """Return a pupil with the averaged weights."""
        pupil = copy.deepcopy(self.pupil)
        pupil.network.load_state_dict(self.average)
        pupil.network.eval().requires_grad_(requires_grad=False)
        return pupil

    def state(self) -> dict[str, Any]:
        """Return all that resuming needs."""
        return {
            "sizes": self.pupil.sizes,
            "network": {name: weight.clone() for name, weight in self._weights().items()},
            "average": {name: weight.clone() for name, weight in self.average.items()},
            "optimiser": _copied(self._optimiser.state_dict()),
            "step": self.step,
            "typical": self.typical,
            "lowest": self.lowest,
            "skipped": self.skipped,
            "setbacks": self.setbacks,
            "highest": self.highest,
            "calm": self.calm,
            "notes": self.notes,
        }

    def resume(self, state: dict[str, Any]) -> None:
        """Take over what :meth:`state` returned."""
        self.network.load_state_dict(state["network"])
        self.average = {name: weight.clone() for name, weight in state["average"].items()}
        self._optimiser.load_state_dict(_copied(state["optimiser"]))
        self.step, self.skipped = state["step"], state["skipped"]
        self.typical, self.lowest = state["typical"], state["lowest"]
        self.setbacks = state["setbacks"]
        self.highest, self.calm = state.get("highest", 1.0), state.get("calm", 1.0)
        self.notes = state.get("notes", {})
        self._in_a_row = 0
        self._good = self.state()

    def write(self, path: Path) -> None:
        """Write a checkpoint, complete or not at all."""
        part = path.with_suffix(".part")
        torch.save(self.state(), part)
        part.replace(path)

    @classmethod
    def read(cls, path: Path) -> Training:
        """Read a checkpoint of an `IcePyramid`."""
        state = torch.load(path, weights_only=True)
        training = cls(PyramidPupil.new(Sizes.of(state["sizes"])))
        training.resume(state)
        return training

    def _count(self, loss: float) -> None:
        self.step += 1
        memory = 1 - 1 / (1 + MEMORY * self.step)
        with torch.no_grad():
            for name, weight in self._weights().items():
                self.average[name].lerp_(weight, 1 - memory)
        known = math.isfinite(self.typical)
        self.typical = TYPICAL * self.typical + (1 - TYPICAL) * loss if known else loss
        if self.step >= WARM:
            self.lowest = min(self.lowest, self.typical)
        if self.step % KEEP_EVERY == 0:
            self._good = self.state()

    def _return(self) -> None:
        """Take the last good weights."""
        setbacks, skipped, calm = self.setbacks + 1, self.skipped, self.calm * CALMER
        notes = self.notes
        self.resume(self._good)
        self.setbacks, self.skipped, self.calm, self.notes = setbacks, skipped, calm, notes

    def _weights(self) -> dict[str, Tensor]:
        return {name: weight.detach() for name, weight in self.network.named_parameters()}


def rate(step: int, recipe: Recipe = USUAL) -> float:
    """Return the learning rate of a step."""
    falling = min(1.0, math.sqrt(recipe.steady / (step + 1)))
    return recipe.rate * min(1.0, (step + 1) / WARM) * falling


def _copied(value: Any) -> Any:  # noqa: ANN401
    if isinstance(value, dict):
        return {key: _copied(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_copied(one) for one in value]
    return value.clone() if isinstance(value, Tensor) else value
