"""A line that is drawn comes back: sub-pixel, whole, once, whatever the strips."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from rasterio.io import DatasetReader
from scipy import ndimage
from shapely import LineString, Point, Polygon
from skimage.measure import find_contours

from glacier_qgis.models.fronts.termini.bodies import read_zones
from glacier_qgis.models.fronts.termini.extract import (
    Fronts,
    Segmented,
    extract_termini,
    zone_area,
)
from glacier_qgis.models.fronts.termini.no_front import Reason
from glacier_qgis.models.fronts.termini.options import TerminusOptions
from glacier_qgis.models.package.card import Calibration
from glacier_qgis.models.vector.lines import simplify_together, smooth_line
from kit.engine.listener import Listener
from kit.fronts.traced_scenes import CELL, FRONTS, SIZE, Front, dataset, grid, scene


def traced(
    zones: DatasetReader,
    probability: DatasetReader | None,
    calibration: Calibration | None = None,
    *,
    strip: int | None = None,
    **options: Any,  # noqa: ANN401
) -> Fronts:
    """Extract the fronts of a scene on `grid`."""
    segmented = Segmented(grid(), zones, probability, calibration)
    return extract_termini(segmented, TerminusOptions(**options), Listener(), strip)


def distance_cells(line: LineString, front: Front) -> npt.NDArray[np.float64]:
    rows = np.linspace(0.5, SIZE - 0.5, 4000)
    x, y = grid().transform @ (front(rows), rows)
    truth = LineString(np.column_stack([x, y]))
    return np.array([truth.distance(Point(p)) for p in line.coords]) / CELL


@pytest.mark.parametrize("name", FRONTS)
def test_probabilities_give_the_line_to_a_tenth_of_a_cell(name: str) -> None:
    zones, probability = scene(FRONTS[name])
    with dataset(zones) as z, dataset(probability, 1 / 250) as p:
        (terminus,) = traced(z, p).termini
    assert distance_cells(terminus.line, FRONTS[name]).max() < 0.1
    rows = np.linspace(0.5, SIZE - 0.5, 4000)
    truth = LineString(np.column_stack([FRONTS[name](rows), rows])).length * CELL
    assert terminus.line.length == pytest.approx(truth, rel=0.02)


@pytest.mark.parametrize("name", FRONTS)
def test_zones_alone_give_the_line_to_a_cell(name: str) -> None:
    zones, _ = scene(FRONTS[name])
    with dataset(zones) as z:
        (terminus,) = traced(z, None).termini
    assert distance_cells(terminus.line, FRONTS[name]).max() < 1
    assert terminus.confidence is None


@pytest.mark.parametrize("width", [1.5, 4.0, 10.0])
def test_uncertainty_is_the_half_width_of_the_crossing(width: float) -> None:
    zones, probability = scene(FRONTS["straight"], width)
    with dataset(zones) as z, dataset(probability, 1 / 250) as p:
        (terminus,) = traced(z, p, min_confidence=0).termini
    assert terminus.uncertainty_m == pytest.approx(width * math.atanh(0.5) * CELL, rel=0.1)
    assert terminus.confidence == pytest.approx(math.tanh(2 / width), rel=0.1)


@settings(max_examples=15)
@given(strip=st.integers(2, SIZE))
def test_the_height_of_strips_changes_nothing(strip: int) -> None:
    zones, probability = scene(FRONTS["curved"])
    with dataset(zones) as z, dataset(probability, 1 / 250) as p:
        (whole,) = traced(z, p).termini
        (cut,) = traced(z, p, strip=strip).termini
    assert cut.line.equals(whole.line)
    assert cut.confidence == pytest.approx(whole.confidence)


def test_two_fjords_give_two_fronts_and_a_lake_none() -> None:
    zones = np.full((1, SIZE, SIZE), 3, np.uint8)
    zones[0, :, 70:80] = 2
    zones[0, 90:, :70] = 4
    zones[0, 100:, 80:] = 4
    zones[0, 20:26, 20:26] = 4
    zones[0, 120, 20] = 3
    with dataset(zones) as z:
        found = traced(z, None).termini
        (longest,) = traced(z, None, longest_only=True).termini
    assert len(found) == 2
    assert found[0].line.length >= found[1].line.length
    assert longest.line.equals(found[0].line)
    assert {round(LineString(t.line.coords).centroid.y) for t in found} == {
        7_300_000 - 90 * 60,
        7_300_000 - 100 * 60,
    }


def test_nodata_and_rock_are_no_ocean() -> None:
    zones = np.full((1, SIZE, SIZE), 3, np.uint8)
    zones[0, 50:] = 0
    zones[0, :, 100:] = 2
    zones[0, :, 120:] = 1
    with dataset(zones) as z:
        found = traced(z, None, min_length=0)
    assert found.termini == ()


def test_masks_and_lengths_select() -> None:
    zones, probability = scene(FRONTS["straight"])
    x = 500_000 + 70.3 * CELL
    fjord = Polygon(
        [(x - 500, 7_296_000), (x + 500, 7_296_000), (x + 500, 7_298_000), (x - 500, 7_298_000)]
    )
    with dataset(zones) as z, dataset(probability, 1 / 250) as p:
        (cut,) = traced(z, p, fjord=[fjord]).termini
        none = traced(z, p, fjord=[fjord], min_length=2001).termini
    assert cut.line.length == pytest.approx(2000, rel=0.001)
    assert none == ()


def test_simplifying_keeps_the_stated_tolerance() -> None:
    zones, probability = scene(FRONTS["curved"])
    with dataset(zones) as z, dataset(probability, 1 / 250) as p:
        (full,) = traced(z, p).termini
        (simple,) = traced(z, p, simplify=50).termini
    assert len(simple.line.coords) < len(full.line.coords) / 4
    assert simple.line.hausdorff_distance(full.line) <= 50


@settings(max_examples=40)
@given(seed=st.integers(0, 10_000), tolerance=st.floats(1, 800), closed=st.booleans())
def test_simplified_lines_stay_near_and_never_cross(
    seed: int, tolerance: float, *, closed: bool
) -> None:
    """Contours of noise wind and lie close together; some are rings."""
    noise = ndimage.gaussian_filter(np.random.default_rng(seed).normal(size=(50, 50)), 1.5)
    if closed:
        noise[[0, -1]] = noise[:, [0, -1]] = -1
    lines = [LineString(contour * CELL) for contour in find_contours(noise, 1e-7)]
    simple = simplify_together(lines, tolerance)
    assert len(simple) == len(lines)
    for before, after in zip(lines, simple, strict=True):
        assert before.hausdorff_distance(after) <= tolerance * (1 + 1e-9)
        assert after.is_simple
        assert after.is_ring == before.is_ring
    first, second = shapely.STRtree(simple).query(simple, predicate="intersects")
    assert (first == second).all()


def test_smoothing_keeps_ends_and_straight_lines() -> None:
    straight = LineString([(0, 0), (1000, 500)])
    assert smooth_line(straight, 100).hausdorff_distance(straight) < 1e-6
    x = np.arange(0, 2000, 10.0)
    noisy = LineString(np.column_stack([x, 30 * (-1.0) ** np.arange(x.size)]))
    smooth = smooth_line(noisy, 100)
    assert smooth.coords[0] == pytest.approx(noisy.coords[0])
    assert smooth.coords[-1] == pytest.approx(noisy.coords[-1])
    assert smooth.length < 1.02 * x[-1]


def test_points_along_the_line_know_where_it_is_unsure() -> None:
    """The crossing is three times wider in the lower half."""
    zones, probability = scene(FRONTS["straight"], 2.0)
    _, wide = scene(FRONTS["straight"], 6.0)
    probability[:, 75:] = wide[:, 75:]
    calibration = Calibration(
        level=0.68, widths_m=[0, 1000], uncertainties_m=[0, 3000], data="synthetic"
    )
    with dataset(zones) as z, dataset(probability, 1 / 250) as p:
        (terminus,) = traced(z, p, simplify=500).termini
        (fitted,) = traced(z, p, calibration, simplify=500).termini
    along = terminus.along
    assert along is not None
    assert len(terminus.line.coords) == 2
    assert len(along.points) == SIZE
    np.testing.assert_allclose(np.diff(along.distances_m), CELL, rtol=2e-3)
    assert along.distances_m[-1] == pytest.approx(terminus.length_m, rel=1e-3)
    lower = along.points[:, 1] < 7_300_000 - 80 * CELL
    upper = along.points[:, 1] > 7_300_000 - 70 * CELL
    for part, width in ((upper, 2.0), (lower, 6.0)):
        expected = width * math.atanh(0.5) * CELL
        np.testing.assert_allclose(along.uncertainties_m[part], expected, rtol=0.15)
        np.testing.assert_allclose(along.confidences[part], math.tanh(2 / width), rtol=0.05)
    assert terminus.uncertainty_m == pytest.approx(along.uncertainties_m.mean())
    assert fitted.uncertainty_m == pytest.approx(3 * terminus.uncertainty_m)


def test_what_is_no_front_is_left_out_with_its_reason() -> None:
    zones, probability = scene(FRONTS["straight"], 25.0)
    far = Polygon([(0, 0), (9, 0), (0, 9)])
    with dataset(zones) as z, dataset(probability, 1 / 250) as p:
        unsure = traced(z, p)
        kept = traced(z, p, min_confidence=0)
        outside = traced(z, p, fjord=[far])
    assert unsure.absence is not None
    assert unsure.absence.reason is Reason.UNSURE
    assert "confidence of a line is 0.08" in unsure.absence.sentence
    assert len(kept.termini) == 1
    assert kept.absence is None
    assert outside.absence is not None
    assert outside.absence.reason is Reason.OUTSIDE


def test_an_island_in_the_ocean_is_a_closed_front() -> None:
    rows, columns = np.mgrid[:SIZE, :SIZE]
    zones = np.where(np.hypot(rows - 75, columns - 75) < 40, 3, 4).astype(np.uint8)[None]
    with dataset(zones) as z:
        (terminus,) = traced(z, None).termini
    assert terminus.line.is_ring
    assert terminus.line.length == pytest.approx(2 * math.pi * 39.5 * CELL, rel=0.02)


def test_glacier_area_is_exact_across_strips() -> None:
    zones = np.full((1, SIZE, SIZE), 4, np.uint8)
    zones[0, 10:130, 20:90] = 3
    zones[0, 50:60, 40:50] = 2
    with dataset(zones) as z:
        bodies = read_zones(z, strip=40)
        (area,) = zone_area(bodies, bodies.glacier, grid()).geometry
    assert area.area == pytest.approx((120 * 70 - 100) * CELL**2)
    assert len(area.interiors) == 1
