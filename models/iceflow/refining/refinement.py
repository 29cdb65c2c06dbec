"""Training an emulator on the energy of one state after the other.

The network's velocity goes into the energy of Blatter-Pattyn ice, whose gradient trains it (Jouvet
and Cordonnier 2023, doi 10.1017/jog.2023.73). No solution is needed, and nothing is drawn at
random: equal states give equal weights.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.utils import clip_grad_norm_

from glacier_qgis.models.compute.workers import threads_an_operation
from glacier_qgis.models.iceflow.emulators.card import OUTPUTS
from glacier_qgis.models.iceflow.emulators.learning import fixed, learning, weights
from glacier_qgis.models.iceflow.emulators.pyramid.core import PyramidCore
from glacier_qgis.models.iceflow.refining.forces import Forces
from glacier_qgis.models.iceflow.velocity.emulator import Emulator

RATE, SYMMETRIC_RATE = 3e-4, 2e-3
"""Learning rate of ordinary networks, and of `IcePyramid`, whose weights are shared by eight."""
WARM = 10
"""Iterations in which the learning rate grows to its full size."""
QUIET = 0.4
"""Share of the iterations, at the end, in which it falls."""
LEAST = 0.05
"""Share of the learning rate that is left at the end."""
CHECK = 5
"""Iterations between two checks of the energy."""
CLIP = 1.0
"""Largest norm of the gradient to the weights."""
SETBACK = 0.5
"""What the learning rate is multiplied by where training diverged."""


@dataclass(frozen=True)
class Outcome:
    """What one refinement did.

    Attributes:
        before: imbalance of forces that the emulator had.
        after: that it has now.
        diverged: whether it grew worse instead of better.
    """

    before: float
    after: float
    diverged: bool


class Refinement:
    """An emulator in training.

    Args:
        emulator: where it begins; it is not changed.
        rate: learning rate; 0 = automatic.
    """

    def __init__(self, emulator: Emulator, rate: float = 0.0) -> None:
        self._core = learning(emulator.plain)
        self._emulator = emulator.of(self._core)
        self._network = weights(self._core)
        self._published = self._weights()
        self._rate = rate or (SYMMETRIC_RATE if isinstance(self._core, PyramidCore) else RATE)
        self._taken = 0
        self._optimiser = self._fresh()

    def _fresh(self) -> torch.optim.Optimizer:
        return torch.optim.Adam(self._network.parameters(), lr=self._rate, betas=(0.9, 0.98))

    @property
    def emulator(self) -> Emulator:
        """A copy with the weights of now."""
        return self._emulator.of(fixed(self._core))

    def learn(
        self, forces: Forces, iterations: int, progress: Callable[[int], None] = lambda done: None
    ) -> Outcome:
        """Train on one state, and keep the weights with the lowest energy on it.

        Where the published weights have a lower one than those of now, training begins with them.
        Where training does not lower it, the learning rate falls, and the next begins afresh.

        Args:
            forces: of the state.
            iterations: how many.
            progress: receives the number of iterations done.
        """
        with threads_an_operation():
            before = forces.imbalance(self._modes(forces).detach())
            start = lowest = self._begin(forces)
            best, diverged = self._weights(), False
            for iteration in range(iterations):
                self._step(forces, abs(start), iteration, iterations)
                progress(iteration + 1)
                if (iteration + 1) % CHECK and iteration + 1 < iterations:
                    continue
                energy = forces.energy(self._modes(forces).detach())
                if energy <= lowest:
                    lowest, best = energy, self._weights()
                elif not math.isfinite(energy) or energy > start + abs(start):
                    diverged = True
                    break
            self._network.load_state_dict(best)
            if lowest == start:
                self._rate *= SETBACK
                self._optimiser, self._taken = self._fresh(), 0
            after = forces.imbalance(self._modes(forces).detach())
        return Outcome(before, after, diverged)

    def _begin(self, forces: Forces) -> float:
        """Take the better of the weights of now and of the published ones; return their energy."""
        now, energy = self._weights(), forces.energy(self._modes(forces).detach())
        self._network.load_state_dict(self._published)
        published = forces.energy(self._modes(forces).detach())
        if published < energy:
            self._optimiser, self._taken = self._fresh(), 0
            return published
        self._network.load_state_dict(now)
        return energy

    def _step(self, forces: Forces, scale: float, iteration: int, iterations: int) -> None:
        modes = self._modes(forces)
        gradient = forces.gradient(modes.detach()) / max(scale, torch.finfo(modes.dtype).tiny)
        self._optimiser.zero_grad()
        modes.backward(gradient)  # type: ignore[no-untyped-call]
        norm = clip_grad_norm_(self._network.parameters(), CLIP)
        self._taken += 1
        left = (iterations - iteration) / max(QUIET * iterations, 1)
        share = min(1.0, self._taken / WARM) * min(1.0, max(left, LEAST))
        for group in self._optimiser.param_groups:
            group["lr"] = self._rate * share
        if math.isfinite(float(norm)):
            self._optimiser.step()

    def _modes(self, forces: Forces) -> Tensor:
        fields = self._emulator.differentiable(
            forces.thickness, forces.surface, forces.parameters, OUTPUTS
        )
        return forces.modes(fields)

    def _weights(self) -> dict[str, Tensor]:
        return {
            name: weight.detach().clone() for name, weight in self._network.state_dict().items()
        }
