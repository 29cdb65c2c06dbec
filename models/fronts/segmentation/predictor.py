"""Prediction over the tiles of a scene: half precision first, float32 near fronts.

Half precision is more than twice as fast as float32 on processors that support it, but moves fronts
by tenths of a cell, and by many cells where the boundary is indistinct. Tiles in which ocean may
touch glacier are therefore predicted again in float32, so no line depends on half precision. If
most tiles hold a front, all are predicted once, in float32.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from functools import reduce

import numpy as np
import torch
from torch import Tensor, nn

from glacier_qgis.models.compute.arrays import Float32Array
from glacier_qgis.models.compute.precision import full_float32, mixed, reduced_precision
from glacier_qgis.models.zones.codes import GLACIER, OCEAN

TILE = 768
PADDING = 64
CPU_BATCH, GPU_BATCH = 1, 64

DOUBT = 0.2
"""A class may be the most probable in float32 if its probability in half precision is at most this
much below the highest. Half precision changes probabilities by less than a third of this."""

WORTH = 0.4
"""Half precision saves time if at most this share of the tiles is predicted again: it takes about
half as long as float32."""


class Predictor:
    """Predicts class probabilities of tiles, see `tiling.Predict`."""

    def __init__(
        self,
        network: nn.Module,
        device: torch.device,
        codes: Sequence[int],
        *,
        augment: bool = False,
        half: torch.dtype | None = None,
    ) -> None:
        """Prepare a network; it is changed in place.

        Args:
            network: From (N, bands, rows, columns) to logits (N, classes, rows, columns).
            device: Where to compute.
            codes: The code of each class, see `zones`.
            augment: Test-time augmentation: average over flips and rotations.
            half: The lower precision; None predicts everything in float32.
        """
        self._network = make_ready(network, device)
        self._device = device
        self._views: list[tuple[int, ...]] = [(), (3,), (2,), (2, 3)] if augment else [()]
        self._half = half if {OCEAN, GLACIER} <= set(codes) else None
        self._codes = list(codes)
        self._row, self._first_look = -1, False
        self._tiles = self._fronts = 0

    def __call__(self, tiles: Float32Array, row: int) -> Float32Array:
        """Predict tiles (N, bands, rows, columns) of one row of tiles."""
        with torch.inference_mode(), full_float32():
            inputs = torch.from_numpy(tiles)
            if self._device.type == "cuda":
                inputs = inputs.pin_memory()
            inputs = inputs.to(self._device, non_blocking=True, memory_format=torch.channels_last)
            if self._half is None:
                answer = self._probabilities(inputs, None)
            else:
                answer = self._looking_first(inputs, row)
            result: Float32Array = answer.cpu().numpy()
        return result

    def batch(self, bands: int, tile: int) -> int:
        """Return the batch size: as many tiles as fit in the memory of a GPU.

        Args:
            bands: Bands of the network's input.
            tile: Edge of a tile, cells.
        """
        if self._device.type != "cuda":
            return CPU_BATCH
        blank = torch.zeros(1, bands, tile, tile, device=self._device)
        torch.cuda.reset_peak_memory_stats(self._device)
        before = torch.cuda.memory_allocated(self._device)
        with torch.inference_mode(), full_float32():
            self._probabilities(blank, None)
        each = torch.cuda.max_memory_allocated(self._device) - before
        free, _ = torch.cuda.mem_get_info(self._device)
        return tiles_that_fit(free, each)

    def _looking_first(self, inputs: Tensor, row: int) -> Tensor:
        """Decide from earlier rows of tiles only, so that the batch size has no influence."""
        if row != self._row:
            self._row = row
            self._first_look = self._tiles > 0 and self._fronts <= WORTH * self._tiles
        answer = self._probabilities(inputs, self._half if self._first_look else None)
        fronts = self._may_hold_front(answer, inputs[:, -1] > 0)
        if self._first_look and fronts.any():
            answer[fronts] = self._probabilities(inputs[fronts], None)
        self._tiles += len(fronts)
        self._fronts += int(fronts.sum())
        return answer

    def _probabilities(self, inputs: Tensor, half: torch.dtype | None) -> Tensor:
        """Predict in float32 (None) or half precision; in two parts where memory is short."""
        with suppress(torch.OutOfMemoryError):
            return self._at_once(inputs, half)
        torch.cuda.empty_cache()
        if len(inputs) == 1:
            return self._at_once(inputs, half)
        return torch.cat([self._probabilities(part, half) for part in inputs.chunk(2)])

    def _at_once(self, inputs: Tensor, half: torch.dtype | None) -> Tensor:
        def seen(flipped: tuple[int, ...]) -> Tensor:
            logits: Tensor = self._network(inputs.flip(flipped))
            return logits.float().contiguous().softmax(dim=1).flip(flipped)

        with mixed(self._device, half):
            return reduce(torch.add, map(seen, self._views)) / len(self._views)

    def _may_hold_front(self, answer: Tensor, valid: Tensor) -> Tensor:
        """Return which tiles (N) have a 2 × 2 square of cells with both ocean and glacier."""
        beaten = answer < answer.amax(dim=1, keepdim=True) - DOUBT

        def near(code: int) -> Tensor:
            possible = ~beaten[:, self._codes.index(code)] & valid
            return nn.functional.max_pool2d(possible[:, None].float(), 2, stride=1)

        return (near(OCEAN) * near(GLACIER)).amax(dim=(1, 2, 3)) > 0


def make_ready(network: nn.Module, device: torch.device) -> nn.Module:
    """Change a network, in place, into the form that predicts fastest; idempotent."""
    network = network.eval()
    fold_normalisation(network)
    ready: nn.Module = network.to(device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return ready


def fold_normalisation(network: nn.Module) -> None:
    """Fold batch normalisations into the convolutions before them; exact except for rounding.

    Only neighbours in an `nn.Sequential` are folded, since only there the order is known.
    """
    for part in network.modules():
        if not isinstance(part, nn.Sequential) or type(part).forward is not nn.Sequential.forward:
            continue
        for index in range(len(part) - 1):
            before, after = part[index], part[index + 1]
            if isinstance(before, nn.Conv2d) and isinstance(after, nn.BatchNorm2d):
                part[index] = nn.utils.fusion.fuse_conv_bn_eval(before, after)
                part[index + 1] = nn.Identity()


def first_look(network: nn.Module, device: torch.device) -> torch.dtype | None:
    """Return the precision in which a network is faster than in float32, if any."""
    convolves = any(isinstance(part, nn.Conv2d) for part in network.modules())
    return reduced_precision(device) if convolves else None


def tiles_that_fit(free: int, each: int) -> int:
    """Return how many tiles of `each` bytes fit into `free`, leaving one fifth unused."""
    return int(np.clip(0.8 * free // each, 1, GPU_BATCH))


def entropy(values: Float32Array) -> Float32Array:
    """Return the normalised Shannon entropy of probabilities (classes, rows, columns), 0 to 1."""
    safe = np.clip(values, 1e-7, 1.0)
    return np.asarray(-(values * np.log(safe)).sum(axis=0) / np.log(values.shape[0]))
