"""A review that a team shares in PostGIS, on a real server that may go away."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from qgis.core import (
    QgsFeature,
    QgsProcessingContext,
    QgsProcessingException,
    QgsProcessingFeedback,
    QgsProject,
    QgsProviderRegistry,
    QgsVectorLayer,
)

from glacier_qgis.processing.postgis import sharing
from glacier_qgis.processing.postgis.connection import Database
from glacier_qgis.processing.postgis.sharing import fetch, give_back, share, table_of_file
from glacier_qgis.processing.review import parameters as shared
from glacier_qgis.wall.review import CORRECTIONS, LINES, SCENES, TABLES, TASKS
from kit.qgis.fixtures import Log
from kit.qgis.postgres import Server
from kit.qgis.reviews import edit, finish, move, prepare, task_with_line
from kit.qgis.window import algorithm

pytestmark = pytest.mark.usefixtures("qgis_new_project", "window")


@pytest.fixture(scope="module")
def made(predictions: Path, postgres: Server, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the file of a review that is shared in the schema 'team'."""
    path = tmp_path_factory.mktemp("made") / "review.gpkg"
    prepare(predictions, path, CONNECTION=postgres.uri, SCHEMA="team")
    return path


@pytest.fixture
def database(made: Path, postgres: Server) -> Iterator[Database]:
    """Return a fresh copy of the review in a schema of its own."""
    database = Database(postgres.uri, "it's mine")
    share(made, database)
    yield database
    postgres.rows('DROP SCHEMA "it\'s mine" CASCADE')


def record(database: Database, postgres: Server, context: QgsProcessingContext) -> dict[str, Any]:
    log = Log()
    asked = {"CONNECTION": postgres.uri, "SCHEMA": database.schema, "OUTPUT": "TEMPORARY_OUTPUT"}
    results, succeeded = algorithm("recordcorrections").run(asked, context, log)
    return {**results, "succeeded": succeeded, "said": " ".join(text for _, text in log.told)}


def finished_task(database: Database, east: float = 40) -> int:
    """Correct a task in the layers of the database, and save it."""
    tasks, lines = (database.layer(name, "geom") for name in (TASKS, LINES))
    task = task_with_line(tasks, lines)
    for layer in (tasks, lines):
        edit(layer)
    move(lines, task, east)
    finish(tasks, task, "corrected")
    assert lines.commitChanges(), lines.commitErrors()
    assert tasks.commitChanges(), tasks.commitErrors()
    return task


def rows(database: Database, table: str) -> list[list[Any]]:
    return database.query(f"SELECT * FROM {place(database, table)} ORDER BY fid")  # noqa: S608


def place(database: Database, table: str) -> str:
    return f'"{database.schema}".{table}'


def inserted(database: Database, task: int) -> str:
    where = place(database, CORRECTIONS)
    return f"INSERT INTO {where} (task, number) VALUES ({task}, 1)"  # noqa: S608


def test_the_layers_are_opened_from_the_database_with_their_forms(
    made: Path, predictions: Path, postgres: Server, tmp_path: Path
) -> None:
    assert {layer.providerType() for layer in QgsProject.instance().mapLayers().values()} <= {
        "postgres"
    }
    shared = Database(postgres.uri, "team")
    assert shared.table_names() >= set(TABLES)
    for table in TABLES:
        layer = shared.layer(table, "geom" if table in sharing.SPATIAL else "")
        assert layer.featureCount() == table_of_file(made, table).featureCount()
    tasks = shared.layer(TASKS, "geom")
    tasks.loadDefaultStyle()
    status = tasks.fields().indexOf("status")
    assert tasks.editorWidgetSetup(status).type() == "ValueMap"
    (there,), (here,) = (
        list(layer.getFeatures('"task" = 1')) for layer in (tasks, table_of_file(made, TASKS))
    )
    assert there.geometry().equals(here.geometry())
    names = [name for name in here.fields().names() if name != "fid"]
    assert [there[name] for name in names] == [here[name] for name in names]
    with pytest.raises(AssertionError, match="holds a table 'corrections' already"):
        prepare(predictions, tmp_path / "r.gpkg", CONNECTION=postgres.uri, SCHEMA="team")
    assert not (tmp_path / "r.gpkg").exists()


def test_corrections_are_recorded_once_by_whoever_runs_it(
    database: Database, postgres: Server, context: QgsProcessingContext
) -> None:
    task = finished_task(database)
    first = record(database, postgres, context)
    assert first["succeeded"], first["said"]
    assert (first["RECORDED"], first["TOTAL"]) == (1, 1)
    assert first["MEAN_ERROR"] == pytest.approx(40)
    (row,) = database.layer(CORRECTIONS, "").getFeatures()
    assert (row["task"], row["edited"]) == (task, 1)
    assert row["recorded_at"].isValid()
    assert record(database, postgres, context)["RECORDED"] == 0
    assert len(rows(database, CORRECTIONS)) == 1


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("UPDATE {s}.tasks SET status = 'fine'", "violates check constraint"),
        ("UPDATE {s}.lines SET quality = 7", "violates check constraint"),
        ("DELETE FROM {s}.lines_predicted", "stay as they are"),
        ("UPDATE {s}.lines_predicted SET confidence = 0", "stay as they are"),
    ],
)
def test_the_database_itself_holds_the_rules(database: Database, statement: str, said: str) -> None:
    with pytest.raises(QgsProcessingException, match=said):
        database.change([statement.format(s='"it\'s mine"')])


def test_a_database_that_goes_away_while_it_records_loses_nothing(
    database: Database,
    postgres: Server,
    context: QgsProcessingContext,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    finished_task(database)

    def gone(path: Path, to: Database) -> None:
        postgres.stop()
        give_back(path, to)

    monkeypatch.setattr(shared, "give_back", gone)
    failed = record(database, postgres, context)
    postgres.start()
    monkeypatch.undo()
    assert not failed["succeeded"]
    assert "cannot be read. Check the connection" in failed["said"]
    assert "Nothing was recorded. Run again" in failed["said"]
    assert rows(Database(postgres.uri, database.schema), CORRECTIONS) == []
    assert record(database, postgres, context)["RECORDED"] == 1


def test_a_database_that_goes_away_during_a_training_is_said_with_what_there_is(
    database: Database, postgres: Server, context: QgsProcessingContext, tmp_path: Path
) -> None:
    asked = {
        "CONNECTION": postgres.uri,
        "SCHEMA": database.schema,
        "OUTPUT": str(tmp_path / "new.zip"),
    }
    with (
        pytest.raises(QgsProcessingException, match=r"new.zip is written, but the shared review"),
        algorithm("retrain").lent(asked, context, QgsProcessingFeedback()),
    ):
        postgres.stop()
    postgres.start()


def test_a_restarted_server_is_reached_at_once(database: Database, postgres: Server) -> None:
    for _ in range(3):
        postgres.stop()
        postgres.start()
        assert Database(postgres.uri, database.schema).table_names() == database.table_names()


def test_half_of_what_is_appended_is_never_there(database: Database) -> None:
    with pytest.raises(QgsProcessingException, match="None of them was made"):
        database.change([inserted(database, task) for task in (1, 2, 1)])
    assert rows(database, CORRECTIONS) == []


def test_what_somebody_else_recorded_meanwhile_is_kept(database: Database, tmp_path: Path) -> None:
    copy = tmp_path / "copy.gpkg"
    fetch(database, copy)
    layer = table_of_file(copy, CORRECTIONS)
    with editing(layer):
        add(layer, task=1, number=1, comment="mine; it's 'quoted'")
        add(layer, task=2, number=1, comment="é")
    database.change([inserted(database, 3)])
    give_back(copy, database)
    found = {(f["task"], f["comment"] or "") for f in database.layer(CORRECTIONS, "").getFeatures()}
    assert {(1, "mine; it's 'quoted'"), (2, "é")} < found
    assert len(found) == 3


def test_a_review_without_a_table_of_scenes_is_copied_without_it(
    database: Database, tmp_path: Path
) -> None:
    """As earlier versions shared it."""
    database.query(f"DROP TABLE {place(database, SCENES)}")
    fetch(database, tmp_path / "copy.gpkg")
    assert table_of_file(tmp_path / "copy.gpkg", TASKS).featureCount() > 0
    with pytest.raises(QgsProcessingException, match="'scenes'"):
        table_of_file(tmp_path / "copy.gpkg", SCENES)


def test_two_members_who_train_at_the_same_time_both_note_it(
    database: Database, tmp_path: Path
) -> None:
    task = finished_task(database)
    database.query(inserted(database, task))
    copies = [tmp_path / f"{name}.gpkg" for name in ("ada", "bo")]
    for copy in copies:
        fetch(database, copy)
    for copy, model in zip(copies, ("aa", "bb"), strict=True):
        corrections = table_of_file(copy, CORRECTIONS)
        with editing(corrections):
            (row,) = corrections.getFeatures()
            corrections.changeAttributeValue(
                row.id(), corrections.fields().indexOf("used_in"), model
            )
        give_back(copy, database)
        give_back(copy, database)
    (row,) = database.layer(CORRECTIONS, "").getFeatures()
    assert row["used_in"] == "aa bb"


def test_models_and_what_they_were_trained_on_go_back(database: Database, tmp_path: Path) -> None:
    database.change([inserted(database, 1)])
    copy = tmp_path / "copy.gpkg"
    fetch(database, copy)
    corrections, models = (table_of_file(copy, name) for name in (CORRECTIONS, "models"))
    with editing(models):
        add(models, model="mine", model_hash="abc", promoted=True)
    with editing(corrections):
        (row,) = corrections.getFeatures()
        corrections.changeAttributeValue(row.id(), corrections.fields().indexOf("used_in"), "abc")
    give_back(copy, database)
    give_back(copy, database)
    (row,) = database.layer(CORRECTIONS, "").getFeatures()
    assert row["used_in"] == "abc"
    hashes = [feature["model_hash"] for feature in database.layer("models", "").getFeatures()]
    assert hashes == ["0123abcd", "abc"]


@pytest.mark.parametrize(
    ("connection", "said"),
    [
        ("nobody", "there is no connection 'nobody'"),
        ("host=/nowhere dbname=x user=y password=secret", "cannot be reached"),
    ],
)
def test_a_connection_that_is_none_is_refused_without_its_password(
    connection: str, said: str
) -> None:
    with pytest.raises(QgsProcessingException, match=said) as refused:
        Database(connection, "review")
    assert "secret" not in str(refused.value)


def test_a_connection_of_the_browser_is_known_by_its_name(postgres: Server, made: Path) -> None:
    metadata = QgsProviderRegistry.instance().providerMetadata("postgres")
    connection = metadata.createConnection(postgres.uri, {"saveUsername": True})
    metadata.saveConnection(connection, "the team's")
    try:
        assert set(TABLES) <= Database("the team's", "team").table_names()
    finally:
        metadata.deleteConnection("the team's")


@contextmanager
def editing(layer: QgsVectorLayer) -> Iterator[None]:
    layer.startEditing()
    yield
    assert layer.commitChanges(), layer.commitErrors()


def add(layer: QgsVectorLayer, **values: object) -> None:
    feature = QgsFeature(layer.fields())
    for name, value in values.items():
        feature[name] = value
    assert layer.addFeature(feature)
