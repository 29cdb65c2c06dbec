"""Fields of a dialog: words, numbers, menus."""

from __future__ import annotations

import pytest
from qgis.core import (
    QgsProcessingProvider,
    QgsProject,
    QgsRasterLayer,
    QgsVectorLayer,
)
from qgis.PyQt.QtWidgets import (
    QAbstractSpinBox,
    QComboBox,
    QLineEdit,
    QMenu,
)

from glacier_qgis.processing.dialogs.dialog import GlacierDialog
from glacier_qgis.processing.dialogs.wrapped import field_of
from glacier_qgis.processing.provider import ALGORITHMS
from kit.qgis.dialogs import fill, opened, shown

pytestmark = pytest.mark.usefixtures("no_window")


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


@pytest.mark.parametrize("name", [kind.ID for kind in ALGORITHMS])
def test_no_number_is_blank(provider: QgsProcessingProvider, name: str) -> None:
    created = opened(provider, name)
    for box in created.findChildren(QAbstractSpinBox):
        assert box.text().strip("\u200b "), box.toolTip()
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
