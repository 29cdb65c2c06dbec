"""Training an `IcePyramid` on solved states; it can stop and resume at any step."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.utils import clip_grad_norm_

from glacier_qgis.models.iceflow.teaching.examples import answer, placed
from glacier_qgis.models.iceflow.teaching.loss import relative_loss
from glacier_qgis.models.networks.ice_pyramid import IcePyramid, Sizes

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
"""Times the lowest typical loss from which training counts as diverging."""
KEEP_EVERY = 200
"""Steps between two states that diverging training returns to."""


class Training:
    """A network, its optimiser and what is known of the past.

    Attributes:
        network: as it is trained.
        average: its weights averaged over the last steps, by name; these are the ones to use.
        step: how many were taken.
        typical: loss of the last steps.
        lowest: that it was.
        skipped: steps that were not taken, as their gradient was not finite.
        setbacks: how often it diverged and returned to earlier weights.
    """

    def __init__(self, sizes: Sizes, seed: int = 0) -> None:
        torch.manual_seed(seed)
        self.network = IcePyramid(sizes)
        self.average = {name: weight.clone() for name, weight in self._weights().items()}
        self.step = 0
        self.typical = self.lowest = math.inf
        self.skipped = self.setbacks = 0
        self._optimiser = torch.optim.AdamW(
            self.network.parameters(), lr=RATE, weight_decay=DECAY, betas=(0.9, 0.98), fused=True
        )
        self._good = self.state()

    def learn(
        self, examples: Sequence[Tensor], rng: np.random.Generator, quieter: float = 1.0
    ) -> float:
        """Take one step on some states; return the loss.

        Args:
            examples: of :func:`~glacier_qgis.models.iceflow.teaching.examples.example`.
            rng: where chance comes from.
            quieter: factor of the learning rate, for the end of a training.
        """
        for group in self._optimiser.param_groups:
            group["lr"] = rate(self.step) * quieter
        found, true, glacier, glaciers = answer(self.network, placed(examples, rng))
        loss = relative_loss(found, true, glacier, glaciers)
        self._optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        norm = clip_grad_norm_(self.network.parameters(), CLIP)
        value = float(loss.detach())
        if not math.isfinite(float(norm)):
            self.skipped += 1
            return value
        self._optimiser.step()
        self._count(value)
        if self.typical > TOO_MUCH * self.lowest:
            self._return()
        return value

    def averaged(self) -> IcePyramid:
        """Return a network with the averaged weights."""
        network = IcePyramid(self.network.sizes)
        network.load_state_dict(self.average)
        return network.eval().requires_grad_(requires_grad=False)

    def state(self) -> dict[str, Any]:
        """Return all that resuming needs."""
        return {
            "sizes": asdict(self.network.sizes),
            "network": {name: weight.clone() for name, weight in self._weights().items()},
            "average": {name: weight.clone() for name, weight in self.average.items()},
            "optimiser": _copied(self._optimiser.state_dict()),
            "step": self.step,
            "typical": self.typical,
            "lowest": self.lowest,
            "skipped": self.skipped,
            "setbacks": self.setbacks,
        }

    def resume(self, state: dict[str, Any]) -> None:
        """Take over what :meth:`state` returned."""
        self.network.load_state_dict(state["network"])
        self.average = {name: weight.clone() for name, weight in state["average"].items()}
        self._optimiser.load_state_dict(_copied(state["optimiser"]))
        self.step, self.skipped = state["step"], state["skipped"]
        self.typical, self.lowest = state["typical"], state["lowest"]
        self.setbacks = state["setbacks"]
        self._good = self.state()

    def write(self, path: Path) -> None:
        """Write a checkpoint, complete or not at all."""
        part = path.with_suffix(".part")
        torch.save(self.state(), part)
        part.replace(path)

    @classmethod
    def read(cls, path: Path) -> Training:
        """Read a checkpoint."""
        state = torch.load(path, weights_only=True)
        training = cls(Sizes.of(state["sizes"]))
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
        setbacks = self.setbacks + 1
        self.resume(self._good)
        self.setbacks = setbacks

    def _weights(self) -> dict[str, Tensor]:
        return {name: weight.detach() for name, weight in self.network.named_parameters()}


def rate(step: int) -> float:
    """Return the learning rate of a step."""
    return RATE * min(1.0, (step + 1) / WARM) * min(1.0, math.sqrt(STEADY / (step + 1)))


def _copied(value: Any) -> Any:  # noqa: ANN401
    if isinstance(value, dict):
        return {key: _copied(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_copied(one) for one in value]
    return value.clone() if isinstance(value, Tensor) else value
