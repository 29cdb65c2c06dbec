"""Scenes that are judged together: any blocks, any offsets, the same answer as whole arrays."""

from __future__ import annotations

import datetime
import io
import shutil
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import rasterio
from affine import Affine
from pyproj import CRS

from glacier_qgis.models.engine.events import EventStream
from glacier_qgis.models.engine.job import RasterInput
from glacier_qgis.models.engine.units import DAYS_A_YEAR
from glacier_qgis.models.fronts.series import consistent
from glacier_qgis.models.fronts.series.catalogue import SeriesScene
from glacier_qgis.models.fronts.series.consistent import make_consistent
from glacier_qgis.models.fronts.series.first_pass import SegmentedScene
from glacier_qgis.models.fronts.series.persistence import persistent
from glacier_qgis.models.fronts.series.survey import Survey
from glacier_qgis.models.fronts.series.task import PROBABILITY, ZONES, Outcome
from glacier_qgis.models.package.folder import read_card
from glacier_qgis.models.package.registry import find_model
from glacier_qgis.models.raster.grid import Grid
from glacier_qgis.models.raster.sink import write_raster
from glacier_qgis.models.zones.codes import PROBABILITY_NODATA, PROBABILITY_STEPS, quantise

CELL, ROWS, COLUMNS = 60.0, 90, 150
DATES = [datetime.date(2016, 5, day) for day in (1, 13, 25)]
OFFSETS = [(0, 0), (7, 11), (3, 40)]


def scene(
    folder: Path, date: datetime.date | None, offset: tuple[int, int], seed: int
) -> SegmentedScene:
    """Random probabilities with a hole, as the first pass leaves them."""
    folder.mkdir()
    row, column = offset
    values = np.moveaxis(np.random.default_rng(seed).dirichlet(np.ones(4), (ROWS, COLUMNS)), -1, 0)
    valid = np.ones((ROWS, COLUMNS), bool)
    valid[20:30, 50:90] = False
    transform = Affine(CELL, 0, 6000 + column * CELL, 0, -CELL, 90_000 - row * CELL)
    grid = Grid(CRS.from_epsg(3413), transform, ROWS, COLUMNS)
    stored = quantise(values.astype(np.float32), valid)
    tags, bands = {"MODEL": "test"}, ["no data", "rock", "glacier", "ocean"]
    write_raster(
        folder / PROBABILITY, grid, stored, nodata=PROBABILITY_NODATA, bands=bands, tags=tags
    )
    with rasterio.open(folder / PROBABILITY, "r+") as dataset:
        dataset.scales = (1 / PROBABILITY_STEPS,) * 4
    codes = np.where(valid, values.argmax(0) + 1, 0).astype("uint8")[None]
    write_raster(folder / ZONES, grid, codes, nodata=0, bands=["zones"], tags=tags)
    source = RasterInput(path=f"{folder.name}.tif")
    series_scene = SeriesScene(Survey(source), folder.name, date)
    return SegmentedScene(series_scene, folder, Outcome(), read_card(find_model("")))


def stack(scenes: list[SegmentedScene]) -> np.ndarray:
    """Lay the probabilities of scenes over each other, 0 where one has none."""
    rows = ROWS + max(row for row, _ in OFFSETS)
    columns = COLUMNS + max(column for _, column in OFFSETS)
    values = np.zeros((len(scenes), 4, rows, columns), np.float32)
    for index, (done, (row, column)) in enumerate(zip(scenes, OFFSETS, strict=True)):
        with rasterio.open(done.folder / PROBABILITY) as dataset:
            stored = dataset.read()
        part = np.where(stored == PROBABILITY_NODATA, 0, stored) / np.float32(PROBABILITY_STEPS)
        values[index, :, row : row + ROWS, column : column + COLUMNS] = part
    return values


@pytest.mark.parametrize("cells", [3 * 64**2, 8_000_000])
def test_blocks_of_scenes_that_cover_different_ground_get_what_whole_arrays_get(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cells: int
) -> None:
    monkeypatch.setattr(consistent, "CELLS_AT_ONCE", cells)
    scenes = [
        scene(tmp_path / str(index), date, offset, index)
        for index, (date, offset) in enumerate(zip(DATES, OFFSETS, strict=True))
    ]
    years = [date.toordinal() / DAYS_A_YEAR for date in DATES]
    expected = persistent(stack(scenes), years)
    order = [2, 0, 1]  # a person's order need not be that of time
    done = make_consistent([scenes[i] for i in order], tmp_path / "new", EventStream(io.StringIO()))
    done = [done[order.index(i)] for i in range(3)]
    np.testing.assert_allclose(stack(done), expected, atol=0.6 / PROBABILITY_STEPS)
    for before, after in zip(scenes, done, strict=True):
        with (
            rasterio.open(before.folder / ZONES) as old,
            rasterio.open(after.folder / ZONES) as new,
            rasterio.open(after.folder / PROBABILITY) as probability,
        ):
            assert new.transform == old.transform
            assert ((new.read(1) == 0) == (old.read(1) == 0)).all()
            assert (new.read(1) != old.read(1)).any()
            assert probability.scales == (1 / PROBABILITY_STEPS,) * 4
            assert probability.tags()["MODEL"] == "test"


def test_scenes_without_a_date_and_lone_scenes_stay_as_they_are(tmp_path: Path) -> None:
    undated = scene(tmp_path / "undated", None, (0, 0), 1)
    alone = scene(tmp_path / "alone", DATES[0], (0, 0), 2)
    scenes = [undated, alone]
    assert make_consistent(scenes, tmp_path / "new", EventStream(io.StringIO())) == scenes


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such limit")
def test_a_long_series_opens_more_files_than_a_process_may_at_first(tmp_path: Path) -> None:
    import resource

    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    in_use = len(list(Path("/dev/fd").iterdir()))
    first = scene(tmp_path / "0", DATES[0], (0, 0), 0)
    scenes = [first]
    for number in range(1, 20):
        shutil.copytree(tmp_path / "0", tmp_path / str(number))
        date = DATES[0] + datetime.timedelta(days=number)
        scenes.append(
            replace(first, folder=tmp_path / str(number), scene=replace(first.scene, date=date))
        )
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (in_use + 30, limits[1]))
        done = make_consistent(scenes, tmp_path / "new", EventStream(io.StringIO()))
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)
    assert len({one.folder for one in done}) == 20
