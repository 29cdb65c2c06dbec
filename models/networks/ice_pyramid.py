"""A network for ice flow on a pyramid of resolutions, from coarse to fine.

On each level the ice has a shallow-ice speed and direction. The network chooses, cell by cell, how
much of them to take and how much of what the coarser level found, and corrects both. All layers are
symmetric (:mod:`~glacier_qgis.models.networks.symmetric`), so the flow turns and mirrors with the
ice. Features are kept for cells with ice alone; elsewhere they are zero.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, NamedTuple, cast

import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d, linear, silu

from glacier_qgis.models.networks.halving import blurred, doubled, halved
from glacier_qgis.models.networks.symmetric import Lift, Mix, Read, Spread, Weights

FASTEST = 12.0
"""Logarithm of the highest speed, in the units of the network."""


PACE = 1.4
"""Length of a step at first; 1 is Picard's."""


@dataclass(frozen=True)
class Level:
    """The cells with ice at one resolution, and the ways of features to others.

    Attributes:
        shape: glaciers, rows and columns of the grid.
        cells: places in the flattened grid, (cells,).
        fields: scalars, then vectors, (cells, scalars + 2 vectors).
        shallow: logarithm of the speed, then the direction, of shallow ice, (3, cells).
        trust: log-odds that shallow ice is right at this resolution rather than at a coarser
            one, before the network corrects them, (cells,).
    """

    shape: tuple[int, int, int]
    cells: Tensor
    fields: Tensor
    shallow: Tensor
    trust: Tensor

    def grid(self, features: Tensor) -> Tensor:
        """Return features on the grid: (cells, n) to (glaciers, n, rows, columns)."""
        glaciers, rows, columns = self.shape
        flat = features.new_zeros(glaciers * rows * columns, features.shape[1])
        flat.index_copy_(0, self.cells, features)
        return flat.view(glaciers, rows, columns, -1).permute(0, 3, 1, 2)

    def listed(self, grid: Tensor) -> Tensor:
        """Return the features of the cells: (glaciers, n, rows, columns) to (cells, n)."""
        return grid.permute(0, 2, 3, 1).reshape(-1, grid.shape[1]).index_select(0, self.cells)

    def rasters(self, values: Tensor) -> Tensor:
        """Return values on the grid: (n, cells) to (n, glaciers, rows, columns)."""
        glaciers, rows, columns = self.shape
        flat = values.new_zeros(len(values), glaciers * rows * columns)
        return flat.index_copy_(1, self.cells, values).view(-1, glaciers, rows, columns)

    def picked(self, rasters: Tensor) -> Tensor:
        """Return the values of the cells: (n, glaciers, rows, columns) to (n, cells)."""
        return rasters.flatten(1).index_select(1, self.cells)

    def spread(self, features: Tensor, weight: Tensor) -> Tensor:
        """Return features (cells, n) after a depthwise convolution, weight (n, 1, side, side)."""
        grid = self.grid(features)
        return self.listed(conv2d(grid, weight, padding=weight.shape[-1] // 2, groups=len(weight)))

    def halved(self, features: Tensor, coarse: Level) -> Tensor:
        """Return the means in the cells of the next coarser level, (its cells, n)."""
        return coarse.listed(halved(self.grid(features)))

    def doubled(self, features: Tensor, fine: Level) -> Tensor:
        """Return the features in the cells of the next finer level, (its cells, n)."""
        return fine.listed(doubled(self.grid(features), fine.shape[1:]))

    def chosen(self, read: Tensor, flow: Tensor, coarse: Level) -> Tensor:
        """Return a flow between that of shallow ice and that of the next coarser level, corrected.

        Args:
            read: what the network says of the cells: how far to trust shallow ice rather than the
                coarser level, how much faster, …, and two corrections of the direction, (n, cells).
            flow: logarithm of the speed, then the direction, on the coarser level, (3, its cells).
                It is interpolated between cells with ice.
            coarse: that level.
        """
        rasters = coarse.rasters(torch.cat([flow, torch.ones_like(flow[:1])]))
        near = self.picked(blurred(doubled(rasters, self.shape[1:])))
        gate = (self.trust + read[0]).sigmoid()
        return corrected((near[:-1] / near[-1]).lerp(self.shallow, gate), read)


def corrected(flow: Tensor, read: Tensor) -> Tensor:
    """Return a flow with what the network says of it, see `Level.chosen`."""
    return flow + torch.cat([read[1:2], read[-2:]])


@dataclass(frozen=True)
class Sizes:
    """How large a network is.

    Attributes:
        scalars: inputs on each level.
        vectors: inputs on each level.
        features: of each level, from the finest.
        blocks: of each level, from the finest.
        kernel: of the blocks, cells.
        wider: how many times as many features a block has inside.
        steps: towards the balance of forces, that follow.
    """

    scalars: int
    vectors: int
    features: tuple[int, ...] = (4, 8, 8, 10, 10, 10)
    blocks: tuple[int, ...] = (2, 2, 3, 3, 3, 3)
    kernel: int = 5
    wider: int = 2
    steps: int = 0

    @classmethod
    def of(cls, content: Mapping[str, Any]) -> Sizes:
        """Return them from what JSON or a checkpoint holds."""
        parts: dict[str, Any] = {
            key: tuple(value) if isinstance(value, list) else value
            for key, value in content.items()
        }
        return cls(**parts)


class Block(nn.Module):
    """Features of the surroundings are mixed, and added."""

    def __init__(self, features: int, kernel: int, wider: int) -> None:
        super().__init__()
        self.spread = Spread(features, kernel)
        self.widen = Mix(features, wider * features)
        self.narrow = Mix(wider * features, features, gain=0.3)

    def forward(self, features: Tensor, level: Level) -> Tensor:
        """Return features of the same shape, (cells, channels)."""
        inner = silu(linear(level.spread(features, self.spread()), *self.widen()))
        return linear(inner, *self.narrow()).add_(features)


class Flow(NamedTuple):
    """What the network says of each cell, in the order of the finest level's cells.

    Attributes:
        speed: logarithm of a speed, (cells,).
        mean: velocity averaged over depth, relative to that speed, (2, cells).
        base: correction of the velocity at the bed, relative to that speed, (2, cells).
        surface: the same at the surface.
        shares: of the profile: two numbers, (2, cells).
        stiffer: logarithm of factors of viscosity and of friction, (2, cells); empty where no
            steps follow.
    """

    speed: Tensor
    mean: Tensor
    base: Tensor
    surface: Tensor
    shares: Tensor
    stiffer: Tensor


class IcePyramid(nn.Module):
    """See the module.

    Attributes:
        pace: length of each step towards the balance of forces, (steps,); None without any.

    Args:
        sizes: of the network.
    """

    pace: nn.Parameter

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        self.sizes = sizes
        wide, inputs = sizes.features, (sizes.scalars, sizes.vectors)
        self.lift = nn.ModuleList(Lift(*inputs, width) for width in wide)
        self.gather = nn.ModuleList(Mix(*pair) for pair in pairwise(wide))
        self.share = nn.ModuleList(Mix(*pair) for pair in zip(wide[1:], wide[:-1], strict=True))
        self.blocks = nn.ModuleList(
            nn.ModuleList(Block(width, sizes.kernel, sizes.wider) for _ in range(count))
            for width, count in zip(wide, sizes.blocks, strict=True)
        )
        finest = (6 if sizes.steps else 4, 3)
        self.read = nn.ModuleList(
            Read(width, *(finest if level == 0 else (2, 1))) for level, width in enumerate(wide)
        )
        pace = nn.Parameter(torch.full((sizes.steps,), PACE)) if sizes.steps else None
        self.register_parameter("pace", pace)

    def pacing(self, pace: Sequence[float]) -> IcePyramid:
        """Return a copy that takes steps of these lengths towards the balance of forces."""
        copy = IcePyramid(replace(self.sizes, steps=len(pace)))
        copy.load_state_dict({**self.state_dict(), "pace": torch.tensor(pace)})
        return copy

    def forward(self, levels: Sequence[Level]) -> Flow:
        """Return the flow in the cells of the first level, which is the finest."""
        features = self._features(levels)
        read = self._read(features, -1)
        flow = corrected(levels[-1].shallow, read)
        for index in reversed(range(len(levels) - 1)):
            read = self._read(features, index)
            flow = levels[index].chosen(read, flow, levels[index + 1])
        speed = flow[0].clamp(max=FASTEST)
        vectors = read[-6:]
        return Flow(speed, flow[1:], vectors[:2], vectors[2:4], read[2:4], read[4:-6])

    def _read(self, features: Sequence[Tensor], level: int) -> Tensor:
        """Return what the features of a level say, (n, cells)."""
        weight, bias = cast(Weights, self.read[level]())
        return torch.addmm(bias[:, None], weight, features[level].T)

    def _features(self, levels: Sequence[Level]) -> list[Tensor]:
        """Return the features of each level, from the finest."""
        found: list[Tensor] = []
        for index, level in enumerate(levels):
            lifted = linear(level.fields, *self.lift[index]())
            if found:
                finer = levels[index - 1].halved(found[-1], level)
                lifted.add_(linear(finer, *self.gather[index - 1]()))
            found.append(silu(lifted))
        for index in reversed(range(len(levels))):
            level, features = levels[index], found[index]
            if index + 1 < len(levels):
                above = linear(found[index + 1], *self.share[index]())
                features = levels[index + 1].doubled(above, level).add_(features)
            for block in cast(nn.ModuleList, self.blocks[index]):
                features = block(features, level)
            found[index] = features
        return found
