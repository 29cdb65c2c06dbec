"""The review GeoPackage: its tables, the rules that it holds, and what is read from it."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pyogrio
import pytest
from shapely import LineString, box

from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.review.retraining.corrections import facts_of
from glacier_qgis.models.review.tables.corrected import corrected_scenes, text_of
from glacier_qgis.models.review.tables.lineage import add_model
from glacier_qgis.models.review.tables.schema import FIELDS, GEOMETRY
from glacier_qgis.models.review.tables.store import append, create_review, read_table, transaction
from glacier_qgis.wall.review import CORRECTIONS, LINES, MODELS, PREDICTED, SCENES, TABLES, TASKS

CRS = "EPSG:32624"
FRONT = LineString([(0, 0), (100, 0)])
MOVED = LineString([(0, 30), (100, 30)])


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("review") / "review.gpkg"
    tasks = pd.DataFrame(
        {
            "task": [1, 2, 3],
            "rank": [1, 2, 3],
            "status": ["open"] * 3,
            "strategy": ["ranked", "audit", "ranked"],
            "complete": [True] * 3,
            "date": pd.to_datetime(["2018-06-02", None, "2019-01-01"]),
            "cell_size_m": [10.0] * 3,
            "glacier": ["Helheim", None, "Helheim"],
        }
    )
    lines = pd.DataFrame({"task": [1, 2], "line_id": [1, 2], "status": ["predicted"] * 2})
    shapes = gpd.GeoSeries([FRONT, FRONT], crs=CRS)
    create_review(
        path,
        {
            TASKS: gpd.GeoDataFrame(tasks, geometry=[box(0, 0, 9, 9)] * 3, crs=CRS),
            LINES: gpd.GeoDataFrame(lines, geometry=shapes),
            PREDICTED: gpd.GeoDataFrame(lines[["task", "line_id"]], geometry=shapes),
        },
    )
    return path


@pytest.fixture
def review(whole: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(whole, tmp_path))


def record(review: Path, **values: object) -> None:
    row = {"task": 1, "number": 1, "status": "corrected", "strategy": "ranked", "complete": 1}
    row |= {"before": text_of([FRONT]), "after": text_of([MOVED]), "error_m": 30.0} | values
    with transaction(review) as connection:
        append(connection, CORRECTIONS, [row])
    run(review, f"UPDATE tasks SET status = '{row['status']}' WHERE task = {row['task']}")  # noqa: S608


def run(review: Path, statement: str) -> None:
    with closing(sqlite3.connect(review)) as connection:
        for name in ("ST_IsEmpty", "ST_MinX", "ST_MaxX", "ST_MinY", "ST_MaxY"):
            connection.create_function(name, 1, lambda _: 0)
        connection.execute(statement)
        connection.commit()


def test_the_tables_and_their_fields_are_those_of_the_schema(review: Path) -> None:
    kinds = dict(pyogrio.list_layers(review))
    assert set(kinds) == set(TABLES)
    for name in TABLES:
        info = pyogrio.read_info(review, layer=name)
        assert list(info["fields"]) == list(FIELDS[name])
        assert kinds[name] == GEOMETRY.get(name)
    types = dict(
        zip(*(pyogrio.read_info(review, layer=TASKS)[k] for k in ("fields", "dtypes")), strict=True)
    )
    assert types["edited_at"].startswith("datetime64[ms]")
    assert types["date"] == "datetime64[D]"
    assert types["complete"] == "bool"


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("UPDATE tasks SET status = 'fine' WHERE task = 1", "must be one of: open, accepted"),
        ("UPDATE tasks SET status = NULL WHERE task = 1", "must be one of: open, accepted"),
        ("INSERT INTO tasks (status, strategy) VALUES ('open', 'ranked')", "delete the polygon"),
        ("UPDATE lines SET status = 'good'", "must be one of: predicted, edited"),
        ("UPDATE lines SET quality = 4", "must be one of: 1, 2, 3"),
        ("DELETE FROM lines_predicted", "frozen"),
        ("UPDATE lines_predicted SET confidence = 1", "frozen"),
        ("DELETE FROM corrections", "only appended"),
        ("UPDATE corrections SET error_m = 0", "only appended"),
        ("INSERT INTO corrections (task, number) VALUES (1, 1)", "UNIQUE"),
    ],
)
def test_the_file_itself_refuses_what_breaks_its_rules(
    review: Path, statement: str, said: str
) -> None:
    record(review)
    before = {name: read_table(review, name) for name in TABLES}
    with pytest.raises(sqlite3.DatabaseError, match=said):
        run(review, statement)
    for name, frame in before.items():
        pd.testing.assert_frame_equal(pd.DataFrame(read_table(review, name)), pd.DataFrame(frame))


def test_a_person_may_change_states_and_delete_lines(review: Path) -> None:
    run(review, "UPDATE tasks SET status = 'no_front' WHERE task = 1")
    run(review, "UPDATE lines SET quality = 2, status = 'rejected' WHERE task = 1")
    assert list(read_table(review, TASKS).status) == ["no_front", "open", "open"]
    assert read_table(review, LINES).quality[0] == 2


def test_a_transaction_that_fails_changes_nothing(review: Path) -> None:
    row = {"task": 1, "number": 1}
    with pytest.raises(EngineError, match="nothing was changed"), transaction(review) as connection:
        append(connection, CORRECTIONS, [row, row])
    assert read_table(review, CORRECTIONS).empty


def test_the_latest_correction_of_each_task_is_what_a_scene_shows(review: Path) -> None:
    record(review)
    record(review, number=2, after=text_of([FRONT]), error_m=0.0, complete=0)
    record(review, task=2, status="no_front", strategy="audit", after="", error_m=None)
    record(review, task=3, status="rejected", after="")
    first, second = corrected_scenes(review)
    assert (first.task, first.number, first.complete, first.audit) == (1, 2, False, False)
    assert first.lines == (FRONT,)
    assert first.crs.to_epsg() == 32624
    assert first.date is not None
    assert first.date.isoformat() == "2018-06-02"
    assert (second.glacier, second.date, second.lines, second.audit) == ("", None, (), True)
    assert second.error_m is None


def test_a_model_is_noted_in_the_corrections_that_it_was_trained_on(review: Path) -> None:
    record(review)
    record(review, task=2)
    scenes = corrected_scenes(review)
    add_model(review, {"model": "mine", "model_hash": "abc", "kind": "adapted"}, scenes[:1])
    add_model(review, {"model": "mine 2", "model_hash": "def", "kind": "adapted"}, scenes)
    first, second = corrected_scenes(review)
    assert (first.used_in, second.used_in) == (("abc", "def"), ("def",))
    models = read_table(review, MODELS)
    assert list(models.corrections) == [1, 2]
    assert models.created_at.notna().all()


def test_a_model_made_again_takes_the_place_of_the_first(review: Path) -> None:
    record(review)
    for name in ("mine", "mine too"):
        add_model(review, {"model": name, "model_hash": "abc"}, corrected_scenes(review))
    assert list(read_table(review, MODELS).model) == ["mine too"]
    (scene,) = corrected_scenes(review)
    assert scene.used_in == ("abc",)


def test_other_files_are_refused_by_name(tmp_path: Path) -> None:
    other = tmp_path / "other.gpkg"
    gpd.GeoDataFrame(geometry=[FRONT], crs=CRS).to_file(other, layer=TASKS)
    with pytest.raises(EngineError, match="no table 'lines'"):
        read_table(other, TASKS)
    with pytest.raises(EngineError, match="does not exist"):
        read_table(tmp_path / "none.gpkg", TASKS)
    (tmp_path / "text.gpkg").write_text("hello")
    with pytest.raises(EngineError, match="cannot be read"):
        read_table(tmp_path / "text.gpkg", TASKS)


def test_a_review_of_an_earlier_version_has_no_scenes_without_a_task(review: Path) -> None:
    record(review)
    with closing(sqlite3.connect(review)) as connection, connection:
        connection.execute(f"DROP TABLE {SCENES}")
        connection.execute("DELETE FROM gpkg_contents WHERE table_name = ?", [SCENES])
    none = read_table(review, SCENES)
    assert (len(none), list(none)) == (0, list(FIELDS[SCENES]))
    scenes = corrected_scenes(review)
    assert scenes
    assert facts_of(review, scenes, scenes, "Helheim")
