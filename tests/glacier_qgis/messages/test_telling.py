"""How a run is reported: labels in a window, names elsewhere; time left; warnings at the end."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest
from processing.gui.AlgorithmDialog import AlgorithmDialog
from qgis.core import QgsApplication, QgsProcessingException, QgsProcessingProvider
from qgis.PyQt.QtCore import QByteArray
from qgis.PyQt.QtTest import QTest
from qgis.PyQt.QtWidgets import QLabel

from glacier_qgis.client import engine
from glacier_qgis.messages.conversation import Conversation
from glacier_qgis.messages.telling import Telling, TimeLeft, in_words
from glacier_qgis.window.background import Heard
from kit.qgis.fixtures import Log

FakeEngine = Callable[[str], Path]


@pytest.fixture(autouse=True)
def no_window(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take away pytest-qgis' stand-in for the main window, which dialogs cannot use."""
    for name, module in list(sys.modules.items()):
        if name.startswith("processing.") and hasattr(module, "iface"):
            monkeypatch.setattr(module, "iface", None)


@pytest.fixture
def dialog(provider: QgsProcessingProvider) -> Iterator[AlgorithmDialog]:
    dialog = AlgorithmDialog(provider.algorithm("simulateglacier").create())
    yield dialog
    dialog.close()
    dialog.deleteLater()
    QgsApplication.processEvents()


@pytest.fixture
def telling(dialog: AlgorithmDialog) -> Telling:
    dialog.feedback = dialog.createFeedback()
    return Telling(dialog.algorithm(), dialog.feedback)


def event(**fields: object) -> QByteArray:
    return QByteArray(json.dumps(fields).encode() + b"\n")


@pytest.mark.parametrize(
    ("names", "labels"),
    [
        ("RESOLUTION: must be positive.", "'Resolution': must be positive."),
        ("Lower CFL, or RESOLUTION.", "Lower 'CFL number', or 'Resolution'."),
        ("run 'Set up engine' (glacier:setupengine).", "run 'Set up engine'."),
        ("Run glacier:setupengine first.", "Run 'Set up engine' first."),
        ("In /data/BED/START.tif, GDAL says IO", "In /data/BED/START.tif, GDAL says IO"),
        ("SLIDING_X and 'END' stay", "SLIDING_X and 'END' stay"),
    ],
)
def test_a_window_reads_labels(
    provider: QgsProcessingProvider, telling: Telling, names: str, labels: str
) -> None:
    assert telling.words(names) == labels
    algorithm = provider.algorithm("simulateglacier")
    assert Telling(algorithm, Log()).words(names) == names
    assert Telling(algorithm, Heard()).words(names) == labels


def test_every_label_in_a_message_is_one_of_the_dialog(telling: Telling) -> None:
    with pytest.raises(QgsProcessingException, match="'Resolution' is wrong"), telling.errors():
        raise QgsProcessingException("RESOLUTION is wrong")


def test_steps_are_logged_once_and_the_rest_stands_beside_the_bar(
    dialog: AlgorithmDialog, telling: Telling, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = Log()
    conversation = Conversation(log, telling)
    clock = iter([0.0, *[100.0] * 9])
    conversation._left = TimeLeft(clock=lambda: next(clock))
    conversation.hear(event(event="progress", fraction=0.5, message="Simulating: year 5 of 10"))
    conversation.hear(event(event="progress", fraction=0.6, message="Simulating: year 6 of 10"))
    conversation.hear(event(event="progress", fraction=0.6, message="Writing"))
    conversation.hear(event(event="progress", fraction=0.6, message="Simulating: year 7 of 10"))
    QTest.qWait(10)
    assert log.told == [("task", "Simulating"), ("task", "Writing")]
    bar = dialog.findChild(QLabel, "lblProgress").text()
    assert bar == "Simulating: year 7 of 10, about 67 s left"


def test_without_a_bar_long_runs_say_once_how_long() -> None:
    log = Log()
    conversation = Conversation(log)
    clock = count(0.0, 3.0)
    conversation._left = TimeLeft(clock=lambda: next(clock))
    for step in range(1, 101):
        conversation.hear(event(event="progress", fraction=step / 100, message=f"Work: {step}"))
    assert log.told[0] == ("task", "Work")
    (left,) = [text for kind, text in log.told if "left" in text]
    assert re.fullmatch(r"Work: about \d+ (min|s) left", left)


def test_an_estimate_that_was_far_off_is_reported_again() -> None:
    clock = count(0.0, 1.0)
    left = TimeLeft(clock=lambda: next(clock))
    fraction, told = 0.0, []
    while fraction < 1:
        fraction += 0.0005 if fraction < 0.02 else 0.01
        told.append(left.news_after(min(fraction, 1.0)))
    assert 2 <= len([text for text in told if text]) <= 5


def test_a_short_run_is_not_talked_about() -> None:
    clock = count(0.0, 0.01)
    left = TimeLeft(clock=lambda: next(clock))
    assert not any(left.after(step / 500) for step in range(1, 500))


@pytest.mark.parametrize(
    ("seconds", "words"), [(40, "40 s"), (89, "89 s"), (600, "10 min"), (7200, "2.0 h")]
)
def test_durations_are_in_the_unit_that_suits(seconds: float, words: str) -> None:
    assert in_words(seconds) == words


WARNING = 'tell(event="warning", message="{}")\n'
LOG = 'tell(event="log", message="later")\n'
RESULT = 'tell(event="result", outputs={})\n'
ERROR = 'tell(event="error", message="broken", traceback="")\n'


@pytest.mark.parametrize("end", [RESULT, ERROR])
def test_warnings_come_again_at_the_end_also_of_a_run_that_failed(
    fake_engine: FakeEngine, log: Log, end: str
) -> None:
    code = "def tell(**event): print(json.dumps(event), flush=True)\n"
    said = WARNING.format("first") + WARNING.format("second") + WARNING.format("first")
    fake_engine(code + said + LOG + end)
    try:
        engine.run_job("ping", {}, log)
    except QgsProcessingException:
        assert end == ERROR
    assert log.told[0] == ("task", "Starting the engine…")
    assert log.told[-1] == ("warning", "2 warnings:\n- first\n- second")


def test_a_warning_that_is_the_last_word_is_not_repeated(fake_engine: FakeEngine, log: Log) -> None:
    code = "def tell(**event): print(json.dumps(event), flush=True)\n"
    fake_engine(code + LOG + WARNING.format("only") + RESULT)
    engine.run_job("ping", {}, log)
    assert log.told[-1] == ("warning", "only")


def test_the_dialog_logs_labels_and_no_time_left(
    dialog: AlgorithmDialog, fake_engine: FakeEngine, aletsch: Path
) -> None:
    fake_engine("""
def tell(**event): print(json.dumps(event), flush=True)
tell(event="progress", fraction=0.1, message="Simulating: year 1 of 9")
tell(event="progress", fraction=0.2, message="Simulating: year 2 of 9")
tell(event="warning", message="CFL is high")
tell(event="log", message="Year 2: volume 3 km³")
tell(event="error", message="RESOLUTION: too fine", traceback="")
""")
    dialog.setParameters({"BED": str(aletsch), "RESOLUTION": 100})
    dialog.runAlgorithm()
    for _ in range(200):
        QTest.qWait(50)
        if dialog.feedback is None:
            break
    text = re.sub("<[^>]*>", "", dialog.logHtml() if hasattr(dialog, "logHtml") else "")
    text = text or dialog.history_details["log"]
    assert "Starting the engine…" in text
    assert text.count("Simulating") == 1
    assert "year 2" not in text
    assert "'Resolution': too fine" in text
    assert "'CFL number' is high" in text
    assert "1 warning:" in text
