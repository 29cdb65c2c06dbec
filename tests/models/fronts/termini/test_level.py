"""A network that is sure of one body alone draws its line at that body's edge."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pytest
import shapely
from affine import Affine
from pyproj import CRS
from rasterio.io import DatasetReader, MemoryFile

from glacier_qgis.models.engine.events import Silent
from glacier_qgis.models.fronts.jobs.scene import DelineateTermini
from glacier_qgis.models.fronts.termini.bodies import read_zones
from glacier_qgis.models.fronts.termini.extract import Segmented, extract_termini
from glacier_qgis.models.fronts.termini.level import contrast_at, front_level, log_odds
from glacier_qgis.models.fronts.termini.metrics import points_along
from glacier_qgis.models.fronts.termini.options import TerminusOptions
from glacier_qgis.models.raster.grid import Grid
from glacier_qgis.models.zones.codes import PROBABILITY_STEPS
from kit.engine.jobs import run_job

DATA = os.environ.get("GLACIER_DATA", "")

CELL, SIZE = 60.0, 80
GRID = Grid(CRS.from_epsg(32624), Affine(CELL, 0, 500_000, 0, -CELL, 7_300_000), SIZE, SIZE)
Probability = npt.NDArray[np.float64]


@contextmanager
def stored(bands: npt.NDArray[np.uint8], scale: float) -> Iterator[DatasetReader]:
    with MemoryFile() as memory:
        with memory.open(
            driver="GTiff",
            height=SIZE,
            width=SIZE,
            count=len(bands),
            dtype="uint8",
            crs=GRID.crs.to_wkt(),
            transform=GRID.transform,
        ) as target:
            target.write(bands)
            target.scales = (scale,) * len(bands)
        with memory.open() as source:
            yield source


def ocean_by_column(*parts: tuple[int, float]) -> Probability:
    """Return the probability of ocean, constant up to each column; the rest is glacier."""
    row = np.empty(SIZE)
    start = 0
    for stop, value in parts:
        row[start:stop] = value
        start = stop
    return np.tile(row, (SIZE, 1))


def column_of_front(ocean: Probability, rock: Probability | None = None) -> tuple[float, float]:
    """Return the mean column of the line in the middle rows, and its level."""
    rock = np.zeros_like(ocean) if rock is None else rock
    bands = np.stack([np.zeros_like(ocean), rock, (1 - rock) * (1 - ocean), (1 - rock) * ocean])
    codes = (bands.argmax(axis=0) + 1).astype(np.uint8)
    steps = np.round(bands * PROBABILITY_STEPS).astype(np.uint8)
    with stored(codes[None], 1.0) as zones, stored(steps, 1 / PROBABILITY_STEPS) as probability:
        fronts = extract_termini(Segmented(GRID, zones, probability), TerminusOptions(), Silent())
        level = front_level(read_zones(zones, None, 0.5, probability), probability)
    (terminus,) = fronts.termini
    columns = (shapely.get_coordinates(terminus.line)[:, 0] - 500_000) / CELL
    return float(columns.mean()), level


def test_a_rift_behind_the_cliff_is_not_the_front() -> None:
    column, level = column_of_front(ocean_by_column((30, 0.24), (38, 0.7), (SIZE, 0.98)))
    assert level > 0.75
    assert column == pytest.approx(38, abs=1)


def test_mélange_that_looks_like_ice_before_a_glacier_that_is_certain_stays_ocean() -> None:
    column, level = column_of_front(ocean_by_column((30, 0.02), (38, 0.3), (SIZE, 0.76)))
    assert level < -0.75
    assert column == pytest.approx(30, abs=1)


@pytest.mark.parametrize("mirrored", [False, True])
def test_doubt_in_another_part_of_a_body_does_not_move_the_front(*, mirrored: bool) -> None:
    """The network is certain of the ice at the front and doubts it upstream, or so the water."""
    ocean = ocean_by_column((22, 0.4), (38, 0.01), (40, 0.6), (SIZE, 0.99))
    if mirrored:
        ocean = 1 - ocean
    column, level = column_of_front(ocean)
    assert level == 0
    assert column == pytest.approx(38, abs=0.5), "the level of the doubtful part moved the line"


@pytest.mark.parametrize("doubt", [0.01, 0.1, 0.3])
def test_a_network_that_doubts_both_alike_draws_its_line_where_they_are_equal(doubt: float) -> None:
    steps = ocean_by_column((30, doubt), (38, 0.4), (SIZE, 1 - doubt))
    column, level = column_of_front(steps)
    assert level == 0
    assert column == pytest.approx(38, abs=1)


def test_a_doubtful_cell_beside_rock_becomes_no_glacier() -> None:
    ocean = ocean_by_column((30, 0.24), (SIZE, 0.98))
    ocean[:8, 30:] = 0.7
    rock = np.zeros_like(ocean)
    rock[:4] = 1.0
    rock[4:8, 30:] = 0.35
    column, level = column_of_front(ocean, rock)
    assert level > 0.75
    assert column == pytest.approx(30, abs=1), "the line runs along the wall"


def test_the_contrast_changes_its_sign_at_the_level_and_keeps_its_range() -> None:
    ocean = np.linspace(0, 1, 251)
    for level in (-2.0, 0.0, 2.0):
        contrast = contrast_at(ocean, 1 - ocean, level)
        assert (np.diff(contrast) > 0).all()
        assert np.abs(contrast).max() <= 1
        turn = np.interp(0, contrast, log_odds(ocean, 1 - ocean))
        assert turn == pytest.approx(level, abs=0.02)


@pytest.mark.skipif(not DATA, reason="GLACIER_DATA is not set")
def test_the_front_of_helheim_is_its_cliff_and_not_the_rift_behind_it(tmp_path: Path) -> None:
    scene = Path(DATA) / "helheim_s1" / "helheim_S1_20180602.tif"
    output = tmp_path / "termini.gpkg"
    job = {"input": {"path": str(scene)}, "output": output, "longest_only": True}
    run_job(DelineateTermini.model_validate(job))
    found = gpd.read_file(output)
    trace = gpd.read_file(scene.with_name("helheim_S1_20180602_trace.gmt"))
    trace = trace.set_crs("EPSG:4326", allow_override=True).to_crs(found.crs)
    distances = shapely.distance(points_along(list(found.geometry), CELL), trace.union_all())
    assert np.mean(distances) < 150, "at the rift the mean is 376 m"
