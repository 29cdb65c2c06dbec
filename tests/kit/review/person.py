"""What a person does to a review in QGIS, done to the file."""

from __future__ import annotations

import sqlite3
import struct
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import shapely
from shapely import LineString

SRS = 32624
_AT = 8
"""Bytes of a GeoPackage's header before the WKB, where it holds no envelope."""


@contextmanager
def opened(review: Path) -> Iterator[sqlite3.Connection]:
    """Yield a connection with the functions that a GeoPackage's spatial index needs."""

    def bound(index: int) -> object:
        return lambda blob: shapely.from_wkb(blob[_AT:]).bounds[index]

    with closing(sqlite3.connect(review)) as connection:
        connection.create_function("ST_IsEmpty", 1, lambda blob: blob is None)
        for index, name in enumerate(("ST_MinX", "ST_MinY", "ST_MaxX", "ST_MaxY")):
            connection.create_function(name, 1, bound(index))  # type: ignore[arg-type]
        yield connection
        connection.commit()


def blob(shape: shapely.Geometry) -> bytes:
    """Return a shape as a GeoPackage holds it."""
    return b"GP\x00\x01" + struct.pack("<i", SRS) + shapely.to_wkb(shape)


def finish(review: Path, task: int, status: str, who: str = "Ada", **values: object) -> None:
    """Give a task a status."""
    given = {"status": status, "edited_by": who, "edited_at": "2026-01-02T03:04:05.000Z", **values}
    with opened(review) as connection:
        fields = ", ".join(f"{name} = ?" for name in given)
        connection.execute(
            f"UPDATE tasks SET {fields} WHERE task = ?",  # noqa: S608
            (*given.values(), task),
        )


def redraw(review: Path, task: int, *lines: LineString) -> None:
    """Move the line of a task; further lines are parts that came of splitting it."""
    with opened(review) as connection:
        (number,) = connection.execute(
            "SELECT line_id FROM lines WHERE task = ?", (task,)
        ).fetchone()
        connection.execute("UPDATE lines SET geom = ? WHERE task = ?", (blob(lines[0]), task))
        for part in lines[1:]:
            connection.execute(
                "INSERT INTO lines (geom, task, line_id, status) VALUES (?, ?, ?, 'edited')",
                (blob(part), task, number),
            )


def draw(review: Path, task: int | None, line: LineString, line_id: int | None = None) -> None:
    """Draw a new line."""
    with opened(review) as connection:
        connection.execute(
            "INSERT INTO lines (geom, task, line_id, status) VALUES (?, ?, ?, 'added')",
            (blob(line), task, line_id),
        )


def delete(review: Path, task: int) -> None:
    """Delete the lines of a task."""
    with opened(review) as connection:
        connection.execute("DELETE FROM lines WHERE task = ?", (task,))


def draw_task(review: Path) -> None:
    """Draw a polygon into the tasks by accident, as reviews of earlier versions allow."""
    with opened(review) as connection:
        connection.execute("DROP TRIGGER IF EXISTS tasks_task_insert")
        connection.execute(
            "INSERT INTO tasks (geom, status, strategy) VALUES (?, 'open', 'ranked')",
            (blob(shapely.box(530_000, 7_359_000, 531_000, 7_360_000)),),
        )
