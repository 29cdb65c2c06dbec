"""The dialog with pages, as the toolbox opens it."""

from __future__ import annotations

import ast
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from processing.gui.AlgorithmDialog import AlgorithmDialog
from processing.gui.BatchAlgorithmDialog import BatchAlgorithmDialog
from processing.modeler.ModelerParametersDialog import ModelerParametersDialog
from qgis.core import (
    QgsProcessingModelAlgorithm,
    QgsProcessingProvider,
    QgsProject,
    QgsRasterLayer,
    QgsVectorLayer,
)
from qgis.gui import QgsGui
from qgis.PyQt.QtCore import QObject, QTimer, QUrl, pyqtSlot
from qgis.PyQt.QtGui import QDesktopServices
from qgis.PyQt.QtTest import QTest
from qgis.PyQt.QtWidgets import (
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QDialogButtonBox,
    QLineEdit,
    QMenu,
)

from glacier_qgis.processing.dialogs.dialog import GlacierDialog
from glacier_qgis.processing.dialogs.panels import PagedPanel
from glacier_qgis.processing.dialogs.wrapped import field_of
from glacier_qgis.processing.provider import ALGORITHMS

OFF = {"NETCDF", "SERIES", "VELOCITY_X", "SURFACE_OUT"}


@pytest.fixture(autouse=True)
def no_window(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take away pytest-qgis' stand-in for the main window, which dialogs cannot use."""
    for name, module in list(sys.modules.items()):
        if name.startswith("processing.") and hasattr(module, "iface"):
            monkeypatch.setattr(module, "iface", None)


@pytest.fixture
def dialog(provider: QgsProcessingProvider) -> Iterator[GlacierDialog]:
    dialog = opened(provider, "simulateglacier")
    yield dialog
    dialog.close()


@pytest.fixture
def ground(aletsch: Path) -> Iterator[QgsRasterLayer]:
    layer = QgsProject.instance().addMapLayer(QgsRasterLayer(str(aletsch), "Aletsch"))
    yield layer
    QgsProject.instance().removeAllMapLayers()


def opened(provider: QgsProcessingProvider, name: str) -> GlacierDialog:
    """Return a dialog as the toolbox opens it."""
    created = provider.algorithm(name).create()
    dialog = created.createCustomParametersWidget(None) or AlgorithmDialog(created)
    dialog.show()
    return dialog


def fill(dialog: GlacierDialog, **values: object) -> None:
    dialog.setParameters(values)
    dialog.mainWidget().review()


def shown(dialog: GlacierDialog) -> set[str]:
    """Return the parameters that are not hidden, on whichever page."""
    panel = dialog.mainWidget()
    return {name for name, w in panel.wrappers.items() if not field_of(w).isHidden()}


def notes(dialog: GlacierDialog) -> dict[str, str]:
    return {name: note.text() for name, note in dialog.mainWidget().notes.items() if note.text()}


def test_every_parameter_is_within_a_page(dialog: GlacierDialog) -> None:
    panel: PagedPanel = dialog.mainWidget()
    titles = [panel.list.item(row).text() for row in range(panel.list.count())]
    assert titles == ["Ground", "Climate", "Ice", "Time", "Results"]
    assert list(panel.wrappers) == [p.name() for p in dialog.algorithm().parameterDefinitions()]
    for name, wrapper in panel.wrappers.items():
        page = panel.stack.widget(panel.page_of[name])
        assert page.isAncestorOf(field_of(wrapper)), name


@pytest.mark.parametrize(
    ("model", "own", "others"),
    [
        ("ELA", {"ELA", "ELA_RASTER", "BALANCE_TABLE"}, {"TEMPERATURE", "BALANCE_RASTER"}),
        ("degree days", {"TEMPERATURE", "SNOW_FACTOR", "BALANCE_TABLE"}, {"ELA", "BAND_YEARS"}),
        ("raster series", {"BALANCE_RASTER", "BAND_YEARS"}, {"ELA", "ICE_FACTOR", "SCENARIOS"}),
    ],
)
def test_what_does_not_apply_is_hidden_and_not_given(
    dialog: GlacierDialog, ground: QgsRasterLayer, model: str, own: set[str], others: set[str]
) -> None:
    fill(dialog, ELA=2500, BED=ground.id(), SNOW_FACTOR=4, MASS_BALANCE=model)
    assert own <= shown(dialog)
    assert not others & shown(dialog)
    given = dialog.createProcessingParameters()
    assert own <= given.keys()
    assert not others & given.keys()


def test_a_choice_takes_effect_while_the_dialog_is_open(dialog: GlacierDialog) -> None:
    panel = dialog.mainWidget()
    field_of(panel.wrappers["MASS_BALANCE"]).setCurrentIndex(1)
    QTest.qWait(500)
    assert "TEMPERATURE" in shown(dialog)
    assert "ELA" not in shown(dialog)


def test_a_section_shows_what_applies_and_only_while_it_is_open(dialog: GlacierDialog) -> None:
    panel = dialog.mainWidget()
    panel.list.setCurrentRow(1)
    fill(dialog, MASS_BALANCE="degree days")
    table, raster = (field_of(panel.wrappers[n]) for n in ("BALANCE_TABLE", "ELA_RASTER"))
    assert not table.isVisible()
    panel.sections["BALANCE_TABLE"].setCollapsed(False)
    assert table.isVisible()
    assert not raster.isVisible()
    panel.sections["BALANCE_TABLE"].setCollapsed(True)
    assert not table.isVisible()
    fill(dialog, MASS_BALANCE="ELA", ELA_RASTER="ela.tif")
    assert raster.isVisible()


def test_an_earlier_run_replaces_the_ground(dialog: GlacierDialog) -> None:
    assert "SURFACE" in notes(dialog)
    fill(dialog, RESUME="/runs/simulation.nc")
    assert not {"BED", "SURFACE", "EXTENT", "RESOLUTION"} & shown(dialog)
    assert not notes(dialog)


def test_what_is_missing_is_said_beside_the_field(dialog: GlacierDialog) -> None:
    panel = dialog.mainWidget()
    assert "'Bedrock elevation'" in notes(dialog)["SURFACE"]
    assert not panel.list.item(0).icon().isNull()
    fill(dialog, MASS_BALANCE="degree days", MONTHLY_TEMPERATURE="-5, -4, x", END=0)
    assert set(notes(dialog)) == {
        "SURFACE",
        "MONTHLY_TEMPERATURE",
        "PRECIPITATION",
        "CLIMATE_HEIGHT",
        "END",
    }
    assert "'x' is not a number" in notes(dialog)["MONTHLY_TEMPERATURE"]
    assert "'End' (0)" in notes(dialog)["END"]


def test_run_turns_to_the_page_of_what_is_missing(dialog: GlacierDialog) -> None:
    panel = dialog.mainWidget()
    panel.list.setCurrentRow(4)
    assert "'Bedrock elevation'" in dialog.runButton().toolTip()
    dialog.runButton().click()
    assert panel.list.currentRow() == 0
    assert dialog.messageBar().currentItem() is not None


def test_special_values_are_words_and_numbers_have_few_decimals(dialog: GlacierDialog) -> None:
    def text(name: str) -> str:
        widget = field_of(dialog.mainWidget().wrappers[name])
        box = widget if isinstance(widget, QAbstractSpinBox) else widget.findChild(QAbstractSpinBox)
        return str(box.text())

    assert text("RESOLUTION") == "100.0"
    assert text("ABLATION_GRADIENT") == "0.00900"
    assert text("SLIDING") == "no sliding"
    assert text("UNIFORM_THICKNESS") == "none"
    assert text("OBSERVED_TIME") == "last year"
    given = dialog.mainWidget().values()
    assert given["SLIDING"] == 0
    assert given["UNIFORM_THICKNESS"] is None
    fill(dialog, RESOLUTION=12.345, TEMPERATURE_SPREAD=0)
    assert dialog.mainWidget().values()["RESOLUTION"] == 12.345
    assert text("TEMPERATURE_SPREAD") == "monthly mean only"


def test_tables_are_offered_for_tables_only(dialog: GlacierDialog) -> None:
    project = QgsProject.instance()
    project.addMapLayer(QgsVectorLayer("NoGeometry?field=year:int", "ELA over time", "memory"))
    project.addMapLayer(QgsVectorLayer("Polygon?crs=EPSG:2056", "outline", "memory"))
    box = field_of(dialog.mainWidget().wrappers["BALANCE_TABLE"]).findChild(QComboBox)
    offered = {box.itemText(index) for index in range(box.count())}
    assert any("ELA over time" in text for text in offered)
    assert not any("outline" in text for text in offered)
    project.removeAllMapLayers()


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


@pytest.mark.parametrize("name", [kind.ID for kind in ALGORITHMS])
def test_no_number_is_blank(provider: QgsProcessingProvider, name: str) -> None:
    created = opened(provider, name)
    for box in created.findChildren(QAbstractSpinBox):
        assert box.text().strip("\u200b "), box.toolTip()
    created.close()


CHECKS = [
    ("terminustimeseries", {}, {"INPUT": "'Folder of scenes'"}),
    ("terminustimeseries", {"FOLDER": "/scenes"}, {}),
    ("terminuschange", {}, {"TERMINI": "Needed", "CENTERLINE": "'Method' 'centreline'"}),
    ("terminuschange", {"METHOD": "rectilinear box"}, {"TERMINI": "Needed", "BOX": "'Box'"}),
    ("preparetrainingdata", {}, {"INPUT": "Needed", "LABEL_POLYGONS": "'Labels: front lines'"}),
    ("surfacemassbalance", {"MASS_BALANCE": "raster series"}, {"BALANCE_RASTER": "missing"}),
    ("delineatetermini", {}, {"INPUT": "Needed"}),
]


@pytest.mark.parametrize(("name", "values", "expected"), CHECKS)
def test_each_dialog_says_what_is_missing(
    provider: QgsProcessingProvider, name: str, values: dict[str, Any], expected: dict[str, str]
) -> None:
    created = opened(provider, name)
    fill(created, **values)
    found = notes(created)
    found.pop("SURFACE", None)
    assert found.keys() == expected.keys()
    for parameter, words in expected.items():
        assert words in found[parameter]
    created.close()


def test_what_a_method_does_not_need_is_hidden(provider: QgsProcessingProvider) -> None:
    created = opened(provider, "terminuschange")
    assert not {"BOX", "BOX_WIDTH"} & shown(created)
    fill(created, METHOD="curvilinear box")
    assert "BOX_WIDTH" in shown(created)
    assert created.runButton().toolTip().startswith("Terminus lines: Needed.")
    created.close()


def choose(line: QLineEdit, label: str) -> None:
    """Choose from the menu of a text field."""
    menu = line.findChild(QMenu)
    menu.aboutToShow.emit()
    next(entry for entry in menu.actions() if entry.text() == label).trigger()


def test_bands_are_chosen_from_a_menu(
    provider: QgsProcessingProvider, ground: QgsRasterLayer
) -> None:
    created = opened(provider, "terminustimeseries")
    line = field_of(created.mainWidget().wrappers["BANDS"])
    line.findChild(QMenu).aboutToShow.emit()
    assert not line.findChild(QMenu).actions()[0].isEnabled()
    fill(created, INPUT=[ground.id()])
    choose(line, ground.bandName(1))
    assert created.createProcessingParameters()["BANDS"] == "1"
    choose(line, ground.bandName(1))
    assert created.createProcessingParameters()["BANDS"] == ""
    created.close()


def test_fields_are_chosen_from_a_menu(provider: QgsProcessingProvider) -> None:
    lines = QgsVectorLayer("LineString?crs=EPSG:3413&field=scene:string", "fronts", "memory")
    QgsProject.instance().addMapLayer(lines)
    created = opened(provider, "preparetrainingdata")
    fill(created, LABEL_LINES=lines.id(), LABEL_POLYGONS=None)
    line = field_of(created.mainWidget().wrappers["SCENE_FIELD"])
    choose(line, "scene")
    assert line.text() == "scene"
    assert "LINE_REACH" in shown(created)
    assert "CLASS_FIELD" not in shown(created)
    created.close()
    QgsProject.instance().removeAllMapLayers()


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
