"""The panel "Review" on a review in PostGIS: several reviewers, and a server that goes away."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from qgis.core import QgsFeature, QgsProject, QgsProviderRegistry, QgsRasterLayer, QgsVectorLayer
from qgis.gui import QgsMapCanvas
from qgis.PyQt.QtWidgets import QMessageBox

from glacier_qgis.processing.postgis.connection import Database
from glacier_qgis.processing.postgis.sharing import share
from glacier_qgis.review.review_commands import LineTools
from glacier_qgis.review.review_panel import ReviewPanel
from glacier_qgis.review.tables import review_of
from glacier_qgis.wall.review import LINES, TASKS
from kit.qgis.postgres import Server, running_server
from kit.qgis.review_panels import with_a_line
from kit.qgis.reviews import make_predictions, move
from kit.qgis.waiting import until

pytestmark = pytest.mark.usefixtures("qgis_new_project", "window")

SCHEMA = "it's ours"


@pytest.fixture(scope="module")
def postgres() -> Iterator[Server]:
    folder = Path(tempfile.mkdtemp(prefix="glacier-pg-"))
    folder.chmod(0o755)
    try:
        with running_server(folder) as server:
            yield server
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, postgres: Server) -> Path:
    return make_predictions(tmp_path_factory.mktemp("predictions")) / "review.gpkg"


@pytest.fixture
def database(made: Path, postgres: Server) -> Iterator[Database]:
    database = Database(postgres.uri, SCHEMA)
    share(made, database)
    yield database
    postgres.rows('DROP SCHEMA "it\'s ours" CASCADE')


@pytest.fixture
def panel(
    database: Database, qgis_canvas: QgsMapCanvas, monkeypatch: pytest.MonkeyPatch
) -> Iterator[ReviewPanel]:
    save = QMessageBox.StandardButton.Save
    monkeypatch.setattr(QMessageBox, "question", lambda *given: save)
    panel = ReviewPanel(qgis_canvas, LineTools(nothing, nothing, nothing, nothing))
    QgsProject.instance().addMapLayer(database.layer(TASKS, "geom"))
    panel.show()
    until(lambda: panel.queue is not None)
    yield panel
    for layer in QgsProject.instance().mapLayers().values():
        if isinstance(layer, QgsVectorLayer):
            layer.rollBack()
    panel.close_down()
    panel.deleteLater()


def nothing(*_: object) -> None:
    """Stand in for a tool of the window."""


def layer(table: str) -> QgsVectorLayer:
    (found,) = (
        each
        for each in QgsProject.instance().mapLayers().values()
        if isinstance(each, QgsVectorLayer) and f'."{table}"' in each.source()
    )
    return found


def stored(database: Database, task: int) -> QgsFeature:
    """Return a task by a connection of its own."""
    (found,) = database.layer(TASKS, "geom").getFeatures(f'"task" = {task}')
    return found


def test_lines_and_scene_come_with_the_tasks(panel: ReviewPanel, database: Database) -> None:
    assert panel.queue.layers.lines.providerType() == "postgres"
    assert panel.queue.current.number == 1
    rasters = [
        each
        for each in QgsProject.instance().mapLayers().values()
        if isinstance(each, QgsRasterLayer)
    ]
    assert [each.source() for each in rasters] == [panel.queue.current.scene]


def test_a_corrected_task_is_saved_with_its_lines(panel: ReviewPanel, database: Database) -> None:
    number = with_a_line(panel)
    panel.work_on_lines(nothing)
    move(layer(LINES), number, 40)
    panel.form.comment.setText("it's calving")
    panel.decide("accepted")
    task = stored(database, number)
    assert (task["status"], task["comment"]) == ("corrected", "it's calving")
    (line,) = database.layer(LINES, "geom").getFeatures(f'"task" = {number}')
    assert line["status"] == "edited"


def test_two_reviewers_see_each_others_decisions(panel: ReviewPanel, postgres: Server) -> None:
    postgres.rows(
        f"""UPDATE "{SCHEMA}".tasks SET status = 'rejected', edited_by = 'Bo' WHERE task = 1"""  # noqa: S608
    )
    panel.decide("accepted")
    assert "Bo has set this task to 'rejected'" in panel.form.status.text()
    panel.step(1)
    panel.step(-1)
    assert "rejected, by Bo" in panel.form.state.text()
    assert panel.form.progress.text() == "1 of 4 finished"
    panel.form.people.setCurrentText("Bo")
    assert {task.assignee for task in panel.queue.tasks} == {"Bo"}


def test_a_server_that_goes_away_loses_no_edit(panel: ReviewPanel, postgres: Server) -> None:
    number = with_a_line(panel)
    panel.work_on_lines(nothing)
    move(layer(LINES), number, 40)
    postgres.stop()
    try:
        panel.decide("accepted")
        assert "cannot be read, so nothing was saved" in panel.form.status.text()
        assert layer(LINES).isModified()
        panel.step(1)
        assert "cannot be read" in panel.form.status.text()
        assert panel.queue.current.number == number
    finally:
        postgres.start()
    for _ in range(3):  # as the message asks for: QGIS may hold more than one dead connection
        panel.decide("accepted")
        if not panel.form.status.text():
            break
    assert not panel.form.status.text(), panel.form.status.text()
    assert not layer(LINES).isModified()
    assert stored(Database(postgres.uri, SCHEMA), number)["status"] == "corrected"


def test_dialogs_get_the_connection_without_its_password(
    panel: ReviewPanel, postgres: Server
) -> None:
    tasks = panel.queue.layers.tasks
    given = review_of(tasks)
    assert given["SCHEMA"] == SCHEMA
    assert Database(given["CONNECTION"], SCHEMA).table_names()
    secret = QgsVectorLayer(f"{tasks.source()} password='secret'", "tasks", "postgres")
    assert "secret" in secret.source()
    assert "secret" not in review_of(secret)["CONNECTION"]
    metadata = QgsProviderRegistry.instance().providerMetadata("postgres")
    connection = metadata.createConnection(postgres.uri, {"saveUsername": True})
    metadata.saveConnection(connection, "the team's")
    try:
        assert review_of(tasks)["CONNECTION"] == "the team's"
    finally:
        metadata.deleteConnection("the team's")
