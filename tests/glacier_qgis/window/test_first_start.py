"""From installing to an engine: what a person is offered, told, and can press."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from qgis.core import (
    QgsApplication,
    QgsProcessingContext,
    QgsProcessingException,
    QgsProcessingProvider,
)
from qgis.gui import QgsMessageBar
from qgis.PyQt.QtCore import QCoreApplication, QUrl
from qgis.PyQt.QtGui import QDesktopServices
from qgis.PyQt.QtWidgets import QCheckBox, QDialog, QLabel, QPushButton

from glacier_qgis import settings
from glacier_qgis.client import engine as client
from glacier_qgis.messages import links
from glacier_qgis.processing.engine import setupengine
from glacier_qgis.setup.state import interpreter
from glacier_qgis.window import first_start, options
from glacier_qgis.window.options import OptionsPage
from kit.qgis.fixtures import Log

FakeEngine = Callable[[str], Path]
ANSWER = 'print(json.dumps({"event": "result", "outputs": {"TEXT": "all is well"}}))'


class Window:
    """The part of QGIS' interface that the offer needs."""

    def __init__(self) -> None:
        self._bar = QgsMessageBar()

    def messageBar(self) -> QgsMessageBar:
        return self._bar


@pytest.fixture
def nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Path]:
    """Take the engine away; return the folder where one would be made."""
    monkeypatch.delenv(settings.VARIABLE)
    monkeypatch.setattr(client, "engine_setting", lambda: "")
    monkeypatch.setattr(client, "default_environment", lambda: tmp_path / "engine")
    settings.set_offer_dismissed(False)
    yield tmp_path / "engine"
    settings.set_offer_dismissed(False)


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    found: list[str] = []
    monkeypatch.setattr(links, "open_dialog", found.append)
    monkeypatch.setattr(first_start, "open_dialog", found.append)
    return found


def left_by_a_set_up(folder: Path, **state: object) -> Path:
    """Make what a set-up leaves in `folder`."""
    python = interpreter(folder)
    python.parent.mkdir(parents=True)
    python.touch()
    (folder / "setup.json").write_text(json.dumps(state))
    return python


def button(window: Window, title: str) -> QPushButton:
    found = window.messageBar().currentItem().findChildren(QPushButton)
    return next(item for item in found if item.text() == title)


@pytest.mark.usefixtures("nothing")
def test_without_an_engine_one_message_offers_it_with_its_size(opened: list[str]) -> None:
    window = Window()
    first_start.offer_engine(window)
    (item,) = window.messageBar().items()
    assert "Glacier needs its engine once (about " in item.text()
    assert "on disk" in item.text()
    button(window, "Set up engine…").click()
    assert opened == ["glacier:setupengine"]
    assert not window.messageBar().items()


@pytest.mark.usefixtures("nothing")
def test_what_was_dismissed_for_good_is_not_shown_again() -> None:
    window = Window()
    first_start.offer_engine(window)
    button(window, "Do not show again").click()
    first_start.offer_engine(window)
    assert not window.messageBar().items()


def test_the_offer_goes_when_there_is_an_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    window = Window()
    with monkeypatch.context() as without:
        without.setattr(first_start, "engine_obstacle", lambda: "There is no engine yet.")
        first_start.offer_engine(window)
        first_start.withdraw_offer(window)
        assert window.messageBar().items()
    first_start.withdraw_offer(window)
    assert not window.messageBar().items()


def test_with_an_engine_nothing_is_offered() -> None:
    window = Window()
    first_start.offer_engine(window)
    assert not window.messageBar().items()


def test_a_cancelled_set_up_is_called_that(nothing: Path) -> None:
    left_by_a_set_up(nothing, complete=False, unfinished=True)
    with pytest.raises(QgsProcessingException, match=r"cancelled.*continues"):
        client.find_python()
    window = Window()
    first_start.offer_engine(window)
    assert "cancelled" in window.messageBar().currentItem().text()


def test_a_set_up_that_failed_says_why(nothing: Path) -> None:
    left_by_a_set_up(
        nothing, complete=False, unfinished=True, problem="The disk is full: make room."
    )
    with pytest.raises(QgsProcessingException, match="failed: The disk is full"):
        client.find_python()


def test_an_engine_that_worked_before_is_still_used(nothing: Path) -> None:
    python = left_by_a_set_up(nothing, complete=True, unfinished=True)
    assert client.find_python() == python
    assert "cancelled" in client.unfinished_set_up(python)


@pytest.mark.usefixtures("nothing")
def test_before_run_it_is_said_with_a_link(
    provider: QgsProcessingProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    for algorithm in provider.algorithms():
        if algorithm.groupId() in {"calving_fronts", "models_training", "ice_flow"}:
            if algorithm.name() in {"terminifromscene", "glacierfromextent", "glacierfromoutline"}:
                continue
            able, message = algorithm.canExecute()
            assert not able, algorithm.id()
            assert "glacier:setupengine" in message
    monkeypatch.setattr(links, "iface", object())
    _, message = provider.algorithm("engineinfo").canExecute()
    assert '<a href="glacier:setupengine">Set up engine</a>' in message
    assert provider.algorithm("setupengine").canExecute()[0]


def test_with_an_engine_it_can_be_run_and_that_costs_nothing(
    provider: QgsProcessingProvider,
) -> None:
    start = time.perf_counter()
    for _ in range(100):
        assert provider.algorithm("simulateglacier").canExecute() == (True, "")
    assert time.perf_counter() - start < 0.5


def test_the_link_opens_the_dialog(opened: list[str]) -> None:
    opener = links.LinkOpener()
    QDesktopServices.openUrl(QUrl("glacier:setupengine"))
    QCoreApplication.processEvents()
    opener.close()
    assert opened == ["glacier:setupengine"]


def test_a_set_up_that_is_cancelled_says_that_it_continues(
    provider: QgsProcessingProvider,
    context: QgsProcessingContext,
    log: Log,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    installer = tmp_path / "install.py"
    installer.write_text("import time; time.sleep(60)")
    monkeypatch.setattr(setupengine, "INSTALLER", installer)
    threading.Timer(0.5, log.cancel).start()
    folder = {"FOLDER": str(tmp_path / "engine")}
    _, succeeded = provider.algorithm("setupengine").create().run(folder, context, log)
    assert not succeeded
    assert "The set-up was cancelled" in str(log.told)
    assert "continues from here" in str(log.told)


def test_the_dialog_has_words_and_sizes_for_extras_and_gives_their_permanent_names(
    provider: QgsProcessingProvider, window: None
) -> None:
    from processing.gui.AlgorithmDialog import AlgorithmDialog

    dialog = AlgorithmDialog(provider.algorithm("setupengine").create())
    widget = dialog.mainWidget().wrappers["EXTRAS"].widget
    boxes = {box.text().split(":")[0]: box for box in widget.findChildren(QCheckBox)}
    assert set(boxes) == {"Ice-flow emulators", "TensorFlow", "ONNX", "Dask cluster"}
    assert all(" MB)" in box.text() for box in boxes.values() if box.isEnabled())
    before = widget.findChild(QLabel).text()
    boxes["ONNX"].setChecked(True)
    assert widget.findChild(QLabel).text() != before
    assert dialog.createProcessingParameters()["EXTRAS"] == ["igm", "onnx"]
    dialog.close()


def press(page: OptionsPage, title: str) -> None:
    next(b for b in page.findChildren(QPushButton) if b.text() == title).click()


def wait(until: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not until() and time.monotonic() < deadline:
        QgsApplication.processEvents()
        time.sleep(0.01)
    assert until()


def idle() -> bool:
    return OptionsPage.running is None


@pytest.mark.usefixtures("window")
def test_the_page_tests_the_engine_without_blocking(fake_engine: FakeEngine) -> None:
    fake_engine(f"time.sleep(0.5)\n{ANSWER}")
    page = OptionsPage(None)
    press(page, "Test")
    assert OptionsPage.running is not None
    other = OptionsPage(None)
    for one in (page, other):
        assert not next(
            b for b in one.findChildren(QPushButton) if b.text() == "Set up"
        ).isEnabled()
    wait(idle)
    assert page.state() == other.state() == "The engine works.\nall is well"


@pytest.mark.usefixtures("window")
def test_the_page_says_what_is_wrong_with_an_engine(fake_engine: FakeEngine) -> None:
    fake_engine("sys.exit('libtorch.so is missing')")
    page = OptionsPage(None)
    press(page, "Test")
    wait(idle)
    assert "libtorch.so is missing" in page.state()


@pytest.mark.usefixtures("window")
def test_a_run_outlives_the_page_and_can_be_cancelled_from_another(
    fake_engine: FakeEngine,
) -> None:
    fake_engine("time.sleep(60)")
    page = OptionsPage(None)
    press(page, "Test")
    page.deleteLater()
    del page
    QgsApplication.processEvents()
    other = OptionsPage(None)
    press(other, "Cancel")
    wait(idle)
    assert "Cancelled" in other.state()


@pytest.mark.usefixtures("nothing")
def test_the_page_without_an_engine_says_what_one_needs() -> None:
    page = OptionsPage(None)
    assert "There is no engine yet: press 'Set up' below" in page.state()
    assert "to download" in page.state()
    assert not [label for label in page.findChildren(QLabel) if "tensorflow:" in label.text()]


@pytest.mark.usefixtures("window")
def test_the_options_close_for_the_sample_data_that_shows_on_the_map(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    started: list[object] = []
    monkeypatch.setattr(options, "iface", Window())
    monkeypatch.setattr(
        options, "TryIt", lambda iface: SimpleNamespace(start=lambda: started.append(iface))
    )
    dialog = QDialog()
    page = OptionsPage(dialog)
    dialog.open()
    press(page, "Try it on sample data")
    assert started
    assert dialog.result() == QDialog.DialogCode.Accepted
