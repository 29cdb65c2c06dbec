"""The tables of a review: their fields, and the rules that the file itself holds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from glacier_qgis.wall.review import (
    AUDIT,
    CORRECTIONS,
    LINE_STATES,
    LINES,
    MODELS,
    OPEN,
    PREDICTED,
    QUALITIES,
    RANKED,
    SCENES,
    TASK_STATES,
    TASKS,
)

FIELDS: Mapping[str, Mapping[str, str]] = {
    TASKS: {
        "task": "int32",
        "title": "str",
        "rank": "int32",
        "score": "float64",
        "strategy": "str",
        "weight": "float64",
        "status": "str",
        "complete": "bool",
        "assignee": "str",
        "comment": "str",
        "edited_by": "str",
        "edited_at": "datetime",
        "glacier": "str",
        "date": "date",
        "satellite": "str",
        "image_id": "str",
        "scene": "str",
        "scene_hash": "str",
        "cell_size_m": "float64",
        "trace": "int32",
        "model": "str",
        "model_hash": "str",
    },
    LINES: {
        "task": "int32",
        "line_id": "int32",
        "line": "int32",
        "status": "str",
        "quality": "int32",
        "comment": "str",
        "origin": "str",
        "confidence": "float64",
        "uncertainty_m": "float64",
        "edited_by": "str",
        "edited_at": "datetime",
    },
    PREDICTED: {
        "task": "int32",
        "line_id": "int32",
        "line": "int32",
        "confidence": "float64",
        "uncertainty_m": "float64",
        "model": "str",
        "model_hash": "str",
    },
    CORRECTIONS: {
        "task": "int32",
        "number": "int32",
        "status": "str",
        "strategy": "str",
        "weight": "float64",
        "complete": "bool",
        "before": "str",
        "after": "str",
        "error_m": "float64",
        "error_cells": "float64",
        "kept": "int32",
        "edited": "int32",
        "added": "int32",
        "deleted": "int32",
        "reviewer": "str",
        "reviewed_at": "datetime",
        "recorded_at": "datetime",
        "comment": "str",
        "image_id": "str",
        "scene": "str",
        "scene_hash": "str",
        "model": "str",
        "model_hash": "str",
        "used_in": "str",
    },
    MODELS: {
        "model": "str",
        "model_hash": "str",
        "parent_hash": "str",
        "kind": "str",
        "path": "str",
        "created_at": "datetime",
        "corrections": "int32",
        "glacier": "str",
        "dates": "str",
        "error_m": "float64",
        "parent_error_m": "float64",
        "metrics": "str",
        "promoted": "bool",
        "comment": "str",
    },
    SCENES: {
        "image_id": "str",
        "glacier": "str",
        "date": "date",
        "satellite": "str",
        "scene": "str",
    },
}
"""Name and type of each field, in order.

tasks: `task` numbers the scenes of the queue, `rank` orders it (1 first); `score` is the
uncertainty of the prediction, 0 to 1 among all scenes; `weight` is the number of scenes that a task
stands for: 1, or more for one of the audit. `complete`: its lines are every front of the scene, or
every layer of the stretch. Of an echogram, `glacier` is the segment, `image_id` the frame,
`cell_size_m` the depth of a sample, and `trace` the most doubtful trace.
lines: `line_id` is that of the predicted line, empty for a line that a person drew; `line` numbers
the fronts of a scene, or the layers of an echogram. corrections: one row per reviewed task, and a
further one (`number` 2, 3, ...) when the review of it changed; `before` and `after` are all of its
lines as WKT, in the CRS of the lines, those of an echogram with the number of the layer (`line`) as
z; `error_m` is the mean distance between them, empty where one of the two has no line; `used_in`
names the models trained on it. models: the models that made the predictions, and those that came
of the corrections. scenes: all that a queue was made from, also those that no task is for; none of
echograms.
"""

GEOMETRY: Mapping[str, str] = {TASKS: "Polygon", LINES: "LineString", PREDICTED: "LineString"}
"""OGR's name of each table's geometry; the others have none."""

MADE_THE_PREDICTIONS = "predicted"
"""`kind` of a model that made the predictions of a review."""


def rules() -> Iterator[str]:
    """Yield the triggers that hold the file to its rules, whatever program writes to it."""
    said = f"{TASKS}.task is empty: delete the polygon, and draw lines into the table {LINES}"
    yield (
        f"CREATE TRIGGER {TASKS}_task_insert BEFORE INSERT ON {TASKS} WHEN NEW.task IS NULL "
        f"BEGIN SELECT RAISE(ABORT, '{said}'); END"
    )
    yield from _one_of(TASKS, "status", TASK_STATES, OPEN)
    yield from _one_of(TASKS, "strategy", (RANKED, AUDIT), RANKED)
    yield from _one_of(LINES, "status", LINE_STATES, "")
    yield from _one_of(LINES, "quality", QUALITIES, "")
    yield from _never(PREDICTED, "the predictions of a review are frozen: edit the table 'lines'")
    recorded = [name for name in FIELDS[CORRECTIONS] if name != "used_in"]
    said = "corrections are only appended: change the line, and record it again"
    yield from _never(CORRECTIONS, said, recorded)
    yield f"CREATE UNIQUE INDEX {CORRECTIONS}_once ON {CORRECTIONS} (task, number)"
    yield f"CREATE UNIQUE INDEX {MODELS}_once ON {MODELS} (model_hash)"
    yield f"CREATE UNIQUE INDEX {TASKS}_once ON {TASKS} (task)"


def _one_of(table: str, field: str, values: Sequence[str | int], blank: str | int) -> Iterator[str]:
    """Yield triggers that refuse other values of a field; `blank` says whether none is one."""
    allowed = ", ".join(f"'{value}'" if isinstance(value, str) else str(value) for value in values)
    wrong = f"NEW.{field} NOT IN ({allowed})" + (f" OR NEW.{field} IS NULL" if blank else "")
    said = f"{table}.{field} must be one of: {', '.join(map(str, values))}"
    for event, when in (("insert", "INSERT"), ("update", f"UPDATE OF {field}")):
        yield (
            f"CREATE TRIGGER {table}_{field}_{event} BEFORE {when} ON {table} "
            f"WHEN {wrong} BEGIN SELECT RAISE(ABORT, '{said}'); END"
        )


def _never(table: str, said: str, fields: Sequence[str] = ()) -> Iterator[str]:
    """Yield triggers that refuse to delete rows, and to change them or some of their fields."""
    text = said.replace("'", "''")
    change = f"UPDATE OF {', '.join(fields)}" if fields else "UPDATE"
    for event, when in (("delete", "DELETE"), ("change", change)):
        yield (
            f"CREATE TRIGGER {table}_no_{event} BEFORE {when} ON {table} "
            f"BEGIN SELECT RAISE(ABORT, '{text}'); END"
        )
