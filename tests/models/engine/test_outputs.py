"""Folders of results whose parts outlive a job that ends early."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.engine.outputs import Outputs


def fill(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(name)


def files(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def interrupted(target: Path, *names: str) -> None:
    with Outputs("0123456789ab") as outputs:
        fill(outputs.stage_folder(target, lasting="*/run.nc"), *names)
        raise KeyError


def test_a_folder_that_lasts_is_delivered_whole(tmp_path: Path) -> None:
    with Outputs("0123456789ab") as outputs:
        fill(outputs.stage_folder(tmp_path / "out", lasting="*/run.nc"), "a/run.nc", "a/h.tif")
    assert files(tmp_path) == ["out", "out/a", "out/a/h.tif", "out/a/run.nc"]


def test_of_an_unfinished_folder_only_what_lasts_stays_and_nothing_is_overwritten(
    tmp_path: Path,
) -> None:
    for name in ("a", "b"):
        with pytest.raises(KeyError):
            interrupted(tmp_path / "out", f"{name}/run.nc", f"{name}/h.tif", "c/h.tif", "log")
    assert files(tmp_path) == [
        "out.unfinished",
        "out.unfinished-2",
        "out.unfinished-2/b",
        "out.unfinished-2/b/run.nc",
        "out.unfinished/a",
        "out.unfinished/a/run.nc",
    ]


def test_an_unfinished_folder_without_anything_that_lasts_goes(tmp_path: Path) -> None:
    with pytest.raises(KeyError):
        interrupted(tmp_path / "out", "a/h.tif")
    assert not files(tmp_path)


def test_statistics_of_a_file_that_is_replaced_do_not_stay_beside_the_new_one(
    tmp_path: Path,
) -> None:
    fill(tmp_path, "a.tif", "a.tif.aux.xml", "a.tif.ovr", "b.tif.aux.xml")
    with Outputs("0123456789ab") as outputs:
        draft = outputs.stage(tmp_path / "a.tif")
        draft.write_text("new")
        draft.with_name(f"{draft.name}.msk").write_text("its mask")
    assert files(tmp_path) == ["a.tif", "a.tif.msk", "b.tif.aux.xml"]
    assert (tmp_path / "a.tif").read_text() == "new"


def test_a_file_cannot_hold_two_outputs(tmp_path: Path) -> None:
    with Outputs("0123456789ab") as outputs:
        outputs.stage(tmp_path / "a.tif").touch()
        with pytest.raises(EngineError, match=r"a\.tif was given for two outputs"):
            outputs.stage(tmp_path / "a.tif")


def test_what_is_to_be_done_afterwards_finds_the_outputs_and_is_left_out_of_a_failure(
    tmp_path: Path,
) -> None:
    target, seen = tmp_path / "a.txt", []
    for failing in (True, False):
        try:
            with Outputs("0123456789ab") as outputs:
                outputs.afterwards(lambda: seen.append(target.read_text()))
                outputs.stage(target).write_text("whole")
                if failing:
                    raise KeyError
        except KeyError:
            assert not seen
    assert seen == ["whole"]


def test_what_a_crash_left_of_an_earlier_database_does_not_enter_the_new_one(
    tmp_path: Path,
) -> None:
    target, crashed = tmp_path / "review.gpkg", tmp_path / "crashed"
    crashed.mkdir()
    with closing(sqlite3.connect(target)) as before:
        before.execute("PRAGMA journal_mode=WAL")
        before.execute("CREATE TABLE earlier (a)")
        before.commit()
        for left in tmp_path.glob("review.gpkg-*"):
            shutil.copy(left, crashed)
    target.unlink()
    for left in crashed.iterdir():
        shutil.copy(left, tmp_path)
    assert (tmp_path / "review.gpkg-wal").stat().st_size
    with Outputs("0123456789ab") as outputs:
        staged = outputs.stage(target)
        with closing(sqlite3.connect(staged)) as connection:
            connection.execute("CREATE TABLE new (a)")
    with closing(sqlite3.connect(target)) as connection:
        names = connection.execute("SELECT name FROM sqlite_master").fetchall()
    assert names == [("new",)]
