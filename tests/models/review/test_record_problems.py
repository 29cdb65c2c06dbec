"""`recordcorrections` of a review with something wrong in it: said of the task, others recorded."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np
import pyogrio
import pytest
import shapely
from shapely import LineString
from shapely.affinity import translate

from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.review.jobs.record import RecordCorrections
from glacier_qgis.models.review.recording import record, reviewed
from glacier_qgis.models.review.tables import store
from glacier_qgis.models.review.tables.corrected import corrected_scenes
from glacier_qgis.models.review.tables.store import read_table
from glacier_qgis.wall.review import CORRECTIONS, LINES, PREDICTED, TASKS
from kit.engine.jobs import run_listened
from kit.review.person import blob, draw, draw_task, finish, opened, redraw
from kit.review.small_review import CELL, SmallScene, prepared

SCENES = [SmallScene("Helheim", 0), SmallScene("Helheim", 90), SmallScene("Fenris", 0)]
FRONT = SCENES[0].front
X, Y = FRONT.coords[0]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("whole")
    return prepared(folder, SCENES, audit_share=0)[0]


@pytest.fixture
def review(whole: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(whole, tmp_path))


def task_of(review: Path, scene: SmallScene) -> int:
    tasks = read_table(review, TASKS).set_index("image_id")
    return int(tasks.task[scene.name])


def without_rules(review: Path, table: str, *statements: str) -> None:
    """Change a file as programs can that know no rules and no spatial index."""
    with closing(sqlite3.connect(review)) as connection, connection:
        query = "SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = ?"
        for (name,) in connection.execute(query, (table,)).fetchall():
            connection.execute(f'DROP TRIGGER "{name}"')
        for statement in statements:
            connection.execute(statement)


def only_the_first_is_left_out(review: Path, said: str, **outputs: Path) -> None:
    """Finish two tasks, and check that the first of them is not recorded, and why."""
    first, second = (task_of(review, scene) for scene in SCENES[:2])
    finish(review, first, "corrected")
    finish(review, second, "accepted")
    result, listener = run_listened(RecordCorrections(review=review, **outputs))
    assert (result["RECORDED"], result["LEFT_OUT"]) == (1, 1)
    assert list(read_table(review, CORRECTIONS).task) == [second]
    (warning,) = listener.warnings
    assert f"({SCENES[0].glacier} {SCENES[0].date}" in warning
    assert said in warning


def test_a_polygon_drawn_into_the_tasks_is_left_out_and_said(review: Path, tmp_path: Path) -> None:
    draw_task(review)
    draw_task(review)
    draw(review, None, FRONT)
    finish(review, 1, "accepted")
    result, listener = run_listened(
        RecordCorrections(review=review, output=tmp_path / "t.gpkg", report=tmp_path / "r.html")
    )
    assert result["RECORDED"] == 1
    assert "2 polygons in the table 'tasks' have no number" in listener.warnings[0]
    assert '"task" IS NULL' in listener.warnings[0]
    assert "1 lines belong to no task" in listener.warnings[1]
    assert list(pyogrio.read_dataframe(tmp_path / "t.gpkg").task) == [1]
    assert [scene.task for scene in corrected_scenes(review)] == [1]


def test_a_task_without_a_rank_keeps_its_place(review: Path, tmp_path: Path) -> None:
    for task in (1, 2, 3):
        finish(review, task, "accepted", rank=None if task == 2 else task)
    result, _ = run_listened(RecordCorrections(review=review, output=tmp_path / "t.gpkg"))
    assert result["RECORDED"] == 3
    assert list(pyogrio.read_dataframe(tmp_path / "t.gpkg")["rank"]) == [1, 2, 3]


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("UPDATE tasks SET cell_size_m = NULL WHERE task = ", "has no 'cell_size_m'"),
        ("UPDATE tasks SET cell_size_m = 0 WHERE task = ", "has no 'cell_size_m'"),
        ("UPDATE tasks SET geom = NULL WHERE task = ", "has no footprint"),
    ],
)
def test_what_a_task_lacks_is_a_problem_of_that_task(
    review: Path, statement: str, said: str, tmp_path: Path
) -> None:
    without_rules(review, TASKS, f"{statement}{task_of(review, SCENES[0])}")
    only_the_first_is_left_out(review, said, output=tmp_path / "t.gpkg", report=tmp_path / "r.html")


def test_a_footprint_in_no_place_of_its_crs_is_a_problem_of_that_task(review: Path) -> None:
    task = task_of(review, SCENES[0])
    with opened(review) as connection:
        far = blob(shapely.box(1e9, 1e9, 2e9, 2e9))
        connection.execute("UPDATE tasks SET geom = ? WHERE task = ?", (far, task))
    only_the_first_is_left_out(review, "outside the area where the CRS")


@pytest.mark.parametrize("status", ["accepted", "corrected"])
@pytest.mark.parametrize("length", [0, 1e-6, CELL - 1])
def test_a_line_shorter_than_a_cell_is_said(review: Path, length: float, status: str) -> None:
    redraw(review, task_of(review, SCENES[0]), LineString([(X, Y), (X, Y - length)]))
    only_the_first_is_left_out(review, "one line is shorter than a cell of 20 m")
    finish(review, task_of(review, SCENES[0]), status)
    draw(review, task_of(review, SCENES[0]), FRONT)
    result, _ = run_listened(RecordCorrections(review=review))
    assert result["LEFT_OUT"] == 1, "although a whole line is beside it"


def test_a_short_line_that_was_predicted_may_be_accepted(review: Path) -> None:
    task, short = task_of(review, SCENES[0]), LineString([(X, Y), (X, Y - 5)])
    without_rules(review, PREDICTED)
    redraw(review, task, short)
    with opened(review) as connection:
        connection.execute(
            "UPDATE lines_predicted SET geom = ? WHERE task = ?", (blob(short), task)
        )
    finish(review, task, "accepted")
    assert run_listened(RecordCorrections(review=review))[0]["RECORDED"] == 1


@pytest.mark.parametrize("end", [np.inf, np.nan, 1e9, 1e300])
def test_a_line_with_impossible_coordinates_is_outside(review: Path, end: float) -> None:
    task = task_of(review, SCENES[0])
    with np.errstate(invalid="ignore"):
        broken = blob(LineString([(X, Y), (end, Y)]))
    with opened(review) as connection:
        for name in ("ST_MinX", "ST_MinY", "ST_MaxX", "ST_MaxY"):
            connection.create_function(name, 1, lambda _: X)
        connection.execute("UPDATE lines SET geom = ? WHERE task = ?", (broken, task))
    only_the_first_is_left_out(review, "one line lies outside the footprint of its scene")


def test_a_line_given_to_another_task_counts_as_added_there(review: Path) -> None:
    first, second = (task_of(review, scene) for scene in SCENES[:2])
    moved = int(read_table(review, LINES).set_index("task").line_id[first])
    with opened(review) as connection:
        connection.execute("UPDATE lines SET task = ? WHERE task = ?", (second, first))
    finish(review, first, "no_front")
    finish(review, second, "corrected")
    run_listened(RecordCorrections(review=review))
    rows = read_table(review, CORRECTIONS).set_index("task")
    counts = rows[["kept", "edited", "added", "deleted"]].to_numpy().tolist()
    assert rows.index.tolist() == [first, second]
    assert counts == [[0, 0, 0, 1], [1, 0, 1, 0]]
    assert rows.status[second] == "corrected"
    assert len(corrected_scenes(review)[1].lines) == 2
    assert moved not in read_table(review, PREDICTED).query("task == @second").line_id.to_list()


def test_errors_and_fingerprints_are_computed_once(
    review: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hashed, measured = [], []
    known, distances = record.fingerprint, reviewed.front_distances
    monkeypatch.setattr(record, "fingerprint", lambda path: hashed.append(path) or known(path))
    monkeypatch.setattr(
        reviewed, "front_distances", lambda *lines: measured.append(lines) or distances(*lines)
    )
    for scene in SCENES:
        redraw(review, task_of(review, scene), translate(scene.front, 30, 0))
        finish(review, task_of(review, scene), "corrected")
    with opened(review) as connection:
        connection.execute(
            "UPDATE tasks SET (scene, scene_hash) = "
            "(SELECT scene, scene_hash FROM tasks WHERE task = 1)"
        )
    _, listener = run_listened(RecordCorrections(review=review))
    assert (len(hashed), len(measured)) == (1, 3)
    assert len(set(listener.fractions)) > 2 * len(SCENES)
    run_listened(RecordCorrections(review=review))
    assert (len(hashed), len(measured)) == (2, 3), "nothing is new"


def test_where_nothing_is_new_nothing_is_written(
    review: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    finish(review, 1, "rejected")
    run_listened(RecordCorrections(review=review))
    monkeypatch.setattr(store, "PATIENCE", 0.2)
    with opened(review) as other:
        other.execute("UPDATE tasks SET comment = 'mine' WHERE task = 2")
        result, _ = run_listened(RecordCorrections(review=review))
    assert (result["RECORDED"], result["TOTAL"]) == (0, 1)


def test_a_read_only_review_is_said_to_be_one(
    review: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    finish(review, 1, "rejected")
    connect = sqlite3.connect
    monkeypatch.setattr(  # also for the superuser, who may write to all files
        sqlite3,
        "connect",
        lambda address, **options: connect(address.replace("mode=rw", "mode=ro"), **options),
    )
    with pytest.raises(EngineError, match="Allow writing to it and to its folder"):
        run_listened(RecordCorrections(review=review))
