"""Tiles: they cover a scene once, blend to one, and do not change a local answer."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rasterio.windows import Window
from scipy.ndimage import uniform_filter

from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.fronts.segmentation.tiling import TilePlan, blend, ramp

STRIDE = 4


@given(st.integers(1, 200))
def test_neighbouring_ramps_add_up_to_one(length: int) -> None:
    rise = ramp(length)
    np.testing.assert_allclose(rise + rise[::-1], 1, atol=1e-6)
    assert (np.diff(rise) > 0).all()


@given(
    length=st.integers(1, 500),
    tile=st.integers(1, 40),
    padding=st.integers(0, 12),
    framed=st.booleans(),
)
def test_weights_add_up_to_one_everywhere(
    length: int, tile: int, padding: int, *, framed: bool
) -> None:
    try:
        plan = TilePlan.choose((length, length), STRIDE, tile * STRIDE, padding, framed=framed)
    except EngineError:
        return
    total = np.zeros(length)
    for span in plan.spans(length):
        assert span.start % STRIDE == 0
        total[span.start : span.stop] += span.weights()
    np.testing.assert_allclose(total, 1, atol=1e-6)


@given(
    shape=st.tuples(st.integers(1, 500), st.integers(1, 500)),
    tile=st.integers(4, 40),
    padding=st.integers(0, 12),
)
def test_a_tile_without_a_frame_sees_its_padding_but_nothing_beyond_the_scene(
    shape: tuple[int, int], tile: int, padding: int
) -> None:
    try:
        plan = TilePlan.choose(shape, STRIDE, tile * STRIDE, padding, framed=False)
    except EngineError:
        return
    for rows in plan.spans(shape[0]):
        for columns in plan.spans(shape[1]):
            window = plan.window(rows, columns, shape)
            for first, edge, span, length in (
                (window.row_off, window.height, rows, shape[0]),
                (window.col_off, window.width, columns, shape[1]),
            ):
                assert first % STRIDE == edge % STRIDE == 0
                assert 0 <= first <= max(0, span.start - plan.padding)
                assert min(length, span.stop + plan.padding) <= first + edge < length + STRIDE


def whole_and_tiled(
    shape: tuple[int, int], tile: int, padding: int, batch: int, reach: int, *, framed: bool = True
) -> tuple[np.ndarray, np.ndarray]:
    scene = np.random.default_rng(0).random((1, *shape), dtype=np.float32)
    scene = np.concatenate([scene, np.ones((1, *shape), np.float32)])

    def read(window: Window) -> np.ndarray:
        wide = np.pad(scene, ((0, 0), (200, 400), (200, 400)))
        rows = slice(window.row_off + 200, window.row_off + 200 + window.height)
        return wide[:, rows, window.col_off + 200 : window.col_off + 200 + window.width]

    def predict(tiles: np.ndarray, row: int = 0) -> np.ndarray:
        smooth = uniform_filter(tiles[:, :1], (0, 0, 2 * reach + 1, 2 * reach + 1), mode="constant")
        return np.concatenate([smooth, 1 - smooth], axis=1)

    whole = predict(read(Window(-20, -20, shape[1] + 40, shape[0] + 40))[None])[
        0, :, 20:-20, 20:-20
    ]
    plan = TilePlan.choose(shape, STRIDE, tile, padding, framed=framed)
    tiled = np.full((2, *shape), np.nan, np.float32)
    for window, values in blend(read, predict, shape, 2, plan, batch):
        rows = slice(window.row_off, window.row_off + window.height)
        columns = slice(window.col_off, window.col_off + window.width)
        assert np.isnan(tiled[:, rows, columns]).all(), "a cell was delivered twice"
        tiled[:, rows, columns] = values
    return whole, tiled


@settings(max_examples=60)
@given(
    height=st.integers(2, 150),
    width=st.integers(2, 150),
    tile=st.integers(6, 30),
    padding=st.integers(2, 3),
    batch=st.integers(1, 5),
    framed=st.booleans(),
)
def test_tiled_equals_whole_where_padding_covers_the_reach(
    height: int, width: int, tile: int, padding: int, batch: int, *, framed: bool
) -> None:
    padding *= STRIDE
    whole, tiled = whole_and_tiled(
        (height, width), tile * STRIDE + 2 * padding, padding, batch, reach=8, framed=framed
    )
    np.testing.assert_allclose(tiled, whole, atol=2e-6)


def test_without_padding_seams_stay_small_but_are_seen() -> None:
    """The equality above is no accident: too little context does change the answer."""
    whole, tiled = whole_and_tiled((100, 100), 40, 0, 1, reach=8)
    assert np.abs(whole - tiled).max() > 1e-3


def test_tiles_without_data_are_not_shown_to_the_network() -> None:
    shown = []

    def read(window: Window) -> np.ndarray:
        result = np.zeros((2, window.height, window.width), np.float32)
        if window.col_off <= 0:
            result[1] = 1
        return result

    def predict(tiles: np.ndarray, row: int = 0) -> np.ndarray:
        shown.append(len(tiles))
        return np.full((len(tiles), 3, *tiles.shape[2:]), 1 / 3, np.float32)

    plan = TilePlan.choose((32, 320), STRIDE, 32, 0)
    covered = sum(w.width * w.height for w, _ in blend(read, predict, (32, 320), 3, plan, 4))
    assert covered == 32 * 320
    assert sum(shown) == 1


def test_padding_that_eats_the_tile_is_refused() -> None:
    with pytest.raises(EngineError, match="TILE_SIZE of at least"):
        TilePlan.choose((5000, 5000), 16, 128, 64)
