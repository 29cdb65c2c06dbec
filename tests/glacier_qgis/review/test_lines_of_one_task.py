"""What a person edits are the lines that are shown: those of one task."""

from __future__ import annotations

from pathlib import Path

import pytest
from qgis.core import (
    QgsFeature,
    QgsGeometry,
    QgsPointXY,
    QgsProject,
    QgsSnappingConfig,
    QgsVariantUtils,
    QgsVectorLayerUtils,
)
from qgis.gui import QgsMapCanvasSnappingUtils
from qgis.PyQt.QtWidgets import QApplication, QMessageBox

from glacier_qgis.review.backdrop import MADE_HERE
from glacier_qgis.review.review_panel import ReviewPanel
from glacier_qgis.styles.review import review_lines
from glacier_qgis.wall.review import LINES
from kit.qgis.review_panels import other_task
from kit.qgis.reviews import change, layer, move
from kit.qgis.waiting import until

pytestmark = pytest.mark.usefixtures("qgis_new_project", "window")


def test_lines_of_other_tasks_that_are_changed_are_named_before_they_are_saved(
    review_panel: ReviewPanel, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def question(parent: object, title: str, text: str, *more: object) -> object:
        asked.append(text)
        return QMessageBox.StandardButton.Cancel

    monkeypatch.setattr(QMessageBox, "question", question)
    other_task(review_panel, line=True)
    first = review_panel.queue.current.number
    lines = layer(LINES)
    assert lines.startEditing()
    move(lines, first, 40)
    review_panel.decide("accepted")
    assert "other tasks" not in asked[-1]
    other = max({each["task"] for each in lines.getFeatures()} - {first})
    third = min({each["task"] for each in lines.getFeatures()} - {first, other})
    move(lines, third, 10)
    move(lines, third, -10)
    review_panel.decide("accepted")
    assert "other tasks" not in asked[-1], "it lies where it lay"
    move(lines, other, 40)
    stray = QgsVectorLayerUtils.createFeature(lines, QgsGeometry.fromWkt("LineString(0 0, 9 9)"))
    stray["task"] = None
    assert lines.dataProvider().addFeatures([stray])[0]
    (fid,) = (each.id() for each in lines.getFeatures() if not each["task"])
    assert lines.deleteFeature(fid)
    review_panel.decide("accepted")
    assert f"lines of other tasks, which are not shown: {other}." in asked[-1]


def test_a_line_that_is_pasted_belongs_to_the_task_that_is_shown(
    review_panel: ReviewPanel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """QGIS copies all values with it; the copy would lie in the other task, not to be seen."""
    monkeypatch.setattr(QMessageBox, "question", lambda *_: QMessageBox.StandardButton.Cancel)
    (copied,) = other_task(review_panel, line=True)
    (own,) = other_task(review_panel, line=True)
    lines, number = layer(LINES), review_panel.queue.current.number
    assert copied != own
    assert lines.startEditing()

    def paste() -> QgsFeature:
        before = {each.id() for each in lines.getFeatures()}
        copy = QgsFeature(lines.getFeature(copied))
        copy["fid"] = None
        lines.beginEditCommand("Features pasted")
        assert lines.addFeatures([copy])
        lines.endEditCommand()
        (new,) = {each.id() for each in lines.getFeatures()} - before
        return lines.getFeature(new)

    pasted = paste()
    assert (pasted["task"], pasted["status"]) == (number, "added")
    assert QgsVariantUtils.isNull(pasted["line_id"])
    assert lines.getFeature(copied)["task"] != number
    assert review_panel.queue.changed_elsewhere() == []
    lines.undoStack().undo()
    QApplication.processEvents()
    assert not lines.editBuffer().addedFeatures(), "one step brings back what was before"
    assert not lines.undoStack().canUndo()
    lines.undoStack().redo()
    QApplication.processEvents()
    assert len(review_panel.queue.lines_of_task()) == 2
    review_panel.hide()
    review_panel.show()
    lines.undoStack().undo()
    QApplication.processEvents()
    assert not lines.editBuffer().addedFeatures(), "also for a panel that was opened afterwards"
    lines.undoStack().redo()
    QApplication.processEvents()
    other_task(review_panel, line=True)
    while review_panel.queue.current.number != number:
        review_panel.step(1)
    move(lines, number, 5)
    while lines.undoStack().canUndo():
        lines.undoStack().undo()
        QApplication.processEvents()
    assert len(review_panel.queue.lines_of_task()) == 1
    paste()
    review_panel.step(-9)
    assert review_panel.queue.changed_elsewhere() == [number]


def test_vertices_snap_to_the_lines_of_the_task_that_is_shown(review_panel: ReviewPanel) -> None:
    other_task(review_panel, line=True)
    lines = layer(LINES)
    review_panel.commands.editing[0].trigger()
    review_lines(lines, {})
    first = review_panel.queue.current.number
    move(lines, max({each["task"] for each in lines.getFeatures()}), 60)
    move(lines, first, -60)
    utils = QgsMapCanvasSnappingUtils(review_panel.canvas)
    utils.setConfig(QgsSnappingConfig(QgsProject.instance().snappingConfig()))
    utils.setCurrentLayer(lines)
    utils.setEnableSnappingForInvisibleFeature(False)
    review_panel.canvas.setLayers([lines])

    def snaps(number: int) -> bool:
        (line,) = (each for each in lines.getFeatures() if each["task"] == number)
        vertex = line.geometry().vertexAt(0)
        review_panel.canvas.setExtent(line.geometry().boundingBox().buffered(100))
        match = utils.snapToMap(QgsPointXY(vertex.x(), vertex.y()))
        return match.isValid() and match.featureId() == line.id()

    assert snaps(first)
    other_task(review_panel, line=True)
    assert review_panel.queue.current.number != first
    assert snaps(review_panel.queue.current.number)


def test_a_project_that_was_saved_meanwhile_shows_all_lines_again(
    review_panel: ReviewPanel, tmp_path: Path
) -> None:
    """A line that is drawn in it without the panel belongs to no task yet."""
    project = QgsProject.instance()
    assert not project.snappingConfig().enabled()
    other_task(review_panel, line=True)
    review_panel.commands.editing[0].trigger()
    layer(LINES).rollBack()
    assert project.snappingConfig().enabled()
    assert project.write(str(tmp_path / "open.qgz"))
    review_panel.hide()
    project.clear()
    assert project.read(str(tmp_path / "open.qgz"))
    lines = layer(LINES)
    drawn = QgsVectorLayerUtils.createFeature(
        lines, QgsGeometry(), context=lines.createExpressionContext()
    )
    assert not drawn["task"]
    assert not project.snappingConfig().enabled()
    assert not [one for one in project.mapLayers().values() if one.customProperty(MADE_HERE)]


def test_a_reviewer_sees_what_is_for_everybody_and_hears_of_what_others_have_to_do(
    review_panel: ReviewPanel, review_beside_scenes: Path
) -> None:
    change(review_beside_scenes, "assignee = 'Ada' WHERE task = 1")
    change(review_beside_scenes, "assignee = 'Bo' WHERE task IN (2, 3)")
    change(review_beside_scenes, "assignee = NULL WHERE task = 4")
    review_panel.hide()
    review_panel.show()
    until(lambda: review_panel.form.people.count() == 3)
    review_panel.form.people.setCurrentIndex(1)
    assert [each.number for each in review_panel.queue.tasks] == [1, 4]
    for _ in range(2):
        review_panel.decide("skipped")
    assert (
        "You have no open task any more; 2 of others are open." in review_panel.form.status.text()
    )
