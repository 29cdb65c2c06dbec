from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import linregress

from glacier_qgis.models.radar.simulate.echoes import Echoes
from glacier_qgis.models.radar.simulate.settings import SETTINGS
from glacier_qgis.models.radar.simulate.tracks import MERGED, IceSheet, Reflectors, Snow, smooth
from glacier_qgis.models.radar.simulate.valley import ValleyGlacier
from glacier_qgis.models.radar.simulate.variety import BURIED, NARROW, ONE_LOOK, varied

QUIET = Echoes(
    fading_db=0, layer_spread_db=0, clutter=0, gain_db=0, drift_db=0, missing=0, multiple_db=-200
)


def flat(rows: list[float], bed: float = 400.0, traces: int = 200) -> Reflectors:
    lines = np.repeat(np.array(rows)[:, None], traces, axis=1)
    return Reflectors(np.full(traces, 30.0), np.full(traces, bed), lines, 2.8, 15.0)


def power_at(echogram: np.ndarray, row: int) -> float:
    return float(10 * np.log10((10 ** (echogram[row] / 10)).mean()))


@pytest.mark.parametrize("name", SETTINGS)
def test_the_same_seed_gives_the_same_frame(name: str) -> None:
    one, two = (SETTINGS[name].simulate(120, 4)[1] for _ in range(2))
    np.testing.assert_array_equal(one, two)
    assert not np.array_equal(one, SETTINGS[name].simulate(120, 5)[1], equal_nan=True)


@pytest.mark.parametrize("geometry", [IceSheet(folds=0.08, accumulation=0.4), Snow(pattern=0.4)])
@pytest.mark.parametrize("seed", range(5))
def test_layers_never_cross(geometry: IceSheet | Snow, seed: int) -> None:
    found = geometry.draw(500, np.random.default_rng(seed))
    for trace in range(0, 500, 7):
        rows = found.layers[:, trace]
        rows = rows[np.isfinite(rows)]
        assert (np.diff(rows) >= MERGED - 1e-9).all()
        assert (rows > found.surface[trace]).all()
        assert not (rows > found.bed[trace]).any()


def test_layers_of_one_accumulation_history_follow_nyes_time_scale() -> None:
    sheet = IceSheet(accumulation=0.3, folds=0, broken=0, deepest=0.7)
    found = sheet.draw(60, np.random.default_rng(1))
    share = (found.layers - found.surface) / (found.bed - found.surface)
    ages = -np.log1p(-share)  # of the accumulation at each trace
    ratio = ages / ages[0]
    np.testing.assert_allclose(ratio, np.broadcast_to(ratio[:, :1], ratio.shape), rtol=1e-9)


def test_noise_along_the_track_has_unit_variance_and_the_asked_length() -> None:
    drawn = np.array([smooth(np.random.default_rng(n), 400, 40) for n in range(200)])
    assert drawn.std() == pytest.approx(1, abs=0.05)
    lagged = (drawn[:, :-40] * drawn[:, 40:]).mean()
    assert lagged == pytest.approx(np.exp(-1), abs=0.08)


def test_a_layer_is_as_much_brighter_as_asked() -> None:
    setting = replace(QUIET, layer_db=12.0, looks=40, pulse=0.5, attenuation_db=0.0)
    echogram = setting.record(flat([200.0]), 460, np.random.default_rng(0))
    above = 10 ** (power_at(echogram, 200) / 10) / 10 ** (power_at(echogram, 150) / 10)
    assert above - 1 == pytest.approx(10**1.2, rel=0.15)


def test_power_falls_with_the_attenuation() -> None:
    setting = replace(QUIET, attenuation_db=6.0, noise_db=-200.0)
    echogram = setting.record(flat([]), 460, np.random.default_rng(0))
    rows = np.arange(60, 380)
    slope = linregress(rows, [power_at(echogram, row) for row in rows]).slope
    assert slope == pytest.approx(-0.06, rel=0.02)


def test_speckle_follows_the_number_of_looks() -> None:
    for looks in (1, 4, 16):
        echogram = replace(QUIET, looks=looks).record(flat([]), 460, np.random.default_rng(0))
        power = 10 ** (echogram[100] / 10)
        assert (power.std() / power.mean()) ** 2 == pytest.approx(1 / looks, rel=0.35)


def test_the_multiple_of_the_bed_lies_below_it() -> None:
    setting = replace(QUIET, multiple_delay=100.0, multiple_db=-5.0, bed_db=40.0)
    echogram = setting.record(flat([], bed=200.0), 460, np.random.default_rng(0))
    assert power_at(echogram, 300) > power_at(echogram, 290) + 10


def test_missing_traces_are_missing_as_a_whole() -> None:
    echogram = replace(QUIET, missing=0.2).record(flat([100.0]), 200, np.random.default_rng(0))
    gone = np.isnan(echogram)
    assert 0.05 < gone.all(axis=0).mean() < 0.4
    assert (gone.any(axis=0) == gone.all(axis=0)).all()


def test_speckle_is_as_long_as_the_footprint() -> None:
    for footprint in (0.0, 4.0):
        setting = replace(QUIET, looks=1, footprint=footprint)
        echogram = setting.record(flat([], traces=600), 200, np.random.default_rng(0))
        power = 10 ** (echogram[100:140] / 10)
        alike = np.corrcoef(power[:, :-2].ravel(), power[:, 2:].ravel())[0, 1]
        assert (alike > 0.2) == (footprint > 0)


def test_patches_change_the_scattering_from_place_to_place() -> None:
    setting = replace(QUIET, looks=40, attenuation_db=0.0, patches_db=4.0)
    echogram = setting.record(flat([], traces=300), 460, np.random.default_rng(0))
    ice = echogram[60:380]
    assert ice.std() == pytest.approx(4, rel=0.4)
    plain = replace(setting, patches_db=0.0).record(
        flat([], traces=300), 460, np.random.default_rng(0)
    )
    assert plain[60:380].std() < 1


def test_the_antenna_repeats_the_surface_below_it() -> None:
    setting = replace(QUIET, reverberations=2, pulse=5.0, volume_db=-60.0)
    echogram = setting.record(flat([]), 460, np.random.default_rng(0))
    powers = [power_at(echogram, row) for row in (30, 40, 50, 60)]
    assert powers[1] == pytest.approx(powers[0] - 5, abs=1.5)
    assert powers[2] == pytest.approx(powers[1] - 5, abs=1.5)
    assert powers[3] < powers[2] - 15


def test_a_valley_is_deepest_on_its_axis_and_has_steep_sides() -> None:
    valley = ValleyGlacier(thickness=400, half_width=300, shape=2, relief=0)
    found = valley.draw(500, np.random.default_rng(0))
    depth = found.bed - found.surface
    axis = int(depth.argmax())
    assert depth[axis] == pytest.approx(400, abs=0.1)
    away = np.arange(500) - axis
    inside = np.abs(away) < 280
    parabola = 400 * (1 - (away[inside] / 300) ** 2)
    np.testing.assert_allclose(depth[inside], parabola, atol=1.5)
    assert not (found.layers > found.surface + 0.3 * depth).any()


def test_varied_settings_give_every_kind_of_frame() -> None:
    kinds = set()
    for seed in range(12):
        setting = varied(np.random.default_rng(seed))
        kinds.add(type(setting.geometry))
        _, echogram = setting.simulate(60, seed)
        assert echogram.shape[1] == 60
        assert np.isfinite(echogram).any()
    assert kinds == {IceSheet, Snow, ValleyGlacier}


def test_no_training_sees_the_held_out_settings() -> None:
    drawn = [varied(np.random.default_rng(seed)) for seed in range(400)]
    looks = {setting.echoes.looks for setting in drawn}
    assert min(looks) == 2 > ONE_LOOK.looks
    assert max(looks) == 12
    assert max(setting.echoes.noise_db for setting in drawn) < BURIED.noise_db
    assert isinstance(NARROW.geometry, IceSheet)
    assert min(setting.geometry.spacing for setting in drawn) > NARROW.geometry.spacing
