"""HRNet: parallel branches of several resolutions that exchange their features.

Wang et al. (2021), Deep High-Resolution Representation Learning for Visual Recognition, doi
10.1109/TPAMI.2020.2983686, in the form for segmentation (HRNetV2): every stage adds a coarser
branch, after every stage each branch receives the sum of all, and the output is computed from all
of them together. Widths and depths are chosen for use on a CPU.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import nn
from torch.nn.functional import interpolate

STEM_STRIDE = 4
BLOCKS = 2
"""Residual blocks of a branch in one stage."""


class ResidualBlock(nn.Module):
    """Two 3 × 3 convolutions and an identity (He et al. 2016, doi 10.1109/CVPR.2016.90)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.change = nn.Sequential(
            *_convolution(channels, channels),
            nn.ReLU(inplace=True),
            *_convolution(channels, channels),
        )

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """(N, channels, rows, columns) to the same shape."""
        changed: torch.Tensor = torch.relu(features + self.change(features))
        return changed


class Receiver(nn.Module):
    """One branch receives all branches, resampled to its own resolution."""

    def __init__(self, widths: Sequence[int], target: int) -> None:
        super().__init__()
        self.target = target
        self.paths = nn.ModuleList(_path(widths, source, target) for source in range(len(widths)))

    def forward(self, branches: list[torch.Tensor]) -> torch.Tensor:
        """Tensors (N, widths[i], rows / 2^i, columns / 2^i) to the shape of the target's."""
        size = branches[self.target].shape[2:]
        pairs = zip(self.paths, branches, strict=True)
        return torch.relu(torch.stack([_resized(path(part), size) for path, part in pairs]).sum(0))


class HRNet(nn.Module):
    """From an image to the logits of its zones.

    Attributes:
        stride: Rows and columns of an input must be multiples of this.
        receptive_radius: No input further away than this many cells changes an output.
    """

    def __init__(self, bands: int = 2, classes: int = 4, width: int = 24, levels: int = 4) -> None:
        """Build the network.

        Args:
            bands: Input channels.
            classes: Output channels.
            width: Channels of the finest branch; they double with every branch.
            levels: Branches, the finest at a quarter of the input's resolution.
        """
        super().__init__()
        widths = [width << level for level in range(levels)]
        self.stride = STEM_STRIDE << (levels - 1)
        self.receptive_radius = _receptive_radius(levels)
        self.stem = nn.Sequential(
            *_convolution(bands, width, stride=2),
            nn.ReLU(inplace=True),
            *_convolution(width, width, stride=2),
            nn.ReLU(inplace=True),
        )
        self.first = nn.Sequential(*(ResidualBlock(width) for _ in range(BLOCKS)))
        self.openings = nn.ModuleList(
            nn.Sequential(*_convolution(before, after, stride=2), nn.ReLU(inplace=True))
            for before, after in pairwise(widths)
        )
        self.stages = nn.ModuleList(_Stage(widths[:count]) for count in range(2, levels + 1))
        self.gather = nn.Sequential(
            *_convolution(sum(widths), 4 * width, kernel=1), nn.ReLU(inplace=True)
        )
        self.head = nn.Conv2d(4 * width, classes, 1)

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """(N, bands, rows, columns) to logits (N, classes, rows, columns)."""
        (logits,) = self.supervised(image)
        return _resized(logits, image.shape[2:])

    def supervised(self, image: torch.Tensor) -> list[torch.Tensor]:
        """Return the logits for training, at the resolution of the finest branch."""
        branches = [self.first(self.stem(image))]
        for opening, stage in zip(self.openings, self.stages, strict=True):
            branches = stage([*branches, opening(branches[-1])])
        size = branches[0].shape[2:]
        together = torch.cat([_resized(branch, size) for branch in branches], dim=1)
        return [self.head(self.gather(together))]


class _Stage(nn.Module):
    """Residual blocks in every branch, then an exchange."""

    def __init__(self, widths: Sequence[int]) -> None:
        super().__init__()
        self.branches = nn.ModuleList(
            nn.Sequential(*(ResidualBlock(width) for _ in range(BLOCKS))) for width in widths
        )
        self.exchange = nn.ModuleList(Receiver(widths, target) for target in range(len(widths)))

    def forward(self, branches: list[torch.Tensor]) -> list[torch.Tensor]:
        changed = [block(branch) for block, branch in zip(self.branches, branches, strict=True)]
        return [receiver(changed) for receiver in self.exchange]


def _convolution(
    inputs: int, outputs: int, *, stride: int = 1, kernel: int = 3
) -> tuple[nn.Module, nn.Module]:
    convolution = nn.Conv2d(inputs, outputs, kernel, stride=stride, padding=kernel // 2, bias=False)
    return convolution, nn.BatchNorm2d(outputs)


def _path(widths: Sequence[int], source: int, target: int) -> nn.Module:
    """Build the connection from one branch to another; the caller upsamples coarser ones."""
    if source == target:
        return nn.Identity()
    if source > target:
        return nn.Sequential(*_convolution(widths[source], widths[target], kernel=1))
    steps: list[nn.Module] = []
    for level in range(source, target):
        last = level + 1 == target
        outputs = widths[target] if last else widths[source]
        steps += _convolution(widths[source], outputs, stride=2)
        if not last:
            steps.append(nn.ReLU(inplace=True))
    return nn.Sequential(*steps)


def _resized(features: torch.Tensor, size: Sequence[int]) -> torch.Tensor:
    if tuple(features.shape[2:]) == tuple(size):
        return features
    return interpolate(features, tuple(size), mode="bilinear", align_corners=False)


def _receptive_radius(levels: int) -> int:
    """Sum the receptive radii of all layers, in cells of the input (an upper bound)."""
    stem = 1 + 2
    blocks = 2 * BLOCKS
    coarsest = [STEM_STRIDE << level for level in range(levels)]
    stages = sum((blocks + 2) * cell for cell in coarsest)
    return stem + stages + coarsest[-1] + STEM_STRIDE
