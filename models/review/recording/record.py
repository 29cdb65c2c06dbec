"""Corrections appended to a review: each task once, and again when its review changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd

from glacier_qgis.models.review.recording.reviewed import Reviewed, problems, reviewed_task
from glacier_qgis.models.review.tables.corrected import text_of
from glacier_qgis.models.review.tables.store import append, now, read_table, records, transaction
from glacier_qgis.models.vector.texts import value_text
from glacier_qgis.wall.fingerprint import fingerprint
from glacier_qgis.wall.review import CORRECTIONS, LINES, PREDICTED, REVIEWED, TASKS

SAME = ("status", "complete", "before", "after")
"""Fields in which a correction differs from the one before it."""


@dataclass(frozen=True)
class Findings:
    """What came of the tasks.

    Attributes:
        reviewed: The finished tasks that can be recorded.
        left_out: Why others cannot, by title of the task.
        homeless: Number of lines that belong to no task.
        gone: Titles of recorded tasks whose scene is not there.
    """

    reviewed: list[Reviewed]
    left_out: dict[str, str] = field(default_factory=dict)
    homeless: int = 0
    gone: list[str] = field(default_factory=list)


def look(review: Path) -> Findings:
    """Compare the lines of all finished tasks with the frozen predictions.

    Raises:
        EngineError: The file cannot be read, or is no review.
    """
    tasks = read_table(review, TASKS)
    lines, predicted = read_table(review, LINES), read_table(review, PREDICTED)
    lines = lines[~(lines.geometry.isna() | lines.geometry.is_empty)]
    findings = Findings([], homeless=int((~lines.task.isin(tasks.task)).sum()))
    for shape, task in zip(tasks.geometry, records(tasks), strict=True):
        if task["status"] not in REVIEWED:
            continue
        title = f"{task['rank']} ({value_text(task['title'])})"
        own, before = (_of_task(frame, task["task"]) for frame in (lines, predicted))
        state = _state_of_scene(task)
        if state == "changed":
            findings.left_out[title] = (
                "its scene has changed since the queue was made, so the lines may not fit it. "
                "Bring the old file back, or prepare a review of the new one"
            )
        elif problem := next(problems(task, shape, own, before), ""):
            findings.left_out[title] = problem
        else:
            findings.reviewed.append(reviewed_task(task, own, before))
            if state == "gone":
                findings.gone.append(title)
    return findings


def record(review: Path, reviewed: Sequence[Reviewed]) -> set[int]:
    """Append the corrections that are new, all of them or none; return the numbers of their tasks.

    Raises:
        EngineError: The file cannot be written to.
    """
    time = now()
    rows = {int(one.task["task"]): _row(one, time) for one in reviewed}
    with transaction(review) as connection:
        query = f"SELECT * FROM {CORRECTIONS} ORDER BY number"  # noqa: S608  # nosec B608: own or quoted names
        latest = {row["task"]: dict(row) for row in connection.execute(query)}
        new = [
            {**row, "number": int(latest.get(task, {}).get("number", 0)) + 1}
            for task, row in rows.items()
            if any(row[name] != latest.get(task, {}).get(name) for name in SAME)
        ]
        append(connection, CORRECTIONS, new)
    return {int(row["task"]) for row in new}


def _row(one: Reviewed, time: str) -> dict[str, Any]:
    error, task = one.error_m(), one.task
    copied = ("comment", "image_id", "scene", "scene_hash", "model", "model_hash", "strategy")
    return {
        "task": int(task["task"]),
        "status": one.status,
        "weight": float(task["weight"]),
        "complete": int(bool(task["complete"])),
        "before": text_of(list(one.before)),
        "after": text_of(list(one.after)),
        "error_m": error,
        "error_cells": None if error is None else error / one.cell_size_m,
        **asdict(one.changes),
        "reviewer": value_text(task["edited_by"]) or value_text(task["assignee"]),
        "reviewed_at": _time_text(task["edited_at"]),
        "recorded_at": time,
        **{name: value_text(task[name]) for name in copied},
    }


def _of_task(frame: gpd.GeoDataFrame, task: object) -> gpd.GeoDataFrame:
    return frame[frame.task == task]


def _state_of_scene(task: Mapping[str, Any]) -> str:
    """Return whether a scene is `there`, `gone` or `changed`; addresses are not looked at."""
    known, path = value_text(task["scene_hash"]), Path(value_text(task["scene"]))
    if not known:
        return "there"
    try:
        found = fingerprint(path)
    except OSError:
        return "gone"
    if not found:
        return "gone"
    return "there" if found == known else "changed"


def _time_text(time: pd.Timestamp) -> str | None:
    if pd.isna(time):
        return None
    here = time.tz_convert(None) if time.tzinfo else time
    return f"{here.strftime('%Y-%m-%dT%H:%M:%S')}Z"
