"""Holistically-nested edge detection for zones: side outputs at every scale, and their fusion.

Xie & Tu (2015), Holistically-Nested Edge Detection, doi 10.1109/ICCV.2015.164. Where the paper has
one edge map per level, each level here has one map per class; the levels are narrower than the
paper's VGG and use batch normalisation, since nothing is pretrained.
"""

from __future__ import annotations

import torch
from torch import nn

from glacier_qgis.models.networks.unet import ConvolutionBlock

WIDEST = 8
"""Largest ratio of a level's channels to those of the first."""


class HED(nn.Module):
    """From an image to the logits of its zones, with side outputs at every scale.

    Attributes:
        stride: Rows and columns of an input must be multiples of this.
        receptive_radius: No input further away than this many cells changes an output.
    """

    def __init__(self, bands: int = 2, classes: int = 4, width: int = 24, levels: int = 4) -> None:
        """Build the network.

        Args:
            bands: Input channels.
            classes: Output channels.
            width: Channels at full resolution; they double with every level, up to `WIDEST`.
            levels: Times that the resolution is halved.
        """
        super().__init__()
        widths = [width * min(1 << level, WIDEST) for level in range(levels + 1)]
        self.stride = 1 << levels
        self.receptive_radius = _receptive_radius(levels)
        self.encoder = nn.ModuleList(
            ConvolutionBlock(before, after)
            for before, after in zip([bands, *widths[:-1]], widths, strict=True)
        )
        self.sides = nn.ModuleList(nn.Conv2d(channels, classes, 1) for channels in widths)
        self.fusion = nn.Parameter(torch.full((len(widths), classes), 1 / len(widths)))

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """(N, bands, rows, columns) to logits (N, classes, rows, columns)."""
        return self.supervised(image)[0]

    def supervised(self, image: torch.Tensor) -> list[torch.Tensor]:
        """Return the fused logits and the side outputs, all of which are trained."""
        size = image.shape[-2:]
        features, answers = image, []
        for level, (block, side) in enumerate(zip(self.encoder, self.sides, strict=True)):
            if level:
                features = nn.functional.max_pool2d(features, 2)
            features = block(features)
            answers.append(
                nn.functional.interpolate(
                    side(features), size, mode="bilinear", align_corners=False
                )
            )
        fused = (torch.stack(answers) * self.fusion[:, None, :, None, None]).sum(dim=0)
        return [fused, *answers]


def _receptive_radius(levels: int) -> int:
    """Sum the receptive radii of all layers, in cells of the input (an upper bound)."""
    block, pooling, interpolation = 2, 1, 1
    encoder = sum((block + pooling) << level for level in range(levels))
    return encoder + ((block + interpolation) << levels)
