"""The panel "Review": a person goes through the queue."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path

import pytest
from qgis.core import (
    Qgis,
    QgsExpressionContextUtils,
    QgsFeature,
    QgsFeatureRequest,
    QgsGeometry,
    QgsProject,
    QgsRasterLayer,
    QgsVectorLayer,
    QgsVectorLayerUtils,
)
from qgis.PyQt.QtWidgets import QMessageBox

from glacier_qgis.review.review_panel import ReviewPanel
from glacier_qgis.styles.review import CURRENT
from glacier_qgis.wall.review import LINES, PREDICTED, TASKS
from kit.qgis.review_panels import with_a_line
from kit.qgis.reviews import change, layer, move
from kit.qgis.waiting import until

pytestmark = pytest.mark.usefixtures("qgis_new_project", "window")


@pytest.fixture
def review(review_beside_scenes: Path) -> Path:
    return review_beside_scenes


@pytest.fixture
def panel(review_panel: ReviewPanel) -> ReviewPanel:
    return review_panel


@pytest.fixture(autouse=True)
def answer(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Let a person answer every question with 'Save'; return what was asked."""
    asked: list[str] = []

    def question(parent: object, title: str, text: str, *more: object) -> object:
        asked.append(text)
        return QMessageBox.StandardButton.Save

    monkeypatch.setattr(QMessageBox, "question", question)
    return asked


def stored(task: int) -> QgsFeature:
    """Return a task as it stands in the file."""
    (found,) = (each for each in layer(TASKS).dataProvider().getFeatures() if each["task"] == task)
    return found


def saved_line(task: int) -> QgsFeature:
    """Return the line of a task as it stands in the file."""
    fresh = QgsVectorLayer(layer(LINES).source(), "fresh", "ogr")
    (found,) = (each for each in fresh.getFeatures() if each["task"] == task)
    return found


def edit(panel: ReviewPanel) -> None:
    """Begin to edit the lines, and wait until they can be read; see `kit.qgis.reviews.edit`."""
    lines = layer(LINES)
    count = len(list(lines.getFeatures()))
    panel.commands.editing[2].trigger()

    def can_be_read() -> bool:
        found = len(list(lines.getFeatures()))
        if found < count:
            lines.dataProvider().reloadData()
        return found == count

    until(can_be_read)


def scenes() -> list[str]:
    layers = QgsProject.instance().mapLayers().values()
    return [Path(each.source()).stem for each in layers if isinstance(each, QgsRasterLayer)]


def test_a_review_opens_at_its_first_task_with_scene_and_lines(panel: ReviewPanel) -> None:
    task = panel.queue.current
    assert (task.number, panel.queue.position) == (1, 0)
    assert "1 of 4" in panel.form.title.text()
    assert panel.form.progress.text() == "0 of 4 finished"
    assert scenes() == [Path(task.scene).stem]
    assert panel.canvas.extent().contains(task.extent)
    assert not panel.form.status.text()
    for name in (LINES, PREDICTED, TASKS):
        scope = QgsExpressionContextUtils.layerScope(layer(name))
        assert int(scope.variable(CURRENT)) == 1
    root = QgsProject.instance().layerTreeRoot().findLayers()
    assert isinstance(root[-1].layer(), QgsRasterLayer)  # under the lines


def test_next_and_previous_go_through_the_queue_one_scene_at_a_time(panel: ReviewPanel) -> None:
    seen = []
    back, on = panel.commands.previous, panel.commands.next
    for action in (on, on, on, on, back):
        action.trigger()
        seen.append(panel.queue.current.number)
        assert scenes() == [Path(panel.queue.current.scene).stem]
        assert panel.canvas.extent().contains(panel.queue.current.extent)
    assert seen == [2, 3, 4, 4, 3]


def test_every_decision_is_saved_and_the_next_open_task_comes(
    panel: ReviewPanel, answer: list[str]
) -> None:
    with_a_line(panel)
    first = panel.queue.current.number
    states = ["accepted", "no_front", "skipped", "rejected"]
    done = {}
    for action, status in zip(panel.commands.decisions, states, strict=True):
        number = panel.queue.current.number
        done[number] = status
        action.trigger()
        assert stored(number)["status"] == status
        assert stored(number)["edited_by"] or stored(number)["edited_by"] is not None
    assert len(done) == 4
    assert panel.form.progress.text() == "3 of 4 finished"
    assert answer == []  # there were no edits to ask about
    assert saved_line(first)["status"] == "accepted"
    assert not layer(LINES).isEditable() or not layer(LINES).isModified()


def test_edits_are_saved_only_after_a_question(
    panel: ReviewPanel, answer: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    number = with_a_line(panel)
    edit(panel)
    assert panel.edited == [layer(LINES)]
    assert QgsProject.instance().snappingConfig().enabled()
    move(layer(LINES), number, 40)
    refuse = lambda *given: QMessageBox.StandardButton.Cancel  # noqa: E731
    with monkeypatch.context() as patch:
        patch.setattr(QMessageBox, "question", refuse)
        panel.commands.decisions[0].trigger()
    assert layer(LINES).isModified()
    assert stored(number)["status"] == "open"
    panel.commands.decisions[0].trigger()
    assert len(answer) == 1
    assert "'lines'" in answer[0]
    assert not layer(LINES).isModified()
    assert stored(number)["status"] == "corrected"  # accepted, after an edit
    moved = saved_line(number)
    assert moved["status"] == "edited"


def test_an_unfinished_scene_is_noted(panel: ReviewPanel) -> None:
    panel.form.complete.setChecked(False)
    panel.commands.decisions[0].trigger()
    assert not stored(1)["complete"]


def test_tasks_of_one_reviewer(panel: ReviewPanel) -> None:
    assert [panel.form.people.itemText(row) for row in range(3)] == ["everybody", "Ada", "Bo"]
    panel.form.people.setCurrentIndex(2)
    assert [task.assignee for task in panel.queue.tasks] == ["Bo", "Bo"]
    assert panel.queue.current.assignee == "Bo"
    assert "of 2" in panel.form.title.text()


def test_what_somebody_else_decided_meanwhile_is_not_replaced(
    panel: ReviewPanel, review: Path
) -> None:
    change(review, "status = 'rejected', edited_by = 'Bo' WHERE task = 1")
    panel.commands.decisions[0].trigger()
    assert "Bo has set this task to 'rejected'" in panel.form.status.text()
    assert stored(1)["status"] == "rejected"
    panel.step(1)
    panel.step(-1)
    assert "rejected, by Bo" in panel.form.state.text()
    panel.commands.decisions[0].trigger()
    assert stored(1)["status"] == "accepted"


def test_edits_that_cannot_be_saved_stay(panel: ReviewPanel, review: Path) -> None:
    number = with_a_line(panel)
    edit(panel)
    move(layer(LINES), number, 40)
    with closing(sqlite3.connect(review)) as other:
        other.execute("BEGIN EXCLUSIVE")
        panel.commands.decisions[0].trigger()
        assert "Your edits are still there" in panel.form.status.text()
        assert layer(LINES).isModified()
        other.rollback()
    panel.commands.decisions[0].trigger()
    assert not layer(LINES).isModified()
    assert stored(number)["status"] == "corrected"


def test_a_scene_that_is_gone_or_has_changed_is_said(panel: ReviewPanel) -> None:
    panel.step(1)
    scene = Path(panel.queue.current.scene)
    panel.step(-1)
    content = scene.read_bytes()
    scene.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    panel.step(1)
    assert "has changed since the queue was made" in panel.form.status.text()
    panel.step(-1)
    scene.unlink()
    panel.step(1)
    assert "is not there" in panel.form.status.text()
    assert panel.commands.decisions[2].isEnabled()


def test_a_layer_that_goes_ends_the_review(panel: ReviewPanel) -> None:
    QgsProject.instance().removeMapLayer(layer(LINES).id())
    assert panel.queue is None
    assert not panel.commands.next.isEnabled()
    until(lambda: scenes() == [])


def test_closing_puts_everything_back(panel: ReviewPanel) -> None:
    panel.commands.editing[2].trigger()
    panel._take(None)
    assert not QgsProject.instance().snappingConfig().enabled()
    assert scenes() == []
    scope = QgsExpressionContextUtils.layerScope(layer(LINES))
    assert not scope.hasVariable(CURRENT)


def test_a_front_that_was_missed_is_drawn(panel: ReviewPanel) -> None:
    while panel.queue.lines_of_task():
        panel.step(1)
    number = panel.queue.current.number
    panel.commands.editing[1].trigger()
    lines = layer(LINES)
    assert panel.drawn == [lines]
    assert QgsProject.instance().snappingConfig().enabled()
    drawn = QgsVectorLayerUtils.createFeature(
        lines,
        QgsGeometry.fromWkt("LineString(560100 7359900, 560200 7359700)"),
        context=lines.createExpressionContext(),
    )
    assert lines.addFeature(drawn)
    panel.commands.decisions[0].trigger()
    assert stored(number)["status"] == "corrected"
    kept = saved_line(number)
    assert kept["status"] == "added"


def test_lines_are_reshaped_with_snapping(panel: ReviewPanel) -> None:
    panel.commands.editing[0].trigger()
    assert panel.reshaped == [layer(LINES)]
    assert layer(LINES).isEditable()
    assert QgsProject.instance().snappingConfig().enabled()


def test_a_task_without_a_rank_has_its_place(panel: ReviewPanel, review: Path) -> None:
    count = len(panel.queue.tasks)
    change(review, "rank = NULL WHERE task = 2")
    panel.step(1)
    assert [each.number for each in panel.queue.tasks] == [*range(1, count + 1)]


def test_a_polygon_that_is_drawn_among_the_tasks_is_no_task(
    panel: ReviewPanel, review: Path
) -> None:
    """New reviews refuse it; those of earlier versions do not."""
    with closing(sqlite3.connect(review)) as connection:
        connection.execute("DROP TRIGGER tasks_task_insert")
    tasks = layer(TASKS)
    count = len(panel.queue.tasks)
    stray = QgsFeature(tasks.fields())
    stray.setGeometry(QgsGeometry.fromWkt("Polygon((0 0, 9 0, 9 9, 0 0))"))
    stray["status"], stray["strategy"] = "open", "ranked"
    assert tasks.dataProvider().addFeature(stray)
    panel.step(1)
    assert len(panel.queue.tasks) == count


def test_it_is_said_whose_task_it_is(panel: ReviewPanel, review: Path) -> None:
    change(review, "assignee = 'Ada' WHERE task = 1")
    panel.step(-len(panel.queue.tasks))
    assert panel.form.state.text().endswith("for Ada")


def test_after_the_last_task_it_says_what_follows(panel: ReviewPanel) -> None:
    for decision in (0, 0, 2):
        panel.commands.decisions[decision].trigger()
        assert not panel.form.status.text()
    panel.commands.decisions[0].trigger()
    assert panel.form.status.text().startswith("No task is open any more. Record the corrections")
    assert panel.form.status.text().endswith("Skipped for later: 1.")


def test_dialogs_open_with_this_review(
    panel: ReviewPanel, review: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from processing.tools import general

    opened: list[object] = []

    class Dialog:
        def show(self) -> None:
            opened.append(self)

    def dialog(*given: object) -> Dialog:
        opened.append(given)
        return Dialog()

    monkeypatch.setattr(general, "createAlgorithmDialog", dialog)
    for action in panel.commands.after:
        action.trigger()
    assert opened[0] == ("glacier:recordcorrections", {"REVIEW": str(review)})
    assert opened[2] == ("glacier:retrain", {"REVIEW": str(review), "ADAPT": True})


def test_a_read_that_lacks_rows_does_not_count_as_a_deletion(
    panel: ReviewPanel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when a busy GeoPackage changes its journal while a filter is read."""
    number = with_a_line(panel)
    edit(panel)
    monkeypatch.setattr(panel.queue._lines, "_source", Forgetful(layer(LINES)))
    monkeypatch.setattr(panel.queue._predicted, "_source", Forgetful(layer(PREDICTED)))
    panel.commands.decisions[0].trigger()
    assert stored(number)["status"] == "accepted"
    line = saved_line(number)
    assert line["status"] == "accepted"


class Forgetful:
    """A layer of which reads by a filter find nothing."""

    def __init__(self, layer: QgsVectorLayer) -> None:
        self._layer = layer

    def getFeatures(self, request: QgsFeatureRequest) -> Iterable[QgsFeature]:
        by_filter = request.filterType() == Qgis.FeatureRequestFilterType.Expression
        return [] if by_filter else self._layer.getFeatures(request)


def test_a_database_that_cannot_be_read_ends_no_review(
    panel: ReviewPanel, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Gone:
        def getFeatures(self, request: QgsFeatureRequest) -> list[QgsFeature]:
            return []

    with monkeypatch.context() as patch:
        patch.setattr(panel.queue._stored, "_source", Gone())
        panel.step(1)
        assert "cannot be read" in panel.form.status.text()
        panel.commands.decisions[0].trigger()
        assert "nothing was saved" in panel.form.status.text()
        assert panel.queue.position == 0
    panel.step(1)
    assert panel.queue.position == 1
    assert stored(1)["status"] == "open"


def test_a_decision_that_could_not_be_saved_is_not_saved_with_another_task(
    panel: ReviewPanel, review: Path
) -> None:
    with closing(sqlite3.connect(review)) as other:
        full = "BEFORE UPDATE ON tasks BEGIN SELECT RAISE(ABORT, 'disk is full'); END"
        other.execute(f"CREATE TRIGGER full {full}")
        other.commit()
        panel.commands.decisions[3].trigger()
        assert "disk is full" in panel.form.status.text()
        other.execute("DROP TRIGGER full")
        other.commit()
    panel.step(1)
    panel.commands.decisions[0].trigger()
    assert [stored(1)["status"], stored(2)["status"]] == ["open", "accepted"]
