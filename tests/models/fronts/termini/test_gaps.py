"""Gaps in a front are closed up to their stated width, exactly, and nothing else changes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import numpy as np
import numpy.typing as npt
import pytest
import shapely
from affine import Affine
from hypothesis import given, settings
from hypothesis import strategies as st
from rasterio.io import DatasetReader, MemoryFile
from scipy import ndimage
from shapely import LineString

from glacier_qgis.models.fronts.termini.bodies import read_zones
from glacier_qgis.models.fronts.termini.contours import front_contours
from glacier_qgis.models.fronts.termini.gaps import GapRule
from glacier_qgis.models.zones.codes import GLACIER, NO_DATA, OCEAN, ROCK

Codes = npt.NDArray[np.uint8]


@contextmanager
def dataset(bands: npt.NDArray[np.generic]) -> Iterator[DatasetReader]:
    count, height, width = bands.shape
    with MemoryFile() as memory:
        with memory.open(
            driver="GTiff", count=count, height=height, width=width, dtype=bands.dtype,
            transform=Affine(9, 0, 5, 0, -9, 7), crs="EPSG:3413",
        ) as target:  # fmt: skip
            target.write(bands)
        with memory.open() as source:
            yield source


def trace(
    zones: Codes,
    gap: float,
    probability: npt.NDArray[np.generic] | None = None,
    strip: int | None = None,
) -> list[LineString]:
    with ExitStack() as stack:
        source = stack.enter_context(dataset(zones[None]))
        sure = None if probability is None else stack.enter_context(dataset(probability))
        bodies = read_zones(source, strip, min_area_km2=0)
        return front_contours(bodies, sure, gap=GapRule(gap))


def straight_front() -> Codes:
    """Glacier above row 20, ocean from there on."""
    return np.where(np.arange(40)[:, None] < 20, GLACIER, OCEAN).repeat(60, axis=1).astype(np.uint8)


@pytest.mark.parametrize("code", [0, NO_DATA, ROCK])
@pytest.mark.parametrize(("width", "gap", "joined"), [(1, 1, 1), (3, 3, 1), (4, 3, 0), (3, 0, 0)])
def test_a_gap_is_closed_up_to_its_stated_width(
    code: int, width: int, gap: float, joined: int
) -> None:
    zones = straight_front()
    zones[17:23, 30 : 30 + width] = code
    lines = trace(zones, gap)
    assert len(lines) == (1 if joined else 2)
    if joined:
        assert lines[0].hausdorff_distance(LineString([(19.5, 0), (19.5, 59)])) < 0.51


def test_without_a_gap_the_front_is_what_it_was() -> None:
    zones = straight_front()
    assert [line.wkb for line in trace(zones, 3)] == [line.wkb for line in trace(zones, 0)]


@pytest.mark.parametrize("slope", [0.0, 0.3, -0.7])
def test_a_bridge_follows_the_probabilities(slope: float) -> None:
    """Stray rock lies on the front, where ocean and glacier are still told apart below it."""
    rows, columns = np.mgrid[:40, :60]
    distance = rows - (20.2 + slope * (columns - 30))
    ocean = 0.7 / (1 + np.exp(-distance))
    probability = np.stack([np.zeros_like(ocean), np.full_like(ocean, 0.3), 0.7 - ocean, ocean])
    zones = np.where(distance > 0, OCEAN, GLACIER).astype(np.uint8)
    stray = np.hypot(rows - 20, columns - 30) < 1.5
    zones[stray] = ROCK
    probability[:, stray] = probability[:, stray] * 0.5 + np.array([0, 0.5, 0, 0])[:, None]
    (line,) = trace(zones, 4, probability.astype(np.float32))
    vertices = shapely.get_coordinates(line)
    off = vertices[:, 0] - (20.2 + slope * (vertices[:, 1] - 30))
    assert np.abs(off).max() < 0.15


def test_a_wall_between_ice_and_water_is_no_front() -> None:
    """A wall two cells thick is narrower than the gap, but a bridge along it would be long."""
    zones = straight_front()
    zones[19:21, 20:40] = ROCK
    spans = sorted((line.bounds[1], line.bounds[3]) for line in trace(zones, 3))
    assert spans == [(0, 19), (40, 59)]


def test_fjord_walls_are_not_entered() -> None:
    zones = straight_front()
    zones[:, :10] = zones[:, 50:] = ROCK
    assert [line.wkb for line in trace(zones, 3)] == [line.wkb for line in trace(zones, 0)]


def untidy(seed: int) -> npt.NDArray[np.float32]:
    noise = np.random.default_rng(seed).normal(size=(4, 61, 47))
    logits = 6 * ndimage.gaussian_filter(noise, (0, 1.7, 1.7))
    logits -= np.array([2, 1, 0, 0])[:, None, None]
    return (np.exp(logits) / np.exp(logits).sum(axis=0)).astype(np.float32)


@settings(max_examples=20)
@given(
    seed=st.integers(0, 10_000),
    strip=st.integers(3, 61),
    gap=st.sampled_from([1.0, 3.0, 6.0]),
    labels_only=st.booleans(),
)
def test_bridges_add_to_fronts_whatever_the_strips(
    seed: int, strip: int, gap: float, *, labels_only: bool
) -> None:
    probability = untidy(seed)
    zones = (probability.argmax(axis=0) + 1).astype(np.uint8)
    sure = None if labels_only else probability
    plain, whole = trace(zones, 0, sure), trace(zones, gap, sure)
    assert len(whole) <= len(plain)
    added = shapely.difference(shapely.union_all(whole), shapely.union_all(plain), grid_size=1e-7)
    lost = shapely.difference(shapely.union_all(plain), shapely.union_all(whole), grid_size=1e-7)
    assert lost.length < 1e-5
    for bridge in shapely.get_parts(shapely.line_merge(added)):
        assert np.hypot(*np.subtract(bridge.coords[0], bridge.coords[-1])) <= gap + 1.5
    assert all(line.is_simple for line in whole)
    cut = trace(zones, gap, sure, strip)
    assert sorted(line.wkb for line in cut) == sorted(line.wkb for line in whole)
