"""Random numbers and random fields for the patches of a batch."""

from __future__ import annotations

from functools import cache

import torch
from torch import Tensor
from torch.nn.functional import interpolate


class Chance:
    """What is drawn for each patch of a batch, from one generator, on its device.

    Shapes are fixed and nothing is read back, so that a batch can be part of a captured graph.

    Args:
        batch: Number of patches, N.
        size: Rows and columns of a patch, P.
        generator: Of all numbers.
    """

    def __init__(self, batch: int, size: int, generator: torch.Generator) -> None:
        self.batch = batch
        self.size = size
        self._generator = generator
        self.device = generator.device

    def uniform(self, low: float, high: float, *shape: int) -> Tensor:
        """One number per patch, (N, 1, 1), or several, (N, *shape)."""
        return low + (high - low) * self._rand(*(shape or (1, 1)))

    def normal(self, deviation: float) -> Tensor:
        """One number per patch around zero, (N, 1, 1)."""
        return deviation * self._randn(1, 1)

    def happens(self, probability: float) -> Tensor:
        """Whether something happens to a patch, (N, 1, 1)."""
        return self._rand(1, 1) < probability

    def below(self, end: int | Tensor) -> Tensor:
        """One integer per patch from 0 to `end` - 1, (N,); `end` is a number or (N,)."""
        return (self._rand() * end).long().clamp(min=0)

    def single(self, count: int) -> list[float]:
        """Some numbers from 0 to 1 for one patch, read back."""
        drawn = torch.rand(count, generator=self._generator, device=self.device)
        return [float(number) for number in drawn.tolist()]

    def field(self, cells: int) -> Tensor:
        """Smooth noise with `cells` nodes per side, (N, P, P); unit variance at the nodes."""
        nodes = self._randn(1, cells, cells)
        if cells != self.size:
            size = (self.size, self.size)
            nodes = interpolate(nodes, size, mode="bilinear", align_corners=False)
        return nodes[:, 0]

    def field_of(self, fewest: int, most: int) -> Tensor:
        """Smooth noise with `fewest` to `most` nodes per side, (N, P, P)."""
        weights = _between_nodes(fewest, most, self.size, self.device)
        own = weights[self.below(len(weights))]
        return own @ self._randn(most, most) @ own.mT

    def _rand(self, *shape: int) -> Tensor:
        return torch.rand(self.batch, *shape, generator=self._generator, device=self.device)

    def _randn(self, *shape: int) -> Tensor:
        return torch.randn(self.batch, *shape, generator=self._generator, device=self.device)


@cache
def _between_nodes(fewest: int, most: int, size: int, device: torch.device) -> Tensor:
    """Weights of `fewest` to `most` nodes in bilinear interpolation, (numbers, size, most)."""
    weights = torch.zeros(most + 1 - fewest, size, most)
    for row, nodes in enumerate(range(fewest, most + 1)):
        each = torch.eye(nodes)[None]
        weights[row, :, :nodes] = interpolate(each, size, mode="linear", align_corners=False)[0].T
    return weights.to(device)
