"""Reviews of echograms: tasks per stretch, the doubtful place, and errors in depth."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import shapely
from affine import Affine
from shapely import LineString, box

from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.radar.echogram.axes import Axes
from glacier_qgis.models.radar.echogram.coordinates import to_points
from glacier_qgis.models.radar.jobs.export_layers import ExportLayers
from glacier_qgis.models.radar.jobs.trace_layers import TraceLayers
from glacier_qgis.models.radar.layers.scores import FAR
from glacier_qgis.models.review.jobs.prepare import PrepareReview
from glacier_qgis.models.review.jobs.record import RecordCorrections
from glacier_qgis.models.review.queue.doubt import doubt_of_lines
from glacier_qgis.models.review.queue.stretches import parts
from glacier_qgis.models.review.recording.layer_errors import mean_layer_error
from glacier_qgis.models.review.tables.corrected import corrected_scenes
from glacier_qgis.models.review.tables.store import read_table
from glacier_qgis.wall.review import CORRECTIONS, LINES, PREDICTED, TASKS
from kit.engine.jobs import run_job, run_listened
from kit.engine.rasters import write_raster
from kit.review import person
from kit.review.echograms import (
    FRAMES,
    LAYERS,
    SAMPLES,
    line,
    prepared,
    row,
    traced,
    write_frames,
    write_traced,
)


def layer(number: int, first: int, last: int, down: float = 0.0) -> LineString:
    trace = np.arange(first, last + 1, dtype=float)
    return LineString(to_points(trace, row(number, trace) + down))


def test_a_task_is_a_stretch_with_its_part_of_the_lines(tmp_path: Path) -> None:
    review, result, listener = prepared(tmp_path, audit_share=20)
    tasks, lines, frozen = (read_table(review, name) for name in (TASKS, LINES, PREDICTED))
    assert (result["TASKS"], result["AUDIT"], result["SCENES"]) == (6, 1, 6)
    assert not listener.warnings
    assert set(tasks.image_id) == set(FRAMES)
    assert set(tasks.glacier) == {"20120507_07"}
    assert not tasks.complete.any(), "nobody has said that every layer is there"
    assert lines.geometry.geom_equals(frozen.geometry).all()
    assert set(frozen.model_hash) == {"0123abcd"}
    depth = Axes.read(tmp_path / f"{FRAMES[0]}.tif")
    np.testing.assert_allclose(tasks.cell_size_m, depth.metres_per_second * depth.sample_interval)
    task = tasks[tasks.title == f"{FRAMES[0]}, traces 100 to 199"].iloc[0]
    assert task.geometry.equals(box(100, -SAMPLES, 200, 0))
    assert str(task.date.date()) == "2012-05-02"
    own = lines[lines.task == task.task]
    assert sorted(own.line) == sorted(LAYERS)
    for number, shape in zip(own.line, own.geometry, strict=True):
        x, y = np.array(shape.coords).T
        assert (x.min(), x.max()) == (100, 200)
        np.testing.assert_allclose(-y - 0.5, row(number, x - 0.5), atol=1e-9)


def test_the_first_task_is_where_a_layer_is_lost_and_names_the_trace(tmp_path: Path) -> None:
    review, *_ = prepared(tmp_path, audit_share=0)
    first = read_table(review, TASKS).sort_values("rank").iloc[0]
    assert first.title == f"{FRAMES[1]}, traces 200 to 299"
    assert first.trace == pytest.approx(230, abs=3)


def test_whole_frames_and_stretches_of_about_equal_length() -> None:
    assert list(parts(1000, 0)) == [(0, 1000)]
    assert list(parts(100, 500)) == [(0, 100)]
    assert list(parts(1001, 500)) == [(0, 334), (334, 667), (667, 1001)]


def test_doubt_is_what_a_line_lacks_in_confidence_and_each_of_its_ends() -> None:
    doubt = doubt_of_lines([line("f", 3, confidence=0.8), line("f", 4, last=150)], 300)
    assert doubt[0] == pytest.approx(0.2 + 0.1, abs=0.01)
    assert doubt[150] == pytest.approx(0.2 + 0.1 + 1)
    assert doubt[170] == pytest.approx(0.2 + np.exp(-1))
    assert doubt[299] == pytest.approx(0.2, abs=0.01)


def test_the_entropy_of_the_probabilities_ranks_where_it_is_given(tmp_path: Path) -> None:
    sources = write_frames(tmp_path)
    rasters = []
    for place, source in enumerate(sources):
        output = tmp_path / f"probability_{place}.tif"
        lines = tmp_path / f"traced_{place}.gpkg"
        run_job(TraceLayers(input=[source], output=lines, probability=output))
        rasters.append({"path": str(output)})
    found = gpd.read_file(tmp_path / "traced_0.gpkg")
    assert set(found.model) == {"radar_layers 1.1.0"}
    assert set(found.model_hash.str.len()) == {64}
    review, _, listener = prepared(tmp_path, uncertainty=rasters[:1])
    assert "1 of 2 echograms have no raster among UNCERTAINTY" in listener.warnings[0]
    (tmp_path / "review.gpkg").unlink()
    review, _, listener = prepared(tmp_path, uncertainty=rasters)
    assert not listener.warnings
    assert read_table(review, TASKS).score.nunique() == 6


@pytest.mark.parametrize("moved", [0.0, 1.5, 4.0])
def test_the_error_is_the_distance_in_depth(moved: float) -> None:
    before = [layer(3, 0, 50), layer(5, 0, 50)]
    after = [layer(3, 0, 50, moved), layer(5, 0, 50)]
    assert mean_layer_error(before, after) == pytest.approx(moved / 2)
    assert mean_layer_error(after, before) == pytest.approx(moved / 2)


def test_points_that_were_added_or_deleted_count_as_far() -> None:
    whole = [layer(3, 0, 99), layer(5, 0, 99)]
    assert mean_layer_error(whole[:1], whole) == pytest.approx(FAR / 3)
    assert mean_layer_error(whole, [layer(3, 0, 49), layer(5, 0, 99)]) == pytest.approx(
        FAR * 50 / 350
    )


def numbered(number: int, *lines: LineString) -> list[LineString]:
    return [shapely.force_3d(line, number) for line in lines]


def test_a_layer_is_compared_with_that_of_its_number() -> None:
    third, fifth = numbered(3, layer(3, 0, 50)), numbered(5, layer(5, 0, 50))
    renamed = numbered(4, layer(3, 0, 50))
    assert mean_layer_error([*third, *fifth], [*renamed, *fifth]) == pytest.approx(FAR / 2)
    assert mean_layer_error(third, numbered(0, layer(3, 0, 50, 2))) == pytest.approx(2)


def test_a_changed_number_of_a_layer_is_a_correction(tmp_path: Path) -> None:
    review, *_ = prepared(tmp_path, audit_share=20)
    with person.opened(review) as connection:
        connection.execute("UPDATE lines SET line = 6 WHERE task = 1 AND line = 4")
    person.finish(review, 1, "accepted")
    run_listened(RecordCorrections(review=review))
    (row,) = read_table(review, CORRECTIONS).to_dict("records")
    own = read_table(review, LINES).query("task == 1").set_index("line")
    assert row["status"] == "corrected"
    assert (row["kept"], row["edited"], row["added"], row["deleted"]) == (len(own) - 1, 1, 0, 0)
    share = own.length[6] / own.length.sum()
    assert row["error_cells"] == pytest.approx(FAR * share, rel=0.02)


def test_a_layer_shorter_than_a_trace_is_said_unless_it_was_predicted_so(tmp_path: Path) -> None:
    review, *_ = prepared(tmp_path, audit_share=0)
    west, *_ = read_table(review, TASKS).geometry[0].bounds
    person.draw(review, 1, LineString([(west + 9, -20), (west + 9, -40), (west + 9.9, -50)]))
    for task in (1, 2):
        person.finish(review, task, "accepted")
    result, listener = run_listened(RecordCorrections(review=review))
    assert (result["RECORDED"], result["LEFT_OUT"]) == (1, 1)
    assert "one line is shorter than one trace" in listener.warnings[0]
    assert "draw the layer" in listener.warnings[0]


def test_corrections_are_recorded_in_samples_and_metres_with_the_layer_s_number(
    tmp_path: Path,
) -> None:
    review, *_ = prepared(tmp_path, audit_share=20)
    tasks = read_table(review, TASKS)
    lines = read_table(review, LINES)
    first, second = tasks.task[:2]
    for number, own in lines[lines.task == first].groupby("line"):
        with person.opened(review) as connection:
            moved = shapely.affinity.translate(own.geometry.iloc[0], yoff=-2.0)
            connection.execute(
                "UPDATE lines SET geom = ? WHERE task = ? AND line = ?",
                (person.blob(moved), int(first), int(number)),
            )
    person.finish(review, int(first), "corrected")
    person.finish(review, int(second), "accepted", complete=1)
    result, listener = run_listened(
        RecordCorrections(review=review, output=tmp_path / "t.gpkg", report=tmp_path / "r.html")
    )
    assert (result["RECORDED"], result["LEFT_OUT"]) == (2, 0), listener.warnings
    table = read_table(review, CORRECTIONS).set_index("task")
    assert table.error_cells[first] == pytest.approx(2.0)
    assert table.error_m[first] == pytest.approx(2.0 * tasks.cell_size_m[0])
    assert table.error_cells[second] == 0
    scenes = {scene.task: scene for scene in corrected_scenes(review)}
    assert {int(shape.coords[0][2]) for shape in scenes[second].lines} <= set(LAYERS)
    assert (scenes[first].complete, scenes[second].complete) == (False, True)
    assert "stretches that nobody looked at" in (tmp_path / "r.html").read_text().lower()


def test_a_line_outside_its_stretch_is_named(tmp_path: Path) -> None:
    review, *_ = prepared(tmp_path)
    person.draw(review, 1, LineString([(-50, -20), (350, -20)]))
    person.finish(review, 1, "corrected")
    result, listener = run_listened(RecordCorrections(review=review))
    assert result["LEFT_OUT"] == 1
    assert "one line lies outside the footprint of its stretch" in listener.warnings[0]


def test_what_is_no_echogram_among_them_or_there_twice_is_refused(tmp_path: Path) -> None:
    sources = write_frames(tmp_path)
    lines = write_traced(tmp_path / "layers.gpkg", traced())
    scene = tmp_path / "scene.tif"
    write_raster(scene, np.ones((20, 20), "float32"), Affine(20, 0, 0, 0, -20, 0), crs=32624)
    asked = {"input": lines, "output": tmp_path / "no.gpkg"}
    with pytest.raises(EngineError, match=r"scene\.tif has no axes beside it"):
        run_job(PrepareReview(**asked, scenes=[*sources, {"path": str(scene)}]))
    with pytest.raises(EngineError, match=f"two echograms are called {FRAMES[0]}"):
        run_job(PrepareReview(**asked, scenes=[sources[0], sources[0]]))
    with pytest.raises(EngineError, match="does not say of which frame it is"):
        run_job(PrepareReview(**asked, scenes=sources, uncertainty=[{"path": str(scene)}]))


def test_the_lines_of_a_review_are_exported_with_their_frame_and_number(tmp_path: Path) -> None:
    review, *_ = prepared(tmp_path, stretch=0)
    person.draw_task(review)
    person.draw_task(review)
    whole = read_table(review, LINES)
    task = int(whole.task.iloc[0])
    with person.opened(review) as connection:
        connection.execute(
            "UPDATE lines SET status = 'rejected' WHERE task = ? AND line = 5", (task,)
        )
    job = ExportLayers(
        input=[{"path": str(tmp_path / f"{name}.tif")} for name in FRAMES],
        lines={"path": str(review), "layer": LINES},
        output=tmp_path / "points.gpkg",
    )
    run_job(job)
    points = gpd.read_file(tmp_path / "points.gpkg")
    counts = points.groupby(["frame_id", "layer_id"]).size()
    rejected = read_table(review, TASKS).set_index("task").image_id[task]
    for name in FRAMES:
        layers = set(LAYERS) - ({5} if name == rejected else set())
        assert set(counts[name].index) == layers
    assert counts[FRAMES[0], 3] == 300
    assert set(points[points.layer_id == 1].kind) == {"surface"}
