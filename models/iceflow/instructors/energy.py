"""The energy of Blatter-Pattyn ice and its gradient.

J = ∫∫ W dz dA + ∫ Φ dA + ∫∫ (u ∂s/∂x + v ∂s/∂y) dz dA, in the units of
:mod:`~glacier_qgis.models.iceflow.instructors.elements`, with W = 3/2 a^(−1/3) (q + q₀)^(2/3),
q = ε_e² (:mod:`~glacier_qgis.models.iceflow.instructors.strain`) and
Φ = m/(m+1) β (|u_b|² + u₀²)^((m+1)/2m) for sliding u_b ~ τ_b^m (Weertman 1957: m = 3). J is convex,
and its minimum is the solution (Dukowicz, Price and Lipscomb 2010, doi 10.3189/002214310792447851).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from glacier_qgis.models.iceflow.instructors.column import Column
from glacier_qgis.models.iceflow.instructors.elements import CORNERS, Elements
from glacier_qgis.models.iceflow.instructors.points import Points
from glacier_qgis.models.iceflow.instructors.strain import Strain
from glacier_qgis.models.iceflow.physics import WEERTMAN


@dataclass(frozen=True)
class Energy:
    """J of one glacier as a function of the modes' velocities, (2 modes, rows, columns).

    Components are U₀, V₀, U₁, V₁, …: eastwards and northwards, mode by mode.

    Attributes:
        elements: the ice.
        column: the vertical modes.
        smoothing: q₀, which keeps the viscosity finite where nothing deforms.
        slowest: u₀², which keeps friction smooth where nothing slides.
        exponent: m of the sliding law.
    """

    elements: Elements
    column: Column
    smoothing: float
    slowest: float
    exponent: float = WEERTMAN

    @cached_property
    def points(self) -> Points:
        """The ice and its derivatives at the points of quadrature."""
        return Points.of(self.elements, self.column)

    @property
    def unknown(self) -> Tensor:
        """Which components are free, (2 modes, rows, columns): no sliding where none may be."""
        touched = self.elements.touched.expand(2 * self.column.modes, -1, -1).clone()
        touched[:2] = self.elements.sliding
        return touched

    @cached_property
    def load(self) -> Tensor:
        """The gradient of J that does not depend on velocity: the driving stress."""
        force = self.elements.drive * self.elements.thickness / len(CORNERS)
        corners = torch.einsum("dep,pa->dea", force, self.points.base)
        modes = self.column.means[:, None, None, None] * corners[None]
        return self.elements.scatter(modes.flatten(0, 1))

    def strain(self, velocity: Tensor) -> Strain:
        """Return the strain rates of a velocity."""
        points = self.points
        corners = self.elements.gather(velocity)
        u, v = (corners[way::2].permute(2, 1, 0).flatten(1) for way in (0, 1))
        du, dv = u @ points.up.T, v @ points.up.T
        lean_x, lean_y = points.lean
        return Strain(
            ux=u @ points.east.T - lean_x * du,
            vy=v @ points.north.T - lean_y * dv,
            xy=u @ points.north.T - lean_y * du + v @ points.east.T - lean_x * dv,
            uz=du / points.thickness,
            vz=dv / points.thickness,
        )

    def rate(self, strain: Strain) -> Tensor:
        """Return q + q₀, (elements, points)."""
        return strain.squared + self.smoothing

    def shallow_rate(self) -> Tensor:
        """Return q + q₀ of shallow ice, a guess: (A τ³)² with τ = h (1 − ζ) |∇s|."""
        return (self.points.shallow_shear / self.points.stiffness) ** 6 + self.smoothing

    def shallow_speed(self) -> Tensor:
        """Return |u_b|² + u₀² of shallow ice, a guess: (τ/β)²ᵐ."""
        points = self.points
        slips = points.friction > 0
        moved = points.shallow_drag / torch.where(slips, points.friction, 1.0)
        return torch.where(slips, moved ** (2 * self.exponent), 0.0) + self.slowest

    def base(self, velocity: Tensor) -> Tensor:
        """Return the velocity at the bed, (2, elements, horizontal points)."""
        return torch.einsum("dae,pa->dep", self.elements.gather(velocity[:2]), self.points.base)

    def speed(self, base: Tensor) -> Tensor:
        """Return |u_b|² + u₀², (elements, horizontal points)."""
        return base.square().sum(dim=0) + self.slowest

    @property
    def drag_power(self) -> float:
        """Exponent of |u_b|² in friction over velocity."""
        return (1 - self.exponent) / (2 * self.exponent)

    def value(self, velocity: Tensor) -> Tensor:
        """Return J."""
        rate = self.rate(self.strain(velocity))
        glen = (self.points.weights * 1.5 * self.points.stiffness * rate ** (2 / 3)).sum()
        power = 1 + self.drag_power
        speed = self.speed(self.base(velocity))
        drag = (self.points.friction * speed**power).sum() / (2 * power)
        return glen + drag + (self.load * velocity).sum()

    def gradient(self, velocity: Tensor) -> Tensor:
        """Return ∂J/∂U, (2 modes, rows, columns)."""
        points, strain = self.points, self.strain(velocity)
        viscosity = 2 * points.weights * points.stiffness * self.rate(strain) ** (-1 / 3)
        stress = strain.conjugate.scaled(viscosity)
        sides = []
        for x, y, z in ((stress.ux, stress.xy, stress.uz), (stress.xy, stress.vy, stress.vz)):
            rise = z / points.thickness - points.lean[0] * x - points.lean[1] * y
            sides.append(x @ points.east + y @ points.north + rise @ points.up)
        shape = (2, -1, len(CORNERS), self.column.modes)
        corners = torch.stack(sides).reshape(shape).permute(3, 0, 1, 2).clone()
        base = self.base(velocity)
        drag = points.friction * self.speed(base) ** self.drag_power * base
        corners[0] += torch.einsum("dep,pa->dea", drag, points.base)
        return self.load + self.elements.scatter(corners.flatten(0, 1))
