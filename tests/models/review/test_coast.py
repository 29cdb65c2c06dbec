"""Where corrected scenes say that ice meets water without a front."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
import shapely
from affine import Affine
from hypothesis import given
from hypothesis import strategies as st
from pyproj import CRS
from shapely import LineString, MultiLineString, Point

from glacier_qgis.models.fronts.termini.whereabouts import from_degrees, in_degrees
from glacier_qgis.models.raster.grid import Grid
from glacier_qgis.models.review.retraining.coast import (
    NEAR_M,
    WIDTH_M,
    Shown,
    coast_of,
    contact_of,
    without_fronts,
)
from glacier_qgis.models.zones.codes import CLASS_NAMES, GLACIER, OCEAN

CELL, ROWS, COLUMNS = 50.0, 200, 80
GRID = Grid(CRS.from_epsg(3413), Affine(CELL, 0, 0, 0, -CELL, 0), ROWS, COLUMNS)
NOTHING = np.zeros(GRID.shape, np.bool_)


def shown(column: int, until: int = 100) -> Shown:
    """A contact of ice and water along a column, of which the upper rows were drawn as a front."""
    contact = NOTHING.copy()
    contact[:, column] = True
    x = (column + 0.5) * CELL
    return Shown(contact, [LineString([(x, 0), (x, -until * CELL)])])


def test_the_coast_is_what_was_not_drawn_of_a_contact() -> None:
    coast = coast_of([shown(40), shown(42)], GRID)
    west, south, east, north = coast.bounds
    assert north == pytest.approx(-100 * CELL - NEAR_M, abs=2 * CELL)
    assert south == pytest.approx(-ROWS * CELL, abs=CELL)
    assert west == pytest.approx(42.5 * CELL - WIDTH_M, abs=1.5 * CELL)
    assert east == pytest.approx(40.5 * CELL + WIDTH_M, abs=1.5 * CELL)


@pytest.mark.parametrize(("count", "enough"), [(2, 2), (3, 2), (10, 2), (11, 3), (20, 4)])
def test_two_scenes_and_a_fifth_of_all_tell_a_coast(count: int, enough: int) -> None:
    others = [Shown(NOTHING, [])] * (count - enough)
    assert not coast_of([shown(40)] * enough + others, GRID).is_empty
    assert coast_of([shown(40)] * (enough - 1) + [*others, Shown(NOTHING, [])], GRID).is_empty


def test_one_scene_tells_no_coast() -> None:
    assert coast_of([shown(40)], GRID).is_empty
    assert coast_of([], GRID).is_empty


def test_a_scene_without_any_front_shows_a_coast() -> None:
    """A person said that there is none."""
    bare = Shown(shown(40).contact, [])
    assert coast_of([bare, bare], GRID).bounds[3] == pytest.approx(0, abs=CELL)


def test_where_a_front_was_on_any_date_is_no_coast() -> None:
    """A front that advanced over a contact, which was none on the other dates."""
    across = LineString([(0, -150 * CELL), (COLUMNS * CELL, -150 * CELL)])
    coast = coast_of([shown(40), shown(40), Shown(NOTHING, [across])], GRID)
    assert not coast.is_empty
    assert coast.distance(across) >= NEAR_M - 1.5 * CELL


@given(
    st.lists(st.tuples(st.integers(20, 60), st.integers(10, ROWS)), min_size=2, max_size=5),
)
def test_a_coast_is_apart_from_every_front_and_near_a_contact(
    scenes: Sequence[tuple[int, int]],
) -> None:
    given = [shown(*scene) for scene in scenes]
    coast = coast_of(given, GRID)
    fronts = MultiLineString([line for each in given for line in each.fronts])
    assert coast.is_empty or coast.distance(fronts) >= NEAR_M - 1.5 * CELL
    contacts = MultiLineString(
        [LineString([((c + 0.5) * CELL, 0), ((c + 0.5) * CELL, -ROWS * CELL)]) for c, _ in scenes]
    )
    for x, y in shapely.get_coordinates(coast):
        assert contacts.distance(Point(x, y)) <= WIDTH_M + 2 * CELL


def test_where_a_front_was_drawn_later_is_no_coast() -> None:
    """As in a model that is adapted again."""
    coast = in_degrees(coast_of([shown(40), shown(40)], GRID), GRID.crs)
    across = LineString([(0, -150 * CELL), (COLUMNS * CELL, -150 * CELL)])
    left = from_degrees(without_fronts(coast, [across], GRID.crs), GRID.crs)
    whole = from_degrees(coast, GRID.crs)
    assert across.intersects(whole)
    assert left.distance(across) == pytest.approx(NEAR_M, abs=1)
    gone = shapely.difference(whole, left)
    assert gone.area == pytest.approx(2 * NEAR_M * 2 * WIDTH_M, rel=0.1)
    away = without_fronts(coast, [LineString([(-9e3, 0), (-8e3, 0)])], GRID.crs)
    assert shapely.symmetric_difference(from_degrees(away, GRID.crs), whole).area < 1
    assert without_fronts(coast, [], GRID.crs) == coast
    assert without_fronts("", [across], GRID.crs) == ""


def test_ice_meets_water_where_the_most_probable_zones_do() -> None:
    zones = np.full(GRID.shape, GLACIER)
    zones[:, 30:] = OCEAN
    probabilities = (zones == np.array([*CLASS_NAMES])[:, None, None]).astype(np.float32)
    probabilities[:, :50] = 0
    contact = contact_of(probabilities)
    assert set(np.argwhere(contact)[:, 1]) <= set(range(28, 33))
    assert contact[50:].any(axis=1).all()
    assert not contact[:50].any()
