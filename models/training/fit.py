"""Fit a network: a fixed schedule that survives being killed."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from glacier_qgis.models.engine.events import Reporter
from glacier_qgis.models.training.loss import zone_loss

Batches = Callable[[torch.Generator], tuple[Tensor, Tensor]]
"""Draws one batch, with all randomness from the generator."""


@dataclass(frozen=True)
class Schedule:
    """How long and how fast to learn.

    The rate rises over the first `warm_up` of the run and falls along a cosine to zero (Smith
    2018, arXiv:1803.09820; Loshchilov & Hutter 2017, arXiv:1608.03983). The run ends after
    `steps`, or after `minutes` of computing if that comes first, and the rate follows.
    """

    steps: int
    minutes: float = math.inf
    rate: float = 2e-3
    weight_decay: float = 0.05
    warm_up: float = 0.05
    averaging: float = 0.998
    save_every: int = 100

    def done(self, step: int, seconds: float) -> float:
        """Return the fraction of the run that is over, 0 to 1."""
        return min(1.0, max(step / self.steps, seconds / (60 * self.minutes)))

    def rate_at(self, fraction: float) -> float:
        """Return the learning rate."""
        if fraction < self.warm_up:
            return self.rate * (0.05 + 0.95 * fraction / self.warm_up)
        turn = (fraction - self.warm_up) / (1 - self.warm_up)
        return self.rate * 0.5 * (1 + math.cos(math.pi * turn))


class Fit:
    """A network, its optimiser and its running average, kept in a folder as it learns."""

    def __init__(self, network: nn.Module, schedule: Schedule, folder: Path, seed: int) -> None:
        self.network = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.schedule = schedule
        self.step = 0
        self.seconds = 0.0
        self.average = {name: value.clone() for name, value in network.state_dict().items()}
        self._folder = folder
        self._generator = torch.Generator().manual_seed(seed)
        self._optimiser = torch.optim.AdamW(
            network.parameters(), weight_decay=schedule.weight_decay
        )
        if (folder / "state.json").is_file():
            self._restore()

    def run(self, batches: Batches, reporter: Reporter) -> dict[str, Tensor]:
        """Learn until the schedule ends and return the averaged weights."""
        self.network.train()
        mean = 0.0
        while (fraction := self.schedule.done(self.step, self.seconds)) < 1:
            start = time.monotonic()
            loss = self._learn(batches, self.schedule.rate_at(fraction))
            self.seconds += time.monotonic() - start
            self.step += 1
            mean += loss / self.schedule.save_every
            if self.step % self.schedule.save_every == 0:
                self._save()
                reporter.progress(fraction, f"step {self.step}: loss {mean:.4f}")
                mean = 0.0
        self._save()
        return {name: value.contiguous() for name, value in self.average.items()}

    def _learn(self, batches: Batches, rate: float) -> float:
        with single_thread():
            images, zones = batches(self._generator)
        images = images.to(memory_format=torch.channels_last)
        with torch.autocast("cpu", torch.bfloat16):
            logits = self.network(images)
        loss = zone_loss(logits.float(), zones)
        self._optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
        for group in self._optimiser.param_groups:
            group["lr"] = rate
        self._optimiser.step()
        self._follow()
        return float(loss.detach())

    @torch.no_grad()
    def _follow(self) -> None:
        """Move the average towards the weights, faster while it is young."""
        keep = min(self.schedule.averaging, (1 + self.step) / (10 + self.step))
        for name, value in self.network.state_dict().items():
            if value.is_floating_point():
                self.average[name].lerp_(value, 1 - keep)
            else:
                self.average[name].copy_(value)

    def _save(self) -> None:
        """Write the state so that a kill at any moment leaves the last or the new one."""
        self._folder.mkdir(parents=True, exist_ok=True)
        tensors = {f"network.{name}": value for name, value in self.network.state_dict().items()}
        tensors |= {f"average.{name}": value for name, value in self.average.items()}
        tensors["generator"] = self._generator.get_state()
        for index, moments in self._optimiser.state_dict()["state"].items():
            tensors |= {f"optimiser.{index}.{name}": value for name, value in moments.items()}
        weights = f"state-{self.step}.safetensors"
        save_file(
            {name: value.contiguous() for name, value in tensors.items()}, self._folder / weights
        )
        state = {"step": self.step, "seconds": self.seconds, "tensors": weights}
        draft = self._folder / "state.json.part"
        draft.write_text(json.dumps(state), encoding="utf-8")
        draft.replace(self._folder / "state.json")
        for old in self._folder.glob("state-*.safetensors"):
            if old.name != weights:
                old.unlink()

    def _restore(self) -> None:
        state = json.loads((self._folder / "state.json").read_text(encoding="utf-8"))
        tensors = load_file(self._folder / state["tensors"])
        self.step, self.seconds = state["step"], state["seconds"]
        self._generator.set_state(tensors.pop("generator"))
        moments: dict[int, dict[str, Tensor]] = {}
        for name, value in tensors.items():
            kind, _, rest = name.partition(".")
            if kind == "optimiser":
                index, _, moment = rest.partition(".")
                moments.setdefault(int(index), {})[moment] = value
            elif kind == "average":
                self.average[rest].copy_(value)
        optimiser = self._optimiser.state_dict()
        self._optimiser.load_state_dict({**optimiser, "state": moments})
        self.network.load_state_dict(
            {name[8:]: value for name, value in tensors.items() if name.startswith("network.")}
        )


@contextmanager
def single_thread() -> Iterator[None]:
    """Keep small operations on one thread.

    Each would end at a barrier, and where other programs use the processor too, the thread
    that waits for its turn holds up the other: drawing a batch takes seconds.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
