"""One multigrid cycle for the linear stresses of ice with two vertical modes.

Unknowns are the velocities U₀, U₁ (sliding and deformation, eastwards) and V₀, V₁ (northwards) in
the cells; bilinear elements lie between four cells, with one viscosity each. The cycle stands for
the inverse of the matrix, as far as that is worth its cost: terrain-following terms count on the
diagonal alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

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


class Changes(NamedTuple):
    """How fields change in elements, (…, rows, columns), one less of each than of cells.

    Attributes:
        east: twice the mean change eastwards.
        north: twice the mean change northwards.
        warp: how much more the north changes eastwards than the south.
    """

    east: Tensor
    north: Tensor
    warp: Tensor


def changes(cells: Tensor) -> Changes:
    """Return how fields of cells change in the elements between them."""
    across = cells[..., 1:] - cells[..., :-1]
    along = cells[..., 1:] + cells[..., :-1]
    upper, lower = across[..., :-1, :], across[..., 1:, :]
    return Changes(upper + lower, along[..., :-1, :] - along[..., 1:, :], upper - lower)


def means(cells: Tensor) -> Tensor:
    """Return the means of elements' corners."""
    along = cells[..., 1:] + cells[..., :-1]
    return (along[..., :-1, :] + along[..., 1:, :]) * 0.25


def gathered(parts: Changes) -> Tensor:
    """Return the sum at the corners: the transpose of `changes`."""
    east, north, warp = parts
    turned, straight = east + warp, east - warp
    cells = _cells(east)
    cells[..., :-1, :-1] = north - turned
    cells[..., :-1, 1:] += north + turned
    cells[..., 1:, :-1] -= north + straight
    cells[..., 1:, 1:] += straight - north
    return cells


def corners(elements: Tensor) -> Tensor:
    """Return the sum over the elements around each cell: four times the transpose of `means`."""
    along = _cells(elements, rows=0)
    along[..., :-1] = elements
    along[..., 1:] += elements
    cells = _cells(along, columns=0)
    cells[..., :-1, :] = along
    cells[..., 1:, :] += along
    return cells


def _cells(elements: Tensor, rows: int = 1, columns: int = 1) -> Tensor:
    *others, height, width = elements.shape
    return elements.new_zeros(*others, height + rows, width + columns)


def coarser(elements: Tensor) -> Tensor:
    """Return elements between the cells of `halved`: means of those that they cover."""
    if elements.shape[-2] % 2:
        elements = (elements[..., :-1, :] + elements[..., 1:, :]) * 0.5
    if elements.shape[-1] % 2:
        elements = (elements[..., :-1] + elements[..., 1:]) * 0.5
    rows = elements[..., ::2, :] + elements[..., 1::2, :]
    return (rows[..., ::2] + rows[..., 1::2]) * 0.25


@dataclass(frozen=True)
class Matrix:
    """The linear stresses on one level; all are (n, glaciers, rows, columns).

    Attributes:
        viscosity: of sliding, of both modes together, and of deformation, in elements, (3, …).
        drag: of U₀, then of V₀, and stiffness of U₁ and V₁ against shear between bed and surface,
            in cells, in the order of the unknowns, (4, …).
        free: where each unknown is one, in cells, (4, …).
        inverse: of each cell's own matrix, for (U₀, U₁) and (V₀, V₁): the diagonal, (4, …).
        coupling: the same: the other number, with the sign of the matrix, (2, …).
    """

    viscosity: Tensor
    drag: Tensor
    free: Tensor
    inverse: Tensor
    coupling: Tensor

    @classmethod
    def of(cls, viscosity: Tensor, drag: Tensor, free: Tensor) -> Matrix:
        """Return it with the inverse of its blocks."""
        own = corners(viscosity * DIAGONAL)
        diagonal = (own[::2].repeat(2, 1, 1, 1) + drag).clamp(min=TRACE)
        diagonal = torch.where(free > 0, diagonal, 1.0)
        both = own[1] * free[0]
        size = diagonal[::2] * diagonal[1::2]
        share = 1 / torch.maximum(size - both.square(), REGULAR * size)
        inverse = torch.stack([diagonal[1::2], diagonal[::2]], 1) * share[:, None]
        return cls(viscosity, drag, free, inverse.flatten(0, 1) * free, both * share)

    def coarse(self) -> Matrix:
        """Return it on cells twice as large."""
        cells = halved(torch.cat([self.drag, self.free]))
        size = len(self.drag)
        free = (cells[size:] > 0).to(cells)
        return Matrix.of(coarser(self.viscosity), 4 * cells[:size], free)

    def rest(self, forces: Tensor, velocity: Tensor) -> Tensor:
        """Return the forces that a velocity leaves, (4, …)."""
        (ux, vx), (uy, vy), warp = (by_direction(part) for part in changes(velocity))
        cross = (uy + vx) * 0.25
        x, y = torch.add(ux, vy, alpha=0.5), torch.add(vy, ux, alpha=0.5)
        strain = torch.stack([x, cross, cross, y, *(warp * (4 * WARP))])  # (6, modes, …)
        viscosity = self.viscosity * 0.25
        stress = viscosity[:2] * strain[:, :1]
        stress = torch.addcmul(stress, viscosity[1:], strain[:, 1:])
        inner = gathered(Changes(*stress.view(3, -1, *stress.shape[2:])))
        return forces - torch.addcmul(inner, self.drag, velocity)

    def relaxed(self, forces: Tensor) -> Tensor:
        """Return the velocities that each cell by itself would have, (4, …)."""
        turned = by_direction(forces).flip(1) * self.coupling[:, None]
        return self.inverse * forces - turned.flatten(0, 1) * self.free


def by_direction(fields: Tensor) -> Tensor:
    """Return fields of unknowns (4, …) as (2 directions, modes, …)."""
    return fields.view(2, MODES, *fields.shape[1:])


def hierarchy(matrix: Matrix, levels: int) -> list[Matrix]:
    """Return a matrix on its own cells, on cells twice as large, and so on."""
    found = [matrix]
    while len(found) < levels and min(found[-1].free.shape[-2:]) > SMALLEST:
        found.append(found[-1].coarse())
    return found


def cycle(matrices: list[Matrix], forces: Tensor) -> Tensor:
    """Return about the velocities (4, …) that forces give, after one V-cycle."""
    matrix = matrices[0]
    velocity = matrix.relaxed(forces) * DAMPING
    if len(matrices) == 1:
        sweeps = COARSEST
    else:
        rest = matrix.rest(forces, velocity) * matrix.free
        below = cycle(matrices[1:], halved(rest) * (4 * matrices[1].free))
        shape = (rest.shape[-2], rest.shape[-1])
        velocity = torch.addcmul(velocity, interpolated(below, shape), matrix.free)
        sweeps = 1
    for _ in range(sweeps):
        rest = matrix.rest(forces, velocity)
        velocity = torch.add(velocity, matrix.relaxed(rest), alpha=DAMPING)
    return velocity
