"""What a dialog with pages gives to a run, to the history and to QGIS' other dialogs."""

from __future__ import annotations

import ast
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from processing.gui.BatchAlgorithmDialog import BatchAlgorithmDialog
from processing.modeler.ModelerParametersDialog import ModelerParametersDialog
from qgis.core import (
    QgsProcessingModelAlgorithm,
    QgsProcessingProvider,
    QgsRasterLayer,
)
from qgis.gui import QgsGui
from qgis.PyQt.QtCore import QObject, QTimer, QUrl, pyqtSlot
from qgis.PyQt.QtGui import QDesktopServices
from qgis.PyQt.QtTest import QTest
from qgis.PyQt.QtWidgets import (
    QApplication,
    QDialogButtonBox,
)

from glacier_qgis.processing.dialogs.dialog import GlacierDialog
from kit.qgis.dialogs import fill, opened

pytestmark = pytest.mark.usefixtures("no_window")


OFF = {"NETCDF", "SERIES", "VELOCITY_X", "SURFACE_OUT"}


def test_report_and_outlines_are_on(dialog: GlacierDialog, ground: QgsRasterLayer) -> None:
    fill(dialog, BED=ground.id())
    given = dialog.createProcessingParameters()
    assert {"THICKNESS", "VELOCITY", "OUTLINES", "REPORT"} <= given.keys()
    assert not OFF & given.keys()


def test_an_output_alone_turns_off_no_required_one(
    dialog: GlacierDialog, ground: QgsRasterLayer
) -> None:
    fill(dialog, BED=ground.id(), SERIES="TEMPORARY_OUTPUT")
    given = dialog.createProcessingParameters()
    assert {"THICKNESS", "VELOCITY", "SERIES"} <= given.keys()
    assert "REPORT" not in given


class Browser(QObject):
    """Takes the place of the program that shows web pages."""

    def __init__(self) -> None:
        super().__init__()
        self.shown: list[str] = []

    @pyqtSlot("QUrl")
    def show_page(self, url: QUrl) -> None:
        self.shown.append(url.toLocalFile())


@pytest.mark.parametrize("name", ["simulateglacier", "terminifromscene"])
def test_the_help_button_opens_a_page_of_the_plugin(
    provider: QgsProcessingProvider, name: str
) -> None:
    browser = Browser()
    QDesktopServices.setUrlHandler("file", browser, "show_page")
    created = opened(provider, name)
    created.buttonBox().button(QDialogButtonBox.StandardButton.Help).click()
    QDesktopServices.unsetUrlHandler("file")
    assert [Path(page).name for page in browser.shown] == [f"{name}.html"]
    assert Path(browser.shown[0]).is_file()
    created.close()


def test_values_come_back_from_the_history(
    provider: QgsProcessingProvider, dialog: GlacierDialog, ground: QgsRasterLayer
) -> None:
    fill(dialog, BED=ground.id(), SLIDING=12.3, RATE_FACTOR=40, START=1990, END=2020)
    dialog.mainWidget().wrappers["REPORT"].setParameterValue(None, dialog.processingContext())
    given = dialog.createProcessingParameters()
    python = dialog.algorithm().asPythonCommand(given, dialog.processingContext())
    known = ast.literal_eval(python.partition(", ")[2].rstrip(")"))
    again = provider.algorithm("simulateglacier").create().createCustomParametersWidget(None)
    again.setParameters(known)
    assert again.createProcessingParameters().keys() == given.keys()
    assert "REPORT" not in given
    for name in ("SLIDING", "RATE_FACTOR", "START", "END", "MASS_BALANCE"):
        assert again.createProcessingParameters()[name] == given[name]
    again.close()


def answer(words: str, asked: list[str]) -> None:
    """Answer the question that will be asked."""

    def click() -> None:
        box = QApplication.activeModalWidget()
        asked.append(box.text())
        next(button for button in box.buttons() if button.text() == words).click()

    QTimer.singleShot(300, click)


def test_a_surface_alone_asks_and_only_then_runs(
    dialog: GlacierDialog, ground: QgsRasterLayer, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs: list[dict[str, Any]] = []
    monkeypatch.setattr(
        "processing.gui.AlgorithmDialog.AlgorithmDialog.runAlgorithm",
        lambda self: runs.append(self.mainWidget().createProcessingParameters()),
    )
    fill(dialog, SURFACE=ground.id())
    asked: list[str] = []
    answer("Add the thickness", asked)
    dialog.runButton().click()
    assert not runs
    assert "'Surface elevation'" in asked[0]
    answer("Take it as ice-free ground", asked)
    dialog.runButton().click()
    assert len(runs) == 1
    fill(dialog, UNIFORM_THICKNESS=100)
    dialog.runButton().click()
    assert (len(runs), len(asked)) == (2, 2)


ENGINE = """
import pathlib, shutil
given = order["parameters"]
pathlib.Path(os.environ["GIVEN"]).write_text(json.dumps(given))
for name in ("thickness", "velocity"):
    shutil.copy(given["bed"]["path"], given[name])
pathlib.Path(given["report"]).write_text("<p>Report</p>")
found = {"THICKNESS": given["thickness"], "VELOCITY": given["velocity"], "VOLUME": 1.5}
print(json.dumps({"event": "result", "outputs": found | {"REPORT": given["report"]}}))
"""


def test_the_run_button_runs_what_is_shown(
    dialog: GlacierDialog,
    ground: QgsRasterLayer,
    fake_engine: Callable[[str], Path],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    fake_engine(ENGINE)
    monkeypatch.setenv("GIVEN", str(tmp_path / "given.json"))
    fill(dialog, BED=ground.id(), ELA=2750, MASS_BALANCE="ELA", OBSERVED_TIME=None, SLIDING=12)
    finished: list[dict[str, Any]] = []
    dialog.algorithmFinished.connect(lambda well, found: finished.append(found if well else {}))
    before = len(QgsGui.historyProviderRegistry().queryEntries())
    dialog.runButton().click()
    for _ in range(300):
        if finished:
            break
        QTest.qWait(100)
    assert finished[0]["VOLUME"] == 1.5
    assert Path(finished[0]["REPORT"]).is_file()
    given = json.loads((tmp_path / "given.json").read_text(encoding="utf-8"))
    assert (given["ela"], given["sliding"], given["temperature"]) == (2750, 12, None)
    assert given["outlines"]
    assert "netcdf" not in given
    entries = QgsGui.historyProviderRegistry().queryEntries()
    assert len(entries) == before + 1
    assert "'ELA':2750" in entries[-1].entry["python_command"]


PAGED = [
    "simulateglacier",
    "runinstructor",
    "surfacemassbalance",
    "delineatetermini",
    "terminustimeseries",
]


@pytest.mark.parametrize("name", PAGED)
def test_batch_and_designer_are_those_of_qgis(provider: QgsProcessingProvider, name: str) -> None:
    algorithm = provider.algorithm(name)
    BatchAlgorithmDialog(algorithm.create()).close()
    designer = ModelerParametersDialog(algorithm.create(), QgsProcessingModelAlgorithm("m", "g"))
    inputs = [p.name() for p in algorithm.parameterDefinitions() if not p.isDestination()]
    assert set(inputs) <= set(designer.widget.widget.wrappers)
    designer.close()
