"""Corrections appended to a review: each task once, and again when its review changed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd

from glacier_qgis.models.engine.events import Reporter
from glacier_qgis.models.raster.crs import read_crs
from glacier_qgis.models.review.recording.lines import lines_by_task
from glacier_qgis.models.review.recording.problems import problem_of
from glacier_qgis.models.review.recording.reviewed import Reviewed
from glacier_qgis.models.review.tables.corrected import text_of
from glacier_qgis.models.review.tables.store import (
    append,
    now,
    numbered,
    read_table,
    records,
    transaction,
)
from glacier_qgis.models.vector.texts import value_text
from glacier_qgis.wall.fingerprint import fingerprint
from glacier_qgis.wall.review import (
    CORRECTIONS,
    LINE_REJECTED,
    LINES,
    PREDICTED,
    REVIEWED,
    TASKS,
)


@dataclass(frozen=True)
class Findings:
    """What came of the tasks.

    Attributes:
        tasks: All of them.
        reviewed: The finished tasks that can be recorded.
        left_out: Why others cannot, by number of the task.
        gone: Numbers of recorded tasks whose scene is not there.
        unnumbered: Number of rows among the tasks that are none, see `numbered`.
        homeless: Number of lines that belong to no task.
    """

    tasks: gpd.GeoDataFrame
    reviewed: list[Reviewed] = field(default_factory=list)
    left_out: dict[int, str] = field(default_factory=dict)
    gone: list[int] = field(default_factory=list)
    unnumbered: int = 0
    homeless: int = 0


def look(review: Path, reporter: Reporter) -> Findings:
    """Compare the lines of all finished tasks with the frozen predictions.

    Raises:
        EngineError: The file cannot be read, or is no review.
    """
    table, lines, predicted = (read_table(review, name) for name in (TASKS, LINES, PREDICTED))
    tasks = numbered(table)
    crs = read_crs(predicted.crs, "The review")
    drawn = lines[~(lines.geometry.isna() | lines.geometry.is_empty)]
    findings = Findings(
        tasks,
        unnumbered=len(table) - len(tasks),
        homeless=int((~drawn["task"].isin(tasks["task"])).sum()),
    )
    now_there = lines_by_task(drawn[drawn["status"] != LINE_REJECTED], crs)
    before = lines_by_task(predicted, crs)
    known_hash = cache(fingerprint)  # stretches of one echogram share a file
    for place, (shape, task) in enumerate(zip(tasks.geometry, records(tasks), strict=True)):
        reporter.progress(place / len(tasks), "Comparing lines with the predictions")
        number = int(task["task"])
        if task["status"] not in REVIEWED:
            continue
        one = Reviewed(task, shape, now_there.get(number, []), before.get(number, []), crs)
        state = _state_of_scene(task, known_hash)
        if state == "changed":
            findings.left_out[number] = (
                "its scene has changed since the queue was made, so the lines may not fit it. "
                "Bring the old file back, or prepare a review of the new one"
            )
        elif problem := problem_of(one):
            findings.left_out[number] = problem
        else:
            findings.reviewed.append(one)
            if state == "gone":
                findings.gone.append(number)
    return findings


def record(review: Path, reviewed: Sequence[Reviewed], reporter: Reporter) -> set[int]:
    """Append the corrections that are new, all of them or none; return the numbers of their tasks.

    Nothing is written if none is new.

    Raises:
        EngineError: The file cannot be written to.
    """
    known = _latest(records(read_table(review, CORRECTIONS)))
    new = [one for one in reviewed if _differs(one, known.get(one.number))]
    if not new:
        return set()
    for place, one in enumerate(new):
        reporter.progress(place / len(new), "Measuring errors")
        _ = one.error_m  # takes long, and others cannot write during the transaction
    time = now()
    with transaction(review) as connection:
        known = _latest([dict(row) for row in connection.execute(f"SELECT * FROM {CORRECTIONS}")])  # noqa: S608  # nosec B608: own or quoted names
        rows = [
            {**_row(one, time), "number": int(known.get(one.number, {}).get("number", 0)) + 1}
            for one in reviewed
            if _differs(one, known.get(one.number))
        ]
        append(connection, CORRECTIONS, rows)
    return {int(row["task"]) for row in rows}


def _latest(corrections: Sequence[Mapping[str, Any]]) -> dict[int, Mapping[str, Any]]:
    """Return the last correction of each task."""
    ordered = sorted(corrections, key=lambda row: int(row["number"]))
    return {int(row["task"]): row for row in ordered}


def _differs(one: Reviewed, known: Mapping[str, Any] | None) -> bool:
    """Return whether a review of a task is another one than what was recorded of it last."""
    if known is None:
        return True
    recorded = (
        value_text(known["status"]),
        bool(known["complete"]),
        *(value_text(known[name]) for name in ("before", "after")),
    )
    return recorded != (one.status, one.is_complete, text_of(one.before), text_of(one.after))


def _row(one: Reviewed, time: str) -> dict[str, Any]:
    error, task = one.error_m, one.task
    copied = ("comment", "image_id", "scene", "scene_hash", "model", "model_hash", "strategy")
    return {
        "task": one.number,
        "status": one.status,
        "weight": float(task["weight"]),
        "complete": int(one.is_complete),
        "before": text_of(one.before),
        "after": text_of(one.after),
        "error_m": error,
        "error_cells": None if error is None else error / one.cell_size_m,
        **asdict(one.changes),
        "reviewer": value_text(task["edited_by"]) or value_text(task["assignee"]),
        "reviewed_at": _time_text(task["edited_at"]),
        "recorded_at": time,
        **{name: value_text(task[name]) for name in copied},
    }


def _state_of_scene(task: Mapping[str, Any], known_hash: Callable[[str], str]) -> str:
    """Return whether a scene is `there`, `gone` or `changed`; addresses are not looked at."""
    known = value_text(task["scene_hash"])
    if not known:
        return "there"
    try:
        found = known_hash(value_text(task["scene"]))
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
