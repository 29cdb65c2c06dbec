"""Lines of a segment meet at the borders of its frames, whatever their rows."""

from __future__ import annotations

import numpy as np
import pytest

from glacier_qgis.models.radar.echogram.axes import Axes
from glacier_qgis.models.radar.layers.borders import Border
from glacier_qgis.models.radar.layers.codes import BED, LAYER, SURFACE
from glacier_qgis.models.radar.layers.predict import CHANNELS, Strip
from glacier_qgis.models.radar.layers.trace import Segment
from glacier_qgis.models.radar.layers.tracker import Tracking

INTERVAL, ROWS = 1e-8, 120
WIDTHS = (60, 12, 60)
"""Traces of the frames; the middle one is shorter than the shortest line."""
TRUE = {SURFACE: 20.0, LAYER: 50.0, BED: 100.0}


def axes_of(traces: int, first: int = 0, step: float = 1.0, rows: int = ROWS) -> Axes:
    """Axes whose first sample is sample `first` of others, `step` of their intervals apart."""
    time = INTERVAL * (1000 + first + step * np.arange(rows))
    return Axes(frame_id="frame", time=time, traces=traces)


def strip_of(axes: Axes, dip: float, start: int, missing: range) -> Strip:
    """Three reflectors that sink along the track; some traces of it are empty."""
    found = np.zeros((len(CHANNELS), axes.samples, axes.traces), np.float32)
    for code, row in TRUE.items():
        for trace in range(axes.traces):
            if start + trace not in missing:
                time = INTERVAL * (1000 + row + dip * (start + trace))
                at = np.abs(np.arange(axes.samples) - axes.sample_of(0, time))
                found[CHANNELS.index(code), :, trace] = np.nan_to_num(0.95 * np.exp(-(at**2) / 2))
    nothing = np.zeros(found.shape[1:], np.float32)
    return Strip(0, found, nothing, nothing)


def traced(frames: list[Axes], dip: float, missing: range) -> Segment:
    segment, start = Segment(Tracking(), 0.6), 0
    for axes in frames:
        segment.add(axes, [strip_of(axes, dip, start, missing)])
        start += axes.traces
    segment.finish()
    return segment


@pytest.mark.parametrize(
    "missing", [range(0), range(57, 63), range(60, 72), range(70, 75)], ids=str
)
@pytest.mark.parametrize("other", [(0, 1.0), (9, 1.0), (4, 0.5)], ids=str)
def test_every_reflector_reaches_the_borders(other: tuple[int, float], missing: range) -> None:
    first, step = other
    middle = axes_of(WIDTHS[1], first, step, round(ROWS / step))
    frames = [axes_of(WIDTHS[0]), middle, axes_of(WIDTHS[2])]
    segment = traced(frames, 0.1, missing)
    for code, true in TRUE.items():
        start = 0
        for number, axes in enumerate(frames):
            empty = all(start + trace in missing for trace in range(axes.traces))
            pieces = list(segment.pieces(code, number))
            assert len(pieces) == (not empty)
            for piece in pieces:
                np.testing.assert_array_equal(piece.trace, np.arange(axes.traces))
                rows = axes.times(piece.trace, piece.row) / INTERVAL - 1000
                expected = true + 0.1 * (start + piece.trace)
                assert np.abs(rows - expected).max() < 1.2
            start += axes.traces
        assert len(segment.lines[code]) == 1


def test_what_leaves_a_frame_at_its_lower_edge_does_not_come_back_elsewhere() -> None:
    frames = [axes_of(60), axes_of(60, rows=90), axes_of(60)]
    segment = traced(frames, 0.0, range(0))
    assert [len(list(segment.pieces(BED, number))) for number in range(3)] == [1, 0, 1]
    assert all(len(list(segment.pieces(LAYER, number))) == 1 for number in range(3))


def test_rows_go_over_a_border_and_back() -> None:
    border = Border(axes_of(5), axes_of(5, 9, 0.5))
    rows = np.array([3.0, 30.25, 60.0])
    onward = border.onward(rows)
    np.testing.assert_allclose(onward[1:], 2 * (rows[1:] - 9))
    assert np.isnan(onward[0])
    np.testing.assert_allclose(border.back(onward[1:]), rows[1:])
    assert not border.is_even
    assert Border(axes_of(5), axes_of(8)).is_even
