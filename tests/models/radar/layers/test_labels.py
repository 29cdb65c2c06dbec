import numpy as np

from glacier_qgis.models.radar.layers.codes import BED, LAYER, NO_LAYER, SURFACE, UNLABELLED
from glacier_qgis.models.radar.layers.contrast import Level, channels
from glacier_qgis.models.radar.layers.labels import NEAR, labels_of
from glacier_qgis.models.radar.layers.power import decibels

LINES = [np.full(8, row) for row in (20.0, 40.0)]
SURFACE_ROW, BED_ROW = np.full(8, 10.0), np.full(8, 80.0)


def test_a_complete_frame_has_no_unlabelled_pixel() -> None:
    codes = labels_of(LINES, SURFACE_ROW, BED_ROW, 100)
    assert (codes != UNLABELLED).all()
    expected = {10: SURFACE, 20: LAYER, 40: LAYER, 80: BED}
    assert {row: codes[row, 0] for row in expected} == expected


def test_what_is_far_from_the_lines_of_a_partial_frame_is_unlabelled() -> None:
    codes = labels_of(LINES, SURFACE_ROW, BED_ROW, 100, complete=False)[:, 3]
    assert (codes[20 + NEAR + 1 : 40 - NEAR] == UNLABELLED).all()
    assert (codes[21 : 20 + NEAR + 1] == NO_LAYER).all()
    assert (codes[:10] == NO_LAYER).all()
    assert (codes[81:] == NO_LAYER).all()


def test_a_line_that_ends_is_drawn_where_it_is() -> None:
    line = np.full(8, 30.0)
    line[4:] = np.nan
    none = np.full(8, np.nan)
    codes = labels_of([line], none, none, 60, complete=False)
    assert (codes[30, :4] == LAYER).all()
    assert (codes[:, 4:] == UNLABELLED).all()


def test_the_input_does_not_depend_on_gain_or_attenuation() -> None:
    random = np.random.default_rng(0)
    power = random.normal(-50, 3, (200, 60)).astype(np.float32)
    plain = channels(power, Level(-50, 3))
    louder = channels(power + 20, Level(-30, 3))
    np.testing.assert_allclose(plain, louder, atol=1e-4)
    fading = power - 0.02 * np.arange(200, dtype=np.float32)[:, None]
    np.testing.assert_allclose(
        plain[0, 30:-30], channels(fading, Level(-52, 3))[0, 30:-30], atol=0.03
    )
    assert np.abs(plain[0]).max() <= 1


def test_missing_traces_are_masked_and_do_not_spread() -> None:
    power = np.random.default_rng(0).normal(-50, 3, (80, 30)).astype(np.float32)
    power[:, 10:12] = np.nan
    inputs = channels(power, Level.of(power))
    assert (inputs[:, :, 10:12] == 0).all()
    assert np.isfinite(inputs).all()
    assert (inputs[2, :, :10] == 1).all()


def test_the_power_of_a_wiggle_is_that_of_its_envelope() -> None:
    time = np.arange(400)[:, None]
    envelope = np.exp(-(((time - 200) / 40) ** 2))
    wave = (envelope * np.cos(time * 0.9)).astype(np.float32)
    power = decibels(wave, "amplitude")
    np.testing.assert_allclose(power[150:250], 20 * np.log10(envelope[150:250]), atol=0.1)
    assert np.isnan(decibels(np.zeros((4, 2), np.float32), "amplitude")).all()


def test_linear_power_becomes_db_and_none_becomes_no_echo() -> None:
    power = decibels(np.array([[1, 100], [0, np.nan]], np.float32), "power")
    np.testing.assert_allclose(power, [[0, 20], [np.nan, np.nan]])
