"""A training on a GPU whose every step, patches included, is one captured graph.

A small network spends most of a step on starting thousands of short kernels; a graph starts all of
them at once.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from glacier_qgis.models.compute.precision import mixed, reduced_precision
from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.engine.events import Reporter
from glacier_qgis.models.training.fitting.fit import (
    LARGEST_GRADIENT,
    WEIGHT_DECAY,
    Loss,
    Schedule,
)
from glacier_qgis.models.training.views.sampling import Batches

WARM_UP_STEPS = 3
"""Steps before the capture, in which libraries choose their kernels; they count."""


@dataclass(frozen=True)
class Numbers:
    """What changes from step to step: scalars on the device, which a captured step reads."""

    rate: Tensor
    keep: Tensor
    total: Tensor


def train(
    network: nn.Module,
    loss: Loss,
    batches: Batches,
    schedule: Schedule,
    device: torch.device,
    reporter: Reporter,
) -> dict[str, Tensor]:
    """Train a network until the schedule ends; return the averaged weights.

    The steps are those of `Fit`: AdamW, clipped gradients, running average. On a CPU nothing is
    captured.

    Args:
        network: To train; it is changed.
        loss: Loss of logits (N, C, h, w) for zones (N, H, W).
        batches: Draws on the device, and reads nothing back.
        schedule: How long, and how fast.
        device: Where to train.
        reporter: Receives progress.

    Raises:
        EngineError: The loss is not a number.
    """
    generator = _default_generator(device)
    network = network.to(device, memory_format=torch.channels_last).train()  # type: ignore[call-overload]
    numbers = Numbers(*(torch.zeros((), device=device) for _ in range(3)))
    captured = device.type == "cuda"
    optimiser = torch.optim.AdamW(
        network.parameters(), lr=numbers.rate, weight_decay=WEIGHT_DECAY, capturable=captured
    )
    current = {
        name: value for name, value in network.state_dict().items() if value.is_floating_point()
    }
    average = {name: value.clone() for name, value in current.items()}
    values, means = [*current.values()], [*average.values()]
    parameters, dtype = [*network.parameters()], reduced_precision(device)

    def step() -> None:
        images, zones = batches(generator)
        with mixed(device, dtype):
            (logits,) = network.supervised(images.to(memory_format=torch.channels_last))  # type: ignore[operator]
        lost = loss(logits.float(), zones)
        optimiser.zero_grad(set_to_none=True)
        lost.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(parameters, LARGEST_GRADIENT)
        optimiser.step()
        with torch.no_grad():
            numbers.total.add_(lost.detach())
            apart = torch._foreach_sub(values, means)
            torch._foreach_mul_(apart, 1 - numbers.keep)
            torch._foreach_add_(means, apart)

    start, taken, noted, run = time.monotonic(), 0, 0, step
    while (done := schedule.done(taken, time.monotonic() - start)) < 1:
        numbers.rate.fill_(schedule.rate_at(done))
        numbers.keep.fill_(min(schedule.averaging, (taken + 1) / (10 + taken)))
        if captured and taken < WARM_UP_STEPS:
            _aside(step)
        else:
            if captured and taken == WARM_UP_STEPS:
                run = _captured(step)
            run()
        taken += 1
        if taken - noted == schedule.save_every:
            mean = float(numbers.total) / (taken - noted)
            numbers.total.zero_()
            noted = taken
            if not math.isfinite(mean):
                raise EngineError(f"The loss is not a number after step {taken}.")
            reporter.progress(done, f"step {taken}: loss {mean:.4f}")
    reporter.log(f"{taken} steps in {time.monotonic() - start:.0f} s.")
    ended = {**network.state_dict(), **average}
    return {name: value.cpu().contiguous() for name, value in ended.items()}


def _default_generator(device: torch.device) -> torch.Generator:
    """Return the generator that a captured graph draws from."""
    if device.type == "cuda":
        return torch.cuda.default_generators[device.index or 0]
    return torch.default_generator


def _aside(step: Callable[[], None]) -> None:
    """Take a step on another stream, as it must be before a capture."""
    stream = torch.cuda.Stream()  # type: ignore[no-untyped-call]
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        step()
    torch.cuda.current_stream().wait_stream(stream)


def _captured(step: Callable[[], None]) -> Callable[[], None]:
    """Capture a step, and return what takes it."""
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        step()
    return graph.replay
