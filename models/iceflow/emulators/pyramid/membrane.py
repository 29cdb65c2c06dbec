"""One multigrid cycle for the linear stresses of ice with two vertical modes.

Unknowns are the velocities U₀, U₁ (sliding and deformation, eastwards) and V₀, V₁ (northwards) in
the cells; bilinear elements lie between four cells, with one viscosity each. The cycle stands for
the inverse of the matrix, as far as that is worth its cost: terrain-following terms count on the
diagonal alone.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from glacier_qgis.models.iceflow.emulators.pyramid.mesh import Mesh, coarser
from glacier_qgis.models.networks.halving import halved, interpolated

MODES = 2
WARP = 5 / 48
"""Of the viscosity: stiffness of an element against u = xy, from its exact integral."""
DIAGONAL = 5 / 12
"""Of the viscosity: what one element adds to the diagonal of one of its corners."""
DAMPING = 0.65
"""Of Jacobi's method; the largest eigenvalue is some 2.4."""
COARSEST = 2
"""Sweeps on the coarsest level."""
SMALLEST = 4
"""Cells along the shorter side of a grid that is not halved any more."""
TRACE = 1e-15
REGULAR = 1e-3
"""Least determinant of a cell's matrix, relative to its diagonal."""


@dataclass(frozen=True)
class Level:
    """Where the unknowns are, on one level.

    Attributes:
        mesh: the cells and elements.
        free: where each unknown is one, (4, cells).
    """

    mesh: Mesh
    free: Tensor

    def coarse(self) -> Level:
        """Return it with half the resolution."""
        mesh = self.mesh.coarse()
        return Level(mesh, (mesh.picked(halved(self.mesh.rasters(self.free))) > 0).to(self.free))


def levels(finest: Level, count: int) -> list[Level]:
    """Return `count` levels, or as many as the grid allows, from the finest."""
    found = [finest]
    while len(found) < count and min(found[-1].mesh.shape[1:]) > SMALLEST:
        found.append(found[-1].coarse())
    return found


@dataclass(frozen=True)
class Matrix:
    """The linear stresses on one level.

    Attributes:
        level: where the unknowns are.
        stiffness: a quarter of the viscosity of sliding, of both modes together, and of
            deformation, (3, elements).
        drag: of U₀, then of V₀, and stiffness of U₁ and V₁ against shear between bed and surface,
            in the order of the unknowns, (4, cells).
        inverse: of each cell's own matrix, for (U₀, U₁) and (V₀, V₁), damped: the diagonal,
            (4, cells).
        coupling: the same: the other number, with the sign of the matrix, (4, cells).
    """

    level: Level
    stiffness: Tensor
    drag: Tensor
    inverse: Tensor
    coupling: Tensor

    @classmethod
    def of(cls, level: Level, viscosity: Tensor, drag: Tensor) -> Matrix:
        """Return it with the inverse of its blocks."""
        free = by_direction(level.free)
        own = level.mesh.corners(viscosity) * DIAGONAL
        diagonal = (by_direction(drag) + own[::2]).clamp(min=TRACE)
        both = own[1] * level.free[0]
        size = diagonal[:, 0] * diagonal[:, 1]
        share = DAMPING / torch.maximum(size - both.square(), REGULAR * size)
        inverse = diagonal.flip(1) * (share[:, None] * free)
        coupling = (both * share)[:, None] * free
        return cls(level, viscosity * 0.25, drag, inverse.flatten(0, 1), coupling.flatten(0, 1))

    def on(self, level: Level) -> Matrix:
        """Return it on cells twice as large."""
        mesh = self.level.mesh
        viscosity = level.mesh.between(coarser(mesh.on_grid(self.stiffness)) * 4)
        return Matrix.of(level, viscosity, level.mesh.picked(halved(mesh.rasters(self.drag)) * 4))

    def rest(self, forces: Tensor, velocity: Tensor) -> Tensor:
        """Return the forces that a velocity leaves, (4, cells)."""
        mesh = self.level.mesh
        turning = mesh.changes(velocity)
        (ux, vx), (uy, vy) = by_direction(turning.east), by_direction(turning.north)
        strain = torch.stack(
            [torch.add(ux, vy, alpha=0.5), (uy + vx) * 0.25, torch.add(vy, ux, alpha=0.5)]
        )
        stress, warp = self._coupled(strain), self._coupled(by_direction(turning.warp))
        inner = mesh.pulled(stress[:2], stress[1:], warp * (4 * WARP))
        return forces - torch.addcmul(inner, self.drag, velocity)

    def relaxed(self, forces: Tensor, velocity: Tensor | None = None) -> Tensor:
        """Return a velocity after one sweep of Jacobi's method against the forces left."""
        own = self.inverse * forces if velocity is None else velocity.addcmul(self.inverse, forces)
        turned = by_direction(forces).flip(1).flatten(0, 1)
        return own.addcmul(turned, self.coupling, value=-1)

    def _coupled(self, modes: Tensor) -> Tensor:
        """Return stiffness times fields of both modes, (n, modes, elements)."""
        own = self.stiffness[:2] * modes[:, :1]
        return own.addcmul(self.stiffness[1:], modes[:, 1:])


def by_direction(fields: Tensor) -> Tensor:
    """Return fields of unknowns (4, …) as (2 directions, modes, …)."""
    return fields.view(2, MODES, *fields.shape[1:])


def hierarchy(matrix: Matrix, below: list[Level]) -> list[Matrix]:
    """Return a matrix on its own cells, then on those of coarser levels."""
    found = [matrix]
    for level in below:
        found.append(found[-1].on(level))
    return found


def cycle(matrices: list[Matrix], forces: Tensor) -> Tensor:
    """Return about the velocities (4, cells) that forces give, after one V-cycle."""
    matrix = matrices[0]
    velocity = matrix.relaxed(forces)
    if len(matrices) == 1:
        sweeps = COARSEST
    else:
        mesh, free, below = matrix.level.mesh, matrix.level.free, matrices[1].level
        rest = matrix.rest(forces, velocity) * free
        coarse = below.mesh.picked(halved(mesh.rasters(rest))) * (4 * below.free)
        found = below.mesh.rasters(cycle(matrices[1:], coarse))
        smooth = interpolated(found, (mesh.shape[1], mesh.shape[2]))
        velocity = velocity.addcmul(mesh.picked(smooth), free)
        sweeps = 1
    for _ in range(sweeps):
        velocity = matrix.relaxed(matrix.rest(forces, velocity), velocity)
    return velocity
