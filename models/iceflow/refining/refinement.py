"""Training an emulator on the energy of one state after the other.

The network's velocity goes into the energy of Blatter-Pattyn ice, whose gradient trains it (Jouvet
and Cordonnier 2023, doi 10.1017/jog.2023.73). No solution is needed. The energy is convex and least
for the solution, so of two predictions the one with less energy is closer to it: weights are kept
only where they have less than the weights before and the published ones. Nothing is drawn at
random, and each refinement begins with an optimiser of its own: equal weights and equal states give
equal weights.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from zlib import crc32

import torch
from torch import Tensor
from torch.nn.utils import clip_grad_norm_

from glacier_qgis.models.compute.arrays import Float32Array
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
        returned: whether it began with the published weights, which were closer to the solution.
    """

    before: float
    after: float
    diverged: bool
    returned: bool


class Refinement:
    """An emulator in training.

    Args:
        emulator: where it begins; it is not changed.
        rate: learning rate; 0 = automatic.

    Attributes:
        rate: learning rate of now; smaller after each refinement that lowered nothing.
    """

    def __init__(self, emulator: Emulator, rate: float = 0.0) -> None:
        self._core = learning(emulator.plain)
        self._emulator = emulator.of(self._core)
        self._network = weights(self._core)
        self._published = self._weights()
        self.rate = rate or (SYMMETRIC_RATE if isinstance(self._core, PyramidCore) else RATE)

    @property
    def emulator(self) -> Emulator:
        """A copy with the weights of now."""
        return self._emulator.of(fixed(self._core))

    @property
    def weights(self) -> Float32Array:
        """The weights of now, one after the other."""
        return _flat(self._weights())

    @property
    def origin(self) -> int:
        """A number that other published weights do not have."""
        return crc32(_flat(self._published).tobytes())

    def take(self, flat: Float32Array) -> None:
        """Take over what :attr:`weights` returned.

        Raises:
            ValueError: They are those of another network.
        """
        values = torch.from_numpy(flat)
        sizes = [weight.numel() for weight in self._published.values()]
        if sum(sizes) != len(values):
            raise ValueError(f"{len(values)} weights instead of {sum(sizes)}")
        taken = zip(self._published.items(), torch.split(values, sizes), strict=True)
        self._network.load_state_dict(
            {name: part.reshape(like.shape).to(like) for (name, like), part in taken}
        )

    def learn(
        self, forces: Forces, iterations: int, progress: Callable[[int], None] = lambda done: None
    ) -> Outcome:
        """Train on one state, and keep the weights with the lowest energy on it.

        Where the published weights have a lower one than those of now, training begins with them.
        Where training does not lower it, the learning rate falls.

        Args:
            forces: of the state.
            iterations: how many.
            progress: receives the number of iterations done.
        """
        with threads_an_operation():
            before = forces.imbalance(self._modes(forces).detach())
            start, returned = self._begin(forces)
            lowest, best, diverged = start, self._weights(), False
            optimiser = torch.optim.Adam(self._network.parameters(), betas=(0.9, 0.98))
            for iteration in range(iterations):
                for group in optimiser.param_groups:
                    group["lr"] = self.rate * _share(iteration, iterations)
                self._step(forces, abs(start), optimiser)
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
                self.rate *= SETBACK
            after = forces.imbalance(self._modes(forces).detach())
        return Outcome(before, after, diverged, returned)

    def _begin(self, forces: Forces) -> tuple[float, bool]:
        """Take the better of the weights of now and of the published ones.

        Returns their energy, and whether they are the published ones in place of others.
        """
        now, energy = self._weights(), forces.energy(self._modes(forces).detach())
        self._network.load_state_dict(self._published)
        published = forces.energy(self._modes(forces).detach())
        if published < energy:
            return published, True
        self._network.load_state_dict(now)
        return energy, False

    def _step(self, forces: Forces, scale: float, optimiser: torch.optim.Optimizer) -> None:
        modes = self._modes(forces)
        gradient = forces.gradient(modes.detach()) / max(scale, torch.finfo(modes.dtype).tiny)
        optimiser.zero_grad()
        modes.backward(gradient)  # type: ignore[no-untyped-call]
        norm = clip_grad_norm_(self._network.parameters(), CLIP)
        if math.isfinite(float(norm)):
            optimiser.step()

    def _modes(self, forces: Forces) -> Tensor:
        fields = self._emulator.differentiable(
            forces.thickness, forces.surface, forces.parameters, OUTPUTS
        )
        return forces.modes(fields)

    def _weights(self) -> dict[str, Tensor]:
        return {
            name: weight.detach().clone() for name, weight in self._network.state_dict().items()
        }


def _share(iteration: int, iterations: int) -> float:
    """Return the factor of the learning rate: it grows, stays, and falls."""
    left = (iterations - iteration) / max(QUIET * iterations, 1)
    return min(1.0, (iteration + 1) / WARM) * min(1.0, max(left, LEAST))


def _flat(named: Mapping[str, Tensor]) -> Float32Array:
    parts = [weight.detach().float().cpu().flatten() for weight in named.values()]
    flat: Float32Array = torch.cat(parts).numpy()
    return flat
