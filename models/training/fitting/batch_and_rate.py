"""Automatic choice of batch size and learning rate."""

from __future__ import annotations

import copy
from collections.abc import Callable

import torch
from torch import nn

from glacier_qgis.models.training.fitting.fit import Learner, draw
from glacier_qgis.models.training.fitting.objective import Objective
from glacier_qgis.models.training.fitting.range_test import STEPS, RangeTest, range_test
from glacier_qgis.models.training.views.sampling import Batches

CPU_BATCH = 4
LARGEST_BATCH = 64
SHARE_OF_MEMORY = 0.5
"""Share of the free memory of a GPU for one training step."""

VIEW = 256
"""Rows and columns of the largest patch; large enough for a front and the fjord around it."""


def view_size(tile_size: int, stride: int) -> int:
    """Return the edge of patches: a multiple of the network's stride."""
    return max(min(tile_size, VIEW) // stride, 1) * stride


def batch_size(network: nn.Module, bands: int, size: int, device: torch.device) -> int:
    """Return a suitable batch size.

    On a GPU, as many patches as fit in its memory, from a measurement of a step with two.

    Args:
        network: The network.
        bands: Bands of the scenes.
        size: Rows and columns of a patch.
        device: The device.
    """
    if device.type != "cuda":
        return CPU_BATCH
    trial = Learner(copy.deepcopy(network), device)
    views = torch.zeros(2, bands + 1, size, size), torch.ones(2, size, size, dtype=torch.long)
    trial.learn(views, 0.0)
    torch.cuda.reset_peak_memory_stats(device)
    resting = torch.cuda.memory_allocated(device)
    trial.learn(views, 0.0)
    view = max(1, (torch.cuda.max_memory_allocated(device) - resting) // 2)
    free, _ = torch.cuda.mem_get_info(device)
    fitting = int(SHARE_OF_MEMORY * free / view)
    return min(LARGEST_BATCH, 1 << max(0, fitting.bit_length() - 1))


def find_rate(
    objective: Objective,
    batches: Batches,
    seed: int,
    device: torch.device,
    progress: Callable[[float], None],
) -> RangeTest:
    """Run a range test on a copy of a network.

    Args:
        objective: Network and loss; the network stays as it is.
        batches: Draws training batches.
        seed: Seed of the batches.
        device: The device.
        progress: Receives the completed fraction.
    """
    trial = Learner(copy.deepcopy(objective.network).train(), device, objective.loss)
    done = 0

    def learn(rate: float) -> float:
        nonlocal done
        loss = trial.learn(draw(batches, seed, done), rate)
        done += 1
        progress(done / STEPS)
        return float(loss)

    return range_test(learn)
