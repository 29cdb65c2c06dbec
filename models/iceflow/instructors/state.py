"""A velocity with the stresses that go with it, as Newton's method changes them together."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from glacier_qgis.models.iceflow.instructors.energy import Energy
from glacier_qgis.models.iceflow.instructors.strain import Strain


@dataclass(frozen=True)
class Linearisation:
    """Where the energy is linearised.

    Attributes:
        velocity: (2 modes, rows, columns).
        strain: its strain rates.
        base: its velocity at the bed, (2, elements, horizontal points).
        rate: q + q₀, (elements, points).
        speed: |u_b|² + u₀², (elements, horizontal points).
        stress: direction of the stress; Qe/√q at the solution.
        slip: direction of the friction, (2, elements, horizontal points); u_b/|u_b| at the
            solution.
    """

    velocity: Tensor
    strain: Strain
    base: Tensor
    rate: Tensor
    speed: Tensor
    stress: Strain
    slip: Tensor

    @classmethod
    def at_rest(cls, energy: Energy) -> Linearisation:
        """Return ice that does not move, as viscous as shallow ice: the first step is Picard's."""
        velocity = torch.zeros_like(energy.load)
        strain, base = energy.strain(velocity), energy.base(velocity)
        rate, speed = energy.shallow_rate(), energy.shallow_speed()
        return cls(velocity, strain, base, rate, speed, strain, base)

    @classmethod
    def near(cls, energy: Energy, velocity: Tensor) -> Linearisation:
        """Return ice as viscous as at a velocity close to the solution: Picard's step comes first.

        With Newton's first, as from :meth:`moving`, thin ice at margins that moved is overshot.
        """
        state = cls.moving(energy, velocity)
        return replace(state, stress=state.stress.scaled(0.0), slip=torch.zeros_like(state.slip))

    @classmethod
    def moving(cls, energy: Energy, velocity: Tensor) -> Linearisation:
        """Return ice whose stresses are those of its velocity: Newton's method itself."""
        strain, base = energy.strain(velocity), energy.base(velocity)
        rate, speed = energy.rate(strain), energy.speed(base)
        stress, slip = strain.conjugate.scaled(rate.rsqrt()), base * speed.rsqrt()
        return cls(velocity, strain, base, rate, speed, stress, slip)

    def after(self, energy: Energy, change: Tensor) -> Linearisation:
        """Return the state after the velocity has changed."""
        velocity = self.velocity + change
        strain, base = energy.strain(velocity), energy.base(velocity)
        return Linearisation(
            velocity,
            strain,
            base,
            energy.rate(strain),
            energy.speed(base),
            self._stress_after(energy.strain(change)),
            self._slip_after(energy.base(change)),
        )

    def _stress_after(self, change: Strain) -> Strain:
        """Return the direction of the stress after a step, no longer than one.

        From p √q = Qe, linearised about e: p' = (Q(e + δe) − p (eᵀQ δe)/√q)/√q.
        """
        root = self.rate.sqrt()
        along = self.strain.dot(change.conjugate) / root
        new = self.strain.plus(change).conjugate.plus(self.stress.scaled(-along)).scaled(1 / root)
        return new.scaled(1 / new.length_as_stress.clamp(min=1.0))

    def _slip_after(self, change: Tensor) -> Tensor:
        """Return the direction of the friction after a step, in the same way."""
        root = self.speed.sqrt()
        along = (self.base * change).sum(dim=0) / root
        new: Tensor = (self.base + change - self.slip * along) / root
        length = new.square().sum(dim=0).sqrt()
        return new / length.clamp(min=1.0)
