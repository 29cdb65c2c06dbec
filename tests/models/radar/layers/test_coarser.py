"""Samples that are averaged for the network: places stay, and long pulses are understood."""

from __future__ import annotations

import numpy as np
import pytest

from glacier_qgis.models.radar.echogram.axes import Axes
from glacier_qgis.models.radar.layers.coarser import coarser, finer
from glacier_qgis.models.radar.layers.codes import LAYER
from glacier_qgis.models.radar.layers.model import LayerModel
from glacier_qgis.models.radar.layers.peaks import LEAST
from glacier_qgis.models.radar.layers.scores import LineScores
from glacier_qgis.models.radar.layers.trace import Segment
from glacier_qgis.models.radar.layers.tracker import Tracking
from glacier_qgis.models.radar.simulate.echoes import Echoes
from glacier_qgis.models.radar.simulate.settings import Setting
from glacier_qgis.models.radar.simulate.tracks import IceSheet

TRACES = 200
LONG_PULSE = Setting(
    IceSheet(thickness=400, spacing=45, irregular=0.2, broken=0, folds=0, relief=0.03),
    Echoes(pulse=8, looks=4, multiple_db=-200, clutter=0, missing=0, noise_db=-50, layer_db=8),
)


@pytest.mark.parametrize("samples", [1, 2, 3, 5])
def test_what_rises_evenly_comes_back_at_its_place(samples: int) -> None:
    rows = 41
    row = np.arange(rows, dtype=np.float32)
    field = np.repeat(row[:, None], 3, axis=1)
    groups = field[: rows // samples * samples].reshape(-1, samples, 3).mean(axis=1)
    back = finer(groups[None], samples, rows)[0]
    assert back.shape == field.shape
    inner = slice(samples, rows // samples * samples - samples)
    np.testing.assert_allclose(back[inner], field[inner], atol=1e-4)


def test_power_is_averaged_and_not_decibels() -> None:
    power = np.array([[0.0, -10.0], [-20.0, np.nan], [-3.0, -3.0]], np.float32)
    mean = coarser(power, 2)
    assert mean.shape == (1, 2)
    assert mean[0, 0] == pytest.approx(10 * np.log10((1 + 0.01) / 2), abs=1e-4)
    assert np.isnan(mean[0, 1])
    assert coarser(power, 1) is power


def f_of_lines(average: int) -> float:
    """Return how well layers are traced whose pulse is eight samples long."""
    true, power = LONG_PULSE.simulate(TRACES, 1)
    network = LayerModel.load("", "cpu").network
    strips = network.strips(lambda a, b: power[:, a:b], *power.shape, average)
    segment = Segment(Tracking(), LEAST)
    segment.add(Axes(frame_id="a", time=4e-9 * np.arange(len(power)), traces=TRACES), strips)
    segment.finish()
    rows = [line.across(0, TRACES) for line in segment.lines[LAYER]]
    found = np.array(rows) if rows else np.empty((0, TRACES))
    return LineScores.of(found, true.layers).f_score


def test_layers_of_long_pulses_are_found_with_pairs_of_samples() -> None:
    alone, pairs = f_of_lines(1), f_of_lines(2)
    assert pairs > alone + 0.05
