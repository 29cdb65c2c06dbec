"""The review of layers: the queue opens the echogram at the doubtful place, and lines go back."""

from __future__ import annotations

import math
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from qgis.core import (
    QgsCoordinateReferenceSystem,
    QgsExpressionContextUtils,
    QgsProject,
    QgsRasterLayer,
    QgsRectangle,
    QgsVectorLayer,
)
from qgis.gui import QgsMapCanvas
from qgis.PyQt.QtCore import QPoint, Qt
from qgis.PyQt.QtTest import QTest
from qgis.PyQt.QtWidgets import QMessageBox

from glacier_qgis.panel.echogram_panel import EchogramPanel
from glacier_qgis.panel.layer_pick import layer_ids, put
from glacier_qgis.review.review_commands import LineTools
from glacier_qgis.review.review_panel import ReviewPanel
from glacier_qgis.styles.review import CURRENT
from glacier_qgis.wall.review import ACCEPTED, LINES, TASKS
from kit.places import PLUGINS, PROGRAMS, ROOT
from kit.qgis.fixtures import ENGINE
from kit.qgis.waiting import until

pytestmark = pytest.mark.usefixtures("qgis_new_project", "window")
FRAME = "20120507_07_005"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    folder = tmp_path_factory.mktemp("echograms")
    program = [ENGINE, "-P", PROGRAMS / "radar_review.py", PLUGINS, ROOT / "tests", folder]
    subprocess.run(program, check=True)
    return (folder / "review.gpkg").read_bytes()


@pytest.fixture
def review(made: bytes, tmp_path: Path) -> Path:
    (tmp_path / "review.gpkg").write_bytes(made)
    return tmp_path / "review.gpkg"


@pytest.fixture
def echograms(qgis_canvas: QgsMapCanvas) -> Iterator[EchogramPanel]:
    qgis_canvas.setDestinationCrs(QgsCoordinateReferenceSystem("EPSG:4326"))
    qgis_canvas.resize(400, 300)
    qgis_canvas.setExtent(QgsRectangle(0, 0, 1, 1))
    panel = EchogramPanel(qgis_canvas)
    panel.resize(900, 600)
    yield panel
    panel.close_down()
    panel.deleteLater()


@pytest.fixture
def panel(
    review: Path, qgis_canvas: QgsMapCanvas, echograms: EchogramPanel
) -> Iterator[ReviewPanel]:
    tools = LineTools(*4 * [lambda *_: None])
    panel = ReviewPanel(qgis_canvas, tools, echograms=echograms)
    layer = QgsVectorLayer(f"{review}|layername={TASKS}", TASKS, "ogr")
    layer.setCrs(QgsCoordinateReferenceSystem())
    QgsProject.instance().addMapLayer(layer)
    panel.show()
    until(lambda: panel.queue is not None)
    yield panel
    if panel.queue is not None:
        panel.queue.layers.lines.rollBack()
    panel.close_down()
    panel.deleteLater()


@pytest.fixture(autouse=True)
def answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(QMessageBox, "question", lambda *_: QMessageBox.StandardButton.Save)


def click(panel: EchogramPanel, x: float, y: float, button: Qt.MouseButton) -> None:
    """Click at a place of the echogram, as it is shown."""
    sight, view = panel.view._sight.viewport(), panel.view.canvas.extent()
    across = (x - view.xMinimum()) / view.width() * sight.width()
    down = (view.yMaximum() - y) / view.height() * sight.height()
    QTest.mouseMove(sight, QPoint(round(across), round(down)))
    QTest.mouseClick(sight, button, pos=QPoint(round(across), round(down)))


def test_the_queue_opens_the_echogram_at_the_doubtful_place(
    panel: ReviewPanel, echograms: EchogramPanel, qgis_canvas: QgsMapCanvas
) -> None:
    task = panel.queue.current
    assert task.title == f"{FRAME}, traces 200 to 299"
    assert task.trace == pytest.approx(230, abs=3)
    assert echograms.isVisible()
    assert echograms._axes.frame_id == FRAME
    assert echograms._line_layer() is panel.queue.layers.lines
    view = echograms.view.canvas.extent()
    assert view.xMinimum() < task.trace < view.xMaximum()
    marked = echograms.view._mark.asGeometry().boundingBox().center().x()
    assert marked == pytest.approx(task.trace + 0.5)
    shaded = echograms.view._outside.asGeometry().boundingBox()
    assert (shaded.xMinimum(), shaded.xMaximum()) == (0, 200)
    assert qgis_canvas.extent().contains(echograms._track._places[task.trace])
    (raster,) = (
        each for each in QgsProject.instance().mapLayers().values()
        if isinstance(each, QgsRasterLayer)
    )  # fmt: skip
    node = QgsProject.instance().layerTreeRoot().findLayer(raster.id())
    assert not node.itemVisibilityChecked(), "an echogram is not drawn on the map"
    assert panel.form.complete.text() == "Every layer of the stretch is drawn"
    assert not panel.form.complete.isChecked()
    assert [action.text() for action in panel.commands.decisions] == [
        "Accept", "No layer", "Skip", "Reject stretch"
    ]  # fmt: skip


def test_only_the_layers_of_the_stretch_can_be_chosen(
    panel: ReviewPanel, echograms: EchogramPanel
) -> None:
    lines = panel.queue.layers.lines
    assert layer_ids(lines, list(lines.getFeatures()), FRAME) == [1, 2, 3, 4, 5]
    task = panel.queue.current
    own = [each for each in lines.getFeatures() if each["task"] == task.number]
    assert len(own) == 5
    QgsExpressionContextUtils.setLayerVariables(lines, {})
    assert layer_ids(lines, list(lines.getFeatures()), FRAME) == []
    lines.startEditing()
    with pytest.raises(ValueError, match="Choose a task"):
        put(lines, list(lines.getFeatures()), FRAME, 3, [(240.5, -40), (250.5, -40)])


def test_a_layer_that_was_lost_is_drawn_on_with_the_mouse_and_saved(
    panel: ReviewPanel, echograms: EchogramPanel
) -> None:
    task, lines = panel.queue.current, panel.queue.layers.lines
    panel.commands.editing[0].trigger()
    assert lines.isEditable()
    assert echograms.form.draw_button.isChecked()
    echograms.form.number.setCurrentIndex(echograms.form.number.findData(3))
    echograms.view.fit_all()
    click(echograms, 215.0, -45.5, Qt.MouseButton.LeftButton)
    click(echograms, 298.0, -45.0, Qt.MouseButton.LeftButton)
    click(echograms, 298.0, -45.0, Qt.MouseButton.RightButton)
    (drawn,) = (
        each for each in lines.getFeatures() if (each["task"], each["line"]) == (task.number, 3)
    )
    assert drawn["status"] == "edited"
    vertices = [each for each in drawn.geometry().vertices() if each.x() > 216]
    assert len(vertices) > 75
    for vertex in vertices:
        true = 40 + math.floor(vertex.x()) / 50
        assert -vertex.y() - 0.5 == pytest.approx(true, abs=1.6), "it snaps to the echo"
    panel.decide(ACCEPTED)
    stored = QgsVectorLayer(lines.source(), "stored", "ogr")
    (kept,) = stored.getFeatures(f'"task" = {task.number} AND "line" = 3')
    assert kept.geometry().boundingBox().xMaximum() > 295
    tasks = QgsVectorLayer(panel.queue.layers.tasks.source(), "stored", "ogr")
    (finished,) = tasks.getFeatures(f'"task" = {task.number}')
    assert (finished["status"], finished["complete"]) == ("corrected", False)
    assert panel.queue.current.number != task.number


def test_a_changed_number_of_a_layer_is_a_correction(panel: ReviewPanel) -> None:
    task, lines = panel.queue.current, panel.queue.layers.lines
    renamed, *others = panel.queue.lines_of_task()
    lines.startEditing()
    lines.changeAttributeValue(renamed.id(), lines.fields().indexOf("line"), 7)
    panel.decide(ACCEPTED)
    stored = QgsVectorLayer(lines.source(), "stored", "ogr")
    status = {each.id(): each["status"] for each in stored.getFeatures()}
    assert status[renamed.id()] == "edited"
    assert {status[each.id()] for each in others} == {"accepted"}
    tasks = QgsVectorLayer(panel.queue.layers.tasks.source(), "stored", "ogr")
    (finished,) = tasks.getFeatures(f'"task" = {task.number}')
    assert finished["status"] == "corrected"


def test_a_new_layer_belongs_to_the_task_and_stays_in_its_stretch(
    panel: ReviewPanel, echograms: EchogramPanel
) -> None:
    lines, task = panel.queue.layers.lines, panel.queue.current
    panel.commands.editing[0].trigger()
    echograms.form.snapping.setValue(0)
    echograms.view.fit_all()
    for x, button in ((150, Qt.MouseButton.LeftButton), (250, Qt.MouseButton.LeftButton),
                      (260, Qt.MouseButton.RightButton)):  # fmt: skip
        click(echograms, x, -100.0, button)
    echograms.form.number.setCurrentIndex(0)
    echograms.form.snapping.setValue(4)
    for x, button in ((150, Qt.MouseButton.LeftButton), (250, Qt.MouseButton.LeftButton),
                      (260, Qt.MouseButton.RightButton)):  # fmt: skip
        click(echograms, x, -100.0, button)
    added = [each for each in lines.getFeatures() if each["status"] == "added"]
    assert {each["task"] for each in added} == {task.number}
    assert {each["line"] for each in added} == {6, 7}
    starts = [each.geometry().boundingBox().xMinimum() for each in added]
    assert starts == [200, 200]
    scope = QgsExpressionContextUtils.layerScope(lines)
    assert int(scope.variable(CURRENT)) == task.number


def test_without_a_review_lines_can_be_drawn_anywhere(
    panel: ReviewPanel, echograms: EchogramPanel
) -> None:
    assert echograms._reviewed == (200.0, 300.0)
    panel.hide()
    assert echograms._reviewed is None
    assert echograms.view._outside.asGeometry().isEmpty()
    assert LINES in {each.name() for each in QgsProject.instance().mapLayers().values()}
