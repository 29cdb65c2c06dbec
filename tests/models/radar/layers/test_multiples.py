"""A multiple of the surface is left out; a layer that it crosses is not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from glacier_qgis.models.radar.echogram.axes import Axes
from glacier_qgis.models.radar.layers.codes import LAYER, SURFACE
from glacier_qgis.models.radar.layers.model import LayerModel
from glacier_qgis.models.radar.layers.peaks import LEAST
from glacier_qgis.models.radar.layers.predict import CHANNELS, Strip
from glacier_qgis.models.radar.layers.trace import Segment
from glacier_qgis.models.radar.layers.tracker import Line, Tracking
from glacier_qgis.models.radar.simulate.echoes import Echoes
from glacier_qgis.models.radar.simulate.settings import Setting
from glacier_qgis.models.radar.simulate.tracks import IceSheet

TRACES, INTERVAL = 200, 1e-8
GEOMETRY = IceSheet(
    thickness=330, spacing=40, irregular=0.2, surface_relief=3, length=60, broken=0, relief=0.02
)
ECHOES = Echoes(multiple_delay=150, multiple_db=-14, clutter=0, missing=0, looks=10, fading_db=0.5)


def along(lines: list[Line], row: np.ndarray) -> list[Line]:
    """Return the lines that lie within two samples of a row along most of it."""
    away = [np.abs(line.across(0, row.size) - row) for line in lines]
    return [line for line, off in zip(lines, away, strict=True) if (off < 2).mean() > 0.5]


@pytest.mark.parametrize("seed", [1, 2])
def test_the_multiple_of_a_simulated_surface_is_left_out(seed: int) -> None:
    true, power = Setting(GEOMETRY, ECHOES).simulate(TRACES, seed)
    wait = ECHOES.wait(true)
    network = LayerModel.load("", "cpu").network
    time = INTERVAL * (wait + np.arange(len(power)))
    segment = Segment(Tracking(), LEAST)
    axes = Axes(frame_id="frame", time=time, traces=TRACES)
    segment.add(axes, network.strips(lambda a, b: power[:, a:b], *power.shape))
    segment.finish()

    multiple = 2 * true.surface + wait
    assert np.ptp(multiple) == pytest.approx(2 * np.ptp(true.surface))
    assert along(segment.multiples, multiple), "the network takes it for a layer"
    assert not along(segment.lines[LAYER], multiple)
    clear = [row for row in true.layers if np.abs(row - multiple).min() > 6]
    assert clear
    assert all(along(segment.lines[LAYER], row) for row in clear)


def traced(layer: np.ndarray, surface: np.ndarray, first: float) -> Segment:
    """Trace a surface and a layer in a frame that begins at a travel time, in samples."""
    found = np.zeros((len(CHANNELS), 200, TRACES), np.float32)
    rows = np.arange(200)[:, None]
    for code, row in ((SURFACE, surface), (LAYER, layer)):
        found[CHANNELS.index(code)] = 0.95 * np.exp(-((rows - row) ** 2) / 2)
    nothing = np.zeros(found.shape[1:], np.float32)
    axes = Axes(frame_id="frame", time=INTERVAL * (first + np.arange(200)), traces=TRACES)
    segment = Segment(Tracking(), LEAST)
    segment.add(axes, [Strip(0, found, nothing, nothing)])
    segment.finish()
    return segment


@pytest.mark.parametrize(
    ("slope", "left_out"), [(2.0, True), (1.0, False), (0.0, False)], ids=["twice", "once", "flat"]
)
def test_a_line_that_does_not_copy_the_surface_is_a_layer(slope: float, *, left_out: bool) -> None:
    height = 6 * np.sin(np.arange(TRACES) / 25)
    segment = traced(140 + slope * height, 40 + height, first=60)
    assert len(segment.multiples) == left_out
    assert len(segment.lines[LAYER]) == (not left_out)


def test_a_radar_on_the_ice_keeps_its_first_layers() -> None:
    surface = np.full(TRACES, 8.0)
    segment = traced(np.full(TRACES, 16.0), surface, first=0)
    assert len(segment.lines[LAYER]) == 1


def test_the_multiple_is_twice_as_high_as_the_aircraft_everywhere() -> None:
    true, _ = Setting(GEOMETRY, ECHOES).simulate(TRACES, 1)
    assert ECHOES.wait(true) + true.surface.mean() == pytest.approx(150)
    assert replace(ECHOES, multiple_db=-200).wait(true) == 0
