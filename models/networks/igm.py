"""The convolutional network of the Instructed Glacier Model's emulators."""

from __future__ import annotations

from itertools import pairwise
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

LEAK = 0.01
"""Slope of the leaky ReLU for negative values."""


class IgmCnn(nn.Module):
    """A stack of convolutions at constant width with a linear 1 × 1 head.

    Jouvet et al. (2022), doi 10.1017/jog.2021.120: zero padding keeps the shape, every hidden
    convolution is followed by a leaky ReLU. Fields are shaped (batch, channel, row, column) and
    laid out channels last, which is what oneDNN and cuDNN convolve fastest.

    Args:
        inputs: number of input fields.
        outputs: number of output fields.
        layers: number of hidden convolutions (16 for glaciers, 8 for icefields).
        filters: width of every hidden layer.
        kernel: cells along each side of a hidden convolution, odd; 3 in all published networks.
    """

    def __init__(
        self, inputs: int, outputs: int, layers: int = 16, filters: int = 32, kernel: int = 3
    ) -> None:
        super().__init__()
        widths = [inputs] + [filters] * layers
        self.hidden = nn.ModuleList(
            nn.Conv2d(before, after, kernel, padding=kernel // 2)
            for before, after in pairwise(widths)
        )
        self.head = nn.Conv2d(filters, outputs, 1)
        self.inputs, self.outputs, self.kernel = inputs, outputs, kernel
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    @property
    def radius(self) -> int:
        """Receptive radius in cells."""
        return len(self.hidden) * (self.kernel // 2)

    def forward(self, fields: Tensor) -> Tensor:
        """Map (batch, inputs, row, column) to (batch, outputs, row, column)."""
        fields = fields.contiguous(memory_format=torch.channels_last)
        for convolution in self.hidden:
            fields = functional.leaky_relu(convolution(fields), LEAK, inplace=True)
        return cast(Tensor, self.head(fields))
