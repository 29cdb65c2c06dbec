"""Simulated echograms with their labels, on which the delivered network was trained."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from glacier_qgis.models.package.card import ModelCard
from glacier_qgis.models.radar.layers.contrast import Level, channels
from glacier_qgis.models.radar.layers.labels import Codes, labels_of
from glacier_qgis.models.radar.simulate.variety import varied

DATASET = "simulated echograms (glacier_qgis.models.radar.simulate)"
"""Name of this data on the card of a model."""
TRACES = 288
"""Of a frame."""

Frame = tuple[npt.NDArray[np.float16], Codes]
"""Input (3, rows, traces) and labels (rows, traces)."""


def knows_simulated(card: ModelCard) -> bool:
    """Return whether a model was trained on simulated echograms."""
    return any(data.dataset == DATASET for data in card.training_data)


def simulated_frames(count: int, seed: int, labelled: float = 1.0) -> list[Frame]:
    """Simulate frames; those of one seed are always the same.

    Args:
        count: Number of frames.
        seed: Of their random numbers.
        labelled: Share of the layers that are labelled; below 1, no frame is complete.
    """
    return [_frame(np.random.default_rng([seed, number]), labelled) for number in range(count)]


def _frame(random: np.random.Generator, labelled: float) -> Frame:
    reflectors, power = varied(random).simulate(TRACES, int(random.integers(1 << 31)))
    drawn = random.random(len(reflectors.layers))  # nosec B311: NumPy's, seeded
    chosen = reflectors.layers[drawn < labelled]
    codes = labels_of(
        chosen, reflectors.surface, reflectors.bed, len(power), complete=labelled >= 1
    )
    return channels(power, Level.of(power)).astype(np.float16), codes
