"""A review as a GeoPackage: its layers, its forms, and what 'Record corrections' makes of edits."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
from qgis.core import (
    Qgis,
    QgsAttributeEditorContainer,
    QgsCoordinateReferenceSystem,
    QgsProcessing,
    QgsProcessingContext,
    QgsProject,
    QgsRasterLayer,
    QgsVectorLayer,
    QgsVectorLayerUtils,
)

from glacier_qgis.styles.review import CURRENT
from glacier_qgis.wall.review import LINES, PREDICTED, TASK_STATES, TASKS
from kit.places import spellings
from kit.qgis.fixtures import Log
from kit.qgis.reviews import edit, finish, move, open_layers, prepare, task_with_line
from kit.qgis.window import algorithm, on_the_map, run_as_task

pytestmark = pytest.mark.usefixtures("qgis_new_project", "window")


@pytest.fixture(scope="module")
def made(predictions: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("made") / "review.gpkg"
    prepare(predictions, path)
    return path


@pytest.fixture
def review(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(made, tmp_path))


def record(review: Path, context: QgsProcessingContext, **parameters: object) -> dict[str, Any]:
    log = Log()
    asked = {"REVIEW": str(review), "OUTPUT": "TEMPORARY_OUTPUT", **parameters}
    results, succeeded = algorithm("recordcorrections").run(asked, context, log)
    assert succeeded, log.told
    return {**results, "log": log}


def test_scenes_that_are_layers_of_the_project_come_into_the_queue_unless_they_were_moved(
    predictions: Path, tmp_path: Path
) -> None:
    scenes = [QgsRasterLayer(str(path)) for path in (predictions / "scenes").glob("*.tif")]
    QgsProject.instance().addMapLayers(scenes)
    asked: dict[str, object] = {"FOLDER": "", "SCENES": [scene.id() for scene in scenes]}
    prepare(predictions, tmp_path / "r.gpkg", **asked)
    tasks = QgsVectorLayer(f"{tmp_path / 'r.gpkg'}|layername={TASKS}", TASKS, "ogr")
    assert tasks.featureCount() == len(scenes) == 4
    scenes[2].setCrs(QgsCoordinateReferenceSystem("EPSG:32623"))
    with pytest.raises(AssertionError, match="is set in the properties of its layer only"):
        prepare(predictions, tmp_path / "no.gpkg", **asked)
    assert not (tmp_path / "no.gpkg").exists()


@pytest.mark.parametrize("own", [False, True])
def test_a_review_in_a_temporary_file_is_warned_of(
    predictions: Path, tmp_path: Path, own: bool
) -> None:
    """QGIS removes it when it is closed, with all corrections."""
    output = str(tmp_path / "r.gpkg") if own else QgsProcessing.TEMPORARY_OUTPUT
    log = prepare(predictions, tmp_path / "r.gpkg", OUTPUT=output)
    said = [text for _, text in log.told if "is a temporary file, which QGIS removes" in text]
    assert bool(said) != own


def test_the_layers_come_in_a_group_of_their_own_with_the_lines_on_top(
    predictions: Path, tmp_path: Path
) -> None:
    prepare(predictions, tmp_path / "r.gpkg", REVIEWERS="Ada, Bo")
    assert list(on_the_map()) != []
    (group,) = QgsProject.instance().layerTreeRoot().findGroups()
    layers = [node.layer() for node in group.findLayers()]
    assert [layer.name() for layer in layers] == [
        "Lines to review: r",
        "As predicted: r",
        "Scenes to review: r",
    ]
    assert [layer.featureCount() for layer in layers] == [3, 3, 4]
    assert all(layer.renderer().type() == "RuleRenderer" for layer in layers)
    assert {feature["assignee"] for feature in layers[2].getFeatures()} == {"Ada", "Bo"}


def test_forms_open_with_the_file_in_any_qgis(review: Path) -> None:
    layers = open_layers(review)
    for table in (TASKS, LINES):
        layer = layers[table]
        form = layer.editFormConfig()
        assert form.layout() == Qgis.AttributeFormLayout.DragAndDrop
        first = form.tabs()[0]
        assert isinstance(first, QgsAttributeEditorContainer)
        assert first.children()[0].type() == Qgis.AttributeEditorType.TextElement
        status = layer.fields().indexOf("status")
        assert layer.editorWidgetSetup(status).type() == "ValueMap"
        assert not form.readOnly(status)
        assert form.readOnly(layer.fields().indexOf("edited_by"))
        for name in ("edited_by", "edited_at"):
            default = layer.defaultValueDefinition(layer.fields().indexOf(name))
            assert default.applyOnUpdate()
    tasks = layers[TASKS]
    glacier = tasks.fields().indexOf("glacier")
    assert not tasks.editFormConfig().readOnly(glacier), "'Retrain' asks to fill it in"
    offered = tasks.editorWidgetSetup(tasks.fields().indexOf("status")).config()["map"]
    assert [value for pair in offered for value in pair.values()] == list(TASK_STATES)
    assert layers[PREDICTED].renderer().rootRule().children()[0].label() == "as predicted"


def test_edits_note_who_and_when(review: Path) -> None:
    layers = open_layers(review)
    lines = layers[LINES]
    task = task_with_line(layers[TASKS], lines)
    edit(lines)
    move(lines, task, 50)
    assert lines.commitChanges()
    (moved,) = lines.getFeatures(f'"task" = {task}')
    assert moved["edited_by"]
    assert moved["edited_at"].isValid()
    others = [feature["edited_by"] for feature in lines.getFeatures(f'"task" <> {task}')]
    assert not any(others)


def test_a_new_line_belongs_to_the_task_that_is_shown(review: Path) -> None:
    lines = open_layers(review)[LINES]
    lines.setCustomProperty("variableNames", [CURRENT])
    lines.setCustomProperty("variableValues", ["2"])
    edit(lines)
    made = QgsVectorLayerUtils.createFeature(lines, context=lines.createExpressionContext())
    assert (int(made["task"]), made["status"]) == (2, "added")
    assert made["origin"]
    lines.rollBack()


def test_edits_are_recorded_once_and_a_second_run_adds_nothing(
    review: Path, context: QgsProcessingContext
) -> None:
    layers = open_layers(review)
    tasks, lines = layers[TASKS], layers[LINES]
    task = task_with_line(tasks, lines)
    edit(tasks)
    edit(lines)
    move(lines, task, 40)
    finish(tasks, task, "corrected")
    assert lines.commitChanges()
    assert tasks.commitChanges()
    first = record(review, context)
    assert (first["RECORDED"], first["TOTAL"]) == (1, 1)
    assert first["MEAN_ERROR"] == pytest.approx(40)
    assert record(review, context)["RECORDED"] == 0
    stored = QgsVectorLayer(f"{review}|layername=corrections", "c", "ogr")
    (row,) = stored.getFeatures()
    (reviewed,) = tasks.getFeatures(f'"task" = {task}')
    assert (row["edited"], row["reviewer"]) == (1, reviewed["edited_by"])


@pytest.mark.parametrize("table", [LINES, TASKS])
def test_edits_that_are_not_saved_are_refused(
    review: Path, context: QgsProcessingContext, table: str
) -> None:
    layers = open_layers(review)
    task = task_with_line(layers[TASKS], layers[LINES])
    edit(layers[table])
    parameters = {"REVIEW": str(review), "OUTPUT": "TEMPORARY_OUTPUT"}
    fits, _ = algorithm("recordcorrections").checkParameterValues(parameters, context)
    assert fits  # nothing is edited yet
    move(layers[LINES], task, 1) if table == LINES else finish(layers[TASKS], task, "accepted")
    fits, problem = algorithm("recordcorrections").checkParameterValues(parameters, context)
    assert not fits
    assert f"'{table}' has edits that are not saved" in problem
    layers[table].rollBack()


def test_edits_that_are_not_saved_are_known_by_any_path(
    review: Path, context: QgsProcessingContext
) -> None:
    layers = open_layers(review)
    edit(layers[TASKS])
    finish(layers[TASKS], 1, "accepted")
    for path in spellings(review, review.parent / "link"):
        parameters = {"REVIEW": str(path), "OUTPUT": "TEMPORARY_OUTPUT"}
        fits, problem = algorithm("recordcorrections").checkParameterValues(parameters, context)
        assert not fits
        assert "has edits that are not saved" in problem
    layers[TASKS].rollBack()


def test_a_second_editor_keeps_what_could_not_be_saved(review: Path) -> None:
    layers = open_layers(review)
    tasks = layers[TASKS]
    first, second = (feature["task"] for feature in list(tasks.getFeatures())[:2])
    again = QgsVectorLayer(f"{review}|layername={TASKS}", "again", "ogr")
    for layer, task in ((tasks, first), (again, second)):
        edit(layer)
        finish(layer, task, "accepted")
    assert tasks.commitChanges()
    assert again.commitChanges()
    states = {feature["task"]: feature["status"] for feature in again.getFeatures()}
    assert [states[first], states[second]] == ["accepted", "accepted"]


def test_an_existing_file_is_not_replaced(predictions: Path, review: Path) -> None:
    before = review.read_bytes()
    with pytest.raises(AssertionError, match="would be lost"):
        prepare(predictions, review)
    assert review.read_bytes() == before


def test_the_table_is_opened(review: Path) -> None:
    tasks = open_layers(review)[TASKS]
    edit(tasks)
    finish(tasks, 1, "rejected")
    assert tasks.commitChanges()
    QgsProject.instance().clear()
    run_as_task("recordcorrections", {"REVIEW": str(review), "OUTPUT": "TEMPORARY_OUTPUT"})
