"""The engine as a process: what comes out of it however a job ends."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import glacier_qgis
from kit.engine.probe import write_driver

PACKAGE = Path(glacier_qgis.__file__).parent


def write_job(folder: Path, job: str, **parameters: object) -> Path:
    path = folder / "job.json"
    path.write_text(json.dumps({"job": job, "id": "0123456789abcdef", "parameters": parameters}))
    return path


def start(folder: Path, behaviour: str) -> subprocess.Popen[str]:
    driver = write_driver(folder)
    output = folder / "outputs ü" / "result.tif"
    output.parent.mkdir(exist_ok=True)
    job = write_job(folder, "probe", behaviour=behaviour, output=str(output))
    return subprocess.Popen(
        [sys.executable, "-I", driver, job],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def launch(job: Path) -> tuple[int, list[dict]]:
    done = subprocess.run(
        [sys.executable, "-I", PACKAGE / "launch.py", job],
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, [json.loads(line) for line in done.stdout.splitlines()]


def test_a_job_that_ends_well_delivers_and_keeps_stdout_for_events(tmp_path: Path) -> None:
    process = start(tmp_path, "finish")
    stdout, stderr = process.communicate()
    events = [json.loads(line) for line in stdout.splitlines()]
    assert process.returncode == 0, stderr
    assert [event["event"] for event in events] == ["progress", "result"]
    assert "a library chatters" in stderr
    names = sorted(path.name for path in (tmp_path / "outputs ü").iterdir())
    assert names == ["result.tif", "result.tif.aux.xml"]
    assert Path(events[-1]["outputs"]["OUTPUT"]).read_text() == "whole"


@pytest.mark.parametrize(
    ("behaviour", "status", "words", "has_traceback"),
    [
        ("refuse", 1, "the snow is too soft: wait for the night", False),
        ("memory", 1, "ran out of memory", False),
        ("disk", 1, "The disk is full", False),
        ("defect", 2, "KeyError", True),
    ],
)
def test_a_job_that_fails_says_why_and_leaves_nothing(
    tmp_path: Path, behaviour: str, status: int, words: str, has_traceback: bool
) -> None:
    process = start(tmp_path, behaviour)
    stdout, _ = process.communicate()
    last = json.loads(stdout.splitlines()[-1])
    assert process.returncode == status
    assert last["event"] == "error"
    assert words in last["message"]
    assert bool(last["traceback"]) is has_traceback
    assert not list((tmp_path / "outputs ü").iterdir())


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGTERM; there the client sweeps")
def test_cancel_in_the_middle_of_a_computation_takes_less_than_a_second(tmp_path: Path) -> None:
    process = start(tmp_path, "hang")
    assert process.stdout is not None
    assert "half way" in process.stdout.readline()
    time.sleep(1)
    assert (tmp_path / "outputs ü" / ".0123456789abcdef-result.tif").exists()
    began = time.monotonic()
    process.send_signal(signal.SIGTERM)
    process.wait(timeout=10)
    assert time.monotonic() - began < 1
    assert not list((tmp_path / "outputs ü").iterdir())
    process.communicate()


@pytest.mark.skipif(os.name == "nt", reason="needs POSIX process groups")
def test_an_engine_whose_qgis_is_gone_ends_itself(tmp_path: Path) -> None:
    start(tmp_path, "finish").communicate()
    job = write_job(tmp_path, "probe", behaviour="hang", output=str(tmp_path / "result.tif"))
    parent = subprocess.Popen(
        ["sh", "-c", f"'{sys.executable}' -I '{tmp_path}/driver.py' '{job}' & echo $!; wait"],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert parent.stdout is not None
    engine = int(parent.stdout.readline())
    assert "half way" in parent.stdout.readline()
    parent.kill()
    parent.wait()
    deadline = time.monotonic() + 10
    while Path(f"/proc/{engine}").exists() and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not Path(f"/proc/{engine}").exists()
    assert not (tmp_path / ".0123456789abcdef-result.tif").exists()
    parent.stdout.close()


def test_ping_runs_through_the_launcher(tmp_path: Path) -> None:
    status, events = launch(write_job(tmp_path, "ping"))
    assert status == 0
    assert events[-1]["event"] == "result"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("not json", "cannot be read"),
        ('{"job": "melt", "id": "0123456789", "parameters": {}}', "no job named 'melt'"),
        ('{"job": "ping", "id": "../../etc", "parameters": {}}', "ID"),
        (
            '{"job": "ping", "id": "0123456789", "parameters": {"speed": 3}}',
            "SPEED is not a parameter",
        ),
    ],
)
def test_orders_that_make_no_sense_are_refused(tmp_path: Path, content: str, words: str) -> None:
    job = tmp_path / "job.json"
    job.write_text(content)
    status, events = launch(job)
    assert status == 1
    assert words in events[-1]["message"]


def test_parameter_errors_name_parameter_value_and_rule(tmp_path: Path) -> None:
    order = write_job(
        tmp_path,
        "segmentcalvingfront",
        input={"path": "x.tif"},
        output="y.tif",
        cell_size=-3,
        tile_size=-1,
    )
    status, events = launch(order)
    assert status == 1
    message = events[-1]["message"]
    assert "CELL_SIZE" in message
    assert "greater than or equal to 0.01" in message
    assert "-3" in message
    assert "TILE_SIZE" in message


def test_a_destination_in_a_missing_folder_is_refused(tmp_path: Path) -> None:
    process = start(tmp_path, "finish")
    process.communicate()
    job = write_job(
        tmp_path, "probe", behaviour="finish", output=str(tmp_path / "nowhere" / "a.tif")
    )
    done = subprocess.run(
        [sys.executable, "-I", tmp_path / "driver.py", job],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "does not exist" in done.stdout
