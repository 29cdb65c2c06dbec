"""The ice as bilinear elements between the centres of cells.

Lengths are in cells (Δ) and velocities in U = A₀ (ρgΔ)³ Δ, which removes A, Δ, ρ and g from the
equations for Glen's law with n = 3 (dimensional analysis of Blatter-Pattyn). Nodes are the centres
of the plugin's cells; an element spans four of them, and contains ice if at least one has ice. Its
thickness decreases linearly to zero towards nodes without ice.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

CORNERS = ((0, 0), (0, 1), (1, 0), (1, 1))
"""Rows and columns of an element's nodes, from the first."""
GAUSS = (0.5 - 12**-0.5, 0.5 + 12**-0.5)
"""Points of the two-point rule on the unit interval; each weighs a half."""
THINNEST = 1e-6
"""Thickness, in cells, below which a point of an element counts as ice-free."""


@dataclass(frozen=True)
class Shapes:
    """Bilinear shape functions of the corners at the Gauss points, each (4 points, 4 corners).

    Attributes:
        values: the functions.
        east: their derivatives along columns.
        north: their derivatives along rows.
    """

    values: Tensor
    east: Tensor
    north: Tensor

    @classmethod
    def like(cls, field: Tensor) -> Shapes:
        """Return them with the type and on the device of a field."""
        share = field.new_tensor([[1 - x, x] for x in GAUSS])  # (points, ends) in one direction
        slope = field.new_tensor([[-1.0, 1.0], [-1.0, 1.0]])
        return cls(torch.kron(share, share), torch.kron(share, slope), torch.kron(slope, share))


@dataclass(frozen=True)
class Ice:
    """Geometry and material of the ice, on nodes with row 0 in the south.

    Attributes:
        thickness: h, in cells, (rows, columns).
        surface: s, in cells, (rows, columns).
        stiffness: (A/A₀)^(−1/3), (rows, columns).
        friction: coefficient of the sliding law, in the units of the energy, (rows, columns);
            infinite where the ice does not slide.
        tilt: slope of the whole domain, added to surface and bed, (2,).
        periodic: whether the domain is periodic.
    """

    thickness: Tensor
    surface: Tensor
    stiffness: Tensor
    friction: Tensor
    tilt: tuple[float, float] = (0.0, 0.0)
    periodic: bool = False


@dataclass(frozen=True)
class Elements:
    """The elements with ice in them, and their geometry at the four Gauss points of each.

    Attributes:
        shape: rows and columns of the grid.
        nodes: index of each corner in the flattened grid, (4, elements).
        touched: nodes that belong to an element, (rows, columns).
        sliding: nodes that may slide, (rows, columns).
        shapes: shape functions.
        thickness: h, (elements, points).
        drive: ∂s/∂x and ∂s/∂y, (2, elements, points).
        lean: (∂b/∂x)/h and (∂b/∂y)/h, (2, elements, points).
        widening: (∂h/∂x)/h and (∂h/∂y)/h, (2, elements, points).
        stiffness: (A/A₀)^(−1/3), (elements, points).
        friction: coefficient of the sliding law, (elements, points); 0 where nothing slides.
    """

    shape: tuple[int, int]
    nodes: Tensor
    touched: Tensor
    sliding: Tensor
    shapes: Shapes
    thickness: Tensor
    drive: Tensor
    lean: Tensor
    widening: Tensor
    stiffness: Tensor
    friction: Tensor

    @classmethod
    def of(cls, ice: Ice) -> Elements:
        """Return the elements of the ice."""
        nodes = _nodes(ice)
        touched = torch.zeros(ice.thickness.numel(), dtype=torch.bool, device=nodes.device)
        touched[nodes.flatten()] = True
        touched = touched.reshape(ice.thickness.shape)
        shapes = Shapes.like(ice.thickness)
        h, s = (field.flatten()[nodes].T for field in (ice.thickness, ice.surface))
        thickness = (h @ shapes.values.T).clamp(min=THINNEST)
        widening = torch.stack([h @ shapes.east.T, h @ shapes.north.T])
        drive = torch.stack([s @ shapes.east.T, s @ shapes.north.T])
        drive = drive + drive.new_tensor(ice.tilt)[:, None, None]
        return cls(
            shape=(ice.thickness.shape[0], ice.thickness.shape[1]),
            nodes=nodes,
            touched=touched,
            sliding=touched & ice.friction.isfinite(),
            shapes=shapes,
            thickness=thickness,
            drive=drive,
            lean=(drive - widening) / thickness,
            widening=widening / thickness,
            stiffness=ice.stiffness.flatten()[nodes].T @ shapes.values.T,
            friction=_mean_of_finite(ice.friction.flatten()[nodes].T, shapes.values),
        )

    def gather(self, field: Tensor) -> Tensor:
        """Return the corners' values: (…, rows, columns) to (…, 4, elements)."""
        return field.flatten(-2)[..., self.nodes]

    def scatter(self, corners: Tensor) -> Tensor:
        """Sum contributions of elements at corners: (…, elements, 4) to (…, rows, columns)."""
        out = corners.new_zeros(*corners.shape[:-2], self.shape[0] * self.shape[1])
        out.index_add_(-1, self.nodes.T.flatten(), corners.flatten(-2))
        return out.reshape(*corners.shape[:-2], *self.shape)


def _nodes(ice: Ice) -> Tensor:
    """Return the corners of each element that has ice, (4, elements)."""
    rows, columns = ice.thickness.shape
    index = torch.arange(rows * columns, device=ice.thickness.device).reshape(rows, columns)
    corners = torch.stack([index.roll((-dy, -dx), (0, 1)) for dy, dx in CORNERS])
    if not ice.periodic:
        corners = corners[:, :-1, :-1]
    corners = corners.flatten(1)
    return corners[:, (ice.thickness.flatten()[corners] > 0).any(dim=0)]


def _mean_of_finite(corners: Tensor, values: Tensor) -> Tensor:
    """Interpolate between finite corners; 0 where none is finite: (elements, points)."""
    finite = corners.isfinite()
    share = finite.to(values) @ values.T
    total = torch.where(finite, corners, 0.0) @ values.T
    return torch.where(share > 0, total / share.clamp(min=THINNEST), 0.0)
