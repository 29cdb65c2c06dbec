"""Hypsometry against closed forms, and its sums against the state."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from glacier_qgis.models.iceflow.dynamics.simulation import Snapshot
from glacier_qgis.models.iceflow.results.hypsometry import MOST_BANDS, band_width, hypsometry

CELL = 100.0


def state(bed: np.ndarray, thickness: np.ndarray) -> Snapshot:
    bed, h = bed.astype(np.float32), thickness.astype(np.float32)
    volume = float(h.sum(dtype="f8")) * CELL**2 / 1e9
    area = int((h >= 1).sum()) * CELL**2 / 1e6
    return Snapshot(5.0, h, bed + h, h, h, h, volume, area, 0.0)


def test_an_even_slab_on_an_even_slope_is_as_large_in_every_band() -> None:
    bed = np.repeat(np.arange(2000.0, 3000.0, 10.0)[:, None] + 5, 7, axis=1)
    found = hypsometry(state(bed, np.full(bed.shape, 100.0)), 50.0, CELL)
    np.testing.assert_array_equal(found.bottoms, np.arange(2100, 3100, 50))
    np.testing.assert_allclose(found.area, 5 * 7 * 0.01)
    np.testing.assert_allclose(found.volume, 5 * 7 * 0.01 * 0.1)


@given(st.integers(0, 2**32 - 1), st.floats(0, 1), st.sampled_from([1.0, 20.0, 500.0]))
def test_bands_add_up_to_the_state(seed: int, iced: float, width: float) -> None:
    random = np.random.default_rng(seed)
    bed = random.uniform(-500, 4000, (13, 9))
    thickness = random.uniform(0, 30, bed.shape) * (random.random(bed.shape) < iced)
    one = state(bed, thickness)
    found = hypsometry(one, width, CELL)
    assert found.area.sum() == pytest.approx(one.area, rel=1e-9)
    assert found.volume.sum() == pytest.approx(one.volume, rel=1e-6)
    if thickness.any():
        ice = one.surface[one.thickness > 0]
        assert found.bottoms[0] <= ice.min() < found.bottoms[0] + width
        assert found.bottoms[-1] <= ice.max() < found.bottoms[-1] + width


@given(st.floats(0, 9000))
def test_a_relief_has_a_readable_number_of_bands(relief: float) -> None:
    width = band_width(np.array([100.0, 100.0 + relief], np.float32))
    assert width * MOST_BANDS >= relief
    assert float(f"{width:.0e}"[0]) in (1, 2, 5)


def test_without_ice_there_are_no_bands() -> None:
    found = hypsometry(state(np.zeros((4, 4)), np.zeros((4, 4))), 50.0, CELL)
    assert len(found.bottoms) == len(found.area) == len(found.volume) == 0
