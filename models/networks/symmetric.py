"""Layers that turn and mirror with their input.

A feature has eight channels, one per symmetry of the square (regular representation of the
dihedral group D4; Cohen and Welling 2016, arXiv:1602.07576). Turning or mirroring the input turns
or mirrors the fields and permutes the channels. Weights are shared between the eight; they are
expanded to those of ordinary layers before use, so that a symmetric layer costs what an ordinary
one does. Rasters are north-up, vectors are (east, north).
"""

from __future__ import annotations

import math
from functools import cache

import torch
from torch import Tensor, nn

SYMMETRIES = tuple((turns, mirrored) for mirrored in (False, True) for turns in range(4))
"""Quarter turns against the clock, after mirroring east and west."""
ORDER = len(SYMMETRIES)

Weights = tuple[Tensor, Tensor]
"""Weight and bias of an ordinary layer."""


def moved(field: Tensor, symmetry: int) -> Tensor:
    """Return a raster (…, rows, columns) turned and mirrored."""
    turns, mirrored = SYMMETRIES[symmetry]
    return torch.rot90(field.flip(-1) if mirrored else field, turns, (-2, -1))


@cache
@torch.inference_mode(mode=False)
def matrices() -> Tensor:
    """Return how each symmetry moves a vector (east, north): (8, 2, 2), also for gradients."""
    quarter, mirror = torch.tensor([[0.0, -1.0], [1.0, 0.0]]), torch.diag(torch.tensor([-1.0, 1.0]))
    found = []
    for turns, mirrored in SYMMETRIES:
        matrix = torch.linalg.matrix_power(quarter, turns)
        found.append(matrix @ mirror if mirrored else matrix)
    return torch.stack(found)


@cache
@torch.inference_mode(mode=False)
def quotients() -> Tensor:
    """Return the number of g⁻¹h for each pair of symmetries (g, h): (8, 8)."""
    every = matrices()
    products = torch.einsum("gji,hjk->ghik", every, every)  # orthogonal: the inverse is transposed
    distance = (products[:, :, None] - every).abs().amax(dim=(-2, -1))
    return distance.argmin(dim=-1)


def moved_vectors(field: Tensor, symmetry: int) -> Tensor:
    """Return rasters of vectors (…, 2, rows, columns) turned and mirrored."""
    matrix = matrices()[symmetry].to(field)
    return torch.einsum("ij,...jyx->...iyx", matrix, moved(field, symmetry))


class Lift(nn.Module):
    """A linear map from scalars, then vectors, of a cell to features."""

    def __init__(self, scalars: int, vectors: int, features: int) -> None:
        super().__init__()
        spread = 1 / math.sqrt(scalars + 2 * vectors)
        self.scalar = nn.Parameter(torch.randn(features, scalars) * spread)
        self.vector = nn.Parameter(torch.randn(features, vectors, 2) * spread)
        self.bias = nn.Parameter(torch.zeros(features))

    def forward(self) -> Weights:
        """Return (8 features, scalars + 2 vectors), and the bias."""
        scalar = self.scalar[:, None].expand(-1, ORDER, -1)
        vector = torch.einsum("gij,fvj->fgvi", matrices().to(self.vector), self.vector)
        weight = torch.cat([scalar, vector.flatten(2)], dim=2).flatten(0, 1)
        return weight, self.bias.repeat_interleave(ORDER)


class Spread(nn.Module):
    """A depthwise convolution: each feature by itself."""

    def __init__(self, features: int, kernel: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(features, kernel, kernel) / kernel)

    def forward(self) -> Tensor:
        """Return the weight, (8 features, 1, kernel, kernel); there is no bias."""
        sides = torch.stack([moved(self.weight, symmetry) for symmetry in range(ORDER)], dim=1)
        return sides.flatten(0, 1)[:, None]


class Mix(nn.Module):
    """A linear map from the features of a cell to others."""

    def __init__(self, inputs: int, outputs: int, gain: float = 1.0) -> None:
        super().__init__()
        spread = gain / math.sqrt(inputs * ORDER)
        self.weight = nn.Parameter(torch.randn(outputs, inputs, ORDER) * spread)
        self.bias = nn.Parameter(torch.zeros(outputs))

    def forward(self) -> Weights:
        """Return (8 outputs, 8 inputs), and the bias."""
        shared = self.weight[:, :, quotients()]  # (outputs, inputs, g, h)
        square = shared.permute(0, 2, 1, 3).flatten(2, 3).flatten(0, 1)
        return square, self.bias.repeat_interleave(ORDER)


class Read(nn.Module):
    """A linear map from the features of a cell to scalars, then vectors; zero at first."""

    def __init__(self, features: int, scalars: int, vectors: int) -> None:
        super().__init__()
        self.scalar = nn.Parameter(torch.zeros(scalars, features))
        self.vector = nn.Parameter(torch.zeros(vectors, 2, features))
        self.bias = nn.Parameter(torch.zeros(scalars))

    def forward(self) -> Weights:
        """Return (scalars + 2 vectors, 8 features), and the bias."""
        scalar = self.scalar[:, :, None].expand(-1, -1, ORDER)
        vector = torch.einsum("gij,vjf->vifg", matrices().to(self.vector), self.vector)
        weight = torch.cat([scalar.flatten(1), vector.flatten(2).flatten(0, 1)])
        return weight, torch.cat([self.bias, self.bias.new_zeros(2 * len(self.vector))])


class Expanded(nn.Module):
    """The weights that a layer gave once, for a network that is not trained any more."""

    weight0: Tensor
    weight1: Tensor

    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        with torch.no_grad():
            weights = layer()
        self.single = isinstance(weights, Tensor)
        for index, weight in enumerate([weights] if self.single else weights):
            self.register_buffer(f"weight{index}", weight.contiguous())

    def forward(self) -> Tensor | Weights:
        """Return what the layer did."""
        return self.weight0 if self.single else (self.weight0, self.weight1)


def expand(network: nn.Module) -> None:
    """Expand all symmetric layers in a network for good."""
    for name, child in network.named_children():
        if isinstance(child, Lift | Spread | Mix | Read):
            setattr(network, name, Expanded(child))
        else:
            expand(child)
