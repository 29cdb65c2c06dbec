"""The time series job: scenes of all kinds in, dated lines and a table of scenes out."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import rasterio
from pydantic import ValidationError
from shapely import box

from glacier_qgis.models.engine.errors import EngineError, explain
from glacier_qgis.models.engine.folders import cache_folder
from glacier_qgis.models.fronts.jobs.series import TerminusTimeSeries
from glacier_qgis.models.fronts.segmentation import model_cache
from glacier_qgis.models.package.card import ModelCard
from glacier_qgis.models.package.folder import Model, load_described
from kit.fronts.series_scenes import CELL, EDGE, NORTH, WEST, run, table, utm_corner, write

CALVED = 700.0


def test_scenes_of_all_kinds_make_one_series_and_bad_ones_fail_alone(
    tiny_model: Path, tmp_path: Path
) -> None:
    folder, work = tmp_path / "Szenen ü", tmp_path / "work"
    corner = (WEST + 13, NORTH - 41)
    whole = write(folder / "a_2018-01-01.tif", "EPSG:3413", corner, CELL)
    write(folder / "utm_2018-01-13.tif", "EPSG:32624", utm_corner(), 45.0)
    write(folder / "again_2018-01-13.tif", "EPSG:3413", (WEST, NORTH), 30.0)
    shutil.copy(whole, folder / "undated.tif")
    (folder / "broken_2018-01-02.tif").write_text("no raster")
    (folder / "cut_2018-01-03.tif").write_bytes(whole.read_bytes()[:9000])
    write(folder / "bare_2018-01-04.tif", None, corner, CELL)
    shutil.copy(whole, folder / "empty_2018-01-05.tif")
    with rasterio.open(folder / "empty_2018-01-05.tif", "r+") as empty:
        empty.write(np.full(empty.shape, -9999, "float32"), 1)
    write(folder / "south_2018-01-06.tif", "EPSG:3031", (-2_500_000.0, 1_200_000.0), CELL)

    outputs = {"output": tmp_path / "lines.gpkg", "summary": tmp_path / "scenes.gpkg"}
    given = {"folder": folder, "model": str(tiny_model), "work_folder": work, **outputs}
    result, listener = run(**given)

    rows = table(outputs["summary"])
    failed = {"broken_2018-01-02", "cut_2018-01-03", "bare_2018-01-04", "empty_2018-01-05"}
    failed.add("south_2018-01-06")
    assert set(rows.index[rows["status"] == "failed"]) == failed
    assert (result["SCENES"], result["FAILED"]) == (len(rows), 5) == (9, 5)
    for name, cause in (
        ("broken_2018-01-02", "cannot be opened"),
        ("bare_2018-01-04", "no coordinate reference system"),
        ("empty_2018-01-05", "no valid pixel"),
        ("south_2018-01-06", "too far"),
    ):
        assert cause in rows.loc[name, "reason"]
        assert any(name in warning and cause in warning for warning in listener.warnings)
    assert rows.loc["utm_2018-01-13", "status"] == "duplicate"
    assert rows.loc["undated", "flags"] == "undated, duplicate"
    assert pd.isna(rows.loc["undated", "date"])

    lines = gpd.read_file(outputs["output"])
    assert lines.crs.to_epsg() == 3413
    assert len(lines) == result["COUNT"] == rows["lines"].sum() > 0
    assert set(lines.loc[lines["duplicate"] == 1, "image_id"]) == {"utm_2018-01-13", "undated"}
    dates = lines.groupby("image_id")["date"].first().astype(str).str[:10]
    assert dates["a_2018-01-01"] == "2018-01-01"
    assert lines.loc[lines["image_id"] == "undated", "date"].isna().all()
    assert listener.fractions == sorted(listener.fractions)
    assert listener.fractions[-1] == 1

    zones = {}
    for path in work.glob("*/zones.tif"):
        with rasterio.open(path) as raster:
            assert raster.transform.c % CELL == raster.transform.f % CELL == 0
            middle = box(WEST + 1500, NORTH - 4000, WEST + 4000, NORTH - 1500).bounds
            window = raster.window(*(CELL * np.round(np.array(middle) / CELL)))
            zones[Path(raster.tags()["SCENE"]).stem[:3]] = raster.read(1, window=window)
    assert set(zones) == {"a_2", "utm", "aga", "und"}
    for name in ("utm", "aga"):
        assert (zones[name] == zones["a_2"]).mean() > 0.95, name

    written = {path: path.stat().st_mtime_ns for path in work.glob("*/*")}
    write(folder / "new_2018-01-25.tif", "EPSG:3413", (WEST, NORTH), CELL)
    again, listener = run(**given)
    assert again["SCENES"] == 10
    assert any("4 scenes were segmented before" in text for text in listener.logs)
    assert {path: path.stat().st_mtime_ns for path in written} == written
    assert len(list(work.glob("*/scene.json"))) == 5


def test_the_default_work_folder_is_gone_once_the_lines_are_there(
    tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable in ("XDG_CACHE_HOME", "LOCALAPPDATA", "HOME"):
        monkeypatch.setenv(variable, str(tmp_path / "cache"))
    scene = write(tmp_path / "a_2018-01-01.tif", "EPSG:3413", (WEST, NORTH), CELL)
    given = {"input": [{"path": str(scene)}], "model": str(tiny_model)}
    given["mask"] = {"path": str(tmp_path / "mask.gpkg")}
    half = box(WEST, NORTH - EDGE, WEST + EDGE / 2, NORTH)
    gpd.GeoSeries([half], crs=3413).to_crs(4326).to_file(tmp_path / "mask.gpkg")
    result, _ = run(**given, output=tmp_path / "lines.gpkg")
    assert result["SUMMARY"] is None
    assert (result["SCENES"], result["FAILED"]) == (1, 0)
    assert (cache_folder() / "time_series").is_dir()
    assert list((cache_folder() / "time_series").iterdir()) == []
    lines = gpd.read_file(tmp_path / "lines.gpkg")
    assert (lines.total_bounds[2] if len(lines) else 0) <= WEST + EDGE / 2 + 3 * CELL


def test_a_series_loads_its_model_once_and_again_when_it_was_changed(
    tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for day in (1, 2, 3):
        write(tmp_path / "scenes" / f"a_2018-01-0{day}.tif", "EPSG:3413", (WEST, NORTH), CELL)
    model = tmp_path / "model"
    shutil.copytree(tiny_model, model)
    loads = []

    def load(folder: Path, card: ModelCard) -> Model:
        loads.append(folder)
        return load_described(folder, card)

    monkeypatch.setattr(model_cache, "load_described", load)
    given = {"folder": tmp_path / "scenes", "model": str(model), "output": tmp_path / "lines.gpkg"}
    run(**given)
    assert loads == [model]
    run(**given)
    assert loads == [model]
    os.utime(model / "weights.safetensors", (0, 0))
    run(**given)
    assert loads == [model, model]


def test_no_front_anywhere_is_an_empty_layer_with_reasons(tiny_model: Path, tmp_path: Path) -> None:
    scene = write(tmp_path / "a_2018-01-01.tif", "EPSG:3413", (WEST, NORTH), CELL)
    result, listener = run(
        input=[{"path": str(scene)}],
        model=str(tiny_model),
        work_folder=tmp_path / "work",
        output=tmp_path / "lines.gpkg",
        summary=tmp_path / "scenes.gpkg",
        min_length=1e6,
    )
    assert (result["COUNT"], result["FAILED"]) == (0, 0)
    assert "No scene shows a front" in listener.warnings[-1]
    row = table(tmp_path / "scenes.gpkg").loc["a_2018-01-01"]
    assert row["status"] == "no front"
    assert row["reason"]
    assert {"date", "duplicate", "outlier"} <= set(gpd.read_file(tmp_path / "lines.gpkg").columns)


def test_when_every_scene_fails_the_reason_is_reported_and_nothing_is_written(
    tiny_model: Path, tmp_path: Path
) -> None:
    scene = write(tmp_path / "in" / "a_2018-01-01.tif", "EPSG:3413", (WEST, NORTH), CELL)
    given: dict[str, Any] = {"model": str(tiny_model), "output": tmp_path / "lines.gpkg"}
    given["work_folder"] = tmp_path / "work"
    with pytest.raises(EngineError, match=r"All 1 scenes failed.*band 7"):
        run(folder=scene.parent, bands="7", **given)
    scene.write_text("no raster")
    given["work_folder"] = tmp_path / "other"
    with pytest.raises(EngineError, match=r"None of the 1 scenes.*cannot be opened"):
        run(folder=scene.parent, **given)
    assert not list(tmp_path.glob("*.gpkg"))


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({}, "neither is given"),
        ({"input": [{"path": "a.tif"}], "folder": "b"}, "both are given"),
        ({"input": [], "folder": ""}, "neither is given"),
        ({"folder": "b", "bands": "one"}, "BANDS"),
        ({"folder": "b", "grid": "input"}, "GRID is not a parameter"),
    ],
)
def test_parameters_that_make_no_sense_are_refused(given: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError) as caught:
        TerminusTimeSeries.model_validate({"output": "x.gpkg", **given})
    assert words in str(explain(caught.value))


def test_a_work_folder_loses_nothing_that_is_a_persons_own(
    tiny_model: Path, tmp_path: Path
) -> None:
    work = tmp_path / "project"
    own = [work / ".git" / "HEAD", work / "notes" / "a.txt", work / "mask.gpkg", work / ".hidden"]
    for path in own:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("mine")
    mask = box(WEST, NORTH - EDGE, WEST + EDGE / 2, NORTH)
    gpd.GeoDataFrame({"name": ["fjord"]}, geometry=[mask], crs=3413).to_file(work / "mask.gpkg")
    content = {path: path.read_bytes() for path in own}
    for folder in {path.parent for path in own}:
        os.utime(folder, (1, 1))
    scene = write(tmp_path / "a_2018-01-01.tif", "EPSG:3413", (WEST, NORTH), CELL)
    run(
        input=[{"path": str(scene)}],
        model=str(tiny_model),
        work_folder=work,
        mask={"path": str(work / "mask.gpkg")},
        output=tmp_path / "lines.gpkg",
    )
    assert {path: path.read_bytes() for path in own} == content


def test_a_stray_first_scene_fails_alone(tiny_model: Path, tmp_path: Path) -> None:
    folder = tmp_path / "scenes"
    write(folder / "stray_2017-01-01.tif", "EPSG:3031", (-2_500_000.0, 1_200_000.0), CELL)
    write(folder / "a_2018-01-01.tif", "EPSG:3413", (WEST, NORTH), CELL)
    write(folder / "b_2018-01-02.tif", "EPSG:32624", utm_corner(), CELL)
    write(folder / "c_2018-01-03.tif", "EPSG:3413", (WEST, NORTH), CELL)
    outputs = {"output": tmp_path / "lines.gpkg", "summary": tmp_path / "scenes.gpkg"}
    result, _ = run(folder=folder, model=str(tiny_model), work_folder=tmp_path / "work", **outputs)
    assert result["FAILED"] == 1
    rows = table(outputs["summary"])
    assert rows.loc["stray_2017-01-01", "status"] == "failed"


def test_a_fjord_mask_that_is_none_is_reported_before_a_scene_is_segmented(
    tiny_model: Path, tmp_path: Path
) -> None:
    scene = write(tmp_path / "a_2018-01-01.tif", "EPSG:3413", (WEST, NORTH), CELL)
    with pytest.raises(EngineError, match="FJORD_MASK"):
        run(
            input=[{"path": str(scene)}],
            model=str(tiny_model),
            work_folder=tmp_path / "work",
            fjord_mask={"path": str(tmp_path / "none.gpkg")},
            output=tmp_path / "lines.gpkg",
        )
    assert not list(tmp_path.glob("work/*/scene.json"))
