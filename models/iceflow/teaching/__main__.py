"""Teach the delivered emulator: solve states and train on them, by turns.

Usage: ``python -m glacier_qgis.models.iceflow.teaching FOLDER [--hours 8] [--states 4000]``.
Everything is kept in the folder: ``states/`` with the instructor's solutions, ``training.pt``,
``best.pt`` and ``log.jsonl``. The same command resumes; it may be stopped at any time.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from glacier_qgis.models.iceflow.emulators.levels import SCALARS, VECTORS
from glacier_qgis.models.iceflow.teaching.examples import answer, example
from glacier_qgis.models.iceflow.teaching.fidelity import MEAN, Fidelity
from glacier_qgis.models.iceflow.teaching.solved import Solved, solve, stored
from glacier_qgis.models.iceflow.teaching.states import random_state
from glacier_qgis.models.iceflow.teaching.training import Training
from glacier_qgis.models.networks.ice_pyramid import IcePyramid, Sizes

CELLS, CHANCES = (56, 72, 96), (0.35, 0.5, 0.15)
"""Sides of a state's grid, and how often each is drawn."""
POOR_RESIDUAL, TOO_FAST = 1e-2, 5e4
"""States that were not solved so well, or move faster (m a⁻¹), are not used."""
HELD_OUT = 15
"""Of so many topographies one is never trained on."""
BATCH = 3
CHECK_EVERY = 400
"""Steps between two checks on the glaciers held out."""
SIZES = Sizes(SCALARS, VECTORS, features=(4, 6, 8, 8, 8, 8), blocks=(1, 2, 3, 3, 2, 2))


class States:
    """The solved states of a folder: those to train on, and those held out.

    Attributes:
        train: examples.
        check: examples of topographies that are never trained on.
        next: number of the next state to solve.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.train: list[Tensor] = []
        self.check: list[Tensor] = []
        self.next = 0
        folder.mkdir(parents=True, exist_ok=True)
        for path in stored(folder):
            self._take(int(path.stem), Solved.read(path))

    def solve_another(self) -> None:
        """Solve the next state, write it and take it in."""
        number = self.next
        rng = np.random.default_rng(number)
        solved = solve(random_state(rng, int(rng.choice(CELLS, p=CHANCES))))
        self.next += 1
        if solved.residual <= POOR_RESIDUAL and float(solved.velocity.abs().max()) <= TOO_FAST:
            solved.write(self.folder / f"{number:06d}.safetensors")
            self._take(number, solved)

    def _take(self, number: int, solved: Solved) -> None:
        held_out = number % HELD_OUT == HELD_OUT // 2
        (self.check if held_out else self.train).append(example(solved))
        self.next = max(self.next, number + 1)


@torch.inference_mode()
def fidelity(network: IcePyramid, examples: list[Tensor]) -> Fidelity:
    """Return how well a network does on some states."""
    total = Fidelity.none()
    for one in examples:
        found = answer(network, one[None])
        total.add(found.found[:, MEAN], found.true[:, MEAN])
    return total


def main() -> None:
    """Solve and train until the time is over."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--hours", type=float, default=8.0)
    parser.add_argument("--states", type=int, default=4000, help="most states to solve")
    parser.add_argument("--solving", type=float, default=0.5, help="share of time for solving")
    parser.add_argument("--quieten", action="store_true", help="lower the learning rate to zero")
    options = parser.parse_args()
    torch.set_num_threads(1)
    states = States(options.folder / "states")
    path = options.folder / "training.pt"
    training = Training.read(path) if path.exists() else Training(SIZES)
    rng = np.random.default_rng(training.step)
    best = _best(options.folder / "log.jsonl")
    begin, solving, losses = time.monotonic(), 0.0, [0.0]
    share = 0.0
    while share < 1:
        spent = time.process_time()
        if states.next < options.states and solving <= options.solving * spent:
            states.solve_another()
            solving += time.process_time() - spent
        if len(states.train) < BATCH:
            continue
        chosen = [states.train[index] for index in rng.choice(len(states.train), BATCH, False)]
        share = (time.monotonic() - begin) / (3600 * options.hours)
        quieter = max(1 - share, 0.01) if options.quieten else 1.0
        losses.append(training.learn(chosen, rng, quieter))
        if training.step % CHECK_EVERY == 0 or share >= 1:
            found = fidelity(training.averaged(), states.check)
            record = {
                "step": training.step,
                "states": len(states.train),
                "loss": sum(losses) / len(losses),
                "eq7": found.mean,
                "total": found.total,
                "setbacks": training.setbacks,
                "cpu": time.process_time(),
            }
            print(json.dumps(record), flush=True)
            with (options.folder / "log.jsonl").open("a") as log:
                log.write(json.dumps(record) + "\n")
            training.write(path)
            if found.mean + found.total < best:
                best = found.mean + found.total
                training.write(options.folder / "best.pt")
            losses = []


def _best(log: Path) -> float:
    """Return the least error, Eq. 7 plus total, that a log tells of."""
    if not log.exists():
        return float("inf")
    records = [json.loads(line) for line in log.read_text().splitlines()]
    return min((record["eq7"] + record["total"] for record in records), default=float("inf"))


if __name__ == "__main__":
    main()
