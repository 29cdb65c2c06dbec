from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import quad

from glacier_qgis.models.radar.exporting.accumulation import (
    Density,
    accumulation,
    layer_above,
    warn_of_order,
)
from kit.engine.listener import Listener

NONE = np.nan


def test_thickness_reaches_up_to_the_next_layer_that_is_traced() -> None:
    depths = np.array([[0.0, 0, NONE], [10, NONE, 12], [25, 30, 8]])

    thickness, above = layer_above(depths)

    np.testing.assert_array_equal(thickness, [[0, 0, NONE], [10, NONE, 4], [15, 30, 8]])
    assert above[1, 0] == 0
    assert above[2].tolist() == [1, 0, -1]  # layers that cross are taken as they lie
    assert above[1, 2] == 2


def test_the_load_of_firn_is_the_integral_of_its_density() -> None:
    firn = Density(surface=350, length=25)

    for depth in (1.0, 20.0, 300.0):
        expected = quad(lambda z: float(firn.at(z)) / 1000, 0, depth)[0]
        assert firn.load(depth) == pytest.approx(expected, rel=1e-9)
    assert Density().load(100.0) == pytest.approx(91.7)


def test_accumulation_of_a_steady_climate_is_the_same_between_all_layers() -> None:
    firn, rate = Density(surface=350, length=25), 0.3
    years = [2010.0, 2000.0, 1950.0]
    survey = np.array([2012.5, 2012.5])
    load = rate * (survey[0] - np.array(years))
    grid = np.linspace(0, 100, 200_001)
    depth = np.interp(load, firn.load(grid), grid)
    depths = np.column_stack([depth, depth])
    depths[1, 1] = NONE  # the layer of 2000 is lost in trace 1

    found, error = accumulation(depths, years, survey, firn, np.full((3, 2), 0.1))

    np.testing.assert_allclose(found, [[rate, rate], [rate, NONE], [rate, rate]], rtol=1e-4)
    spans = np.array([2.5, 10, 50])
    upper = np.concatenate([[0], 0.1 * firn.at(depth[:-1])])
    expected = np.hypot(0.1 * firn.at(depth), upper) / 1000 / spans
    np.testing.assert_allclose(error[:, 0], expected)


def test_without_a_date_of_the_survey_the_first_layer_has_no_rate() -> None:
    depths = np.array([[10.0], [20.0]])
    found, _ = accumulation(
        depths, [2010.0, 2000.0], np.array([NONE]), Density(), np.full((2, 1), NONE)
    )
    assert np.isnan(found[0, 0])
    assert found[1, 0] == pytest.approx(0.917)


def test_an_older_layer_above_a_younger_one_is_named_and_has_no_rate() -> None:
    listener = Listener()
    depths, years = np.array([[10.0, 10], [20, 8]]), [2010.0, 2000.0]

    found, _ = accumulation(depths, years, np.full(2, 2020.0), Density(), np.full((2, 2), NONE))
    warn_of_order(depths, years, ["upper", "lower"], listener)

    assert np.isfinite(found[1, 0])
    assert np.isnan(found[1, 1])
    assert "lower (2000) lies above upper (2010) at 1 traces" in listener.warnings[0]
