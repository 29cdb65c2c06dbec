"""Surface and bed by the echoes alone: true rows, and none where there is none."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from glacier_qgis.models.radar.echogram.axes import Axes
from glacier_qgis.models.radar.layers.codes import BED, LAYER, SURFACE
from glacier_qgis.models.radar.layers.predict import CHANNELS, Strip
from glacier_qgis.models.radar.layers.scores import TOLERANCE
from glacier_qgis.models.radar.layers.steps import averaged, steps
from glacier_qgis.models.radar.layers.trace import Segment
from glacier_qgis.models.radar.layers.tracker import Line, Tracking
from glacier_qgis.models.radar.simulate.settings import (
    RADIOSTRATIGRAPHY,
    SNOW_RADAR,
    VALLEY_GLACIER,
    Setting,
)
from glacier_qgis.models.radar.simulate.tracks import Reflectors

TRACES = 240


def strip_of(power: np.ndarray, surface: np.ndarray) -> Strip:
    """A network that knows the surface and says nothing else."""
    probability = np.zeros((len(CHANNELS), *power.shape), np.float32)
    at = np.rint(surface).astype(int), np.arange(surface.size)
    probability[CHANNELS.index(SURFACE)][at] = 0.9
    mean = averaged(power)
    return Strip(0, probability, mean, steps(mean))


def traced(power: np.ndarray, *strips: Strip) -> dict[int, list[Line]]:
    segment = Segment(Tracking(), 0.3)
    traces = sum(strip.mean.shape[1] for strip in strips)
    segment.add(Axes(frame_id="one", time=1e-8 * np.arange(len(power)), traces=traces), strips)
    segment.finish()
    return segment.lines


def errors(lines: list[Line], true: np.ndarray) -> np.ndarray:
    away = np.abs(np.concatenate([line.across(0, true.size) - true for line in lines]))
    return away[np.isfinite(away)]


def simulated(setting: Setting, seed: int) -> tuple[Reflectors, np.ndarray]:
    return setting.simulate(TRACES, seed)


SHEET = replace(
    RADIOSTRATIGRAPHY,
    geometry=replace(RADIOSTRATIGRAPHY.geometry, thickness=300.0),
)
MULTIPLES = replace(
    SHEET,
    echoes=replace(SHEET.echoes, multiple_delay=150.0, multiple_db=-18.0, clutter=1.5),
    margin=200,
)


@pytest.mark.parametrize("setting", [SHEET, MULTIPLES], ids=["plain", "multiples and clutter"])
def test_the_bed_is_found_without_a_network(setting: Setting) -> None:
    true, power = simulated(setting, 4)
    lines = traced(power, strip_of(power, true.surface))
    away = errors(lines[BED], true.bed)
    assert away.size > 0.95 * TRACES
    assert np.median(away) < TOLERANCE
    assert errors(lines[SURFACE], true.surface).max() < 1


def test_a_dim_steep_bed_is_found_without_a_network() -> None:
    true, power = simulated(VALLEY_GLACIER, 4)
    lines = traced(power, strip_of(power, true.surface))
    away = errors(lines[BED], true.bed)
    assert away.size > 0.6 * TRACES
    assert np.median(away) < TOLERANCE


def test_snow_has_no_bed() -> None:
    for seed in range(3):
        true, power = simulated(SNOW_RADAR, seed)
        assert traced(power, strip_of(power, true.surface))[BED] == []


def test_without_a_surface_a_rise_is_no_bed() -> None:
    _, power = simulated(SHEET, 4)
    lines = traced(power, strip_of(power, np.zeros(0)))
    assert lines[SURFACE] == lines[BED] == lines[LAYER] == []


def test_a_bed_with_nothing_above_it_is_the_surface() -> None:
    true, power = simulated(SHEET, 4)
    strip = strip_of(power, true.surface)
    surface, bed = (strip.probability[CHANNELS.index(code)] for code in (SURFACE, BED))
    bed[:], surface[:] = surface.copy(), 0
    lines = traced(power, strip)
    assert errors(lines[SURFACE], true.surface).max() < 1
    assert np.median(errors(lines[BED], true.bed)) < TOLERANCE


def test_a_false_surface_here_and_there_does_not_count() -> None:
    true, power = simulated(SHEET, 4)
    strip = strip_of(power, true.surface)
    strip.probability[CHANNELS.index(SURFACE), 250, ::20] = 1
    assert errors(traced(power, strip)[SURFACE], true.surface).max() < 1


def test_missing_traces_are_bridged_and_make_no_rise() -> None:
    true, power = simulated(SHEET, 4)
    power[:, 100:112] = np.nan
    strip = strip_of(power, true.surface)
    assert np.isnan(strip.mean[:, 106]).all()
    assert (strip.step[:, 106] == 0).all()
    (bed,) = traced(power, strip)[BED]
    assert (bed.traces[0], bed.traces[-1]) == (0, TRACES - 1)


def test_a_rise_is_in_db() -> None:
    power = np.full((120, 20), -70, np.float32)
    power[60:] = -63
    rise = steps(averaged(power))
    assert rise[62, 10] == pytest.approx(7)
    assert rise[62].argmax() == 0
    assert rise[:34].max() == 0
    assert rise[30, 10] == 0
