"""Landscapes, glaciers that grow on them, and solutions on disk."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from glacier_qgis.models.iceflow.physics import WEIGHT
from glacier_qgis.models.iceflow.teaching.states.growth import Climate, grow
from glacier_qgis.models.iceflow.teaching.states.solved import Solved, solve, stored
from glacier_qgis.models.iceflow.teaching.states.states import (
    LEAST_COVER,
    THICKEST,
    State,
    deepened,
    random_state,
    terrain_ground,
    valley_ground,
    varied,
)
from glacier_qgis.models.iceflow.teaching.states.valleys import Terrain, landscape, noise, rough

NO_BALANCE = Climate(0.0, 0.0, 0.0, 1.0)
TERRAIN = Terrain(0.5, 0.4, 9.0, 0.8, 4.0, 1.0)


def rng(seed: int = 1) -> np.random.Generator:
    return np.random.default_rng(seed)


def test_water_finds_its_way_out_of_every_landscape() -> None:
    """Before smoothing, every cell that is not at the border has a lower neighbour."""
    sharp = Terrain(0.5, 0.4, 9.0, 0.8, 4.0, 0.0)
    heights = landscape(rng(), 40, 100.0, sharp)
    padded = np.pad(heights, 1, constant_values=np.inf)
    around = [
        padded[1 + down : 41 + down, 1 + right : 41 + right]
        for down in (-1, 0, 1)
        for right in (-1, 0, 1)
        if down or right
    ]
    pits = heights <= np.min(around, axis=0)
    share = pits[1:-1, 1:-1].mean()
    assert share < 0.02  # smoothing over less than a cell leaves hardly any


def test_landscapes_differ_by_seed_alone_and_grow_with_cells() -> None:
    one, same, other = (landscape(rng(seed), 32, 100.0, TERRAIN) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, same)
    assert np.abs(one - other).max() > 10
    assert one.min() == 0
    wider = landscape(rng(1), 32, 300.0, TERRAIN)
    np.testing.assert_allclose(wider, 3 * one, rtol=1e-9)


def test_random_fields_have_the_spread_that_they_promise() -> None:
    for field in (noise(rng(), (50, 40), 3.0), rough(rng(), (50, 40), 0.8)):
        assert field.shape == (50, 40)
        assert field.mean() == pytest.approx(0, abs=1e-9)
        assert field.std() == pytest.approx(1)


def test_rougher_fields_have_more_of_the_short_waves() -> None:
    def steepness(power: float) -> float:
        return float(np.abs(np.diff(rough(rng(), (64, 64), power), axis=0)).mean())

    assert steepness(0.3) > 1.5 * steepness(1.2)


def test_a_dome_of_shallow_ice_spreads_like_halfar() -> None:
    """Halfar's similarity solution for n = 3 (1983), and no ice is lost."""
    cells, cell, rate, height, radius = 61, 2000.0, 3.1557, 1000.0, 40_000.0
    gamma = 2 * rate * WEIGHT**3 / 5
    place = (np.arange(cells) - cells // 2) * cell
    distance = np.hypot(place[:, None], place)
    start = (1 / (18 * gamma)) * (7 / 4) ** 3 * radius**4 / height**7
    years = 0.5 * start

    def halfar(time: float) -> np.ndarray:
        inner = 1 - (distance / radius * (time / start) ** (-1 / 18)) ** (4 / 3)
        return np.asarray(height * (time / start) ** (-1 / 9) * np.maximum(inner, 0) ** (3 / 7))

    before = halfar(start)
    bed = np.zeros_like(before)
    after = grow(bed, before, NO_BALANCE, years, cell, rate, 0.0, most_steps=20_000)
    assert after.sum() == pytest.approx(before.sum(), rel=1e-6)
    true = halfar(start + years)
    assert np.abs(after - true).mean() < 0.02 * true.mean()
    assert after.max() == pytest.approx(true.max(), rel=0.01)


def test_ice_gathers_above_the_line_and_melts_below() -> None:
    slope = 3000 - 0.2 * 100 * np.arange(60.0)
    bed = np.repeat(slope[None], 20, axis=0)
    climate = Climate(2500.0, 0.008, 0.005, 2.0)
    ice = grow(bed, np.zeros_like(bed), climate, 100.0, 100.0, 78.0, 5.0)
    assert (ice >= 0).all()
    assert ice[:, :20].mean() > 20
    assert ice[:, 50:].max() == 0
    assert climate.balance(np.array([4000.0, 2500.0, 2400.0])).tolist() == [2.0, 0.0, -0.8]


@pytest.mark.parametrize("ground", ["valleys", "terrain"])
@pytest.mark.parametrize("seed", range(4))
def test_states_are_glaciers(seed: int, ground: str) -> None:
    heights = landscape(rng(7), 120, 200.0, TERRAIN)
    source = valley_ground if ground == "valleys" else terrain_ground(heights, 200.0)
    state = random_state(rng(seed), 40, source)
    again = random_state(rng(seed), 40, source)
    np.testing.assert_array_equal(state.thickness, again.thickness)
    for field in (state.thickness, state.surface, state.rate_factor, state.sliding):
        assert field.shape == (40, 40)
        assert np.isfinite(field).all()
    assert state.cover >= LEAST_COVER
    assert 0 <= state.thickness.min() <= state.thickness.max() <= THICKEST * state.cell_size
    assert state.rate_factor.min() > 0
    assert state.sliding.min() >= 0


def test_landscapes_come_from_the_terrain_that_is_not_held_out() -> None:
    heights = landscape(rng(7), 120, 200.0, TERRAIN)
    heights[:, :20] = np.nan
    ground = terrain_ground(heights, 200.0)
    for seed in range(5):
        assert np.isfinite(ground(rng(seed), 48, 200.0)).all()


def plain_state(cells: int = 16) -> State:
    surface = np.repeat(2000.0 - 10 * np.arange(cells)[None], cells, axis=0)
    thickness = np.zeros((cells, cells))
    thickness[3:-3, 2:-2] = 120.0
    full = np.ones_like(thickness)
    return State(100.0, thickness, surface, 78.0 * full, 10.0 * full)


def test_a_lower_bed_leaves_the_margin_where_it_is() -> None:
    state = plain_state()
    for seed in range(8):
        lower = deepened(rng(seed), state)
        np.testing.assert_array_equal(lower.thickness > 0, state.thickness > 0)
        bare = state.thickness == 0
        np.testing.assert_array_equal(lower.surface[bare], state.surface[bare])
        assert lower.thickness.max() <= 1.2 * THICKEST * state.cell_size


def test_sliding_and_softness_vary_within_bounds() -> None:
    fields = [varied(rng(seed), plain_state()) for seed in range(60)]
    slips = [state.sliding for state in fields]
    assert any(np.ptp(slip) > 0 for slip in slips)
    assert any((slip == 0).any() and (slip > 0).any() for slip in slips)
    assert any(np.ptp(state.rate_factor) > 0 for state in fields)
    assert any(np.ptp(slip) == 0 for slip in slips)


def test_a_solution_is_read_as_it_was_written(tmp_path: Path) -> None:
    state = plain_state()
    solved = solve(state)
    assert solved.residual <= 1e-3
    mean, base, surface = solved.velocity[:, 0, 8, 8]
    assert 0 < base < mean < surface
    solved.write(tmp_path / "000001.safetensors")
    assert [path.name for path in stored(tmp_path)] == ["000001.safetensors"]
    read = Solved.read(tmp_path / "000001.safetensors")
    assert (read.cell_size, read.residual) == (solved.cell_size, solved.residual)
    torch.testing.assert_close(read.velocity, solved.velocity.float())
    torch.testing.assert_close(read.sliding, torch.from_numpy(state.sliding).float())
