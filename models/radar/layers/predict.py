"""Probabilities of layers, surface and bed, strip by strip along the track."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from torch import nn

from glacier_qgis.models.compute.arrays import Float32Array
from glacier_qgis.models.compute.precision import full_float32
from glacier_qgis.models.radar.layers.coarser import coarser, finer
from glacier_qgis.models.radar.layers.codes import CLASS_NAMES
from glacier_qgis.models.radar.layers.contrast import TRACES, Level, channels
from glacier_qgis.models.radar.layers.steps import averaged, steps

Read = Callable[[int, int], Float32Array]
"""Power of the traces from the first up to, not including, the last: (samples, traces) in dB, NaN
where there is no echo."""

CHANNELS = list(CLASS_NAMES)
"""Code of each channel of a network's output."""
PADDING = 64
"""Context on each side of a strip, traces."""
PIXELS = 3 << 18
"""Pixels of a strip with its context: what bounds the memory."""
SAMPLED, SAMPLES = 32, 64
"""Blocks of a frame from which its level is computed, and their traces."""


class Strip(NamedTuple):
    """What is known of the pixels of a part of a frame.

    Attributes:
        first: Its first trace.
        probability: Of each class, (4, rows, traces).
        mean: Power averaged along the track, dB, (rows, traces), NaN where there is no echo.
        step: Its rise with depth, dB, (rows, traces).
    """

    first: int
    probability: Float32Array
    mean: Float32Array
    step: Float32Array


@dataclass(frozen=True)
class LayerNetwork:
    """A network that tells layers, surface and bed from the rest.

    Attributes:
        network: (N, 3, rows, traces) to logits (N, 4, rows, traces).
        stride: Rows and traces of an input must be multiples of this.
        device: Where to compute.
    """

    network: nn.Module
    stride: int
    device: torch.device

    def predict(self, inputs: Float32Array) -> Float32Array:
        """Return the probability of each class, (4, rows, traces), from (3, rows, traces)."""
        _, rows, traces = inputs.shape
        below, right = -rows % self.stride, -traces % self.stride
        padded = np.pad(inputs, ((0, 0), (0, below), (0, right)))
        with torch.inference_mode(), full_float32():
            image = torch.from_numpy(padded)[None].to(self.device)
            logits = self.network(image.to(memory_format=torch.channels_last))
            result: Float32Array = logits[0].float().softmax(dim=0).cpu().numpy()
        return result[:, :rows, :traces]

    def strips(self, read: Read, rows: int, traces: int, average: int = 1) -> Iterator[Strip]:
        """Predict a frame from left to right; memory does not grow with its length.

        Args:
            read: Reads the frame's power.
            rows: Samples of a trace.
            traces: Traces of the frame.
            average: Samples whose power is averaged for the network.

        Yields:
            Strips from left to right; their probabilities are 0 where there is no echo.
        """
        level = level_of(lambda first, last: coarser(read(first, last), average), traces)
        margin = PADDING + TRACES // 2
        width = max((PIXELS // max(rows, 1) - 2 * margin) // PADDING, 1) * PADDING
        for first in range(0, traces, width):
            last = min(first + width, traces)
            start, stop = max(first - margin, 0), min(last + margin, traces)
            power = read(start, stop)
            inputs = channels(coarser(power, average), level)
            inner = slice(first - start, last - start)
            probability = self.predict(inputs)[:, :, inner] * inputs[-1, :, inner]
            probability = finer(probability, average, rows)
            mean = averaged(power)
            yield Strip(first, probability, mean[:, inner], steps(mean)[:, inner])


def level_of(read: Read, traces: int) -> Level:
    """Measure the level of a frame from blocks spread over its length."""
    starts = np.unique(np.linspace(0, max(traces - SAMPLES, 0), SAMPLED).astype(int))
    blocks = [read(int(first), min(int(first) + SAMPLES, traces)) for first in starts]
    return Level.of(np.concatenate(blocks, axis=1))
