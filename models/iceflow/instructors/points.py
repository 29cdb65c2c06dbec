"""Derivatives at the points of the elements, from velocities at their corners.

Points are the four of each element times the heights of the column. Derivatives follow the
terrain: ∂u/∂x at fixed z is ∂u/∂x − ((∂b/∂x + ζ ∂h/∂x)/h) ∂u/∂ζ.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from glacier_qgis.models.iceflow.instructors.column import Column
from glacier_qgis.models.iceflow.instructors.elements import CORNERS, Elements


@dataclass(frozen=True)
class Points:
    """What corners and modes give to derivatives, and the ice at each point.

    Attributes:
        east: to ∂/∂x at fixed ζ, (points, corners·modes).
        north: to ∂/∂y at fixed ζ, (points, corners·modes).
        up: to ∂/∂ζ, (points, corners·modes).
        base: to the values at the bed, (4 horizontal points, 4 corners).
        thickness: h, (elements, points).
        lean: (∂b/∂x + ζ ∂h/∂x)/h and the same northwards, (2, elements, points).
        stiffness: (A/A₀)^(−1/3), (elements, points).
        weights: volume that each point stands for, (elements, points).
        friction: of the sliding law times the area, (elements, horizontal points).
        shallow_shear: h (1 − ζ) |∇s|, shear stress of shallow ice, (elements, points).
        shallow_drag: h |∇s| times the area, (elements, horizontal points).
    """

    east: Tensor
    north: Tensor
    up: Tensor
    base: Tensor
    thickness: Tensor
    lean: Tensor
    stiffness: Tensor
    weights: Tensor
    friction: Tensor
    shallow_shear: Tensor
    shallow_drag: Tensor

    @classmethod
    def of(cls, elements: Elements, column: Column) -> Points:
        """Return those of the elements at the heights of the column."""
        shapes, levels = elements.shapes, column.heights.numel()

        def form(horizontal: Tensor, vertical: Tensor) -> Tensor:
            return torch.einsum("pa,kq->pqak", horizontal, vertical).flatten(2).flatten(0, 1)

        def everywhere(field: Tensor) -> Tensor:
            return field.repeat_interleave(levels, dim=-1)

        heights = column.heights.repeat(len(CORNERS))
        thickness = everywhere(elements.thickness)
        slope = elements.drive.square().sum(dim=0).sqrt()
        return cls(
            east=form(shapes.east, column.values),
            north=form(shapes.north, column.values),
            up=form(shapes.values, column.slopes),
            base=shapes.values,
            thickness=thickness,
            lean=everywhere(elements.lean) + heights * everywhere(elements.widening),
            stiffness=everywhere(elements.stiffness),
            weights=thickness * column.weights.repeat(len(CORNERS)) / len(CORNERS),
            friction=elements.friction / len(CORNERS),
            shallow_shear=thickness * (1 - heights) * everywhere(slope),
            shallow_drag=elements.thickness * slope / len(CORNERS),
        )
