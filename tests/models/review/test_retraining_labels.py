"""What a corrected front says of the zones around it."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from affine import Affine
from pyproj import CRS
from shapely import LineString

from glacier_qgis.models.raster.grid import Grid
from glacier_qgis.models.review.retraining.labels import (
    REACH_M,
    glacier_on_left,
    predicted_zones,
    zones_around,
)
from glacier_qgis.models.zones.codes import GLACIER, OCEAN, ROCK

CELL, ROWS, COLUMNS = 60.0, 60, 240
GRID = Grid(CRS.from_epsg(3413), Affine(CELL, 0, 0, 0, -CELL, 0), ROWS, COLUMNS)
WALL = 8
"""Rows of rock on either side of a fjord from west (ice) to east (water)."""
FRONT = 120
"""Column of the true front."""
NOWHERE = np.zeros(GRID.shape, np.bool_)


def probabilities(front: int, sure: float = 0.97) -> npt.NDArray[np.float32]:
    """What a model predicts that sees the front in another column."""
    zones = np.full(GRID.shape, GLACIER)
    zones[:, front:] = OCEAN
    zones[:WALL] = zones[-WALL:] = ROCK
    codes = np.arange(1, 5)[:, None, None]
    return np.where(codes == zones, sure, (1 - sure) / 3).astype(np.float32)


def line(column: int = FRONT) -> LineString:
    """A front from wall to wall, with the ice in the west, on its left."""
    x = column * CELL
    return LineString([(x, -(ROWS - WALL) * CELL), (x, -WALL * CELL)])


@pytest.mark.parametrize("drawn", [line(), line().reverse()])
@pytest.mark.parametrize("predicted", [FRONT - 20, FRONT + 3, FRONT + 30])
def test_the_sides_of_a_front_are_right_however_it_was_drawn(
    drawn: LineString, predicted: int
) -> None:
    zones = zones_around([drawn], probabilities(predicted), NOWHERE, GRID, complete=True)
    fjord = zones[WALL:-WALL]
    assert (fjord[:, :FRONT] == GLACIER).sum() > 0.9 * fjord[:, :FRONT].size
    assert (fjord[:, FRONT:] == OCEAN).sum() > 0.9 * fjord[:, FRONT:].size
    assert not (fjord[:, :FRONT] == OCEAN).any()
    assert not (fjord[:, FRONT:] == GLACIER).any()
    assert (zones[:WALL] == ROCK).all()


def test_far_from_the_front_only_what_model_and_person_agree_on_is_labelled() -> None:
    reach = int(REACH_M / CELL)
    far = FRONT + reach + 25
    zones = zones_around([line()], probabilities(far), NOWHERE, GRID, complete=True)[WALL:-WALL]
    assert (zones[:, FRONT : FRONT + reach - 1] == OCEAN).all(), "the person decides"
    assert (zones[:, FRONT + reach + 2 : far] == 0).all(), "the model says ice, the side water"
    assert (zones[:, far:] == OCEAN).all()


def test_of_a_scene_with_other_fronts_only_what_is_near_the_line_is_labelled() -> None:
    reach = int(REACH_M / CELL)
    zones = zones_around([line()], probabilities(FRONT), NOWHERE, GRID, complete=False)
    assert not zones[:, : FRONT - reach - 1].any()
    assert not zones[:, FRONT + reach + 1 :].any()
    assert (zones[WALL:-WALL, FRONT - 5 : FRONT] == GLACIER).all()


def test_a_scene_without_a_front_and_one_nobody_saw_keep_away_from_contacts() -> None:
    reach = int(REACH_M / CELL)
    none = zones_around([], probabilities(FRONT), NOWHERE, GRID, complete=True)
    same = predicted_zones(probabilities(FRONT), NOWHERE, GRID)
    np.testing.assert_array_equal(none, same)
    assert not none[WALL:-WALL, FRONT - reach + 2 : FRONT + reach - 2].any()
    assert (none[WALL:-WALL, : FRONT - reach - 2] == GLACIER).all()


def test_known_rock_is_rock_and_what_the_model_doubts_is_unlabelled() -> None:
    rock = NOWHERE.copy()
    rock[WALL : WALL + 6, FRONT - 4 : FRONT + 4] = True
    zones = zones_around([line()], probabilities(FRONT, sure=0.6), rock, GRID, complete=True)
    assert (zones[rock] == ROCK).all()
    far = zones[:, : FRONT - int(REACH_M / CELL) - 1]
    assert not far.any()


def test_a_line_is_turned_by_what_the_model_sees_on_its_sides() -> None:
    seen = probabilities(FRONT + 10)
    assert glacier_on_left(line(), seen, GRID).equals_exact(line())
    assert glacier_on_left(line().reverse(), seen, GRID).equals_exact(line())
