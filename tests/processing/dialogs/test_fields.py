"""Fields of a dialog: words, numbers, menus."""

from __future__ import annotations

from pathlib import Path

import pytest
from qgis.core import (
    QgsFeature,
    QgsProcessingProvider,
    QgsProject,
    QgsRasterLayer,
    QgsVectorFileWriter,
    QgsVectorLayer,
)
from qgis.PyQt.QtWidgets import (
    QAbstractSpinBox,
    QComboBox,
    QLineEdit,
    QMenu,
    QWidget,
)

from glacier_qgis.processing.dialogs.dialog import GlacierDialog
from glacier_qgis.processing.dialogs.wrapped import field_of
from glacier_qgis.processing.provider import ALGORITHMS
from glacier_qgis.wall.review import LINES
from kit.qgis.dialogs import fill, notes, opened, shown
from kit.qgis.waiting import until

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


def test_a_note_on_edits_goes_once_they_are_saved(
    provider: QgsProcessingProvider, tmp_path: Path
) -> None:
    """At the latest when the person comes back to the dialog."""
    path, options = tmp_path / "review.gpkg", QgsVectorFileWriter.SaveVectorOptions()
    options.layerName = LINES
    project, made = QgsProject.instance(), QgsVectorLayer("LineString?field=task:int", "", "memory")
    QgsVectorFileWriter.writeAsVectorFormatV3(made, str(path), project.transformContext(), options)
    layer = QgsVectorLayer(f"{path}|layername={LINES}", LINES, "ogr")
    project.addMapLayer(layer)
    created, elsewhere = opened(provider, "recordcorrections"), QWidget()
    layer.startEditing()
    layer.addFeature(QgsFeature(layer.fields()))
    fill(created, REVIEW=str(path))
    assert "has edits that are not saved" in notes(created)["REVIEW"]
    elsewhere.show()
    elsewhere.activateWindow()
    until(elsewhere.isActiveWindow)
    until(lambda: not created.mainWidget()._timer.isActive())
    layer.rollBack()
    assert "REVIEW" in notes(created)
    created.activateWindow()
    until(lambda: "REVIEW" not in notes(created))
    elsewhere.close()
    created.close()
    project.removeAllMapLayers()
