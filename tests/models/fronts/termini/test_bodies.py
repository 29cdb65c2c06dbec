"""Which ocean and which glacier count: fjords of very different size, lakes, bergs, speckle."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import numpy.typing as npt
import pytest
from affine import Affine
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import CRS
from rasterio.io import DatasetReader, MemoryFile

from glacier_qgis.models.fronts.termini.bodies import Zones, read_zones
from glacier_qgis.models.fronts.termini.extract import Fronts, Segmented, extract_termini
from glacier_qgis.models.fronts.termini.no_front import Reason, nearest_distance
from glacier_qgis.models.fronts.termini.options import TerminusOptions
from glacier_qgis.models.raster.grid import Grid
from glacier_qgis.models.zones.codes import GLACIER, NO_DATA, OCEAN, ROCK
from kit.engine.listener import Listener

CELL = 60.0
SIZE = 400
TRANSFORM = Affine(CELL, 0, 500_000, 0, -CELL, 7_300_000)
Codes = npt.NDArray[np.uint8]


@contextmanager
def dataset(*bands: Codes) -> Iterator[DatasetReader]:
    height, width = bands[0].shape
    with MemoryFile() as memory:
        with memory.open(
            driver="GTiff", count=len(bands), height=height, width=width, dtype="uint8",
            transform=TRANSFORM, crs="EPSG:32624",
        ) as target:  # fmt: skip
            target.write(np.stack(bands))
        with memory.open() as source:
            yield source


def fronts(codes: Codes, **options: float) -> Fronts:
    grid = Grid(CRS.from_epsg(32624), TRANSFORM, *codes.shape)
    with dataset(codes) as source:
        return extract_termini(Segmented(grid, source), TerminusOptions(**options), Listener(), 64)


def two_fjords() -> Codes:
    """A glacier 17 km wide, and one of 0.9 km in a fjord of its own, between mountains."""
    codes = np.full((SIZE, SIZE), ROCK, np.uint8)
    codes[:200, :280] = GLACIER
    codes[200:, :280] = OCEAN
    codes[340:380, 340:355] = GLACIER
    codes[380:, 340:355] = OCEAN
    return codes


def speckled(codes: Codes, share: float) -> Codes:
    """Patches of two by two wrong cells, away from each other and from the fronts."""
    rng = np.random.default_rng(2)
    result = codes.copy()
    for row, column in rng.integers(0, SIZE // 6, (int(share * SIZE**2 / 4), 2)) * 6:
        near = codes[max(0, row - 4) : row + 6, max(0, column - 4) : column + 6]
        if (near == near[0, 0]).all():
            result[row : row + 2, column : column + 2] = rng.integers(1, 5)
    return result


@pytest.mark.parametrize("share", [0.0, 0.05])
def test_a_small_glacier_counts_beside_a_large_one_and_speckle_does_not(share: float) -> None:
    found = fronts(speckled(two_fjords(), share)).termini
    assert [round(t.line.length / CELL) for t in found] == [279, 14]


def test_the_least_area_decides_over_small_glaciers() -> None:
    assert len(fronts(two_fjords(), min_area_km2=40 * 15 * 0.06**2 * 1.01).termini) == 1


@pytest.mark.parametrize("name", ["lake on the ice", "lake in the mountains", "iceberg"])
def test_lakes_and_icebergs_do_not_count(name: str) -> None:
    codes = two_fjords()
    where, code = {
        "lake on the ice": ((100, 100), OCEAN),
        "lake in the mountains": ((100, 270), OCEAN),
        "iceberg": ((300, 100), GLACIER),
    }[name]
    row, column = where
    codes[row : row + 20, column : column + 20] = code
    assert len(fronts(codes).termini) == 2


def test_a_bay_that_the_scene_cuts_off_counts() -> None:
    codes = two_fjords()
    codes[100:120, :20] = OCEAN
    assert len(fronts(codes).termini) == 3


def test_a_radar_shadow_does_not_open_a_lake_and_the_end_of_a_mask_does() -> None:
    codes = two_fjords()
    codes[100:120, 100:120] = OCEAN
    codes[100:120, 80:100] = NO_DATA
    assert len(fronts(codes).termini) == 2
    codes[100:120, 80:100] = 0
    assert len(fronts(codes).termini) == 3


def with_certainty(codes: Codes, certainty: npt.NDArray[np.float64], **options: float) -> Fronts:
    """Trace where the most probable zone has a probability and the others share the rest."""
    bands = [np.where(codes == code, certainty, (1 - certainty) / 3) for code in range(1, 5)]
    stored = [np.rint(255 * band).astype(np.uint8) for band in bands]
    grid = Grid(CRS.from_epsg(32624), TRANSFORM, *codes.shape)
    with dataset(codes) as zones, dataset(*stored) as probability:
        segmented = Segmented(grid, zones, probability)
        return extract_termini(segmented, TerminusOptions(**options), Listener(), 64)


@pytest.mark.parametrize("vague", [OCEAN, GLACIER])
def test_what_the_network_is_not_sure_of_is_no_front_unless_every_line_is_asked_for(
    vague: int,
) -> None:
    codes = two_fjords()
    certainty = np.where(codes == vague, 0.6, 0.95)
    found = with_certainty(codes, certainty)
    assert found.termini == ()
    assert found.absence is not None
    assert found.absence.reason is Reason.VAGUE
    assert "is 0.60, below 0.65" in found.absence.sentence
    assert len(with_certainty(codes, certainty, min_confidence=0).termini) == 2


def test_a_sure_fjord_counts_beside_a_larger_vague_one() -> None:
    codes = two_fjords()
    certainty = np.where(np.arange(SIZE) < 300, 0.6, 0.95)[None].repeat(SIZE, axis=0)
    (front,) = with_certainty(codes, certainty).termini
    assert round(front.line.length / CELL) == 14


def test_a_line_whose_surroundings_have_no_probability_is_none() -> None:
    codes = two_fjords()
    stored = np.full((SIZE, SIZE), 255, np.uint8)
    grid = Grid(CRS.from_epsg(32624), TRANSFORM, *codes.shape)
    with MemoryFile() as memory, dataset(codes) as zones:
        with memory.open(
            driver="GTiff", count=4, height=SIZE, width=SIZE, dtype="uint8",
            transform=TRANSFORM, crs="EPSG:32624", nodata=255,
        ) as target:  # fmt: skip
            target.write(np.stack([stored] * 4))
        with memory.open() as probability:
            segmented = Segmented(grid, zones, probability)
            found = extract_termini(segmented, TerminusOptions(), Listener())
    assert found.termini == ()


def empty(code: int) -> Codes:
    return np.full((SIZE, SIZE), code, np.uint8)


def apart() -> Codes:
    codes = empty(ROCK)
    codes[:100] = GLACIER
    codes[120:] = OCEAN
    return codes


@pytest.mark.parametrize(
    ("codes", "options", "reason", "words"),
    [
        (empty(GLACIER), {}, Reason.NO_OCEAN, "no ocean in the scene"),
        (empty(OCEAN), {}, Reason.NO_GLACIER, "no glacier in the scene"),
        (empty(ROCK), {}, Reason.NO_OCEAN, "no ocean"),
        (speckled(empty(GLACIER), 0.05), {}, Reason.NO_OCEAN, "its largest area is"),
        (apart(), {}, Reason.APART, "are 1260 m apart"),
        (two_fjords(), {"min_length": 20_000}, Reason.SHORT, "is 167[0-9][0-9] m, below"),
    ],
)
def test_no_front_has_a_reason(
    codes: Codes, options: dict[str, float], reason: Reason, words: str
) -> None:
    found = fronts(codes, **options)
    assert found.termini == ()
    assert found.absence is not None
    assert found.absence.reason is reason
    assert re.search(words, found.absence.sentence)


@settings(max_examples=60)
@given(seed=st.integers(0, 10_000), strip=st.integers(1, 30))
def test_the_nearest_distance_is_that_of_all_pairs(seed: int, strip: int) -> None:
    rng = np.random.default_rng(seed)
    ocean, glacier = rng.random((2, 23, 17)) < 0.03
    ocean[3, 4], glacier[20, 11] = True, True
    zones = Zones(23, 17, strip, lambda a, b: ocean[a:b], lambda a, b: glacier[a:b], 1, 1, 0)
    pairs = np.argwhere(ocean)[:, None] - np.argwhere(glacier)[None]
    assert nearest_distance(zones) == pytest.approx(np.hypot(*pairs.T).min())


def test_area_of_the_cells_not_their_number_decides() -> None:
    with dataset(two_fjords()) as source:
        zones = read_zones(source)
    assert zones.ocean_km2 == pytest.approx(200 * 280 * 0.06**2)
    assert zones.glacier_km2 == pytest.approx(200 * 280 * 0.06**2)
