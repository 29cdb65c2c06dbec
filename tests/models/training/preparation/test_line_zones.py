"""Which side of a front is which, for lines of any shape and direction."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from affine import Affine
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pyproj import CRS
from rasterio.windows import Window
from shapely import LineString, Point

from glacier_qgis.models.raster.grid import Grid
from glacier_qgis.models.training.preparation import line_zones
from glacier_qgis.models.training.preparation.line_zones import LineZones
from glacier_qgis.models.zones.codes import GLACIER, OCEAN

CELL, SIDE = 10.0, 60
GRID = Grid(CRS.from_epsg(3413), Affine(CELL, 0, 0, 0, -CELL, SIDE * CELL), SIDE, SIDE)
X, Y = np.meshgrid(GRID.x, GRID.y)
CENTRES = shapely.points(X, Y)
TOUCHING = 1e-6


@given(st.floats(0, 360), st.floats(20, 200), st.floats(30, 250))
def test_a_straight_line_labels_its_two_sides_and_nothing_beyond_its_ends(
    angle: float, half: float, reach: float
) -> None:
    along = np.array([np.cos(np.radians(angle)), np.sin(np.radians(angle))])
    middle = np.array([301.3, 297.7])
    line = LineString([middle - half * along, middle + half * along])
    zones = LineZones([line], reach).codes(GRID)
    forward = (X - middle[0]) * along[0] + (Y - middle[1]) * along[1]
    leftward = (Y - middle[1]) * along[0] - (X - middle[0]) * along[1]
    clear = (abs(abs(forward) - half) > TOUCHING) & (
        (abs(abs(leftward) - reach) > TOUCHING) & (abs(leftward) > TOUCHING)
    )
    inside = (abs(forward) < half) & (abs(leftward) < reach)
    expected = np.where(inside, np.where(leftward > 0, GLACIER, OCEAN), 0)
    assert (zones == expected)[clear].all()


@settings(max_examples=40)
@example([120, 120, 120, 120, 120, 426, 152.87727176711869, 401, 120, 120, 120])
@given(st.lists(st.floats(120, 480), min_size=3, max_size=12))
def test_a_zigzag_parts_the_plane(heights: list[float]) -> None:
    """However sharp its corners: a line from edge to edge has all that is above on its left."""
    x = np.linspace(-1000, 1600, len(heights))
    line = LineString(np.column_stack([x, heights]))
    above = shapely.Polygon([*line.coords, (1600, 9000), (-1000, 9000)])
    zones = LineZones([line], 5000).codes(GRID)
    clear = shapely.distance(CENTRES, line) > TOUCHING
    expected = np.where(shapely.contains(above, CENTRES), GLACIER, OCEAN)
    assert (zones == expected)[clear].all()


@pytest.mark.parametrize("turn", [1, -1])
def test_a_ring_has_no_ends(turn: int) -> None:
    ring = LineString(Point(300.1, 300.2).buffer(150).exterior.coords[::turn])
    zones = LineZones([ring], 1000).codes(GRID)
    inside = shapely.contains(shapely.Polygon(ring), CENTRES)
    outside = OCEAN if zones[inside][0] == GLACIER else GLACIER
    assert (zones[~inside] == outside).all()
    assert len(set(zones[inside])) == 1
    counter_clockwise = shapely.is_ccw(ring)
    assert (zones[inside][0] == GLACIER) == counter_clockwise


def test_a_line_in_pieces_is_one_line() -> None:
    points = [(50, 300), (200, 380), (300, 250), (550, 310)]
    whole = LineZones([LineString(points)], 200).codes(GRID)
    pieces = [LineString(points[index : index + 2]) for index in (2, 0, 1)]
    assert (LineZones(pieces, 200).codes(GRID) == whole).all()


@settings(max_examples=20)
@given(st.integers(0, 40), st.integers(0, 40))
def test_a_tile_sees_lines_outside_of_it(row: int, column: int) -> None:
    lines = LineZones([LineString([(50, 300), (200, 380), (300, 250), (550, 310)])], 150)
    part = lines.codes(GRID.crop(Window(column, row, 20, 20)))
    assert (part == lines.codes(GRID)[row : row + 20, column : column + 20]).all()


def test_turning_a_line_swaps_its_sides() -> None:
    line = LineString([(50, 300), (200, 380), (300, 250), (550, 310)])
    zones = LineZones([line], 150).codes(GRID)
    swapped = LineZones([line.reverse()], 150).codes(GRID)
    assert (swapped == np.array([0, 1, 2, OCEAN, GLACIER])[zones]).all()


def test_how_many_cells_are_looked_at_together_changes_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    lines = LineZones([LineString([(50, 300), (200, 380), (300, 250), (550, 310)])], 150)
    whole = lines.codes(GRID)
    for points in (1, 7 * SIDE):
        monkeypatch.setattr(line_zones, "POINTS", points)
        assert (lines.codes(GRID) == whole).all()
