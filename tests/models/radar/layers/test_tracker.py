import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from glacier_qgis.models.radar.layers.peaks import Peaks, find_peaks
from glacier_qgis.models.radar.layers.pieces import Stretch
from glacier_qgis.models.radar.layers.scores import Counts, EdgeScores, LineScores, matched
from glacier_qgis.models.radar.layers.tracker import Line, Tracker, Tracking
from glacier_qgis.models.radar.simulate.tracks import IceSheet

ALL = Tracking(shortest=1, confidence=0.0)


def peaks_at(rows: np.ndarray, value: float = 0.9) -> Peaks:
    rows = np.sort(rows[np.isfinite(rows)])
    return Peaks(rows, np.full(rows.size, value), np.full(rows.size, 0.6))


def track(rows: np.ndarray, options: Tracking = ALL) -> list[Line]:
    tracker, found = Tracker(options), []
    for trace in range(rows.shape[1]):
        found += tracker.add(trace, peaks_at(rows[:, trace]))
    return found + tracker.finish()


def ridge(rows: np.ndarray, height: int) -> np.ndarray:
    at = np.arange(height)[:, None]
    drawn = [np.exp(-((at - line) ** 2) / 1.5) for line in rows]
    return np.nan_to_num(np.max(drawn, axis=0)).astype(np.float32)


def test_peaks_lie_between_the_samples() -> None:
    rows = np.linspace(10, 12, 41)[None]
    found = find_peaks(ridge(rows, 30), 0.2)
    assert [len(peaks) for peaks in found] == [1] * 41
    np.testing.assert_allclose([peaks.rows[0] for peaks in found], rows[0], atol=0.06)


@pytest.mark.parametrize("edge", [0, 29])
def test_the_edge_of_a_frame_is_no_peak(edge: int) -> None:
    found = find_peaks(ridge(np.array([[edge] * 9, [15.0] * 9]), 30), 0.2)
    assert [peaks.rows.round().tolist() for peaks in found] == [[15]] * 9


def test_two_near_peaks_do_not_draw_each_other() -> None:
    (found,) = find_peaks(ridge(np.array([[10.0], [14.0]]), 30), 0.2)
    np.testing.assert_allclose(found.rows, [10, 14], atol=0.1)


@pytest.mark.parametrize("seed", range(3))
def test_every_layer_of_a_clean_frame_comes_back(seed: int) -> None:
    sheet = IceSheet(spacing=12, thickness=400, broken=0, folds=0.03)
    true = sheet.draw(300, np.random.default_rng(seed)).layers
    whole = true[np.isfinite(true).all(axis=1)]
    found = track(whole)
    assert len(found) == len(whole)
    for line, layer in zip(sorted(found, key=lambda each: each.rows[0]), whole, strict=True):
        np.testing.assert_allclose(line.across(0, 300), layer)


def test_a_gap_is_bridged_along_the_dip_of_the_neighbours() -> None:
    dip = 20 * np.sin(np.arange(200) / 25)
    rows = np.array([40, 52, 64])[:, None] + dip
    rows[1, 80:105] = np.nan
    found = track(rows)
    assert len(found) == 3
    middle = sorted(found, key=lambda line: line.rows[0])[1]
    assert middle.traces[-1] == 199
    assert middle.confidence == pytest.approx(0.9 * 175 / 200)


def test_a_longer_gap_ends_the_line() -> None:
    rows = np.full((1, 100), 20.0)
    rows[0, 40:60] = np.nan
    assert len(track(rows, Tracking(bridge=10, shortest=1, confidence=0))) == 2
    assert len(track(rows, Tracking(bridge=21, shortest=1, confidence=0))) == 1


def test_short_and_doubtful_lines_are_left_out() -> None:
    rows = np.full((1, 30), 20.0)
    assert track(rows, Tracking(shortest=31)) == []
    assert track(rows, Tracking(confidence=0.95)) == []
    assert len(track(rows, Tracking(shortest=30, confidence=0.85))) == 1


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.integers(2, 14), st.floats(0.0, 0.5))
def test_lines_never_cross(seed: int, count: int, missing: float) -> None:
    random = np.random.default_rng(seed)
    rows = random.uniform(0, 60, (count, 1)) + np.cumsum(random.normal(0, 1.2, (count, 60)), axis=1)
    rows[random.random(rows.shape) < missing] = np.nan
    drawn: list[np.ndarray] = []
    for piece in Stretch(0, 60).pieces(track(rows)):
        drawn.append(np.full(60, np.nan))
        drawn[-1][piece.trace.astype(int)] = piece.row
    for index, line in enumerate(drawn):
        for other in drawn[index + 1 :]:
            apart = (line - other)[np.isfinite(line - other)]
            assert (apart > 0).all() or (apart < 0).all()


def test_ids_are_kept_when_the_rows_change() -> None:
    tracker = Tracker(ALL)
    lower = np.array([30.0, 50.0])
    for trace in range(50):
        tracker.add(trace, peaks_at(lower + 0.2 * trace))
    tracker.move(lambda rows: 2 * rows - 7)
    for trace in range(50, 100):
        tracker.add(trace, peaks_at(2 * (lower + 0.2 * trace) - 7))
    found = tracker.finish()
    assert [line.number for line in found] == [1, 2]
    assert all(line.length == 100 for line in found)


def test_points_are_matched_one_to_one() -> None:
    np.testing.assert_array_equal(
        matched(np.array([1.0, 2.0, 9.0]), np.array([2.5, 9.5]), 2.0), [-1.5, -0.5]
    )
    assert matched(np.array([1.0]), np.array([4.0]), 2.0).size == 0


def test_scores_of_a_perfect_and_of_a_noisy_frame() -> None:
    rows = np.repeat(np.array([20.0, 40.0])[:, None], 50, axis=1)
    exact = [peaks_at(rows[:, trace]) for trace in range(50)]
    scores = EdgeScores.of([Counts.of(exact, rows)])
    assert scores.ods == scores.ois == pytest.approx(1)
    assert scores.average_precision == pytest.approx(1)
    false = Peaks(np.array([20.0, 40.0, 60.0]), np.array([0.9, 0.9, 0.5]), np.ones(3))
    scores = EdgeScores.of([Counts.of([false] * 50, rows)])
    assert scores.ods == pytest.approx(1)
    assert scores.threshold > 0.5
    lines = LineScores.of(rows + 0.5, rows)
    assert lines.mean_error == pytest.approx(0.5)
    assert lines.precision == lines.recall == lines.within == 1
