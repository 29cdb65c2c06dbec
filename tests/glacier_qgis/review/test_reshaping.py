"""QGIS' own tool changes every line that is crossed; in a review, only those of the task."""

from __future__ import annotations

import pytest
from qgis.core import QgsGeometry, QgsVectorLayer, QgsVectorLayerUtils

from glacier_qgis.review.reshaping import RESHAPE
from glacier_qgis.review.review_panel import NO_LINE, ReviewPanel
from glacier_qgis.styles.review import review_lines
from glacier_qgis.wall.review import LINES
from kit.qgis.review_panels import other_task, use_tool
from kit.qgis.reviews import layer

pytestmark = pytest.mark.usefixtures("qgis_new_project", "window")


@pytest.fixture
def lines(review_panel: ReviewPanel) -> QgsVectorLayer:
    """The lines, which are being reshaped in a task that has one."""
    other_task(review_panel, line=True)
    found = layer(LINES)
    review_lines(found, {})
    assert found.startEditing()
    review_panel.canvas.setCurrentLayer(found)
    review_panel.tool = use_tool(review_panel.canvas, RESHAPE)
    return found


def own(review_panel: ReviewPanel) -> list[int]:
    return [each.id() for each in review_panel.queue.lines_of_task()]


def draw(review_panel: ReviewPanel, lines: QgsVectorLayer) -> int:
    """Draw a line in the current task; return its id."""
    shape = QgsGeometry.fromWkt("LineString(0 0, 9 9)")
    line = QgsVectorLayerUtils.createFeature(lines, shape, context=lines.createExpressionContext())
    before = {*own(review_panel)}
    assert lines.addFeature(line)
    (fid,) = {*own(review_panel)} - before
    return fid


def test_reshape_changes_lines_of_the_task_only(review_panel: ReviewPanel) -> None:
    """It takes what is selected, or every line that is crossed, also one that is not drawn."""
    own = other_task(review_panel, line=True)
    lines = layer(LINES)
    assert lines.startEditing()
    lines.selectAll()
    reshape = use_tool(review_panel.canvas, RESHAPE)
    assert len(lines.selectedFeatureIds()) > 1, "the tool is for another layer"
    review_panel.canvas.setCurrentLayer(lines)
    assert lines.selectedFeatureIds() == own
    review_panel.step(1)
    following = [each.id() for each in review_panel.queue.lines_of_task()]
    assert lines.selectedFeatureIds() == following
    assert following not in ([], own)
    pan = use_tool(review_panel.canvas, "mActionPan")
    assert not lines.selectedFeatureIds()
    review_panel.canvas.setMapTool(reshape)
    other_task(review_panel, line=False)
    assert review_panel.canvas.mapTool() not in (reshape, pan)
    assert not lines.selectedFeatureIds()
    assert review_panel.form.status.text() == "This task has no line to reshape. Draw one."


def test_a_line_that_is_deleted_and_brought_back_is_all_that_is_reshaped(
    review_panel: ReviewPanel, lines: QgsVectorLayer
) -> None:
    reshape, (line,) = review_panel.tool, own(review_panel)
    assert lines.deleteSelectedFeatures()
    assert review_panel.canvas.mapTool() is not reshape
    assert review_panel.form.status.text() == NO_LINE
    lines.undoStack().undo()
    review_panel.canvas.setMapTool(reshape)
    assert lines.selectedFeatureIds() == own(review_panel) == [line]
    assert not review_panel.form.status.text()


def test_no_other_selection_frees_the_tool(
    review_panel: ReviewPanel, lines: QgsVectorLayer
) -> None:
    lines.removeSelection()
    assert lines.selectedFeatureIds() == own(review_panel)
    lines.selectAll()
    assert lines.selectedFeatureIds() == own(review_panel)
    added = draw(review_panel, lines)
    lines.selectByIds([added])
    assert lines.selectedFeatureIds() == [added], "what a person chose of the task's lines"
    lines.undoStack().undo()
    assert lines.selectedFeatureIds() == own(review_panel)


def test_a_line_that_is_added_meanwhile_can_be_reshaped_too(
    review_panel: ReviewPanel, lines: QgsVectorLayer
) -> None:
    added = draw(review_panel, lines)
    assert added in lines.selectedFeatureIds()
    assert sorted(lines.selectedFeatureIds()) == sorted(own(review_panel))


def test_a_drawn_line_is_undone_while_it_is_reshaped(review_panel: ReviewPanel) -> None:
    if own(review_panel):
        other_task(review_panel, line=False)
    lines = layer(LINES)
    review_lines(lines, {})
    assert lines.startEditing()
    review_panel.canvas.setCurrentLayer(lines)
    added = draw(review_panel, lines)
    reshape = use_tool(review_panel.canvas, RESHAPE)
    assert lines.selectedFeatureIds() == [added]
    lines.undoStack().undo()
    assert review_panel.canvas.mapTool() is not reshape
    assert review_panel.form.status.text() == NO_LINE


def test_afterwards_a_person_selects_as_they_like(
    review_panel: ReviewPanel, lines: QgsVectorLayer
) -> None:
    use_tool(review_panel.canvas, "mActionPan")
    lines.selectAll()
    assert len(lines.selectedFeatureIds()) == lines.featureCount() > 1
