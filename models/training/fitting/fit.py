"""Training of a network that can be resumed after a kill.

The loop does not use PyTorch Lightning, which does not provide the requirements (the same weights
after a kill as without one, checkpoints without pickle, no further packages) and would only save
one function.
"""

from __future__ import annotations

import json
import math
import os
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from pydantic import JsonValue
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from glacier_qgis.models.compute.precision import mixed, reduced_precision, widest
from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.engine.events import Reporter
from glacier_qgis.models.training.losses.zones import zone_loss
from glacier_qgis.models.training.views.sampling import Batch, Batches

Loss = Callable[[Tensor, Tensor], Tensor]
"""Loss of logits (N, C, h, w) for the zones (N, H, W) of a batch: a scalar."""

CPU = torch.device("cpu")
WEIGHT_DECAY = 0.05
LARGEST_GRADIENT = 1.0
DAMAGE = (OSError, LookupError, TypeError, ValueError, RuntimeError)
"""Exceptions from reading a state of another network."""
AHEAD = 4
"""Number of batches drawn in advance for a GPU."""


@dataclass(frozen=True)
class Schedule:
    """Duration and learning-rate schedule of a training.

    The learning rate rises over the first `warm_up` of the run and falls along a cosine to zero
    (Smith 2018, arXiv:1803.09820; Loshchilov & Hutter 2017, arXiv:1608.03983). The run ends after
    `steps` or after `minutes` of computing, whichever comes first, and the schedule is scaled
    accordingly.
    """

    steps: int
    minutes: float = math.inf
    rate: float = 2e-3
    warm_up: float = 0.05
    averaging: float = 0.998
    save_every: int = 100

    def done(self, step: int, seconds: float) -> float:
        """Return the completed fraction of the run, 0 to 1."""
        return min(1.0, max(step / self.steps, seconds / (60 * self.minutes)))

    def rate_at(self, fraction: float) -> float:
        """Return the learning rate."""
        if fraction < self.warm_up:
            return self.rate * (0.05 + 0.95 * fraction / self.warm_up)
        turn = (fraction - self.warm_up) / (1 - self.warm_up)
        return self.rate * 0.5 * (1 + math.cos(math.pi * turn))


class Learner:
    """A network and its optimiser (AdamW; Loshchilov & Hutter 2019, arXiv:1711.05101)."""

    def __init__(
        self, network: nn.Module, device: torch.device = CPU, loss: Loss = zone_loss
    ) -> None:
        self.network: nn.Module = network.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.device = device
        self.loss = loss
        self.dtype = reduced_precision(device)
        self.optimiser = torch.optim.AdamW(network.parameters(), weight_decay=WEIGHT_DECAY)

    def learn(self, batch: Batch, rate: float) -> Tensor:
        """Take one optimiser step; return the loss before it, a scalar."""
        images, zones = (part.to(self.device, non_blocking=True) for part in batch)
        with mixed(self.device, self.dtype):
            answers = _answers(self.network, images.to(memory_format=torch.channels_last))
        loss = torch.stack([self.loss(logits.float(), zones) for logits in answers]).mean()
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(self.network.parameters(), LARGEST_GRADIENT)
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        self.optimiser.step()
        return loss.detach().to(widest(self.device))


def _answers(network: nn.Module, images: Tensor) -> list[Tensor]:
    """Return the logits for training: one tensor, or several with deep supervision."""
    answer = getattr(network, "supervised", None)
    return list(answer(images)) if callable(answer) else [network(images)]


def draw(batches: Batches, seed: int, step: int) -> Batch:
    """Draw the batch of one step; it depends only on the seed and the step."""
    (state,) = np.random.SeedSequence([seed, step]).generate_state(1)
    with single_thread():
        return batches(torch.Generator().manual_seed(int(state)))


class Fit:
    """A network in training, its optimiser and its running average.

    It is saved in a folder, from which it resumes; without a folder, nothing is saved.

    Attributes:
        step: Number of steps.
        seconds: Time spent on them.
        average: Running average of the weights, by name.
        notes: Data of the caller that are saved with the state.
    """

    def __init__(
        self,
        network: nn.Module,
        schedule: Schedule,
        folder: Path | None,
        seed: int,
        device: torch.device = CPU,
        loss: Loss = zone_loss,
    ) -> None:
        self.schedule = schedule
        self.step = 0
        self.seconds = 0.0
        self.notes: dict[str, JsonValue] = {}
        self.learner = Learner(network, device, loss)
        self.average = {name: value.clone() for name, value in network.state_dict().items()}
        self._folder = folder
        self._seed = seed
        if folder and (folder / "state.json").is_file():
            try:
                self._restore(folder)
            except (*DAMAGE, SafetensorError) as error:
                reason = " ".join(str(error).split())[:200]
                raise EngineError(
                    f"The training in {folder} cannot be resumed: it is damaged, or of another "
                    f"network ({reason}). Remove the folder to start again."
                ) from error

    @property
    def network(self) -> nn.Module:
        """The network with the current weights, not averaged."""
        return self.learner.network

    @property
    def done(self) -> float:
        """The completed fraction of the schedule, 0 to 1."""
        return self.schedule.done(self.step, self.seconds)

    def run(self, batches: Batches, reporter: Reporter) -> dict[str, Tensor]:
        """Train until the schedule ends and return the averaged weights."""
        while self.done < 1:
            loss = self.learn(batches, self.schedule.save_every)
            self.save()
            reporter.progress(self.done, f"step {self.step}: loss {loss:.4f}")
        self.save()
        return {name: value.contiguous() for name, value in self.average.items()}

    def learn(self, batches: Batches, steps: int) -> float:
        """Take at most `steps` steps of the schedule and return their mean loss.

        Raises:
            EngineError: The loss is not a number.
        """
        self.network.train()
        last = min(self.step + steps, self.schedule.steps)
        device = self.learner.device
        total, taken = torch.zeros((), device=device, dtype=widest(device)), 0
        start = time.monotonic()
        for batch in self._drawn(batches, last):
            total += self.learner.learn(batch, self.schedule.rate_at(self.done))
            self.step += 1
            taken += 1
            self._follow()
            now = time.monotonic()
            self.seconds += now - start
            start = now
            if self.done >= 1:
                break
        mean = float(total) / max(taken, 1)
        if not math.isfinite(mean):
            raise EngineError(
                f"The loss is not a number after step {self.step} (learning rate up to "
                f"{self.schedule.rate:g}). Choose a LEARNING_RATE of {self.schedule.rate / 10:g} "
                "or less, and check the images with 'Inspect training data'."
            )
        return mean

    def _drawn(self, batches: Batches, last: int) -> Iterator[Batch]:
        """Draw the batches up to step `last`; for a GPU some in advance, in threads."""
        if self.learner.device.type == "cpu":
            for step in range(self.step, last):
                yield draw(batches, self._seed, step)
            return

        def pinned(step: int) -> Batch:
            images, zones = draw(batches, self._seed, step)
            if self.learner.device.type == "cuda" and images.device.type == "cpu":
                return images.pin_memory(), zones.pin_memory()
            return images, zones

        waiting: deque[Future[Batch]] = deque()
        with ThreadPoolExecutor(min(AHEAD, os.cpu_count() or 1)) as pool:
            for step in range(self.step, last):
                waiting.append(pool.submit(pinned, step))
                if len(waiting) > AHEAD:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()

    @torch.no_grad()
    def _follow(self) -> None:
        """Update the running average, faster in the beginning."""
        keep = min(self.schedule.averaging, self.step / (9 + self.step))
        current = self.network.state_dict()
        smooth = [name for name, value in current.items() if value.is_floating_point()]
        torch._foreach_lerp_(
            [self.average[name] for name in smooth], [current[name] for name in smooth], 1 - keep
        )
        for name in current.keys() - set(smooth):
            self.average[name].copy_(current[name])

    def save(self) -> None:
        """Write the state atomically: after a kill, the old or the new one remains."""
        folder = self._folder
        if folder is None:
            return
        folder.mkdir(parents=True, exist_ok=True)
        tensors = {f"network.{name}": value for name, value in self.network.state_dict().items()}
        tensors |= {f"average.{name}": value for name, value in self.average.items()}
        for index, moments in self.learner.optimiser.state_dict()["state"].items():
            tensors |= {f"optimiser.{index}.{name}": value for name, value in moments.items()}
        weights = f"state-{self.step}.safetensors"
        draft = folder / f"{weights}.part"
        save_file({name: value.cpu().contiguous() for name, value in tensors.items()}, draft)
        draft.replace(folder / weights)
        state = {
            "step": self.step,
            "seconds": self.seconds,
            "tensors": weights,
            "notes": self.notes,
        }
        draft = folder / "state.json.part"
        draft.write_text(json.dumps(state), encoding="utf-8")
        draft.replace(folder / "state.json")
        for old in folder.glob("state-*.safetensors"):
            if old.name != weights:
                old.unlink()

    def _restore(self, folder: Path) -> None:
        state = json.loads((folder / "state.json").read_text(encoding="utf-8"))
        tensors = load_file(folder / state["tensors"])
        self.step, self.seconds, self.notes = state["step"], state["seconds"], state["notes"]
        optimiser = self.learner.optimiser
        self.network.load_state_dict(
            {name[8:]: value for name, value in tensors.items() if name.startswith("network.")}
        )
        moments: dict[int, dict[str, Tensor]] = {}
        for name, value in tensors.items():
            kind, _, rest = name.partition(".")
            if kind == "optimiser":
                index, _, moment = rest.partition(".")
                moments.setdefault(int(index), {})[moment] = value
            elif kind == "average":
                self.average[rest].copy_(value)
        optimiser.load_state_dict({**optimiser.state_dict(), "state": moments})


@contextmanager
def single_thread() -> Iterator[None]:
    """Keep small operations on one thread.

    With several threads, each operation ends at a barrier; if other programs use the processor too,
    drawing a batch takes seconds.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
