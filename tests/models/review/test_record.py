"""`recordcorrections`: what a person changed is kept, once, with its error."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pyogrio
import pytest
from shapely import LineString
from shapely.affinity import translate

from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.engine.events import Result
from glacier_qgis.models.review.jobs.record import RecordCorrections
from glacier_qgis.models.review.tables import store
from glacier_qgis.models.review.tables.corrected import corrected_scenes
from glacier_qgis.models.review.tables.store import read_table
from glacier_qgis.wall.review import CORRECTIONS, LINES, PREDICTED, TASKS
from kit.engine.jobs import run_listened
from kit.engine.listener import Listener
from kit.review.person import delete, draw, finish, opened, redraw
from kit.review.small_review import CELL, SmallScene, prepared

SCENES = [
    SmallScene("Helheim", 0, 100),
    SmallScene("Helheim", 90, 90),
    SmallScene("Fenris", 0, 60),
    SmallScene("Fenris", 90, None),
    SmallScene("Fenris", 180, 10),
]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("whole")
    prepared(folder, SCENES, audit_share=40, seed=1)
    return folder


@pytest.fixture
def review(whole: Path, tmp_path: Path) -> Path:
    """A review whose scenes lie beside it."""
    shutil.copytree(whole / "scenes", tmp_path / "scenes")
    path = Path(shutil.copy(whole / "review.gpkg", tmp_path))
    with opened(path) as connection:
        connection.execute(
            "UPDATE tasks SET scene = replace(scene, ?, ?)", (str(whole), str(tmp_path))
        )
    return path


def recorded(review: Path, **outputs: Path) -> tuple[Result, Listener]:
    return run_listened(RecordCorrections(review=review, **outputs))


def task_of(review: Path, scene: SmallScene) -> int:
    tasks = read_table(review, TASKS).set_index("image_id")
    return int(tasks.task[scene.name])


def corrections(review: Path) -> pd.DataFrame:
    return read_table(review, CORRECTIONS)


def test_a_moved_line_is_recorded_before_and_after_with_its_error(review: Path) -> None:
    scene = SCENES[0]
    task = task_of(review, scene)
    redraw(review, task, translate(scene.front, 30, 0))
    finish(review, task, "corrected", comment="mélange")
    result, listener = recorded(review)
    (row,) = corrections(review).to_dict("records")
    assert result["RECORDED"] == result["TOTAL"] == 1
    assert not listener.warnings
    assert (row["task"], row["number"], row["status"]) == (task, 1, "corrected")
    assert row["error_m"] == pytest.approx(30)
    assert row["error_cells"] == pytest.approx(30 / CELL)
    assert [row[name] for name in ("kept", "edited", "added", "deleted")] == [0, 1, 0, 0]
    assert row["before"] == f"MULTILINESTRING ({scene.front.wkt.removeprefix('LINESTRING ')})"
    assert row["after"] != row["before"]
    assert (row["reviewer"], row["model_hash"]) == ("Ada", "0123abcd")
    assert row["comment"] == "mélange"
    assert row["reviewed_at"] == pd.Timestamp("2026-01-02T03:04:05Z")
    assert row["used_in"] is None
    (corrected,) = corrected_scenes(review)
    assert corrected.lines == (translate(scene.front, 30, 0),)
    assert Path(corrected.scene).is_file()


def test_recording_twice_adds_nothing_and_every_change_is_kept(review: Path) -> None:
    task, front = task_of(review, SCENES[0]), SCENES[0].front
    finish(review, task, "accepted")
    for number, shift in enumerate((0, 40, 0), 1):  # there and back again
        redraw(review, task, translate(front, shift, 0))
        assert recorded(review)[0]["RECORDED"] == 1
        assert recorded(review)[0]["RECORDED"] == 0
        assert len(corrections(review)) == number
    errors = corrections(review).error_m
    np.testing.assert_allclose(errors, [0, 40, 0])
    assert list(corrections(review).status) == ["accepted", "corrected", "accepted"]


def test_deletions_additions_and_splits_are_seen(review: Path) -> None:
    tasks = [task_of(review, scene) for scene in SCENES]
    front = SCENES[0].front
    middle = front.interpolate(0.5, normalized=True)
    ends = [LineString([front.coords[0], middle]), LineString([middle, front.coords[1]])]
    redraw(review, tasks[0], *ends)
    finish(review, tasks[0], "corrected")
    delete(review, tasks[1])
    draw(review, tasks[1], translate(SCENES[1].front, 20, 0))
    finish(review, tasks[1], "corrected")
    finish(review, tasks[2], "no_front")
    draw(review, tasks[3], SCENES[3].front)
    finish(review, tasks[3], "corrected")
    with opened(review) as connection:
        connection.execute("UPDATE lines SET status = 'rejected' WHERE task = ?", (tasks[4],))
    draw(review, tasks[4], translate(SCENES[4].front, 20, 0))
    finish(review, tasks[4], "corrected", complete=0)
    recorded(review)
    found = corrections(review).set_index("task").loc[tasks]
    counts = found[["kept", "edited", "added", "deleted"]].to_numpy().tolist()
    assert counts == [[0, 1, 1, 0], [0, 0, 1, 1], [0, 0, 0, 1], [0, 0, 1, 0], [0, 0, 1, 1]]
    np.testing.assert_allclose(found.error_m, [0, 20, np.nan, np.nan, 20], atol=1e-9)
    assert found.complete.tolist() == [True, True, True, True, False]
    assert found.after[tasks[2]] in (None, "")
    assert found.before[tasks[3]] in (None, "")


def test_open_and_skipped_tasks_are_not_recorded_and_rejected_ones_have_no_error(
    review: Path,
) -> None:
    finish(review, 1, "skipped")
    finish(review, 2, "rejected")
    assert recorded(review)[0]["RECORDED"] == 1
    (row,) = corrections(review).to_dict("records")
    assert (row["task"], row["status"]) == (2, "rejected")
    assert np.isnan(row["error_m"])
    assert corrected_scenes(review) == []


def test_what_the_audit_says_stands_for_the_scenes_left_out(review: Path) -> None:
    with opened(review) as connection:
        connection.execute("UPDATE tasks SET weight = 25 WHERE strategy = 'audit'")
    audited = read_table(review, TASKS)
    audited = audited[(audited.strategy == "audit")]
    assert len(audited) == 2
    for number, (task, name) in enumerate(zip(audited.task, audited.image_id, strict=True)):
        front = next(scene.front for scene in SCENES if scene.name == name)
        delete(review, int(task))
        draw(review, int(task), translate(front, 20 + 10 * number, 0))
        finish(review, int(task), "corrected")
    result, listener = recorded(review)
    known = [name for name in audited.image_id if name != SCENES[3].name]
    assert result["AUDIT_SCENES"] == 50
    assert result["AUDIT_SAMPLE"] == 2
    errors = corrections(review).error_m.dropna()
    assert len(errors) == len(known)
    assert result["AUDIT_ERROR"] == pytest.approx(errors.mean())
    assert "2 of 50 scenes that the ranking left out were looked at" in listener.logs[-1]


def test_table_and_report_hold_what_was_recorded_and_what_was_not(
    review: Path, tmp_path: Path
) -> None:
    finish(review, task_of(review, SCENES[0]), "accepted")
    finish(review, task_of(review, SCENES[3]), "accepted")  # it has no line
    result, _ = recorded(review, output=tmp_path / "table.gpkg", report=tmp_path / "page.html")
    table = pyogrio.read_dataframe(tmp_path / "table.gpkg").set_index("task")
    assert set(table.recorded) == {"now", "no"}
    assert "no line left" in table.problem[task_of(review, SCENES[3])]
    page = (tmp_path / "page.html").read_text()
    assert "Scenes that nobody looked at" in page
    assert "no line left" in page
    assert result["LEFT_OUT"] == 1
    recorded(review, output=tmp_path / "again.gpkg")
    again = pyogrio.read_dataframe(tmp_path / "again.gpkg").set_index("task")
    assert set(again.recorded) == {"earlier", "no"}


def test_nothing_finished_is_said(review: Path, tmp_path: Path) -> None:
    result, listener = recorded(review, output=tmp_path / "t.gpkg", report=tmp_path / "r.html")
    assert result["TOTAL"] == 0
    assert result["MEAN_ERROR"] is None
    assert "nothing is known" in listener.logs[-1]


def test_a_line_outside_the_footprint_is_left_out_and_stays_where_it_is(review: Path) -> None:
    task = task_of(review, SCENES[0])
    far = translate(SCENES[0].front, 5000, 0)
    redraw(review, task, far)
    finish(review, task, "corrected")
    result, listener = recorded(review)
    assert (result["RECORDED"], result["LEFT_OUT"]) == (0, 1)
    assert "one line lies outside the footprint" in listener.warnings[0]
    lines = read_table(review, LINES)
    assert lines[lines.task == task].geometry.iloc[0].equals(far)


def test_a_scene_that_is_gone_is_said_and_its_correction_kept(review: Path) -> None:
    task = task_of(review, SCENES[0])
    (review.parent / "scenes" / f"{SCENES[0].name}.tif").unlink()
    finish(review, task, "accepted")
    result, listener = recorded(review)
    assert result["RECORDED"] == 1
    assert "a scene that is not where it was" in listener.warnings[0]


def test_a_scene_that_has_changed_is_not_recorded_until_it_is_back(review: Path) -> None:
    task = task_of(review, SCENES[0])
    scene = review.parent / "scenes" / f"{SCENES[0].name}.tif"
    content = scene.read_bytes()
    scene.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    finish(review, task, "accepted")
    result, listener = recorded(review)
    assert result["RECORDED"] == 0
    assert "has changed since the queue was made" in listener.warnings[0]
    scene.write_bytes(content)
    assert recorded(review)[0]["RECORDED"] == 1


def test_predictions_of_another_model_are_refused(review: Path) -> None:
    task = task_of(review, SCENES[0])
    with opened(review) as connection:
        connection.execute("UPDATE tasks SET model_hash = 'ffff' WHERE task = ?", (task,))
    finish(review, task, "accepted")
    result, listener = recorded(review)
    assert (result["RECORDED"], result["LEFT_OUT"]) == (0, 1)
    assert "are of model 0123abcd" in listener.warnings[0]


def test_lines_without_a_task_are_said(review: Path) -> None:
    draw(review, None, SCENES[0].front)
    _, listener = recorded(review)
    assert "1 lines belong to no task" in listener.warnings[0]


def test_a_file_that_another_program_holds_is_not_changed(
    review: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    finish(review, 1, "rejected")
    monkeypatch.setattr(store, "PATIENCE", 0.2)
    with opened(review) as other:
        other.execute("UPDATE tasks SET comment = 'mine' WHERE task = 2")
        with pytest.raises(EngineError, match="Close other programs"):
            recorded(review)
    assert corrections(review).empty
    assert recorded(review)[0]["RECORDED"] == 1


def test_a_crash_in_the_middle_loses_nothing(review: Path) -> None:
    task = task_of(review, SCENES[0])
    finish(review, task, "accepted")
    program = (
        "import os, sys; from pathlib import Path; "
        "from glacier_qgis.models.engine.events import Silent; "
        "from glacier_qgis.models.review.recording import record; "
        "append = record.append; "
        "record.append = lambda *given: (append(*given), os._exit(9)); "
        "review = Path(sys.argv[1]); "
        "record.record(review, record.look(review, Silent()).reviewed, Silent())"
    )
    environment = {"PYTHONPATH": "build/plugins", "PATH": ""}
    command = [sys.executable, "-P", "-c", program, str(review)]
    assert subprocess.run(command, env=environment, check=False).returncode == 9
    assert corrections(review).empty
    assert list(read_table(review, TASKS).status).count("accepted") == 1
    assert recorded(review)[0]["RECORDED"] == 1
    assert len(read_table(review, PREDICTED)) == 4
