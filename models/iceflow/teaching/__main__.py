"""Teach the delivered emulator: solve states and train on them, by turns.

Usage: ``python -m glacier_qgis.models.iceflow.teaching FOLDER [--hours 8] [--states 4000]
[--terrain FILE] [--without WEST SOUTH EAST NORTH]``. Everything is kept in the folder: ``states/``
with the instructor's solutions, ``training.pt`` and ``log.jsonl``. The same command resumes; it may
be stopped at any time. Glaciers grow in made valleys, and on a real terrain where one is given.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import numpy as np
import rasterio
import torch
from rasterio.windows import from_bounds
from torch import Tensor

from glacier_qgis.models.iceflow.teaching.examples import example
from glacier_qgis.models.iceflow.teaching.fidelity import MEAN, Fidelity
from glacier_qgis.models.iceflow.teaching.pupils import DELIVERED, Pupil, PyramidPupil
from glacier_qgis.models.iceflow.teaching.states.solved import Solved, solve, stored
from glacier_qgis.models.iceflow.teaching.states.states import (
    Ground,
    random_state,
    terrain_ground,
    valley_ground,
)
from glacier_qgis.models.iceflow.teaching.training import Training

CELLS, CHANCES = (48, 64, 96), (0.45, 0.45, 0.1)
"""Sides of a state's grid, and how often each is drawn."""
POOR_RESIDUAL, TOO_FAST = 1e-2, 5e4
"""States that were not solved so well, or move faster (m a⁻¹), are not used."""
HELD_OUT = 15
"""Of so many topographies one is never trained on."""
REAL = 0.4
"""Share of the states on real terrain, where there is one."""
CHECKPOINT, LOG, STATES = "training.pt", "log.jsonl", "states"
BATCH = 3
CHECK_EVERY = 100
"""Steps between two checks on the glaciers held out."""
SIZES = DELIVERED


class States:
    """The solved states of a folder: those to train on, and those held out.

    Attributes:
        train: examples.
        check: examples of topographies that are never trained on.
        next: number of the next state to solve.
    """

    def __init__(self, folder: Path, terrain: Ground | None) -> None:
        self.folder = folder
        self.terrain = terrain
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
        cells = int(rng.choice(CELLS, p=CHANCES))
        ground = self.terrain if self.terrain and rng.random() < REAL else valley_ground
        solved = solve(random_state(rng, cells, ground))
        self.next += 1
        if solved.residual <= POOR_RESIDUAL and float(solved.velocity.abs().max()) <= TOO_FAST:
            solved.write(self.folder / f"{number:06d}.safetensors")
            self._take(number, solved)

    def _take(self, number: int, solved: Solved) -> None:
        (self.check if held_out(number) else self.train).append(example(solved))
        self.next = max(self.next, number + 1)


def held_out(number: int) -> bool:
    """Return whether a state is never trained on."""
    return number % HELD_OUT == HELD_OUT // 2


@torch.inference_mode()
def fidelity(pupil: Pupil, examples: list[Tensor]) -> Fidelity:
    """Return how well a network does on some states."""
    total = Fidelity.none()
    for one in examples:
        found = pupil.answer(one[None])
        total.add(found.found[MEAN], found.true[MEAN])
    return total


def main() -> None:
    """Solve and train until the time is over."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--hours", type=float, default=8.0)
    parser.add_argument("--states", type=int, default=4000, help="most states to solve")
    parser.add_argument("--solving", type=float, default=0.5, help="share of time for solving")
    parser.add_argument("--quieten", action="store_true", help="lower the learning rate to zero")
    parser.add_argument("--terrain", type=Path, help="raster of elevation, m, square cells in m")
    parser.add_argument("--without", type=float, nargs=4, help="bounds in it to keep unseen")
    options = parser.parse_args()
    torch.set_num_threads(1)
    states = States(options.folder / STATES, read_terrain(options.terrain, options.without))
    path = options.folder / CHECKPOINT
    torch.manual_seed(0)
    training = Training.read(path) if path.exists() else Training(PyramidPupil.new(SIZES))
    rng = np.random.default_rng(training.step)
    while len(states.train) < BATCH and states.next < options.states:
        states.solve_another()
    if len(states.train) < BATCH:
        parser.error(f"--states {options.states} leave {len(states.train)} to train on: give more.")
    begin, idle, solving, share = time.monotonic(), time.process_time(), 0.0, 0.0
    losses: list[float] = []
    while share < 1:
        spent = time.process_time()
        if states.next < options.states and solving <= options.solving * (spent - idle):
            states.solve_another()
            solving += time.process_time() - spent
        share = (time.monotonic() - begin) / (3600 * options.hours)
        chosen = rng.choice(len(states.train), BATCH, replace=False)
        quieter = max(1 - share, 0.01) if options.quieten else 1.0
        losses.append(training.learn([states.train[index] for index in chosen], rng, quieter))
        if training.step % CHECK_EVERY == 0 or share >= 1:
            training.write(path)
            report(options.folder / LOG, training, states, sum(losses) / len(losses))
            losses = []


def report(log: Path, training: Training, states: States, loss: float) -> None:
    """Print how far the training is, and add it to the log."""
    found = fidelity(training.averaged(), states.check)
    record = {
        "step": training.step,
        "states": len(states.train),
        "loss": loss,
        "eq7": found.mean,
        "total": found.total,
        "skipped": training.skipped,
        "setbacks": training.setbacks,
        "cpu": time.process_time(),
    }
    print(json.dumps(record), flush=True)
    with log.open("a", encoding="utf-8") as file:
        file.write(json.dumps(record) + "\n")


def read_terrain(path: Path | None, without: list[float] | None) -> Ground | None:
    """Return where real landscapes come from, if anywhere."""
    if path is None:
        return None
    with rasterio.open(path) as file:
        heights = file.read(1, masked=True).filled(np.nan).astype(float)
        if without:
            window = from_bounds(*without, file.transform)
            heights[window.toslices()] = np.nan
        return terrain_ground(heights, float(file.res[0]))


if __name__ == "__main__":
    main()
