"""One look at each scene before the work: what it tells, and how often files are opened."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from contextlib import AbstractContextManager
from datetime import date
from pathlib import Path

import numpy as np
import pytest
import rasterio

from glacier_qgis.models.engine.job import NoData, RasterInput
from glacier_qgis.models.fronts.series.survey import survey
from glacier_qgis.models.fronts.series.work_folder import scene_identity
from glacier_qgis.models.gdal.file import RasterFile
from glacier_qgis.models.raster import source
from kit.fronts.series_scenes import CELL, NORTH, WEST, run, write


def test_what_is_wrong_with_a_scene_is_noted_and_its_date_is_read_all_the_same(
    tmp_path: Path,
) -> None:
    whole = write(tmp_path / "whole.tif", "EPSG:3413", (WEST, NORTH), CELL)
    bare = write(tmp_path / "bare.tif", None, (WEST, NORTH), CELL)
    with rasterio.open(bare, "r+") as dataset:
        dataset.update_tags(ACQUISITION_DATE="2016-01-02")
    blank = write(tmp_path / "blank.tif", "EPSG:3413", (WEST, NORTH), CELL)
    with rasterio.open(blank, "r+") as dataset:
        dataset.write(np.ones(dataset.shape, "float32"), 1)
    (tmp_path / "broken.tif").write_text("no raster")
    paths = [whole, bare, blank, tmp_path / "broken.tif"]
    found = survey([RasterInput(path=str(path)) for path in paths], None)
    assert [bool(one.footprint) for one in found] == [True, False, True, False]
    assert [bool(one.problem) for one in found] == [False, True, False, True]
    assert "has no coordinate reference system" in found[1].problem
    assert found[1].dated == (date(2016, 1, 2), "ACQUISITION_DATE")
    assert found[0].picture
    assert found[2].picture == ""
    assert found[0].footprint is not None
    assert found[0].footprint.native_cell_size(found[0].footprint.crs) == pytest.approx(CELL)


def test_a_scene_is_opened_once_to_be_looked_at_and_once_to_be_worked_on(
    tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for day in (1, 2):
        write(tmp_path / "scenes" / f"a_2018-01-0{day}.tif", "EPSG:3413", (WEST, NORTH), CELL)
    opened: Counter[str] = Counter()
    open_file = source.open_file

    def counted(
        path: str, shown: str, options: Mapping[str, str] | None = None
    ) -> AbstractContextManager[RasterFile]:
        opened[Path(path).name] += 1
        return open_file(path, shown, options)

    monkeypatch.setattr(source, "open_file", counted)
    output = tmp_path / "lines.gpkg"
    run(folder=tmp_path / "scenes", model=str(tiny_model), consistent=False, output=output)
    assert opened == {"a_2018-01-01.tif": 2, "a_2018-01-02.tif": 2}


def test_a_scene_that_is_read_otherwise_is_another_one(tmp_path: Path) -> None:
    path = str(write(tmp_path / "scene.tif", "EPSG:3413", (WEST, NORTH), CELL))
    plain = RasterInput(path=path)
    read = [
        plain,
        RasterInput(path=path, crs="EPSG:32624"),
        RasterInput(path=path, options={"OVERVIEW_LEVEL": "1"}),
        RasterInput(path=path, no_data=(NoData(own=False),)),
    ]
    assert len({scene_identity(one) for one in read}) == len(read)
    assert scene_identity(plain) == scene_identity(RasterInput(path=path, name="layer"))
