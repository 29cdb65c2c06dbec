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
    MOVES_M,
    REACH_M,
    Prediction,
    Zones,
    carried_zones,
    leaning,
    zones_around,
)
from glacier_qgis.models.review.retraining.sides import glacier_on_left
from glacier_qgis.models.zones.codes import GLACIER, NO_DATA, OCEAN, ROCK

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


def labels(
    lines: list[LineString],
    seen: npt.NDArray[np.float32],
    rock: npt.NDArray[np.bool_] = NOWHERE,
    *,
    complete: bool = True,
) -> Zones:
    """Labels of the only scene of a place."""
    directed = glacier_on_left(lines, leaning(seen), rock, GRID)
    return zones_around(directed, Prediction.of(seen), rock, GRID, complete=complete)


def line(column: int = FRONT) -> LineString:
    """A front from wall to wall, with the ice in the west, on its left."""
    x = column * CELL
    return LineString([(x, -(ROWS - WALL) * CELL), (x, -WALL * CELL)])


@pytest.mark.parametrize("drawn", [line(), line().reverse()])
@pytest.mark.parametrize("predicted", [FRONT - 20, FRONT + 3, FRONT + 30])
def test_the_sides_of_a_front_are_right_however_it_was_drawn(
    drawn: LineString, predicted: int
) -> None:
    zones = labels([drawn], probabilities(predicted))
    fjord = zones[WALL:-WALL]
    assert (fjord[:, :FRONT] == GLACIER).sum() > 0.9 * fjord[:, :FRONT].size
    assert (fjord[:, FRONT:] == OCEAN).sum() > 0.9 * fjord[:, FRONT:].size
    assert not (fjord[:, :FRONT] == OCEAN).any()
    assert not (fjord[:, FRONT:] == GLACIER).any()
    assert (zones[:WALL] == ROCK).all()


def test_far_from_the_front_only_what_model_and_person_agree_on_is_labelled() -> None:
    reach = int(REACH_M / CELL)
    far = FRONT + reach + 25
    zones = labels([line()], probabilities(far))[WALL:-WALL]
    assert (zones[:, FRONT : FRONT + reach - 1] == OCEAN).all(), "the person decides"
    assert (zones[:, FRONT + reach + 2 : far] == 0).all(), "the model says ice, the side water"
    assert (zones[:, far:] == OCEAN).all()


def test_of_a_scene_with_other_fronts_only_what_is_near_the_line_is_labelled() -> None:
    reach = int(REACH_M / CELL)
    zones = labels([line()], probabilities(FRONT), complete=False)
    assert not zones[:, : FRONT - reach - 1].any()
    assert not zones[:, FRONT + reach + 1 :].any()
    assert (zones[WALL:-WALL, FRONT - 5 : FRONT] == GLACIER).all()


def test_a_scene_without_a_front_keeps_away_from_contacts() -> None:
    reach = int(REACH_M / CELL)
    none = labels([], probabilities(FRONT))
    assert not none[WALL:-WALL, FRONT - reach + 2 : FRONT + reach - 2].any()
    assert (none[WALL:-WALL, : FRONT - reach - 2] == GLACIER).all()


def test_known_rock_is_rock_and_what_the_model_doubts_is_unlabelled() -> None:
    rock = NOWHERE.copy()
    rock[WALL : WALL + 6, FRONT - 4 : FRONT + 4] = True
    zones = labels([line()], probabilities(FRONT, sure=0.6), rock)
    assert (zones[rock] == ROCK).all()
    far = zones[:, : FRONT - int(REACH_M / CELL) - 1]
    assert not far.any()


def test_a_line_is_turned_by_what_the_model_sees_on_its_sides() -> None:
    ice = leaning(probabilities(FRONT + 10))
    for drawn in (line(), line().reverse()):
        (turned,) = glacier_on_left([drawn], ice, NOWHERE, GRID)
        assert turned.equals_exact(line())


@pytest.mark.parametrize("drawn", [line(), line().reverse()])
def test_a_front_far_before_where_it_usually_lies_has_its_ice_behind_it(drawn: LineString) -> None:
    """On all other dates both of its sides are water, the near one by chance a little less so."""
    usually = FRONT - int(1.2 * REACH_M / CELL)
    ice = leaning(probabilities(usually))
    ice[:, FRONT:] += 0.02
    (turned,) = glacier_on_left([drawn], ice, NOWHERE, GRID)
    assert turned.equals_exact(line())


@pytest.mark.parametrize("drawn", [line(100), line(100).reverse()])
@pytest.mark.parametrize("apart", ["rock", "front"])
def test_ice_of_another_glacier_is_not_on_a_side_of_a_front(drawn: LineString, apart: str) -> None:
    """It has advanced into a bay, almost to a glacier on the other shore or behind rock."""
    ice = np.full(GRID.shape, -0.9, np.float32)
    ice[:, :60] = ice[:, 104:] = 0.9
    rock, lines = NOWHERE.copy(), [drawn]
    if apart == "rock":
        rock[:, 102:104] = True
    else:
        lines.append(LineString([(104 * CELL, CELL), (104 * CELL, -(ROWS + 1) * CELL)]))
    rock[:WALL], rock[-WALL:] = True, True
    turned, *_ = glacier_on_left(lines, ice, rock, GRID)
    assert turned.equals_exact(line(100))


@pytest.mark.parametrize("turn", [1, -1])
@pytest.mark.parametrize("width", [20, 50])
def test_ice_beyond_a_channel_does_not_outweigh_mountains_behind_a_glacier(
    turn: int, width: int
) -> None:
    """Its front was not drawn, and no rock is known: the model takes the mountains for neither."""
    ice = np.zeros(GRID.shape, np.float32)
    ice[20:40, :100] = 0.9
    ice[:, 100 : 100 + width] = -0.9
    ice[:, 100 + width :] = 0.9
    front = LineString([(100 * CELL, -40 * CELL), (100 * CELL, -20 * CELL)])
    (turned,) = glacier_on_left([LineString([*front.coords][::turn])], ice, NOWHERE, GRID)
    assert turned.equals_exact(front)


@pytest.mark.parametrize("turn", [1, -1])
@pytest.mark.parametrize("ahead", [-10, -3, 3, 10])
def test_a_line_that_was_left_beside_the_right_one_has_its_ice_behind_it(
    turn: int, ahead: int
) -> None:
    lines = [line(), LineString([*line(FRONT + ahead).coords][::turn])]
    _, left = glacier_on_left(lines, leaning(probabilities(FRONT)), NOWHERE, GRID)
    assert left.equals_exact(line(FRONT + ahead))


@pytest.mark.parametrize("turn", [1, -1])
@pytest.mark.parametrize("covered", [slice(0, FRONT), slice(FRONT - 6, FRONT)])
def test_where_rock_covers_one_side_the_other_tells(turn: int, covered: slice) -> None:
    """Polygons of land are sometimes given with the ice in them."""
    rock = NOWHERE.copy()
    rock[:, covered] = True
    drawn = LineString([*line().coords][::turn])
    (turned,) = glacier_on_left([drawn], leaning(probabilities(FRONT)), rock, GRID)
    assert turned.equals_exact(line())


@pytest.mark.parametrize("turn", [1, -1])
@pytest.mark.parametrize("column", [COLUMNS - 1, COLUMNS])
def test_at_the_edge_of_all_scenes_the_side_that_is_seen_tells(turn: int, column: int) -> None:
    drawn = LineString([*line(column).coords][::turn])
    (turned,) = glacier_on_left([drawn], leaning(probabilities(COLUMNS)), NOWHERE, GRID)
    assert turned.equals_exact(line(column))


def test_a_scene_predicted_the_wrong_way_round_is_labelled_by_the_others() -> None:
    right = probabilities(FRONT + 10)
    wrong = right[[0, 1, 3, 2]]
    ice = (2 * leaning(right) + leaning(wrong)) / 3
    directed = glacier_on_left([line().reverse()], ice, NOWHERE, GRID)
    zones = zones_around(directed, Prediction.of(wrong), NOWHERE, GRID, complete=True)
    fjord = zones[WALL:-WALL]
    assert set(np.unique(fjord[:, :FRONT])) <= {0, GLACIER}
    assert set(np.unique(fjord[:, FRONT:])) <= {0, OCEAN}
    assert (fjord[:, FRONT - 5 : FRONT] == GLACIER).all()


def test_what_all_corrections_agree_on_is_carried_to_other_dates() -> None:
    fronts, margin = (FRONT - 10, FRONT, FRONT + 20), int(MOVES_M / CELL)
    corrected = [labels([line(column)], probabilities(column)) for column in fronts]
    carried = carried_zones(corrected, NOWHERE, GRID)[WALL:-WALL]
    first, last = fronts[0] - margin - 4, fronts[-1] + margin + 4
    assert (carried[:, 1:first] == GLACIER).all()
    assert (carried[:, last:-1] == OCEAN).all()
    assert not carried[:, fronts[0] - margin + 2 : fronts[-1] + margin - 2].any()


def test_of_one_correction_only_rock_is_carried() -> None:
    """The front may be kilometres away on other dates."""
    rock = NOWHERE.copy()
    rock[:2] = True
    carried = carried_zones([labels([line()], probabilities(FRONT))], rock, GRID)
    assert (carried[rock] == ROCK).all()
    assert not carried[~rock].any()


def test_few_corrections_are_carried_less_far_and_what_is_not_seen_not_at_all() -> None:
    one = labels([line()], probabilities(FRONT))
    one[:, :20] = NO_DATA
    rock = NOWHERE.copy()
    rock[:2] = True
    carried = carried_zones([one, one], rock, GRID)
    reach = int(REACH_M / CELL)
    assert not carried[WALL:-WALL, FRONT - reach + 2 : FRONT + reach - 2].any()
    assert not carried[2:, :20].any()
    assert (carried[rock] == ROCK).all()
    assert (carried[WALL:-WALL, FRONT + reach + 4 : -1] == OCEAN).all()


def test_corrections_that_show_no_front_are_carried_where_they_agree() -> None:
    water, ice = np.full(GRID.shape, OCEAN, np.uint8), np.full(GRID.shape, OCEAN, np.uint8)
    ice[:, :30] = GLACIER
    ice[:, 27:33] = 0
    carried = carried_zones([water, ice], NOWHERE, GRID)
    assert not carried[:, :27].any()
    assert (carried[:, 33:] == OCEAN).all()


def test_what_fewer_than_half_of_the_corrections_say_is_not_carried() -> None:
    """A zone of which the model is certain on one date alone is often wrong."""
    ice, unknown = np.full(GRID.shape, GLACIER, np.uint8), np.zeros(GRID.shape, np.uint8)
    assert not carried_zones([ice, unknown, unknown], NOWHERE, GRID).any()
    assert (carried_zones([ice, ice, unknown], NOWHERE, GRID) == GLACIER).all()
    assert (carried_zones([ice, ice], NOWHERE, GRID) == GLACIER).all()
