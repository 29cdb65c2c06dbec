"""The dialog with pages, as the toolbox opens it."""

from __future__ import annotations

from typing import Any

import pytest
from qgis.core import (
    QgsProcessingProvider,
    QgsRasterLayer,
)
from qgis.PyQt.QtTest import QTest

from glacier_qgis.processing.dialogs.dialog import GlacierDialog
from glacier_qgis.processing.dialogs.panels import PagedPanel
from glacier_qgis.processing.dialogs.wrapped import field_of
from kit.qgis.dialogs import fill, notes, opened, shown

pytestmark = pytest.mark.usefixtures("no_window")


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
