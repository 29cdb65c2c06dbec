"""The network over a whole scene: from pixels to class probabilities on disk-sized windows."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from rasterio.windows import Window

from glacier_qgis.models.fronts.scene import NetworkView
from glacier_qgis.models.fronts.tiling import Array, Predict, TilePlan, blend

TILE = 768
PADDING = 64
CPU_BATCH, GPU_BATCH = 1, 8


def predictor(network: torch.nn.Module, device: torch.device, *, augment: bool) -> Predict:
    """Return the function from network inputs to class probabilities.

    Args:
        network: From (N, bands, rows, columns) to logits (N, classes, rows, columns).
        device: Where to compute.
        augment: Average over the eight flips and quarter turns (test-time augmentation).
    """
    network = network.to(device).eval()
    network = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    turns = range(4) if augment else range(1)
    flips = (False, True) if augment else (False,)

    def predict(tiles: Array) -> Array:
        with torch.inference_mode():
            inputs = torch.from_numpy(tiles).to(device, memory_format=torch.channels_last)
            answers = []
            for turn in turns:
                for flip in flips:
                    seen = torch.rot90(inputs, turn, (2, 3))
                    answer = network(seen.flip(3) if flip else seen).float().softmax(dim=1)
                    answer = torch.rot90(answer.flip(3) if flip else answer, -turn, (2, 3))
                    answers.append(answer)
            mean: Array = torch.stack(answers).mean(dim=0).cpu().numpy()
        return mean

    return predict


def probabilities(
    view: NetworkView,
    predict: Predict,
    shape: tuple[int, int],
    classes: int,
    plan: TilePlan,
    batch: int,
) -> Iterator[tuple[Window, Array]]:
    """Predict a scene; yields windows that cover it once with (classes, rows, columns).

    Cells without data have probability 0 in every class.
    """
    for window, values in blend(view.read, predict, shape, classes, plan, batch):
        yield window, values * view.valid(window)


def entropy(values: Array) -> Array:
    """Return the normalised Shannon entropy of probabilities (classes, rows, columns), 0 to 1."""
    safe = np.clip(values, 1e-7, 1.0)
    return np.asarray(-(values * np.log(safe)).sum(axis=0) / np.log(values.shape[0]))
