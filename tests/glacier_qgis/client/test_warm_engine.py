"""The client of the warm engine against real processes, without ever waiting in the window."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from qgis.core import (
    QgsApplication,
    QgsProcessingContext,
    QgsProcessingException,
    QgsProcessingFeedback,
)
from qgis.PyQt.QtCore import QCoreApplication

from glacier_qgis import settings
from glacier_qgis.client import warm_engine as client
from glacier_qgis.client.warm_engine import Request, WarmEngine
from kit.places import PLUGINS
from kit.qgis.waiting import is_alive, until

FakeWarmEngine = Callable[[str], Path]

ECHO = """
tell(event="progress", fraction=0.5, message="Working")
tell(event="result", outputs={"PROCESS": os.getpid(), "NUMBER": order["parameters"]["number"]})
"""
DRAFT = """
from pathlib import Path
output = order["parameters"].get("output")
if output:
    Path(output).with_name(f".{order['id']}-out.tif").write_text("half")
"""


class Asker:
    """Remembers what becomes of a request."""

    def __init__(self, request: Request) -> None:
        self.request = request
        self.outputs: dict[str, Any] | None = None
        self.problem: str | None = None
        self.warnings: list[str] = []
        self.percents: list[float] = []
        request.finished.connect(self._finished)
        request.failed.connect(self._failed)
        request.warned.connect(self.warnings.append)
        request.progressChanged.connect(self.percents.append)

    def _finished(self, outputs: dict[str, Any]) -> None:
        self.outputs = outputs

    def _failed(self, problem: str) -> None:
        self.problem = problem

    def has_heard(self) -> bool:
        return self.outputs is not None or self.problem is not None

    def answer(self) -> dict[str, Any]:
        until(self.has_heard)
        assert self.outputs is not None, self.problem
        return self.outputs

    def refusal(self) -> str:
        until(self.has_heard)
        assert self.problem is not None, self.outputs
        assert "\n" not in self.problem
        return self.problem


@pytest.fixture
def warm(qgis_app: object) -> Iterator[WarmEngine]:
    engine = WarmEngine()
    yield engine
    engine.stop()


def ask(warm: WarmEngine, job: str = "ping", **parameters: object) -> Asker:
    return Asker(warm.submit(job, parameters))


def test_the_real_engine_answers_twice_and_is_started_once(warm: WarmEngine) -> None:
    assert not warm.is_running()
    first = ask(warm)
    assert first.answer()["TORCH"].startswith("2.")
    began = time.monotonic()
    assert ask(warm).answer() == first.answer()
    assert time.monotonic() - began < 0.5
    assert warm.is_running()


def test_a_refusal_of_the_real_engine_arrives_and_the_next_request_is_answered(
    warm: WarmEngine,
) -> None:
    assert "NONSENSE is not a parameter" in ask(warm, nonsense=1).refusal()
    assert ask(warm).answer()["TORCH"]


def test_requests_are_answered_one_after_another_by_one_process(
    warm: WarmEngine, fake_warm_engine: FakeWarmEngine
) -> None:
    fake_warm_engine(ECHO)
    askers = [ask(warm, number=number) for number in range(3)]
    answers = [asker.answer() for asker in askers]
    assert [answer["NUMBER"] for answer in answers] == [0, 1, 2]
    assert len({answer["PROCESS"] for answer in answers}) == 1
    assert askers[0].percents == [50]


def test_warnings_arrive(warm: WarmEngine, fake_warm_engine: FakeWarmEngine) -> None:
    fake_warm_engine('tell(event="warning", message="Thin ice.")' + ECHO)
    asker = ask(warm, number=1)
    asker.answer()
    assert asker.warnings == ["Thin ice."]


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGKILL")
@pytest.mark.parametrize(("number", "words"), [(9, "memory"), (11, "crashed (signal or code 11)")])
def test_a_crash_is_reported_and_the_next_request_gets_a_new_engine(
    warm: WarmEngine, fake_warm_engine: FakeWarmEngine, tmp_path: Path, number: int, words: str
) -> None:
    fake_warm_engine(
        f"{DRAFT}\nif order['parameters'].get('die'): os.kill(os.getpid(), {number})\n{ECHO}"
    )
    before = ask(warm, number=1).answer()["PROCESS"]
    folder = tmp_path / "outputs"
    folder.mkdir()
    dying = ask(warm, die=True, output=str(folder / "out.tif"))
    waiting = ask(warm, number=2)
    assert words in dying.refusal()
    assert not list(folder.iterdir())
    assert waiting.answer()["PROCESS"] != before
    assert waiting.answer()["NUMBER"] == 2


def test_last_words_of_an_engine_that_cannot_begin_are_quoted(
    warm: WarmEngine, fake_warm_engine: FakeWarmEngine
) -> None:
    program = fake_warm_engine("")
    program.write_text("#!/usr/bin/python3\nimport torch_that_is_not_there\n", encoding="utf-8")
    assert "No module named 'torch_that_is_not_there'" in ask(warm).refusal()
    assert not warm.is_running()


def test_an_interpreter_that_cannot_start_is_reported(
    warm: WarmEngine, fake_warm_engine: FakeWarmEngine
) -> None:
    fake_warm_engine("").write_bytes(b"\0not a program")
    assert "cannot be started" in ask(warm).refusal()
    fake_warm_engine(ECHO)
    assert ask(warm, number=7).answer()["NUMBER"] == 7


def test_no_engine_is_reported_as_in_the_toolbox(
    warm: WarmEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(settings.VARIABLE, "/nowhere/python")
    assert "/nowhere/python" in ask(warm).refusal()


def test_cancelling_takes_less_than_a_second_and_leaves_nothing(
    warm: WarmEngine, fake_warm_engine: FakeWarmEngine, tmp_path: Path
) -> None:
    fake_warm_engine(
        f"{DRAFT}\nif output:\n    tell(event='log', message=str(os.getpid()))\n"
        f"    tell(event='progress', fraction=0.1)\n    time.sleep(60)\n{ECHO}"
    )
    folder = tmp_path / "outputs"
    folder.mkdir()
    asker = ask(warm, output=str(folder / "out.tif"))
    until(lambda: bool(asker.percents))
    process = int(asker.request.textLog().strip())
    waiting = ask(warm, number=3)
    assert list(folder.iterdir())
    began = time.monotonic()
    asker.request.cancel()
    until(lambda: not is_alive(process) and not list(folder.iterdir()), 1.0)
    assert time.monotonic() - began < 1
    assert waiting.answer()["NUMBER"] == 3
    assert waiting.answer()["PROCESS"] != process
    assert not asker.has_heard()


def test_cancelling_ends_an_engine_that_does_not_listen(
    warm: WarmEngine, fake_warm_engine: FakeWarmEngine
) -> None:
    fake_warm_engine(
        "import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "tell(event='log', message=str(os.getpid()))\n"
        "tell(event='progress', fraction=0.1)\ntime.sleep(60)"
    )
    asker = ask(warm)
    until(lambda: bool(asker.percents))
    process = int(asker.request.textLog().strip())
    asker.request.cancel()
    until(lambda: not is_alive(process), 1.0)


def test_a_request_that_is_cancelled_while_it_waits_is_never_begun(
    warm: WarmEngine, fake_warm_engine: FakeWarmEngine, tmp_path: Path
) -> None:
    seen = tmp_path / "seen"
    fake_warm_engine(f"open({str(seen)!r}, 'a').write(str(order['parameters']['number']))\n{ECHO}")
    first, second, third = (ask(warm, number=number) for number in range(3))
    second.request.cancel()
    third.answer()
    assert seen.read_text() == "02"
    assert first.answer()["PROCESS"] == third.answer()["PROCESS"]
    assert not second.has_heard()


@pytest.mark.slow
def test_an_engine_that_went_idle_is_started_again(
    fake_warm_engine: FakeWarmEngine, qgis_app: object
) -> None:
    warm = WarmEngine(idle_seconds=1)
    try:
        asker = ask(warm)
        asker.answer()
        until(lambda: not warm.is_running(), 10)
        assert ask(warm).answer() == asker.answer()
    finally:
        warm.stop()


def test_a_request_that_meets_an_engine_on_its_way_out_is_sent_again(
    warm: WarmEngine, fake_warm_engine: FakeWarmEngine, tmp_path: Path
) -> None:
    gone = tmp_path / "gone"
    fake_warm_engine(
        f"if not os.path.exists({str(gone)!r}):\n"
        f"    open({str(gone)!r}, 'w').close()\n    sys.exit(0)\n{ECHO}"
    )
    assert ask(warm, number=4).answer()["NUMBER"] == 4


def test_another_interpreter_is_another_engine(
    warm: WarmEngine, fake_warm_engine: FakeWarmEngine, tmp_path: Path, engine: str
) -> None:
    program = fake_warm_engine(ECHO)
    first = ask(warm, number=1).answer()["PROCESS"]
    other = tmp_path / "other_engine"
    other.write_bytes(program.read_bytes())
    other.chmod(0o755)
    os.environ[settings.VARIABLE] = str(other)  # monkeypatch of the fixtures takes it back
    assert ask(warm, number=2).answer()["PROCESS"] != first
    until(lambda: not is_alive(first), 2.0)


def test_setting_the_engine_up_ends_the_warm_one(
    warm: WarmEngine, fake_warm_engine: FakeWarmEngine
) -> None:
    fake_warm_engine(ECHO)
    process = ask(warm, number=1).answer()["PROCESS"]
    algorithm = QgsApplication.processingRegistry().createAlgorithmById("glacier:setupengine")
    assert algorithm.prepare({}, QgsProcessingContext(), QgsProcessingFeedback())
    assert not is_alive(process)
    assert ask(warm, number=2).answer()["NUMBER"] == 2


def test_an_engine_that_always_leaves_is_reported(
    warm: WarmEngine, fake_warm_engine: FakeWarmEngine
) -> None:
    fake_warm_engine("sys.exit(0)")
    assert "ended without a result" in ask(warm).refusal()


def test_stopping_takes_the_process_and_all_requests_away(
    fake_warm_engine: FakeWarmEngine, qgis_app: object
) -> None:
    warm = WarmEngine()
    fake_warm_engine(ECHO + "time.sleep(60)")
    first = ask(warm, number=1)
    process = first.answer()["PROCESS"]
    second = ask(warm, number=2)
    began = time.monotonic()
    warm.stop()
    assert time.monotonic() - began < 2
    assert not is_alive(process)
    assert not warm.is_running()
    QCoreApplication.processEvents()
    assert not second.has_heard()


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGKILL")
def test_the_engine_is_gone_when_qgis_is_killed(engine: str, tmp_path: Path) -> None:
    number = tmp_path / "pid"
    code = f"""
import os, sys
sys.path.insert(0, {str(PLUGINS)!r})
from qgis.core import QgsApplication
application = QgsApplication([], False)
application.initQgis()
from glacier_qgis.client.warm_engine import WarmEngine
warm = WarmEngine()
request = warm.submit("ping", {{}})
def answered(outputs):
    open({str(number)!r}, "w").write(str(warm._process.processId()))
request.finished.connect(answered)
application.exec()
"""
    qgis = subprocess.Popen(
        [sys.executable, "-c", code], env={**os.environ, "QT_QPA_PLATFORM": "offscreen"}
    )
    try:
        until(lambda: number.exists() and bool(number.read_text()))
    finally:
        qgis.send_signal(signal.SIGKILL)
        qgis.wait()
    process = int(number.read_text())
    until(lambda: not is_alive(process), 3.0)


def test_no_engine_raises_nothing_in_the_window(
    warm: WarmEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def none() -> Path:
        raise QgsProcessingException("There is no engine yet.")

    monkeypatch.setattr(client, "find_python", none)
    assert ask(warm).refusal() == "There is no engine yet."
