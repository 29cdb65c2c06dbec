"""What is left of runs that were killed, of full disks, and when QGIS is gone."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from glacier_qgis.models.engine.runs import RunNote, clear_dead_runs, notes_folder
from kit.engine.probe import write_driver
from kit.small_disk import small_disk

pytestmark = pytest.mark.skipif(os.name == "nt", reason="kills as POSIX does")


@pytest.fixture(autouse=True)
def own_notes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (tmp_path / "out").mkdir()


def start(folder: Path, behaviour: str, **order: object) -> tuple[subprocess.Popen[str], str]:
    """Start an engine as QGIS does; return it with the id of its job."""
    job_id = uuid.uuid4().hex
    scratch = Path(str(order.pop("scratch", folder / f"glacier-{job_id}")))
    scratch.mkdir(exist_ok=True)
    output = str(order.pop("output", folder / "out" / f"{job_id}.tif"))
    content = {
        "job": "probe",
        "id": job_id,
        "parameters": {"behaviour": behaviour, "output": output},
        "scratch": str(scratch),
        **order,
    }
    (scratch / "job.json").write_text(json.dumps(content))
    process = subprocess.Popen(
        [sys.executable, "-I", write_driver(folder), scratch / "job.json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    return process, job_id


def started(folder: Path, behaviour: str, **order: object) -> tuple[subprocess.Popen[str], str]:
    """Return an engine that is at work."""
    process, job_id = start(folder, behaviour, **order)
    assert process.stdout is not None
    assert "half way" in process.stdout.readline()
    return process, job_id


def left(folder: Path) -> list[str]:
    """Return what lies in the folder of outputs, and the temporary folders beside it."""
    paths = [*(folder / "out").iterdir(), *folder.glob("glacier-*")]
    return sorted(path.name for path in paths)


def end(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.communicate()


def test_the_next_run_clears_what_a_killed_one_left_and_nothing_of_a_living_one(
    tmp_path: Path,
) -> None:
    dead, killed = started(tmp_path, "hang")
    living, alive = started(tmp_path, "hang")
    end(dead)
    (tmp_path / "out" / ".0123456789abcdef-of another computer.tif").touch()
    assert sum(killed in name for name in left(tmp_path)) == 3
    process, done = start(tmp_path, "finish")
    process.communicate()
    assert process.returncode == 0
    kept = left(tmp_path)
    assert not [name for name in kept if killed in name]
    assert sum(alive in name for name in kept) == 3
    assert ".0123456789abcdef-of another computer.tif" in kept
    assert f"{done}.tif" in kept
    assert f"glacier-{done}" not in kept
    end(living)
    clear_dead_runs()
    assert not [name for name in left(tmp_path) if alive in name]
    assert not list(notes_folder().iterdir())


def test_an_ended_engine_leaves_nothing_but_its_word(tmp_path: Path) -> None:
    process, _ = started(tmp_path, "hang")
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=10)
    assert process.returncode == 130
    assert left(tmp_path) == []
    assert not list(notes_folder().iterdir())


def test_an_engine_that_starts_when_its_qgis_is_gone_ends_too(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as gone:
        gone.wait()
    began = time.monotonic()
    process, _ = start(tmp_path, "hang", owner=gone.pid)
    process.communicate(timeout=60)
    assert process.returncode == 130
    assert time.monotonic() - began < 30
    assert left(tmp_path) == []


def test_nothing_is_left_when_qgis_dies_in_the_middle_of_a_run(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"]) as qgis:
        process, _ = started(tmp_path, "hang", owner=qgis.pid)
        qgis.kill()
        process.communicate(timeout=10)
    assert process.returncode == 130
    assert left(tmp_path) == []


def test_an_engine_whose_qgis_lives_works_on_though_another_process_started_it(
    tmp_path: Path,
) -> None:
    process, _ = start(tmp_path, "slow", owner=os.getppid())
    process.communicate(timeout=60)
    assert process.returncode == 0


def test_a_folder_that_is_no_runs_own_is_not_removed(tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.mkdir()
    with RunNote("0123456789abcdef", precious).alive():
        pass
    assert precious.is_dir()


def test_a_disk_that_is_away_is_cleared_when_it_is_back(tmp_path: Path) -> None:
    process, killed = started(tmp_path, "hang")
    end(process)
    away = (tmp_path / "out").rename(tmp_path / "away")
    clear_dead_runs()
    away.rename(tmp_path / "out")
    assert [name for name in left(tmp_path) if killed in name]
    clear_dead_runs()
    assert left(tmp_path) == []


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    with small_disk(tmp_path / "disk", "size=4m") as disk:
        yield disk


@pytest.mark.slow
@pytest.mark.parametrize("what", ["netcdf", "raster", "layer", "temporary"])
def test_a_full_disk_is_called_what_it_is(tmp_path: Path, disk: Path, what: str) -> None:
    if what == "temporary":
        process, _ = start(tmp_path, what, scratch=disk / "glacier-0123")
    else:
        name = "out.gpkg" if what == "layer" else "out.tif"
        process, _ = start(tmp_path, what, output=disk / name)
    stdout, _ = process.communicate()
    last = json.loads(stdout.splitlines()[-1])
    assert last["event"] == "error"
    assert last["traceback"] == ""
    assert f"disk of {disk}" in last["message"] or "disk is full" in last["message"]
    assert list(disk.iterdir()) == []
