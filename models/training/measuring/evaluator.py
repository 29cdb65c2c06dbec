"""Evaluation of a network on tiles."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from glacier_qgis.models.compute.arrays import Float32Array
from glacier_qgis.models.engine.events import Reporter, Silent
from glacier_qgis.models.fronts.segmentation.predictor import Predictor
from glacier_qgis.models.fronts.segmentation.tiling import Predict
from glacier_qgis.models.fronts.termini.calibration import LEAST_IN_CLASS, fit_calibration
from glacier_qgis.models.fronts.termini.whereabouts import ANYWHERE, Whereabouts
from glacier_qgis.models.package.card import Calibration
from glacier_qgis.models.training.data.samples import Labelled
from glacier_qgis.models.training.measuring.assess import (
    CODES,
    Answer,
    Predicted,
    assess,
    predicted,
)
from glacier_qgis.models.training.measuring.pictures import examples
from glacier_qgis.models.training.measuring.totals import Totals, totals


@dataclass(frozen=True)
class Measured:
    """Results for one part of a data set.

    Attributes:
        figures: Metrics over all its tiles.
        shown: Predictions of example tiles, by kind of example.
    """

    figures: Totals
    shown: dict[str, Answer]


@dataclass(frozen=True)
class Evaluator:
    """A network with its settings for prediction.

    Attributes:
        network: With the weights to evaluate.
        device: To compute on.
        cell_size_m: Of the network's cells.
        calibration: Of its uncertainties; None for widths of transitions.
        augment: Test-time augmentation, as in the toolbox by default.
        oriented: Whether the network knows one place as it lies. Then there is no test-time
            augmentation, and no empty frame around a tile.
        whereabouts: Where its fronts may be.
    """

    network: nn.Module
    device: torch.device
    cell_size_m: float
    calibration: Calibration | None = None
    augment: bool = True
    oriented: bool = False
    whereabouts: Whereabouts = ANYWHERE

    def answers(
        self, tiles: Sequence[Labelled], reporter: Reporter | None = None
    ) -> Iterator[Answer]:
        """Predict one tile after the other, and trace its fronts."""
        predict = self._predictor()
        for index, tile in enumerate(tiles):
            seen = self._predicted(tile, predict)
            yield assess(tile, seen, self.calibration, self.whereabouts)
            (reporter or Silent()).progress((index + 1) / len(tiles), "Evaluating the model")

    def probabilities(self, tiles: Sequence[Labelled]) -> Iterator[Float32Array]:
        """Return the probabilities of one tile after the other, (classes, rows, columns)."""
        predict = self._predictor()
        for tile in tiles:
            yield self._predicted(tile, predict).probabilities

    def _predicted(self, tile: Labelled, predict: Predict) -> Predicted:
        stride = int(getattr(self.network, "stride", 1))
        return predicted(tile, predict, stride, self.cell_size_m, framed=not self.oriented)

    def _predictor(self) -> Predictor:
        network = copy.deepcopy(self.network)
        return Predictor(network, self.device, CODES, augment=self.augment and not self.oriented)

    def measure(self, tiles: Sequence[Labelled], reporter: Reporter) -> Measured:
        """Evaluate tiles and choose examples."""
        figures = totals(self.answers(tiles, reporter))
        chosen = examples(figures.rows)
        answers = self.answers([tiles[index] for index in chosen.values()])
        return Measured(figures, dict(zip(chosen, answers, strict=True)))

    def calibrate(self, tiles: Sequence[Labelled], data: str) -> Calibration | None:
        """Calibrate uncertainties on tiles; None with too few fronts.

        Args:
            tiles: Not used for training.
            data: Their description, for the model's card.
        """
        points = totals(self.answers(tiles)).stated_and_true
        widths, distances = points[:, np.isfinite(points).all(axis=0)]
        if widths.size < LEAST_IN_CLASS:
            return None
        return fit_calibration(widths, distances, data)
