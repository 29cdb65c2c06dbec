"""Comparison with an observation: closed forms."""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from glacier_qgis.models.iceflow.dynamics.simulation import Snapshot
from glacier_qgis.models.iceflow.results.comparison import (
    PERCENTILES,
    Observation,
    area_overlap,
    compare,
    surface_misfit,
)

CELL = 10.0
ROWS, COLUMNS = np.indices((300, 400))
RADIUS = 900.0


def disc(east: float) -> np.ndarray:
    """Cells within the radius of a centre, m east of the grid's."""
    x, y = (COLUMNS - 199.5) * CELL - east, (ROWS - 149.5) * CELL
    return np.hypot(x, y) < RADIUS


def state(thickness: np.ndarray, bed: float = 2000.0) -> Snapshot:
    h = thickness.astype(np.float32)
    return Snapshot(1999.0, h, bed + h, h, h, h, 1.0, 1.0, 1.0)


def lens(shift: float) -> float:
    """Area, m², of the overlap of two discs whose centres are `shift` apart."""
    half = shift / (2 * RADIUS)
    return 2 * RADIUS**2 * (math.acos(half) - half * math.sqrt(1 - half**2))


@pytest.mark.parametrize("shift", [0.0, 10.0, 300.0, 900.0, 1700.0])
def test_shifted_discs_overlap_as_geometry_says(shift: float) -> None:
    found = area_overlap(disc(shift / 2), disc(-shift / 2), CELL**2 / 1e6)
    whole, both = math.pi * RADIUS**2, lens(shift)
    assert found.both == pytest.approx(both / 1e6, abs=0.01)
    assert found.too_much == pytest.approx((whole - both) / 1e6, abs=0.01)
    assert found.too_little == pytest.approx(found.too_much, abs=1e-9)
    assert found.iou == pytest.approx(both / (2 * whole - both), abs=0.004)


def test_discs_apart_and_nothing_at_all() -> None:
    apart = area_overlap(disc(-1000), disc(1000), 1e-4)
    assert (apart.both, apart.iou) == (0, 0)
    none = np.zeros((3, 3), bool)
    assert math.isnan(area_overlap(none, none, 1e-4).iou)


@given(st.floats(-200, 200))
def test_a_constant_offset_is_the_mean_the_rms_and_every_percentile(offset: float) -> None:
    ice = disc(0)
    now = state(100 * ice)
    observed = Observation(1999.0, None, (now.surface - np.float32(offset)).astype(np.float32))
    found = compare(now, observed, ice, CELL)
    assert found.overlap is None
    assert found.misfit is not None
    assert found.difference is not None
    assert found.misfit.area == pytest.approx(ice.sum() * CELL**2 / 1e6)
    assert found.misfit.mean == pytest.approx(offset, abs=1e-3)
    assert found.misfit.rms == pytest.approx(abs(offset), abs=1e-3)
    assert found.misfit.percentiles == pytest.approx([offset] * len(PERCENTILES), abs=1e-3)
    np.testing.assert_array_equal(np.isfinite(found.difference), ice)


def test_noise_has_the_percentiles_of_its_distribution() -> None:
    noise = np.random.default_rng(1).normal(3.0, 8.0, 200_000).astype(np.float32)
    found = surface_misfit(noise, 1e-4)
    assert found is not None
    bell = NormalDist(3.0, 8.0)
    assert found.rms == pytest.approx(math.hypot(3, 8), rel=0.01)
    expected = [bell.inv_cdf(share / 100) for share in PERCENTILES]
    assert found.percentiles == pytest.approx(expected, abs=0.1)


def test_surfaces_are_compared_where_either_has_ice_and_both_have_data() -> None:
    simulated, outline, before = disc(-300), disc(300), disc(0)
    now = state(50 * simulated)
    surface = np.full(simulated.shape, 2000, np.float32)
    surface[:150] = np.nan
    known = np.isfinite(surface)
    with_outline = compare(now, Observation(1999.0, outline, surface), before, CELL)
    without = compare(now, Observation(1999.0, None, surface), before, CELL)
    assert with_outline.difference is not None
    assert without.difference is not None
    np.testing.assert_array_equal(
        np.isfinite(with_outline.difference), (simulated | outline) & known
    )
    np.testing.assert_array_equal(np.isfinite(without.difference), (simulated | before) & known)
    assert np.nanmax(with_outline.difference) == 50
    assert np.nanmin(with_outline.difference) == 0


def test_an_outline_alone_gives_no_misfit() -> None:
    found = compare(state(50 * disc(0)), Observation(1999.0, disc(0), None), disc(0), CELL)
    assert found.misfit is None
    assert found.difference is None
    assert found.overlap is not None
    assert found.overlap.iou == 1
