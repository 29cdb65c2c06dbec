"""Of a glacier that a model knows, fronts are near it and not along its coast."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from pyproj import CRS
from shapely import LineString, MultiPolygon, box

from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.engine.events import Silent
from glacier_qgis.models.fronts.termini.extract import Fronts, Segmented, extract_termini
from glacier_qgis.models.fronts.termini.no_front import Reason
from glacier_qgis.models.fronts.termini.options import TerminusOptions
from glacier_qgis.models.fronts.termini.whereabouts import Whereabouts, from_degrees, in_degrees
from glacier_qgis.models.vector.lines import cut_lines
from kit.fronts.traced_scenes import CELL, FRONTS, SIZE, dataset, grid, scene


def found(coast: str, place: str = "") -> Fronts:
    """Trace the straight front of a scene that has a coast."""
    known = Whereabouts(coast, place)
    zones, probability = scene(FRONTS["straight"])
    with dataset(zones) as z, dataset(probability, 1 / 250) as p:
        return extract_termini(Segmented(grid(), z, p, None, known), TerminusOptions(), Silent())


def rows(first: float, last: float) -> str:
    """Return a coast over some rows of the grid."""
    west, _, east, north = grid().bounds
    area = box(west, north - last * CELL, east, north - first * CELL)
    return in_degrees(MultiPolygon([area]), grid().crs)


def test_a_line_ends_where_the_coast_begins() -> None:
    (whole,) = found("").termini
    (upper,) = found(rows(100, SIZE)).termini
    assert shapely.hausdorff_distance(upper.line, whole.line) == pytest.approx(
        (SIZE - 100) * CELL, abs=CELL
    )
    assert upper.length_m == pytest.approx(whole.length_m * 100 / SIZE, abs=CELL)
    assert shapely.within(upper.line, whole.line.buffer(0.01))
    assert upper.line.project(shapely.Point(upper.line.coords[0])) == 0, "in its direction"


def test_a_coast_within_a_front_makes_two_of_it() -> None:
    first, second = found(rows(60, 70)).termini
    (whole,) = found("").termini
    assert first.length_m + second.length_m == pytest.approx(whole.length_m - 10 * CELL, abs=CELL)


def test_what_remains_may_be_too_short_for_a_front() -> None:
    kept, short = (found(rows(0, SIZE - length / CELL)) for length in (850, 650))
    assert len(kept.termini) == 1
    assert short.absence is not None
    assert short.absence.reason is Reason.SHORT


def test_a_scene_with_nothing_but_coast_says_so() -> None:
    nothing = found(rows(-1, SIZE + 1))
    assert nothing.absence is not None
    assert nothing.absence.reason is Reason.COAST
    assert "adapt the model again" in nothing.absence.sentence


def test_a_ring_that_is_cut_is_one_line() -> None:
    square = LineString([(0, 0), (10, 0), (10, 10), (0, 10), (0, 0)])
    (line,) = cut_lines([square], box(9, 4, 11, 6))
    assert line.length == 38
    assert line.coords[0] == (10, 6)
    assert line.coords[-1] == (10, 4)
    assert cut_lines([square], box(-1, -1, 11, 11)) == []
    assert cut_lines([square], box(20, 20, 21, 21)) == [square]


@given(
    st.sampled_from([("EPSG:3413", 500e3, -2e6), ("EPSG:3031", -2.4e6, 1.2e6)]),
    st.floats(-1e5, 1e5),
    st.floats(100, 50e3),
)
def test_degrees_keep_a_coast_to_a_decimetre(
    there: tuple[str, float, float], shift: float, size: float
) -> None:
    name, x, y = there
    crs, low = CRS.from_user_input(name), np.array([x + shift, y - shift])
    first = box(*low, *low + size)
    second = shapely.transform(first, lambda points: points + 3 * size)
    coast = MultiPolygon([first, second])
    again = from_degrees(in_degrees(coast, crs), crs)
    assert shapely.symmetric_difference(again, coast).area < 0.1 * coast.length


@pytest.mark.parametrize("x", [-20e3, 0.0, 20e3])
def test_a_coast_may_lie_across_the_date_line(x: float) -> None:
    """In EPSG:3413 the meridian of 180° is the line at 135° from the y axis."""
    crs = CRS.from_epsg(3413)
    across = MultiPolygon([box(-1.5e6 + x - 5e3, 1.5e6 - 5e3, -1.5e6 + x + 5e3, 1.5e6 + 5e3)])
    again = from_degrees(in_degrees(across, crs), crs)
    assert shapely.symmetric_difference(again, across).area < 0.1 * across.length


@pytest.mark.parametrize("damaged", ["nonsense", "MULTIPOLYGON (((0 0, 1 0, 1"])
def test_a_damaged_tag_is_refused_with_a_remedy(damaged: str) -> None:
    for known in ((damaged, ""), ("", damaged)):
        with pytest.raises(EngineError, match=r"COAST or PLACE .* Run 'Segment calving front'"):
            found(*known)


def test_no_coast_is_blank() -> None:
    assert in_degrees(MultiPolygon([]), CRS.from_epsg(3413)) == ""


def test_lines_that_do_not_reach_into_the_place_are_left_out_unless_none_does() -> None:
    coast = rows(60, 70)
    upper, lower = found(coast, rows(0, 30)).termini, found(coast, rows(100, 120)).termini
    both = {terminus.line.wkt for terminus in found(coast).termini}
    assert {upper[0].line.wkt, lower[0].line.wkt} == both
    assert (len(upper), len(lower)) == (1, 1)
    assert {each.line.wkt for each in found(coast, rows(61, 69)).termini} == both
    assert {each.line.wkt for each in found(coast, rows(50, 80)).termini} == both
