"""Smooth random fields on the ice, made of white noise."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from scipy.sparse import coo_array, csc_array, diags_array, eye_array
from scipy.sparse.linalg import splu
from torch import Tensor

from glacier_qgis.models.compute.arrays import Float64Array, Mask
from glacier_qgis.models.iceflow.inversion.place import Place

ELONGATION = 1.5
"""Correlation length along the flow over that of a round field, which is that over the one across.
Up to 1.6 all weights between neighbours are positive."""
NEIGHBOURS = ((0, 1), (-1, 0), (-1, 1), (1, 1))
"""Rows and columns from a cell to its neighbours in the east, north, north-east and south-east."""


class SmoothField:
    """A field with a standard deviation and a correlation length (Matérn covariance, ν = 1).

    It solves (κ² − ∇·K∇) x = √(4π) κ σ W with white noise W and no flux through the margin of the
    ice (Lindgren, Rue and Lindström 2011, doi 10.1111/j.1467-9868.2011.00777.x); K is longer along
    the flow than across.
    """

    def __init__(self, place: Place, sigma: float, length: float) -> None:
        """Build it with σ (in the unit of the field) and 1/κ (m)."""
        self._ice = place.ice
        kappa, cell = 1 / length, place.cell_size
        ice = place.ice.numpy()
        stiff = kappa**2 * eye_array(int(ice.sum())) + _laplacian(ice, place.heading.numpy(), cell)
        scale = cell / (math.sqrt(4 * math.pi) * kappa * sigma)
        self._solver = splu(csc_array(scale * stiff))

    def __call__(self, noise: Tensor) -> Tensor:
        """Return the field, (rows, columns), of white noise, one number per cell of ice."""
        values: Tensor = _Solved.apply(noise, self._solver)  # type: ignore[no-untyped-call]
        return torch.zeros(self._ice.shape, dtype=noise.dtype).masked_scatter(self._ice, values)


class _Solved(torch.autograd.Function):
    """The solution of a symmetric system of linear equations."""

    @staticmethod
    def forward(context: Any, right: Tensor, solver: Any) -> Tensor:  # noqa: ANN401
        context.solver = solver
        return torch.from_numpy(solver.solve(right.detach().numpy()))

    @staticmethod
    def backward(context: Any, *gradients: Tensor) -> tuple[Tensor, None]:  # noqa: ANN401
        return torch.from_numpy(context.solver.solve(gradients[0].contiguous().numpy())), None


def _laplacian(ice: Mask, heading: Float64Array, cell_size: float) -> csc_array:
    """Return −∇·K∇ between cells of ice, m⁻²."""
    number = np.full(ice.shape, -1)
    number[ice] = np.arange(ice.sum())
    x, y = heading
    far, near = ELONGATION**2, ELONGATION**-2
    xx, yy, xy = far * x * x + near * y * y, far * y * y + near * x * x, (far - near) * x * y
    weights = (
        *(xx - np.abs(xy), yy - np.abs(xy)),
        *(np.maximum(xy, 0.0), np.maximum(-xy, 0.0)),
    )
    count = int(ice.sum())
    total = csc_array((count, count))
    for step, weight in zip(NEIGHBOURS, weights, strict=True):
        first, second, mean = (
            np.concatenate(parts) for parts in zip(*_pairs(number, weight, step), strict=True)
        )
        links = coo_array((mean / cell_size**2, (first, second)), shape=(count, count))
        both = links + links.T
        total = total + diags_array(both.sum(axis=1)) - both
    return csc_array(total)


def _pairs(
    number: Any,  # noqa: ANN401
    weight: Float64Array,
    step: tuple[int, int],
) -> Iterator[tuple[Any, Any, Any]]:
    """Yield the numbers of neighbours that are both ice, and the mean of their weights."""
    rows, columns = number.shape
    down, right = step
    here = slice(max(-down, 0), rows - max(down, 0)), slice(0, columns - right)
    there = slice(max(down, 0), rows - max(-down, 0)), slice(right, columns)
    both = (number[here] >= 0) & (number[there] >= 0)
    mean = (weight[here] + weight[there])[both] / 2
    yield number[here][both], number[there][both], mean
