"""Makes the package of the delivered network for layers.

``python -m glacier_qgis.models.training.delivered.layers_package --network NAME --weights FILE
--accuracy FILE --output FOLDER``, with the table of ``benchmarks/layer_accuracy.py``.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from glacier_qgis.models.package.building import build
from glacier_qgis.models.package.card import (
    Calibration,
    Evaluation,
    ModelCard,
    TrainingData,
)
from glacier_qgis.models.package.folder import save_package
from glacier_qgis.models.package.weights import read_weights
from glacier_qgis.models.radar.layers.codes import LAYER
from glacier_qgis.models.radar.layers.contrast import Level, channels
from glacier_qgis.models.radar.layers.model import DEFAULT
from glacier_qgis.models.radar.layers.peaks import LEAST, find_peaks
from glacier_qgis.models.radar.layers.predict import CHANNELS, LayerNetwork
from glacier_qgis.models.radar.layers.scores import TOLERANCE
from glacier_qgis.models.radar.simulate.variety import varied
from glacier_qgis.models.training.delivered.layers import NETWORKS
from glacier_qgis.models.training.echograms.package import layer_card
from glacier_qgis.models.training.echograms.simulated import DATASET, TRACES

VERSION = "1.1.0"
FRAMES, SEED = 12, 77_000
"""Simulated frames for the calibration, and their seed; no training has it."""
KNOTS, LEVEL = 6, 0.68
COMMAND = "build/engine/bin/python benchmarks/layer_accuracy.py --traces 400 --output build/layers"


def calibration(network: LayerNetwork) -> Calibration:
    """Relate the width of a peak to the error of its position, on simulated frames."""
    found = [_errors(network, SEED + number) for number in range(FRAMES)]
    widths, errors = np.concatenate(found, axis=1)
    edges = np.unique(np.quantile(widths, np.linspace(0, 1, KNOTS + 1)).round(3))
    at, level = [], []
    for low, high in pairwise(edges):
        inside = (widths >= low) & (widths <= high)
        at.append(round(float(low + high) / 2, 4))
        level.append(float(np.quantile(errors[inside], LEVEL)))
    rising = np.maximum.accumulate(level)
    return Calibration(
        level=LEVEL,
        widths_m=at,
        uncertainties_m=[round(float(value), 3) for value in rising],
        data=f"{FRAMES} simulated frames that were not trained on; the unit is the sample of an "
        "echogram, not the metre",
    )


def _errors(network: LayerNetwork, seed: int) -> npt.NDArray[np.float64]:
    """Return widths and errors of the peaks of one frame that are near a layer, (2, peaks)."""
    reflectors, power = varied(np.random.default_rng(seed)).simulate(TRACES, seed)
    probability = network.predict(channels(power, Level.of(power)))[CHANNELS.index(LAYER)]
    pairs: list[npt.NDArray[np.float64]] = [np.empty((2, 0))]
    for trace, peaks in enumerate(find_peaks(probability, LEAST)):
        true = reflectors.layers[:, trace]
        true = true[np.isfinite(true)]
        if len(peaks) and true.size:
            away = np.abs(peaks.rows[:, None] - true).min(axis=1)
            near = away <= TOLERANCE
            pairs.append(np.stack([peaks.widths[near], away[near]]))
    return np.concatenate(pairs, axis=1)


def evaluations(rows: Iterable[dict[str, float | str]], method: str) -> list[Evaluation]:
    """Return the rows of the accuracy table that are about a network."""
    return [
        Evaluation(
            data=f"{row['data']}: frames on which no network was trained",
            command=COMMAND,
            values={
                name: round(float(value), 4)
                for name, value in row.items()
                if not isinstance(value, str) and np.isfinite(value)
            },
        )
        for row in rows
        if row["method"] == method
    ]


def card(name: str, found: Calibration, measured: list[Evaluation], frames: int) -> ModelCard:
    """Describe the network."""
    data = TrainingData(
        dataset=DATASET,
        credit="glacier_qgis",
        licence="GPL-3.0-or-later",
        doi="",
        groups=["radiostratigraphy", "snow", "valley"],
        images=frames,
        first_date="",
        last_date="",
    )
    return layer_card(
        DEFAULT,
        NETWORKS[name],
        [data],
        split="Trained on generated geometry only; evaluated on the geometry of expert picks, "
        "which is in no training, and on settings of the simulator that no training had.",
        limits="Trained on simulated echoes: check the lines on your radar, and correct them. A "
        "multiple looks like a layer. Layers nearer than 4 samples become one.",
        licence="GPL-3.0-or-later",
        evaluations=measured,
        calibration=found,
        version=VERSION,
    )


def main() -> None:
    """Write the package."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--network", choices=[*NETWORKS], required=True)
    parser.add_argument("--weights", type=Path, required=True)
    parser.add_argument("--accuracy", type=Path, required=True)
    parser.add_argument("--frames", type=int, default=400, help="simulated frames of the training")
    parser.add_argument("--output", type=Path, required=True)
    asked = parser.parse_args()
    torch.set_num_threads(1)
    state: dict[str, Tensor] = dict(read_weights(asked.weights))
    built = build(NETWORKS[asked.network])
    built.load_state_dict(state)
    network = LayerNetwork(built.eval(), int(built.stride), torch.device("cpu"))  # type: ignore[arg-type]
    rows = json.loads(asked.accuracy.read_text(encoding="utf-8"))
    measured = evaluations(rows, asked.network)
    save_package(
        asked.output, card(asked.network, calibration(network), measured, asked.frames), state
    )


if __name__ == "__main__":
    main()
