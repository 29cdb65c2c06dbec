"""The network of the Instructed Glacier Model's DahuNet emulators."""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional


class DahuNet(nn.Module):
    """Pixelwise lifting, wide convolutions with residuals on every second, and a linear skip.

    The architecture `dahunet` of igm-model 3.2 (`emulate/utils/architectures`): every hidden
    layer ends in an exact GELU, zero padding keeps the shape.

    Args:
        inputs: number of input fields.
        outputs: number of output fields.
        layers: number of convolutions.
        filters: width of every hidden layer.
        kernel: edge of a convolution's kernel, odd.
        residual: whether every second convolution adds its input.
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        layers: int,
        filters: int,
        kernel: int = 5,
        *,
        residual: bool = True,
    ) -> None:
        super().__init__()
        self.lift = nn.Conv2d(inputs, filters, 1)
        self.backbone = nn.ModuleList(
            nn.Conv2d(filters, filters, kernel, padding=kernel // 2) for _ in range(layers)
        )
        self.skip = nn.Conv2d(filters, filters, 1)
        self.head = nn.Conv2d(filters, outputs, 1)
        self.residual = residual
        self.radius = layers * (kernel // 2)
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def forward(self, fields: Tensor) -> Tensor:
        """Map (batch, inputs, row, column) to (batch, outputs, row, column)."""
        fields = fields.contiguous(memory_format=torch.channels_last)
        features = functional.gelu(self.lift(fields))
        skip = self.skip(features)
        for index, convolution in enumerate(self.backbone):
            changed = functional.gelu(convolution(features))
            features = changed + features if self.residual and index % 2 else changed
        return cast(Tensor, self.head(features + skip))
