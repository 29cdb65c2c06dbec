"""`preparereview`: scenes, their predictions and a queue, in a GeoPackage."""

from __future__ import annotations

import shutil
import zipfile
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import rasterio
from affine import Affine
from shapely import box

from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.engine.job import RasterInput
from glacier_qgis.models.review.jobs.prepare import PrepareReview
from glacier_qgis.models.review.tables.store import read_table
from glacier_qgis.models.vector.texts import value_text
from glacier_qgis.wall.fingerprint import fingerprint
from glacier_qgis.wall.review import LINES, MODELS, PREDICTED, TASKS
from glacier_qgis.wall.review import SCENES as EVERY
from kit.engine.jobs import run_listened
from kit.engine.rasters import write_raster
from kit.review.small_review import (
    CELL,
    CORNERS,
    CRS,
    SIZE,
    SmallScene,
    prepared,
    write_lines,
    write_scene,
)

SCENES = [
    SmallScene("Helheim", 0, 100),
    SmallScene("Helheim", 6, 90),
    SmallScene("Helheim", 200, 20),
    SmallScene("Fenris", 0, 60),
    SmallScene("Fenris", 6, None),
    SmallScene("Fenris", 12, 10, outlier=1),
]


def test_a_review_holds_scenes_lines_and_a_frozen_copy(tmp_path: Path) -> None:
    review, result, listener = prepared(tmp_path, SCENES, reviewers="Ada Byron; Bo", audit_share=20)
    tasks, lines, frozen = (read_table(review, name) for name in (TASKS, LINES, PREDICTED))
    assert (result["TASKS"], result["AUDIT"], result["SCENES"]) == (6, 1, 6)
    assert not listener.warnings
    assert list(tasks["rank"]) == [1, 2, 3, 4, 5, 6]
    assert list(tasks.assignee) == ["Ada Byron", "Bo"] * 3
    assert set(tasks.status) == {"open"}
    assert tasks.complete.all()
    assert len(lines) == len(frozen) == 5
    assert lines.geometry.geom_equals(frozen.geometry).all()
    assert list(lines.line_id) == list(frozen.line_id) == [1, 2, 3, 4, 5]
    assert set(lines.origin) == {"caffe_unet 1.5.0"}
    assert set(frozen.model_hash) == {"0123abcd"}
    assert list(read_table(review, MODELS).model_hash) == ["0123abcd"]
    scene = next(one for one in SCENES if one.day == 200)
    task = tasks[tasks.image_id == scene.name].iloc[0]
    assert task.title == "Helheim 2018-12-19 Sentinel-1A"
    assert task.scene_hash == fingerprint(task.scene)
    assert task.cell_size_m == pytest.approx(CELL)
    west, north = CORNERS["Helheim"]
    assert task.geometry.equals(box(west, north - SIZE * CELL, west + SIZE * CELL, north))
    own = lines[lines.task == task.task]
    assert own.geometry.iloc[0].equals(scene.front)


def test_a_review_remembers_the_scenes_that_no_task_is_for(tmp_path: Path) -> None:
    review, *_ = prepared(tmp_path, SCENES, count=2)
    assert len(read_table(review, TASKS)) == 2
    seen = read_table(review, EVERY).set_index("image_id")
    assert set(seen.index) == {one.name for one in SCENES}
    assert all(Path(path).is_file() for path in seen.scene)
    for one in SCENES:
        row = seen.loc[one.name]
        assert row.glacier == one.glacier, "one without a line too"
        assert str(row.date)[:10] == one.date.isoformat()


def test_a_task_without_a_line_has_the_glacier_of_its_place(tmp_path: Path) -> None:
    review, *_ = prepared(tmp_path, SCENES)
    tasks = read_table(review, TASKS).set_index("image_id")
    assert {name: tasks.glacier[name] for name in tasks.index} == {
        one.name: one.glacier for one in SCENES
    }
    assert tasks.title[SCENES[4].name] == "Fenris 2018-06-08 Sentinel-1A"


def test_where_a_place_has_two_names_none_is_guessed(tmp_path: Path) -> None:
    scenes = [*(SmallScene("Helheim", day) for day in (0, 6)), SmallScene("Helheim", 12, None)]
    prepared(tmp_path, scenes)
    lines = gpd.read_file(tmp_path / "lines.gpkg")
    lines.assign(glacier=["Helheim", "Midgard"]).to_file(tmp_path / "lines.gpkg")
    given = {"input": {"path": str(tmp_path / "lines.gpkg")}, "folder": tmp_path / "scenes"}
    run_listened(PrepareReview(**given, output=tmp_path / "two.gpkg"))
    for table in (TASKS, EVERY):
        named = read_table(tmp_path / "two.gpkg", table).set_index("image_id").glacier
        assert [value_text(named[one.name]) for one in scenes] == ["Helheim", "Midgard", ""]


def test_scenes_without_a_line_and_outliers_score_highest(tmp_path: Path) -> None:
    review, *_ = prepared(tmp_path, SCENES, audit_share=0)
    score = read_table(review, TASKS).set_index("image_id").score
    by_name = {one: score[one.name] for one in SCENES}
    assert by_name[SCENES[4]] == by_name[SCENES[5]] == 1
    assert by_name[SCENES[0]] > by_name[SCENES[1]] > by_name[SCENES[3]] > by_name[SCENES[2]]


def test_the_first_tasks_are_of_both_glaciers(tmp_path: Path) -> None:
    crowd = [SmallScene("Helheim", day, 100 - day) for day in range(8)]
    review, *_ = prepared(tmp_path, [*crowd, SmallScene("Fenris", 3, 96.5)], count=2, audit_share=0)
    assert set(read_table(review, TASKS).glacier) == {"Helheim", "Fenris"}


def test_rasters_of_uncertainty_count_near_the_lines(tmp_path: Path) -> None:
    rasters = []
    for scene, near, far in ((SCENES[0], 0.1, 0.9), (SCENES[1], 0.6, 0.0)):
        west, north = CORNERS[scene.glacier]
        values = np.full((SIZE * 4, SIZE * 4), far, "float32")
        values[:, SIZE * 2 - 10 : SIZE * 2 + 10] = near
        path = tmp_path / f"unsure_{scene.day}.tif"
        transform = Affine(CELL / 4, 0, west, 0, -CELL / 4, north)
        tags = {"SCENE": f"/somewhere/{scene.name}.tif"}
        write_raster(path, values, transform, crs=CRS, tags=tags)
        rasters.append(RasterInput(path=str(path)))
    review, _, listener = prepared(tmp_path, SCENES[:3], uncertainty=rasters, audit_share=0)
    score = read_table(review, TASKS).set_index("image_id").score
    assert score[SCENES[1].name] > score[SCENES[2].name] >= score[SCENES[0].name]
    assert "1 of 3 scenes have no raster" in listener.warnings[0]


def test_what_cannot_be_used_is_left_out_and_said(tmp_path: Path) -> None:
    folder = tmp_path / "scenes"
    folder.mkdir()
    (folder / "broken_20180601.tif").write_text("no raster")
    again = folder / "again"
    again.mkdir()
    write_scene(again, SCENES[0])
    review, _, listener = prepared(tmp_path, SCENES[:2])
    assert len(read_table(review, TASKS)) == 2
    said = " ".join(listener.warnings)
    assert "1 scenes cannot be used: broken_20180601.tif" in said
    assert "1 scenes are left out, as another one has the same name" in said


def test_lines_of_other_scenes_are_left_out_and_said(tmp_path: Path) -> None:
    _, _, listener = prepared(tmp_path, SCENES)
    shutil.rmtree(tmp_path / "scenes")
    one = [RasterInput(path=str(write_scene(tmp_path, SCENES[0])))]
    job = {"input": {"path": str(tmp_path / "lines.gpkg")}, "scenes": one}
    _, listener = run_listened(PrepareReview(**job, output=tmp_path / "other.gpkg"))
    assert "4 of 5 lines are left out" in listener.warnings[0]
    assert len(read_table(tmp_path / "other.gpkg", LINES)) == 1


def test_a_scene_in_a_temporary_file_is_refused(tmp_path: Path) -> None:
    prepared(tmp_path, SCENES[:1])
    scene = RasterInput(path=str(write_scene(tmp_path, SCENES[0])), name="Warped")
    job = PrepareReview(
        input={"path": str(tmp_path / "lines.gpkg")}, scenes=[scene], output=tmp_path / "no.gpkg"
    )
    with pytest.raises(EngineError, match="'Warped' lies in a temporary file"):
        run_listened(job)
    assert not (tmp_path / "no.gpkg").exists()


def of_scene(folder: Path, **layer: object) -> PrepareReview:
    """Return the job that prepares a review of one scene, which was in the folder before."""
    prepared(folder, SCENES[:1])
    return PrepareReview.model_validate(
        {
            "input": {"path": str(folder / "lines.gpkg")},
            "scenes": [layer],
            "output": folder / "other.gpkg",
        }
    )


@pytest.mark.parametrize("file", [None, "EPSG:32623"])
def test_a_scene_whose_crs_is_set_in_its_layer_only_is_refused(
    tmp_path: Path, file: str | None
) -> None:
    """The review notes where the file is; read from there, the scene would lie elsewhere."""
    scene = write_scene(tmp_path, SCENES[0])
    with rasterio.open(scene) as raster:
        values, corner = raster.read(1), raster.transform
    write_raster(scene, values, corner, crs=file)
    with pytest.raises(EngineError, match=r"CRS of .* is set in the properties of its layer only"):
        run_listened(of_scene(tmp_path, path=str(scene), crs=CRS))
    assert not (tmp_path / "other.gpkg").exists()


def test_what_retrain_will_not_know_of_a_scene_is_said(tmp_path: Path) -> None:
    scene = write_scene(tmp_path, SCENES[0])
    archive = scene.with_suffix(".zip")
    with zipfile.ZipFile(archive, "w") as file:
        file.write(scene, scene.name)
    inside = f"/vsizip/{archive}/{scene.name}"
    _, listener = run_listened(of_scene(tmp_path, path=inside, crs=CRS))
    assert f"trains on files only, so not on {inside}" in " ".join(listener.warnings)
    (tmp_path / "other.gpkg").unlink()
    blank = [{"own": True, "ranges": [[0.0, 1.0]]}]
    again = tmp_path / "again"
    again.mkdir()
    _, listener = run_listened(of_scene(again, path=str(scene), crs=CRS, no_data=blank))
    assert "without the no-data values and open options" in " ".join(listener.warnings)


def test_lines_that_name_no_scene_are_refused(tmp_path: Path) -> None:
    gpd.GeoDataFrame(geometry=[SCENES[0].front], crs=CRS).to_file(tmp_path / "drawn.gpkg")
    write_scene(tmp_path, SCENES[0])
    job = PrepareReview(
        input={"path": str(tmp_path / "drawn.gpkg")}, folder=tmp_path, output=tmp_path / "no.gpkg"
    )
    with pytest.raises(EngineError, match="no field 'image_id'"):
        run_listened(job)


def test_text_where_a_number_is_expected_counts_as_absent(tmp_path: Path) -> None:
    source = write_lines(tmp_path / "lines.gpkg", SCENES)
    frame = gpd.read_file(source.path).drop(columns=["line", "confidence", "duplicate"])
    frame = frame.assign(line="north", confidence="high", duplicate=["1", "0", "no", "0", "0"])
    frame.loc[1, "line"] = "2"
    frame.to_file(tmp_path / "texts.gpkg")
    review, *_ = prepared(tmp_path, SCENES, input={"path": str(tmp_path / "texts.gpkg")})
    lines = read_table(review, LINES)
    assert len(lines) == 4, "one is flagged as a duplicate"
    assert sorted(lines.line.dropna()) == [2]
    assert lines.confidence.isna().all()


@pytest.mark.parametrize("number", [np.inf, 1e12])
def test_a_number_of_a_line_that_is_none_counts_as_absent(tmp_path: Path, number: float) -> None:
    source = write_lines(tmp_path / "lines.gpkg", SCENES)
    gpd.read_file(source.path).assign(line=number).to_file(tmp_path / "odd.gpkg")
    review, *_ = prepared(tmp_path, SCENES, input={"path": str(tmp_path / "odd.gpkg")})
    assert read_table(review, LINES).line.isna().all()
