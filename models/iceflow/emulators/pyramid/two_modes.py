"""The balance of forces in ice with two vertical modes, and steps towards it.

The velocity is u = U₀ + U₁ (1 − (1 − ζ)⁴): sliding and deformation (MOLHO; Dias dos Santos et al.
2022, doi 10.5194/tc-16-179-2022). Lengths are in cells, velocity in A (ρgΔ)³ Δ with the largest A.
Elements lie between the centres of four cells, with one point of quadrature in the middle and three
over the depth. A step is Picard's, with one multigrid cycle instead of the matrix' inverse. As
viscosity falls with strain (n = 3), the error after a whole step is one to two thirds of the one
before, and steps half as long again shrink it most.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from glacier_qgis.models.iceflow.emulators.pyramid.membrane import (
    WARP,
    Changes,
    Matrix,
    by_direction,
    changes,
    corners,
    cycle,
    gathered,
    hierarchy,
    means,
)

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
        weights: of each, (points,).
        strains: from (∂U₀, ∂U₁, lean U₁, widening U₁) to the strain at each, (points, 4).
        shear: dφ/dζ, (points,).
        moments: the sums over points that a matrix needs, (6, points): of η, ηφ, ηφ², and of
            ηφ'², ηφ'²ζ, ηφ'²ζ².
    """

    weights: Tensor
    strains: Tensor
    shear: Tensor
    moments: Tensor


@cache
@torch.inference_mode(mode=False)
def heights() -> Heights:
    """Return them (Gauss-Legendre)."""
    points, weights = np.polynomial.legendre.leggauss(POINTS)
    zeta = torch.from_numpy((points + 1) / 2).float()
    w = 1 - zeta
    profile, shear = 1 - w**POWER, POWER * w ** (POWER - 1)
    one = torch.ones_like(zeta)
    return Heights(
        torch.from_numpy(weights / 2).float(),
        torch.stack([one, profile, -shear, -shear * zeta], 1),
        shear,
        torch.stack([one, profile, profile**2, shear**2, shear**2 * zeta, shear**2 * zeta**2]),
    )


def _over_points(matrix: Tensor, fields: Tensor) -> Tensor:
    """Return a matrix (m, n) times fields (n, …)."""
    return torch.mm(matrix, fields.flatten(1)).view(len(matrix), *fields.shape[1:])


@dataclass(frozen=True)
class Glaciers:
    """Ice without dimension; rasters are (n, glaciers, rows, columns), north-up.

    Attributes:
        thickness: in elements, (…).
        leaning: (∂b/∂x)/h, (∂b/∂y)/h, (∂h/∂x)/h and (∂h/∂y)/h in elements, (4, …).
        hardness: 2 (A/A₀)^(-1/3) h in elements; 0 where there is no ice.
        friction: (c/(A₀ Δ))^(-1/3) in elements; 0 where ice does not slide.
        free: where each unknown is one, in cells, (4, …).
        load: of the driving stress, in cells, (4, …).
    """

    thickness: Tensor
    leaning: Tensor
    hardness: Tensor
    friction: Tensor
    free: Tensor
    load: Tensor

    @classmethod
    def of(
        cls, thickness: Tensor, surface: Tensor, softness: Tensor, slip: Tensor, inside: Tensor
    ) -> Glaciers:
        """Return it.

        Args:
            thickness: h/Δ, (glaciers, rows, columns).
            surface: s/Δ, with rock above the ice lowered to the ice.
            softness: A/A₀.
            slip: c/(A₀ Δ).
            inside: 1 in cells of the grid of a glacier, 0 elsewhere.
        """
        ice = (thickness > 0).to(thickness)
        h, stiff, near, all_in = means(
            torch.stack([thickness, softness.clamp(min=SLIPPERY) ** (-1 / 3), ice, inside])
        )
        exists = ((near > 0) & (all_in > 0.99)).to(h)
        east, north, warp = changes(torch.stack([thickness, surface]))
        widening, slope = torch.stack([east, north], 1) * 0.5
        h_warp, s_warp = warp
        along, across = slope * widening, slope * widening.flip(0)
        mixed = (h * s_warp + across) * SIDE
        straight = along * SIDE + CROSS * h_warp * s_warp
        parts = Changes(
            torch.stack([straight[0], mixed[1]]) * (exists * 0.5),
            torch.stack([mixed[0], straight[1]]) * (exists * 0.5),
            (widening * s_warp + h_warp * slope) * (exists * CROSS),
        )
        push = (h * slope + s_warp * widening.flip(0) * SIDE) * exists
        load = gathered(parts) + corners(push) * 0.25
        h = h.clamp(min=THIN)
        around = corners(exists) > 0
        slides = around & (slip > SLIPPERY)
        free = torch.stack([slides, around] * 2).to(h)
        return cls(
            thickness=h,
            leaning=torch.cat([slope - widening, widening]) / h,
            hardness=2 * stiff * h * exists,
            friction=_mean_where(slides, slip.clamp(min=SLIPPERY) ** (-1 / 3)) * exists,
            free=free,
            load=torch.stack([load, load * MEAN], 1).flatten(0, 1) * free,
        )

    def stiffened(self, factors: Tensor) -> Glaciers:
        """Return ice with other viscosity and friction; logarithms of factors in cells, (2, …)."""
        viscosity, friction = means(factors).exp()
        return replace(self, hardness=self.hardness * viscosity, friction=self.friction * friction)

    def balanced(self, velocity: Tensor, levels: int) -> Tensor:
        """Return the change of a velocity (4, …) in one of Picard's steps."""
        points = heights()
        turning = changes(velocity)
        middle = by_direction(means(velocity))
        slip, bent = middle.unbind(1)
        x, y, cross = self._strains(turning, bent)
        steep = (points.shear.view(-1, 1, 1, 1) / (2 * self.thickness)).square()
        squared = torch.addcmul(x * (x + y), y, y).addcmul(cross, cross, value=0.25)
        squared = squared.addcmul(steep, bent.square().sum(0)) + SLOWEST_STRAIN
        weights = points.weights.view(-1, 1, 1, 1)
        viscosity = squared.pow(-1 / 3) * (self.hardness * weights)
        moments = _over_points(points.moments, viscosity)
        shear = moments[3] / (4 * self.thickness.square())
        slow = (slip.square().sum(0) + SLOWEST_SLIDING).pow(-1 / 3) * self.friction
        stress = torch.stack(
            [torch.add(x, y, alpha=0.5), torch.add(y, x, alpha=0.5), cross * 0.25], 1
        )
        flows = _over_points(points.strains.T, stress * viscosity[:, None])
        own = torch.stack([slow, shear] * 2)
        rest = self._forces(turning, middle, flows, moments, own) + self.load
        lean, wide = self.leaning[:2], self.leaning[2:]
        tilted = lean * (lean * moments[3] + 2 * wide * moments[4]) + wide.square() * moments[5]
        tilted = shear + tilted + 0.25 * tilted.flip(0)
        drag = corners(torch.stack([slow, tilted[0], slow, tilted[1]])) * 0.25
        matrix = Matrix.of(moments[:3], drag, self.free)
        return cycle(hierarchy(matrix, levels), -rest * self.free)

    def _strains(self, turning: Changes, bent: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return ∂u/∂x, ∂v/∂y and ∂u/∂y + ∂v/∂x at the points, (points, …) each."""
        (ux, vx), (uy, vy) = (by_direction(part * 0.5) for part in turning[:2])
        by_u, by_v = self.leaning * bent[0], self.leaning * bent[1]
        cross, tilted = uy + vx, by_u[1::2] + by_v[::2]
        parts = torch.stack(
            [
                *(ux[0], vy[0], cross[0]),
                *(ux[1], vy[1], cross[1]),
                *(by_u[0], by_v[1], tilted[0]),
                *(by_u[2], by_v[3], tilted[1]),
            ]
        )
        strains = _over_points(heights().strains, parts.view(4, -1, *parts.shape[2:]))
        x, y, both = strains.view(POINTS, 3, *parts.shape[1:]).unbind(1)
        return x, y, both

    def _forces(
        self, turning: Changes, middle: Tensor, flows: Tensor, moments: Tensor, own: Tensor
    ) -> Tensor:
        """Return the forces of stresses, (4, …).

        Args:
            turning: how the velocity changes.
            middle: its means, (directions, modes, …).
            flows: sums over the depth of the stresses xx, yy and xy, times 1 and the deformation's
                profile, then times what leans and what widens, (4, 3, …).
            moments: see `Heights`.
            own: of U₀, U₁, V₀, V₁: friction, or stiffness against shear between bed and surface.
        """
        lean_x, lean_y, wide_x, wide_y = self.leaning
        (x_lean, y_lean, c_lean), (x_wide, y_wide, c_wide) = flows[2:]
        up = torch.stack(
            [
                lean_x * x_lean + lean_y * c_lean + wide_x * x_wide + wide_y * c_wide,
                lean_y * y_lean + lean_x * c_lean + wide_y * y_wide + wide_x * c_wide,
            ]
        )
        x, y, cross = flows[:2].unbind(1)
        warp = by_direction(turning.warp)
        warped = moments[:2] * warp[:, :1] + moments[1:3] * warp[:, 1:]
        half = SIDE / 4
        parts = Changes(
            torch.addcmul(torch.cat([x, cross]) * 0.5, own, turning.east, value=half),
            torch.addcmul(torch.cat([cross, y]) * 0.5, own, turning.north, value=half),
            torch.addcmul(warped.flatten(0, 1) * WARP, own, turning.warp, value=CROSS),
        )
        body = own * middle.flatten(0, 1)
        body = body + torch.stack([torch.zeros_like(up), up], 1).flatten(0, 1)
        return gathered(parts) + corners(body) * 0.25


def _mean_where(chosen: Tensor, cells: Tensor) -> Tensor:
    """Return the means of those corners of elements that are chosen; 0 where none is."""
    share, total = means(torch.stack([chosen.to(cells), torch.where(chosen, cells, 0.0)]))
    return torch.where(share > 0, total / share.clamp(min=0.25), 0.0)
