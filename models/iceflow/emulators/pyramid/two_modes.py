"""The balance of forces in ice with two vertical modes, and steps towards it.

The velocity is u = U₀ + U₁ (1 − (1 − ζ)⁴): sliding and deformation (MOLHO; Dias dos Santos et al.
2022, doi 10.5194/tc-16-179-2022). Lengths are in cells, velocity in A (ρgΔ)³ Δ with the largest A.
Elements lie between the centres of four cells, with one point of quadrature in the middle and three
over the depth. A step is Picard's, with one multigrid cycle instead of the matrix' inverse. As
viscosity falls with strain (n = 3), the error after a whole step is one to two thirds of the one
before, and steps half as long again shrink it most.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from glacier_qgis.models.iceflow.emulators.pyramid.membrane import (
    WARP,
    Level,
    Matrix,
    by_direction,
    cycle,
    hierarchy,
    levels,
)
from glacier_qgis.models.iceflow.emulators.pyramid.mesh import Changes, Mesh

POWER = 4
MEAN = 0.8
"""Of U₁: the mean over depth of its profile."""
POINTS = 2
SIDE, CROSS = 1 / 12, 1 / 144
"""∫x² and ∫x²y² over an element."""
SLOWEST_STRAIN = 1e-20
"""Square of the strain rate, in A (ρgΔ)³, below which the viscosity no longer increases."""
SLOWEST_SLIDING = 1e-20
THIN = 1e-6
"""Thickness of elements, in cells, that counts as the least."""
SLIPPERY = 1e-12
"""c/(A Δ) below which ice does not slide."""


class Heights(NamedTuple):
    """The points over the depth.

    Attributes:
        weights: of each, (points, 1).
        strains: from changes of each mode and what leans and widens (see `Glaciers._strains`) to
            the strains xx, xy and yy at each point, and to the stresses of unit viscosity,
            (2 · points · 3, 12).
        shear: dφ/dζ, (points, 1).
        moments: the sums over points that a matrix needs, (6, points): of η, ηφ, ηφ², and of
            ηφ'², ηφ'²ζ, ηφ'²ζ².
        flows: from stresses at the points to half their sums, times 1 and φ, and to those times
            what leans and what widens, (4, points).
    """

    weights: Tensor
    strains: Tensor
    shear: Tensor
    moments: Tensor
    flows: Tensor


@cache
@torch.inference_mode(mode=False)
def heights(device: torch.device) -> Heights:
    """Return them (Gauss-Legendre)."""
    points, weights = np.polynomial.legendre.leggauss(POINTS)
    zeta = torch.from_numpy((points + 1) / 2).float()
    w = 1 - zeta
    profile, shear = 1 - w**POWER, POWER * w ** (POWER - 1)
    one = torch.ones_like(zeta)
    kinds = torch.stack([one / 2, profile / 2, -shear, -shear * zeta], 1)
    stresses = torch.tensor([[1, 0, 0.5], [0, 0.25, 0], [0.5, 0, 1]])
    strains = torch.stack([torch.kron(kinds, part) for part in (torch.eye(3), stresses)])
    natural = torch.tensor([0, 3, 1, 4, 2, 5, 6, 8, 9, 11, 7, 10])
    found = (
        torch.from_numpy(weights / 2).float()[:, None],
        strains.flatten(0, 1)[:, natural],
        shear[:, None],
        torch.stack([one, profile, profile**2, shear**2, shear**2 * zeta, shear**2 * zeta**2]),
        kinds.T,
    )
    return Heights(*(one.contiguous().to(device) for one in found))


@dataclass(frozen=True)
class Glaciers:
    """Ice without dimension.

    Attributes:
        levels: where the unknowns are, from the finest.
        steep: square of φ'/(2 h) at the points, (points, elements).
        upright: 1/(4 h²), (elements,).
        leaning: (∂b/∂x)/h and (∂b/∂y)/h, then (∂h/∂x)/h and (∂h/∂y)/h, (2, 2, elements).
        tilt: from the last three moments of the viscosity to the stiffness of U₁ and V₁ against
            shear, (3, 2, elements).
        hardness: 2 (A/A₀)^(-1/3) h times the weights of the points; 0 where there is no ice,
            (points, elements).
        friction: (c/(A₀ Δ))^(-1/3); 0 where ice does not slide, (elements,).
        load: of the driving stress, (4, cells).
    """

    levels: list[Level]
    steep: Tensor
    upright: Tensor
    leaning: Tensor
    tilt: Tensor
    hardness: Tensor
    friction: Tensor
    load: Tensor

    @classmethod
    def of(
        cls,
        thickness: Tensor,
        surface: Tensor,
        softness: Tensor,
        slip: Tensor,
        inside: Tensor,
        count: int,
    ) -> Glaciers:
        """Return it.

        Args:
            thickness: h/Δ, (glaciers, rows, columns).
            surface: s/Δ, with rock above the ice lowered to the ice.
            softness: A/A₀.
            slip: c/(A₀ Δ).
            inside: which cells are in the grid of a glacier.
            count: of the levels of the multigrid cycle.
        """
        near, whole = _between(thickness > 0, torch.logical_or), _between(inside, torch.logical_and)
        mesh = Mesh.of(near & whole)
        thickness, surface, softness, slip = mesh.picked(
            torch.stack([thickness, surface, softness, slip])
        )
        slides = slip > SLIPPERY
        free = torch.stack([slides, torch.ones_like(slides)] * 2).to(thickness)
        rough = torch.where(slides, slip.clamp(min=SLIPPERY) ** (-1 / 3), 0.0)
        stiff = softness.clamp(min=SLIPPERY) ** (-1 / 3)
        east, north, warp, mean = mesh.changes(
            torch.stack([thickness, surface, stiff, rough, free[0]])
        )
        exists = mesh.exists.to(mean)
        widening, slope = torch.stack([east[:2], north[:2]], 1) * 0.5
        h, h_warp, s_warp = mean[0], warp[0], warp[1]
        along, across = slope * widening, slope * widening.flip(0)
        mixed = (h * s_warp + across) * SIDE
        straight = along * SIDE + CROSS * h_warp * s_warp
        load = mesh.gathered(
            Changes(
                torch.stack([straight[0], mixed[1]]) * (exists * 0.5),
                torch.stack([mixed[0], straight[1]]) * (exists * 0.5),
                (widening * s_warp + h_warp * slope) * (exists * CROSS),
                (h * slope + s_warp * widening.flip(0) * SIDE) * exists,
            )
        )
        h = h.clamp(min=THIN)
        points = heights(h.device)
        lean, wide = leaning = torch.stack([slope - widening, widening]) / h
        tilt = torch.stack([lean.square(), 2 * lean * wide, wide.square()])
        tilt = tilt + 0.25 * tilt.flip(1)
        upright = (2 * h).square().reciprocal()
        return cls(
            levels=levels(Level(mesh, free), count),
            steep=points.shear.square() * upright,
            upright=upright,
            leaning=leaning,
            tilt=torch.cat([tilt[:1] + upright, tilt[1:]]),
            hardness=points.weights * (2 * mean[2] * h * exists),
            friction=mean[3] / mean[4].clamp(min=0.25) * exists,
            load=torch.stack([load, load * MEAN], 1).flatten(0, 1) * free,
        )

    @property
    def mesh(self) -> Mesh:
        """The finest cells and elements."""
        return self.levels[0].mesh

    def stiffened(self, factors: Tensor) -> Glaciers:
        """Return ice with other viscosity and friction; logarithms of factors, (2, cells)."""
        viscosity, friction = self.mesh.changes(factors).mean.exp()
        return replace(self, hardness=self.hardness * viscosity, friction=self.friction * friction)

    def balanced(self, velocity: Tensor) -> Tensor:
        """Return the change of a velocity (4, cells) in one of Picard's steps."""
        points = heights(velocity.device)
        turning = self.mesh.changes(velocity)
        middle = by_direction(turning.mean)
        strains, stresses = self._strains(turning, middle[:, 1])
        slip, bent = middle.square().sum(0)
        squared = (strains * stresses).sum(1).addcmul(self.steep, bent) + SLOWEST_STRAIN
        viscosity = squared.pow(-1 / 3) * self.hardness
        slow = (slip + SLOWEST_SLIDING).pow(-1 / 3) * self.friction
        moments = points.moments @ viscosity
        stresses = (stresses * viscosity[:, None]).flatten(1)
        flows = (points.flows @ stresses).unflatten(1, (3, -1))
        own = torch.stack([slow, moments[3] * self.upright])
        rest = self.load + self._forces(turning, middle, flows, moments, own)
        level = self.levels[0]
        tilted = (self.tilt * moments[3:, None]).sum(0)
        drag = self.mesh.corners(torch.cat([slow[None], tilted]) * 0.25)
        drag = torch.stack([drag[0], drag[1], drag[0], drag[2]])
        matrix = Matrix.of(level, moments[:3], drag)
        return cycle(hierarchy(matrix, self.levels[1:]), rest * -level.free)

    def _strains(self, turning: Changes, bent: Tensor) -> Tensor:
        """Return strains xx, xy and yy at the points, and stresses of unit viscosity.

        Args:
            turning: how the velocity changes.
            bent: U₁ and V₁ in elements, (2, elements).

        Returns:
            (2, points, 3, elements).
        """
        east, north = turning.east, turning.north
        tilted = self.leaning * bent
        crossed = (self.leaning.flip(1) * bent).sum(1)
        parts = [east[:2], north[:2] + east[2:], north[2:], tilted.flatten(0, 1), crossed]
        return (heights(bent.device).strains @ torch.cat(parts)).view(2, POINTS, 3, -1)

    def _forces(
        self, turning: Changes, middle: Tensor, flows: Tensor, moments: Tensor, own: Tensor
    ) -> Tensor:
        """Return the forces of stresses, (4, cells).

        Args:
            turning: how the velocity changes.
            middle: its means, (directions, modes, elements).
            flows: sums over the depth of the stresses xx, xy and yy: half of them, times 1 and the
                deformation's profile, then times what leans and what widens, (4, 3, elements).
            moments: see `Heights`.
            own: of U₀ and U₁: friction, or stiffness against shear between bed and surface.
        """
        flat, tilted = flows[:2].transpose(0, 1), flows[2:]
        up = (self.leaning * tilted[:, ::2] + self.leaning.flip(1) * tilted[:, 1:2]).sum(0)
        east, north, warp = (by_direction(part) for part in turning[:3])
        warped = moments[:2] * warp[:, :1] + moments[1:3] * warp[:, 1:]
        body = own * middle
        body[:, 1] += up
        half = SIDE / 4
        return self.mesh.gathered(
            Changes(
                torch.addcmul(flat[:2], own, east, value=half),
                torch.addcmul(flat[1:], own, north, value=half),
                torch.addcmul(warped * WARP, own, warp, value=CROSS),
                body,
            )
        )


def _between(cells: Tensor, both: Callable[[Tensor, Tensor], Tensor]) -> Tensor:
    """Return what holds for elements, of their corners' truths (…, rows, columns)."""
    rows = both(cells[..., 1:, :], cells[..., :-1, :])
    return both(rows[..., 1:], rows[..., :-1])
