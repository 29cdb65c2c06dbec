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
def panel(review_panel: ReviewPanel) -> ReviewPanel:
    return review_panel


@pytest.fixture
def lines(panel: ReviewPanel) -> QgsVectorLayer:
    """The lines, which are being reshaped in a task that has one."""
    other_task(panel, line=True)
    found = layer(LINES)
    review_lines(found, {})
    assert found.startEditing()
    panel.canvas.setCurrentLayer(found)
    panel.tool = use_tool(panel.canvas, RESHAPE)
    return found


def own(panel: ReviewPanel) -> list[int]:
    return [each.id() for each in panel.queue.lines_of_task()]


def draw(panel: ReviewPanel, lines: QgsVectorLayer) -> int:
    """Draw a line in the current task; return its id."""
    shape = QgsGeometry.fromWkt("LineString(0 0, 9 9)")
    line = QgsVectorLayerUtils.createFeature(lines, shape, context=lines.createExpressionContext())
    before = {*own(panel)}
    assert lines.addFeature(line)
    (fid,) = {*own(panel)} - before
    return fid


def test_reshape_changes_lines_of_the_task_only(panel: ReviewPanel) -> None:
    """It takes what is selected, or every line that is crossed, also one that is not drawn."""
    own = other_task(panel, line=True)
    lines = layer(LINES)
    assert lines.startEditing()
    lines.selectAll()
    reshape = use_tool(panel.canvas, RESHAPE)
    assert len(lines.selectedFeatureIds()) > 1, "the tool is for another layer"
    panel.canvas.setCurrentLayer(lines)
    assert lines.selectedFeatureIds() == own
    panel.step(1)
    following = [each.id() for each in panel.queue.lines_of_task()]
    assert lines.selectedFeatureIds() == following
    assert following not in ([], own)
    pan = use_tool(panel.canvas, "mActionPan")
    assert not lines.selectedFeatureIds()
    panel.canvas.setMapTool(reshape)
    other_task(panel, line=False)
    assert panel.canvas.mapTool() not in (reshape, pan)
    assert not lines.selectedFeatureIds()
    assert panel.form.status.text() == "This task has no line to reshape. Draw one."


def test_a_line_that_is_deleted_and_brought_back_is_all_that_is_reshaped(
    panel: ReviewPanel, lines: QgsVectorLayer
) -> None:
    reshape, (line,) = panel.tool, own(panel)
    assert lines.deleteSelectedFeatures()
    assert panel.canvas.mapTool() is not reshape
    assert panel.form.status.text() == NO_LINE
    lines.undoStack().undo()
    panel.canvas.setMapTool(reshape)
    assert lines.selectedFeatureIds() == own(panel) == [line]
    assert not panel.form.status.text()


def test_no_other_selection_frees_the_tool(panel: ReviewPanel, lines: QgsVectorLayer) -> None:
    lines.removeSelection()
    assert lines.selectedFeatureIds() == own(panel)
    lines.selectAll()
    assert lines.selectedFeatureIds() == own(panel)
    added = draw(panel, lines)
    lines.selectByIds([added])
    assert lines.selectedFeatureIds() == [added], "what a person chose of the task's lines"
    lines.undoStack().undo()
    assert lines.selectedFeatureIds() == own(panel)


def test_a_line_that_is_added_meanwhile_can_be_reshaped_too(
    panel: ReviewPanel, lines: QgsVectorLayer
) -> None:
    added = draw(panel, lines)
    assert added in lines.selectedFeatureIds()
    assert sorted(lines.selectedFeatureIds()) == sorted(own(panel))


def test_a_drawn_line_is_undone_while_it_is_reshaped(panel: ReviewPanel) -> None:
    if own(panel):
        other_task(panel, line=False)
    lines = layer(LINES)
    review_lines(lines, {})
    assert lines.startEditing()
    panel.canvas.setCurrentLayer(lines)
    added = draw(panel, lines)
    reshape = use_tool(panel.canvas, RESHAPE)
    assert lines.selectedFeatureIds() == [added]
    lines.undoStack().undo()
    assert panel.canvas.mapTool() is not reshape
    assert panel.form.status.text() == NO_LINE


def test_afterwards_a_person_selects_as_they_like(
    panel: ReviewPanel, lines: QgsVectorLayer
) -> None:
    use_tool(panel.canvas, "mActionPan")
    lines.selectAll()
    assert len(lines.selectedFeatureIds()) == lines.featureCount() > 1
