"""Scores of a network on labelled tiles of echograms."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from glacier_qgis.models.compute.arrays import Float32Array
from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.radar.layers.codes import LAYER, UNLABELLED
from glacier_qgis.models.radar.layers.labels import Array, Codes
from glacier_qgis.models.radar.layers.peaks import Peaks, find_peaks
from glacier_qgis.models.radar.layers.predict import CHANNELS, LayerNetwork
from glacier_qgis.models.radar.layers.scores import Counts, EdgeScores, nearest
from glacier_qgis.models.training.data.card import Part
from glacier_qgis.models.training.data.dataset import Dataset, LabelledTile

LEAST = 0.02


@dataclass(frozen=True)
class TileScore:
    """Counts of one tile, and the errors of its peaks that are near a layer, samples."""

    tile: LabelledTile
    counts: Counts
    errors: Array

    @property
    def row(self) -> dict[str, str | float | int]:
        """The line of a table."""
        scores = EdgeScores.of([self.counts])
        return {
            "tile": self.tile.name,
            "group": self.tile.group,
            "date": self.tile.date,
            "points": self.counts.true,
            "f_score": scores.ods,
            "average_precision": scores.average_precision,
            "mean_error_samples": float(self.errors.mean()) if self.errors.size else float("nan"),
        }


@dataclass(frozen=True)
class LayerScores:
    """Scores over tiles."""

    tiles: Sequence[TileScore]
    edges: EdgeScores
    mean_error: float

    @property
    def values(self) -> dict[str, float | int]:
        """Numbers for a model's card."""
        found = {
            "tiles": len(self.tiles),
            "ods": self.edges.ods,
            "ois": self.edges.ois,
            "average_precision": self.edges.average_precision,
            "mean_error_samples": self.mean_error,
        }
        return {name: round(value, 4) for name, value in found.items() if np.isfinite(value)}


def labelled_tiles(data: Dataset, part: Part | None) -> list[LabelledTile]:
    """Return the tiles of a part.

    Raises:
        EngineError: There are none.
    """
    tiles = data.tiles(part)
    if not tiles:
        raise EngineError(
            f"The data set {data.card.name} has no tiles in its {part} part. Prepare it again with "
            "echograms of more segments."
        )
    return tiles


def inputs_of(tile: LabelledTile) -> Float32Array:
    """Return the network's input, (3, rows, traces)."""
    values, mask = tile.equalised()
    return np.concatenate([values, mask[None]]).astype(np.float32)


def measure(network: nn.Module, device: torch.device, tiles: Iterable[LabelledTile]) -> LayerScores:
    """Predict tiles and compare the layers with the labels; unlabelled pixels do not count."""
    ready = LayerNetwork(network.eval(), int(getattr(network, "stride", 1)), device)
    found = [_score(ready, tile) for tile in tiles]
    errors = np.concatenate([np.empty(0), *(tile.errors for tile in found)])
    return LayerScores(
        found,
        EdgeScores.of([tile.counts for tile in found]),
        float(errors.mean()) if errors.size else float("nan"),
    )


def _score(network: LayerNetwork, tile: LabelledTile) -> TileScore:
    inputs, codes = inputs_of(tile), tile.zones
    codes = np.where(inputs[-1] > 0, codes, UNLABELLED)
    probability = network.predict(inputs)[CHANNELS.index(LAYER)]
    peaks = [
        _known(found, codes[:, trace]) for trace, found in enumerate(find_peaks(probability, LEAST))
    ]
    lines = _rows(codes)
    counts = Counts.of(peaks, lines)
    best = EdgeScores.of([counts]).threshold
    errors = [
        nearest(found.rows[found.values >= best], lines[:, trace][np.isfinite(lines[:, trace])])
        for trace, found in enumerate(peaks)
    ]
    return TileScore(tile, counts, np.concatenate([np.empty(0), *errors]))


def _known(peaks: Peaks, codes: Codes) -> Peaks:
    """Leave out peaks where nobody said whether there is a layer."""
    rows = np.clip(np.rint(peaks.rows).astype(int), 0, codes.size - 1)
    return peaks.of(codes[rows] != UNLABELLED)


def _rows(codes: Codes) -> Array:
    """Return the rows of the layers at each trace, (most layers, traces), NaN beyond."""
    found = [np.flatnonzero(codes[:, trace] == LAYER) for trace in range(codes.shape[1])]
    rows = np.full((max(map(len, found), default=0), codes.shape[1]), np.nan)
    for trace, own in enumerate(found):
        rows[: own.size, trace] = own
    return rows
