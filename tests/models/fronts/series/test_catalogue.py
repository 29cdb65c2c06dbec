"""Dates of scenes: patterns, names, tags; and the folders that scenes are found in."""

from __future__ import annotations

import datetime
from pathlib import Path

import numpy as np
import pytest
import rasterio
from affine import Affine
from hypothesis import given
from hypothesis import strategies as st

from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.engine.job import RasterInput
from glacier_qgis.models.fronts.scene.dates import DatePattern, tag_date
from glacier_qgis.models.fronts.series.catalogue import catalogue, find_rasters
from glacier_qgis.models.fronts.series.survey import survey
from glacier_qgis.models.vector.dates import is_plausible
from kit.engine.listener import Listener
from kit.engine.rasters import write_raster
from kit.places import spellings


def raster(path: Path, **tags: str) -> Path:
    place = Affine(60, 0, 0, 0, -60, 0)
    return write_raster(path, np.ones((4, 4), dtype="uint8"), place, "EPSG:3413", tags=tags)


PLAUSIBLE = st.dates(datetime.date(1500, 1, 1), datetime.date(2200, 12, 31)).filter(is_plausible)


@given(PLAUSIBLE, st.sampled_from(["_", "-", "", "."]), st.text("ab.(+"))
def test_a_date_written_by_a_pattern_is_read_by_it(
    date: datetime.date, between: str, word: str
) -> None:
    ordinal = date.timetuple().tm_yday
    name = f"{word}{date.year:04}{between}{date.month:02}{between}{date.day:02}x.tif"
    pattern = DatePattern.parse(f"{word}{{YYYY}}{between}{{MM}}{between}{{DD}}x")
    assert pattern.read(f"/some/20010101/{name}") == date
    pattern = DatePattern.parse("{YYYY}{DDD}*{word}".replace("{word}", "end"))
    assert pattern.read(f"{date.year:04}{ordinal:03}anything_end.vrt") == date


@pytest.mark.parametrize(
    ("pattern", "path", "date"),
    [
        ("scene_{YYYY}{MM}{DD}", "/a/Scene_20200131_b.tif", (2020, 1, 31)),
        ("{DD}.{MM}.{YYYY}", "31.12.1999.jp2", (1999, 12, 31)),
        ("*_{YYYY}{MM}{DD}", "20010101_20020202.tif", (2002, 2, 2)),
        ("{YYYY}-{MM}-{DD}/*.tif", "/a/2020-03-01/B8.tif", (2020, 3, 1)),
        ("{YYYY}-{MM}-{DD}/*.tif", "C:\\a\\2020-03-01\\B8.tif", (2020, 3, 1)),
        ("{YYYY}{MM}{DD}", "99991399_20200229.tif", (2020, 2, 29)),
        ("{YYYY}{MM}{DD}", "20190229.tif", None),
        ("{YYYY}{DDD}", "2019366.tif", None),
        ("{YYYY}{DDD}", "2019000.tif", None),
        ("scene_{YYYY}{MM}{DD}", "20200131.tif", None),
    ],
)
def test_patterns_on_names(pattern: str, path: str, date: tuple[int, int, int] | None) -> None:
    assert DatePattern.parse(pattern).read(path) == (datetime.date(*date) if date else None)


@pytest.mark.parametrize(
    "pattern", ["", "{YYYY}", "{YYYY}{MM}", "{MM}{DD}", "{YYYY}{MM}{DD}{HH}", "{YYYY}{YYYY}{DDD}"]
)
def test_patterns_that_are_none_are_refused_with_an_example(pattern: str) -> None:
    with pytest.raises(EngineError, match=r"as in 'scene_\{YYYY\}"):
        DatePattern.parse(pattern)


def test_a_pattern_that_fits_nothing_shows_a_name(tmp_path: Path) -> None:
    sources = [RasterInput(path=str(raster(tmp_path / "bild 5 mai.tif")))]
    with pytest.raises(EngineError, match="bild 5 mai"):
        catalogue(survey(sources, None), DatePattern.parse("{YYYY}{MM}{DD}"), Listener())


@pytest.mark.parametrize(
    ("tags", "date"),
    [
        ({"TIFFTAG_DATETIME": "2018:06:02 10:11:12"}, (2018, 6, 2)),
        ({"DATE_ACQUIRED": "2018-06-02", "TIFFTAG_DATETIME": "2020:01:01 00:00:00"}, (2018, 6, 2)),
        ({"ACQUISITION_DATE": "20180602T101112"}, (2018, 6, 2)),
        ({"ACQUISITION_DATE": "yesterday", "SENSING_TIME": "2018-06-02T01:02:03Z"}, (2018, 6, 2)),
        ({"ACQUISITION_DATETIME": "20180602101112"}, (2018, 6, 2)),
        ({"DATE_ACQUIRED": "2018-13-02"}, None),
        ({}, None),
    ],
)
def test_dates_in_tags(
    tmp_path: Path, tags: dict[str, str], date: tuple[int, int, int] | None
) -> None:
    with rasterio.open(raster(tmp_path / "a.tif", **tags)) as dataset:
        found = tag_date(dataset)
    assert (found and found[0]) == (datetime.date(*date) if date else None)


def test_scenes_are_in_order_of_time_with_the_undated_named_and_last(tmp_path: Path) -> None:
    product = "S1A_IW_GRDH_1SDH_20180602T101112_20180602T101137_022172_0265E3_1234.tif"
    for name in ("no date.tif", product, "a_20190101.tif", "sub/b_2017-05-01.vrt"):
        raster(tmp_path / name)
    raster(tmp_path / "tagged.tiff", ACQUISITION_DATE="2016-01-01")
    (tmp_path / "broken.img").write_text("nothing")
    listener = Listener()
    scenes = catalogue(survey(find_rasters(tmp_path), None), None, listener)
    assert [str(scene.date)[:4] for scene in scenes] == [
        *["2016", "2017", "2018", "2019"],
        *["None"] * 2,
    ]
    assert scenes[2].image_id == product.removesuffix(".tif")
    (warning,) = (text for text in listener.warnings + listener.logs if "no date" in text)
    assert "2 of 6" in warning
    assert "broken.img" in warning


def test_a_folder_is_searched_for_rasters_and_not_for_what_lies_beside_them(tmp_path: Path) -> None:
    for name in ("a.tif", "b/c.TIFF", "b/d.jp2", "e.tif.aux.xml", "a.tif.ovr", ".hidden/f.tif",
                 "work/g.tif", "h.txt", ".part.tif"):  # fmt: skip
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    found = [Path(r.path).relative_to(tmp_path) for r in find_rasters(tmp_path, tmp_path / "work")]
    assert [path.as_posix() for path in found] == ["a.tif", "b/c.TIFF", "b/d.jp2"]
    for other in spellings(tmp_path / "work", tmp_path / ".link"):
        assert len(find_rasters(tmp_path, other)) == len(found)
    (tmp_path / "empty").mkdir()
    with pytest.raises(EngineError, match="has no raster"):
        find_rasters(tmp_path / "empty", tmp_path / "work")
    for around in (tmp_path / "b", tmp_path):
        with pytest.raises(EngineError, match=r"WORK_FOLDER: .* contains FOLDER.*Choose another"):
            find_rasters(tmp_path / "b", around)
    with pytest.raises(EngineError, match="does not exist"):
        find_rasters(tmp_path / "nowhere")


@pytest.mark.parametrize("fill", ["1970:01:01 00:00:00", "1900:01:01", "9999:12:31", "0000:00:00"])
def test_a_fill_value_in_a_tag_or_a_name_dates_no_scene(tmp_path: Path, fill: str) -> None:
    path = raster(tmp_path / "scene.tif", TIFFTAG_DATETIME=fill)
    with rasterio.open(path) as dataset:
        assert tag_date(dataset) is None
    day = fill[:10].replace(":", "")
    assert DatePattern.parse("s_{YYYY}{MM}{DD}").read(f"s_{day}.tif") is None
    sources = [RasterInput(path=f"/a/s_{day}.tif"), RasterInput(path="/a/s_20200131.tif")]
    listener = Listener()
    scenes = catalogue(survey(sources, None), None, listener)
    assert [scene.date for scene in scenes] == [datetime.date(2020, 1, 31), None]
    assert "1 of 2 scenes have no date" in listener.warnings[0]
