"""Errors of a network for layers on stretches that a person corrected."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from glacier_qgis.models.radar.layers.codes import LAYER, UNLABELLED
from glacier_qgis.models.radar.layers.peaks import LEAST, find_peaks
from glacier_qgis.models.radar.layers.predict import CHANNELS, LayerNetwork
from glacier_qgis.models.radar.layers.scores import TOLERANCE, matched, nearest
from glacier_qgis.models.review.retraining.stretches import LabelledStretch


@dataclass(frozen=True)
class LayerError:
    """Errors on some stretches.

    Attributes:
        mean_m: Mean distance in depth of the points found from the nearest layer, m.
        images: Stretches.
        points: Points that the layers have, one per trace.
        wrong: Points that were missed, or found where there is no layer.
    """

    mean_m: float
    images: int
    points: int
    wrong: int

    @property
    def order(self) -> tuple[float, float]:
        """Orders errors: first fewer wrong points, then smaller distances."""
        return self.wrong, self.mean_m if math.isfinite(self.mean_m) else math.inf

    @property
    def words(self) -> str:
        """What it is, for a sentence."""
        if not math.isfinite(self.mean_m):
            return f"no layer found in {self.images} stretches"
        return f"{self.mean_m:.2g} m, {self.wrong} of {self.points} points missed or false"

    def named(self, when: str) -> dict[str, float | int]:
        """Return its numbers for a card; `when` says of which model."""
        mean = {f"mean_error_{when}_m": round(self.mean_m, 3)} if math.isfinite(self.mean_m) else {}
        return {**mean, f"points_{when}": self.points, f"wrong_{when}": self.wrong}


def layer_error(
    network: nn.Module, stretches: Sequence[LabelledStretch], device: torch.device
) -> LayerError:
    """Return the errors of a network; what is unlabelled does not count."""
    ready = LayerNetwork(network.eval(), int(getattr(network, "stride", 1)), device)
    points = wrong = 0
    away = [np.empty(0)]
    for stretch in stretches:
        inputs = stretch.inputs.astype(np.float32)
        codes = np.where(inputs[-1] > 0, stretch.codes, UNLABELLED)
        probability = ready.predict(inputs)[CHANNELS.index(LAYER)]
        for trace, peaks in enumerate(find_peaks(probability, LEAST)):
            column = codes[:, trace]
            at = np.clip(np.rint(peaks.rows).astype(int), 0, column.size - 1)
            found = peaks.rows[column[at] != UNLABELLED]
            true = np.flatnonzero(column == LAYER).astype(float)
            pairs = matched(found, true, TOLERANCE).size
            points += true.size
            wrong += found.size + true.size - 2 * pairs
            away.append(nearest(found, true) * stretch.metres)
    distances = np.concatenate(away)
    mean = float(distances.mean()) if distances.size else math.nan
    return LayerError(mean, len(stretches), points, wrong)
