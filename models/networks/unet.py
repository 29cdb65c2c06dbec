"""U-Net with an ASPP bottleneck, after the baseline of the CaFFe benchmark.

Ronneberger et al. (2015), doi 10.1007/978-3-319-24574-4_28; atrous spatial pyramid pooling after
Chen et al. (2018), doi 10.1109/TPAMI.2017.2699184; the combination for calving fronts after
Gourmelon et al. (2022), doi 10.5194/essd-14-4287-2022. There is no pooling over the whole image, so
the receptive field is bounded and tiling is exact.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import nn
from torch.nn.functional import interpolate, pixel_unshuffle

FIRST = "encoder.0.0.weight"
"""Name of the first layer's weights."""


class ConvolutionBlock(nn.Sequential):
    """Two 3 × 3 convolutions, each with batch normalisation and ReLU."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__(
            *_normalised(nn.Conv2d(inputs, outputs, 3, padding=1, bias=False)),
            *_normalised(nn.Conv2d(outputs, outputs, 3, padding=1, bias=False)),
        )


class PyramidPooling(nn.Module):
    """Parallel dilated 3 × 3 convolutions over the coarsest level, fused by a 1 × 1."""

    def __init__(self, channels: int, dilations: Sequence[int]) -> None:
        super().__init__()
        part = channels // len(dilations)
        self.branches = nn.ModuleList(
            nn.Sequential(
                *_normalised(nn.Conv2d(channels, part, 3, padding=rate, dilation=rate, bias=False))
            )
            for rate in dilations
        )
        self.fuse = nn.Sequential(
            *_normalised(nn.Conv2d(part * len(dilations), channels, 1, bias=False))
        )

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """(N, channels, rows, columns) to the same shape."""
        fused: torch.Tensor = self.fuse(
            torch.cat([branch(features) for branch in self.branches], dim=1)
        )
        return fused


class UNet(nn.Module):
    """From an image to the logits of its zones.

    Attributes:
        stride: Rows and columns of an input must be multiples of this.
        receptive_radius: No input further away than this many cells changes an output.
    """

    def __init__(
        self,
        bands: int = 2,
        classes: int = 4,
        width: int = 20,
        levels: int = 4,
        dilations: Sequence[int] = (1, 2, 4, 6),
        stem: int = 1,
    ) -> None:
        """Build the network.

        Args:
            bands: Input channels.
            classes: Output channels.
            width: Channels of the first level; they double with every level.
            levels: Times that the resolution is halved after the stem.
            dilations: Rates of the pyramid pooling; each takes an equal share of the channels.
            stem: Edge of the square of cells whose values enter the first layer as channels, so
                that all other layers work at a coarser resolution and take less time.
        """
        super().__init__()
        self.stem = stem
        widths = [width << level for level in range(levels + 1)]
        widths[-1] = widths[-2]
        self.stride = stem << levels
        self.receptive_radius = stem * (_receptive_radius(levels, max(dilations)) + (stem > 1))
        self.encoder = nn.ModuleList(
            ConvolutionBlock(before, after)
            for before, after in zip([bands * stem**2, *widths[:-2]], widths[:-1], strict=True)
        )
        self.bottom = nn.Sequential(
            ConvolutionBlock(widths[-2], widths[-1]), PyramidPooling(widths[-1], dilations)
        )
        self.decoder = nn.ModuleList(
            ConvolutionBlock(below + skip, skip)
            for below, skip in zip(widths[:0:-1], widths[-2::-1], strict=True)
        )
        self.head = nn.Conv2d(width, classes, 1)

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """(N, bands, rows, columns) to logits (N, classes, rows, columns)."""
        (logits,) = self.supervised(image)
        if self.stem == 1:
            return logits
        return interpolate(logits, scale_factor=self.stem, mode="bilinear", align_corners=False)

    def supervised(self, image: torch.Tensor) -> list[torch.Tensor]:
        """Return the logits for training, at the resolution of the first level."""
        skips = []
        features = pixel_unshuffle(image, self.stem) if self.stem > 1 else image
        for block in self.encoder:
            features = block(features)
            skips.append(features)
            features = nn.functional.max_pool2d(features, 2)
        features = self.bottom(features)
        for block, skip in zip(self.decoder, reversed(skips), strict=True):
            features = interpolate(features, scale_factor=2, mode="nearest")
            features = block(torch.cat([features, skip], dim=1))
        return [self.head(features)]


def with_more_bands(
    weights: Mapping[str, torch.Tensor], added: int, stem: int
) -> dict[str, torch.Tensor]:
    """Return the weights of a U-Net with additional bands before its last; their weights are zero.

    Args:
        weights: State of a U-Net.
        added: Number of bands.
        stem: Of the U-Net.
    """
    known = weights[FIRST]
    last = known.shape[1] - stem**2
    blank = known.new_zeros(known.shape[0], added * stem**2, *known.shape[2:])
    return {**weights, FIRST: torch.cat([known[:, :last], blank, known[:, last:]], dim=1)}


def _normalised(convolution: nn.Conv2d) -> tuple[nn.Module, nn.Module, nn.Module]:
    return convolution, nn.BatchNorm2d(convolution.out_channels), nn.ReLU(inplace=True)


def _receptive_radius(levels: int, dilation: int) -> int:
    """Sum the receptive radii of all layers, in cells of the input (an upper bound)."""
    block = 2
    encoder = sum((block + 1) << level for level in range(levels))
    bottom = (block + dilation) << levels
    decoder = sum((block + 1) << level for level in range(levels))
    return encoder + bottom + decoder
