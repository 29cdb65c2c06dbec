"""The engine that stays warm, as a process: jobs on its standard input, one after another."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import pytest

from kit.engine.probe import write_driver

PATIENCE = 20.0


class WarmEngine:
    """A started engine and what it says."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self.process = process
        self.stdin: IO[str] = process.stdin
        self.stdout: IO[str] = process.stdout

    def order(self, job: str, number: int = 1, **parameters: object) -> None:
        line = json.dumps({"job": job, "id": f"{number:016x}", "parameters": parameters})
        self.write(line)

    def write(self, line: str) -> None:
        self.stdin.write(line + "\n")
        self.stdin.flush()

    def event(self) -> dict[str, Any]:
        line = self.stdout.readline()
        assert line, "the engine ended"
        return dict(json.loads(line))

    def outcome(self) -> dict[str, Any]:
        """Return the last event of a job."""
        while (event := self.event())["event"] not in ("result", "error"):
            pass
        return event


@pytest.fixture
def driver(tmp_path: Path) -> Path:
    return write_driver(tmp_path)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "outputs ü"
    folder.mkdir()
    return folder


@contextmanager
def running(driver: Path, idle: int = 60) -> Iterator[WarmEngine]:
    process = subprocess.Popen(
        [sys.executable, "-I", driver, "--warm", str(idle)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield WarmEngine(process)
    finally:
        process.kill()
        process.communicate()


def test_jobs_run_one_after_another_in_one_process(driver: Path, folder: Path) -> None:
    with running(driver) as engine:
        numbers = set()
        for number in (1, 2):
            output = folder / f"{number}.tif"
            engine.order("probe", number, behaviour="finish", output=str(output))
            assert engine.event()["event"] == "progress"
            outputs = engine.event()["outputs"]
            assert Path(outputs["OUTPUT"]).read_text() == "whole"
            numbers.add(outputs["PROCESS"])
        assert numbers == {engine.process.pid}
    assert sorted(path.suffix for path in folder.iterdir()) == [".tif", ".tif", ".xml", ".xml"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("not json", "The job cannot be read"),
        ("\udcff\udcfe", "The job cannot be read"),
        ("[1, 2]", "dictionary"),
        ('{"job": "melt", "id": "0123456789", "parameters": {}}', "no job named 'melt'"),
        ('{"job": "ping", "id": "../../etc", "parameters": {}}', "ID"),
    ],
)
def test_a_line_that_is_no_job_is_refused_and_the_next_one_runs(
    driver: Path, line: str, words: str
) -> None:
    with running(driver) as engine:
        engine.stdin.flush()
        os.write(engine.stdin.fileno(), line.encode(errors="surrogateescape") + b"\n")
        refusal = engine.outcome()
        assert refusal["event"] == "error"
        assert words in refusal["message"]
        assert not refusal["traceback"]
        engine.order("ping")
        assert engine.outcome()["event"] == "result"


@pytest.mark.parametrize("behaviour", ["refuse", "memory", "disk", "defect"])
def test_a_job_that_fails_leaves_nothing_and_the_next_one_runs(
    driver: Path, folder: Path, behaviour: str
) -> None:
    with running(driver) as engine:
        engine.order("probe", behaviour=behaviour, output=str(folder / "bad.tif"))
        assert engine.outcome()["event"] == "error"
        assert not list(folder.iterdir())
        engine.order("probe", behaviour="finish", output=str(folder / "good.tif"))
        assert engine.outcome()["event"] == "result"


def test_jobs_that_wait_are_kept_in_order(driver: Path, folder: Path) -> None:
    with running(driver) as engine:
        names = [f"{number}.tif" for number in range(4)]
        for number, name in enumerate(names):
            engine.order("probe", number, behaviour="finish", output=str(folder / name))
        assert [Path(engine.outcome()["outputs"]["OUTPUT"]).name for _ in names] == names


@pytest.mark.slow
def test_it_ends_when_nothing_comes_for_a_while(driver: Path) -> None:
    with running(driver, idle=2) as engine:
        engine.order("ping")
        assert engine.outcome()["event"] == "result"
        began = time.monotonic()
        assert engine.process.wait(timeout=PATIENCE) == 0
        assert 1.5 < time.monotonic() - began < 4


def test_a_long_job_is_no_idle_time(driver: Path, folder: Path) -> None:
    with running(driver, idle=1) as engine:
        engine.order("probe", behaviour="slow", output=str(folder / "a.tif"))
        assert engine.outcome()["event"] == "result"


def test_it_ends_when_its_input_is_closed(driver: Path) -> None:
    with running(driver) as engine:
        engine.order("ping")
        assert engine.outcome()["event"] == "result"
        engine.stdin.close()
        assert engine.process.wait(timeout=2) == 0
        engine.process.stdin = None


def test_input_closed_in_the_middle_of_a_job_ends_it_at_once_and_leaves_nothing(
    driver: Path, folder: Path
) -> None:
    with running(driver) as engine:
        engine.order("probe", behaviour="hang", output=str(folder / "a.tif"))
        assert engine.event()["message"] == "half way"
        assert list(folder.iterdir())
        engine.stdin.close()
        engine.process.wait(timeout=2)
        engine.process.stdin = None
    assert not list(folder.iterdir())


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGTERM; there the client sweeps")
def test_told_to_stop_it_cleans_up_after_the_running_job(driver: Path, folder: Path) -> None:
    with running(driver) as engine:
        engine.order("probe", 1, behaviour="finish", output=str(folder / "a.tif"))
        engine.outcome()
        engine.order("probe", 2, behaviour="hang", output=str(folder / "b.tif"))
        assert engine.event()["message"] == "half way"
        engine.process.send_signal(signal.SIGTERM)
        engine.process.wait(timeout=1)
    assert sorted(path.name for path in folder.iterdir()) == ["a.tif", "a.tif.aux.xml"]


@pytest.mark.skipif(os.name == "nt", reason="needs POSIX process groups")
def test_it_ends_when_qgis_is_killed(driver: Path, tmp_path: Path) -> None:
    code = (
        "import subprocess, sys, time\n"
        f"engine = subprocess.Popen([{sys.executable!r}, '-I', {str(driver)!r}, '--warm', '60'],"
        " stdin=subprocess.PIPE)\n"
        "print(engine.pid, flush=True)\ntime.sleep(60)\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    engine = Path(f"/proc/{int(parent.stdout.readline())}")
    time.sleep(0.5)
    assert engine.exists()
    parent.kill()
    parent.communicate()
    deadline = time.monotonic() + PATIENCE
    while engine.exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not engine.exists()


def test_a_wrong_call_says_how_to_call_it(driver: Path) -> None:
    for arguments in ([], ["--warm"], ["--warm", "soon"], ["a", "b"]):
        done = subprocess.run(
            [sys.executable, "-I", driver, *arguments], capture_output=True, text=True, check=False
        )
        assert done.returncode == 1
        assert "usage" in done.stderr
