"""What a review says of its scenes: the lines that a person stands for, ready to train on."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import shapely
from pyproj import CRS
from shapely import LineString, Polygon

from glacier_qgis.models.raster.crs import read_crs
from glacier_qgis.models.review.tables.store import placed, read_table, read_tasks
from glacier_qgis.models.vector.dates import read_dates
from glacier_qgis.models.vector.glaciers import as_first_written
from glacier_qgis.models.vector.lines import line_parts
from glacier_qgis.models.vector.texts import value_text
from glacier_qgis.wall.review import AUDIT, CORRECTIONS, REJECTED, REVIEWED, SCENES


@dataclass(frozen=True)
class CorrectedScene:
    """A scene with the lines that a person accepted, edited or drew.

    Attributes:
        task: Number of its task.
        number: Which correction of the task it is: 1 the first.
        scene: Path of the scene.
        scene_hash: Its fingerprint when the queue was made; blank if it had none.
        glacier: Name, blank if not known; spelt alike in all scenes of a review.
        date: Day of acquisition; None if not known.
        status: `accepted`, `corrected` or `no_front`.
        complete: Whether the lines are all fronts of the scene; otherwise what is not near a line
            is unlabelled, and no background.
        audit: Whether it was drawn by chance, not by its score: the scenes for a frozen test.
        lines: In `crs`; none where the scene shows no front. Those of an echogram have the number
            of the layer as z.
        predicted: What they were before, likewise.
        crs: Of the lines and of the footprint.
        footprint: Of the scene.
        cell_size_m: Of the scene's pixels.
        error_m: Mean distance between prediction and correction; None if one has no line.
        model: Name of the model that made the prediction.
        model_hash: Hash of its weights.
        used_in: Hashes of the models that were trained on it.
    """

    task: int
    number: int
    scene: str
    scene_hash: str
    glacier: str
    date: datetime.date | None
    status: str
    complete: bool
    audit: bool
    lines: tuple[LineString, ...]
    predicted: tuple[LineString, ...]
    crs: CRS
    footprint: Polygon
    cell_size_m: float
    error_m: float | None
    model: str
    model_hash: str
    used_in: tuple[str, ...]


def corrected_scenes(review: Path, role: str = "REVIEW") -> list[CorrectedScene]:
    """Return the scenes of the corrections that were recorded, the latest of each, by task.

    Scenes that a person rejected are left out, and those whose task is gone, is open again, or
    lacks its footprint or cell size.

    Args:
        review: A review GeoPackage.
        role: The parameter's name, for messages.

    Raises:
        EngineError: The file cannot be read, or is no review.
    """
    table = placed(read_tasks(review, role))
    latest = latest_corrections(read_table(review, CORRECTIONS, role), table)
    tasks = table.set_index("task")
    days = read_dates(tasks, "date", role) if len(tasks) else tasks["date"]
    rows = latest[latest.status != REJECTED].to_dict("records")
    named = glaciers_of(review, tasks.loc[[row["task"] for row in rows]], role)
    scenes = []
    for row, glacier in zip(rows, as_first_written(named), strict=True):
        task, day = tasks.loc[row["task"]], days.loc[row["task"]]
        scenes.append(
            CorrectedScene(
                task=int(row["task"]),
                number=int(row["number"]),
                scene=value_text(row["scene"]),
                scene_hash=value_text(row["scene_hash"]),
                glacier=glacier,
                date=None if pd.isna(day) else day.date(),
                status=value_text(row["status"]),
                complete=bool(row["complete"]),
                audit=row["strategy"] == AUDIT,
                lines=tuple(lines_of(value_text(row["after"]))),
                predicted=tuple(lines_of(value_text(row["before"]))),
                crs=read_crs(tasks.crs, "The review"),
                footprint=task.geometry,
                cell_size_m=float(task.cell_size_m),
                error_m=None if pd.isna(row["error_m"]) else float(row["error_m"]),
                model=value_text(row["model"]),
                model_hash=value_text(row["model_hash"]),
                used_in=tuple(value_text(row["used_in"]).split()),
            )
        )
    return scenes


def glaciers_of(review: Path, rows: pd.DataFrame, role: str = "REVIEW") -> list[str]:
    """Return the glacier of each task or scene, blank if not known.

    Where the row names none, the table of scenes may: reviews of earlier versions have tasks
    without a glacier where the model found no line.

    Args:
        review: A review GeoPackage.
        rows: Of its table of tasks or of scenes.
        role: The parameter's name, for messages.

    Raises:
        EngineError: The file cannot be read, or is no review.
    """
    known = read_table(review, SCENES, role)
    names = dict(zip(known["scene"].map(value_text), known["glacier"].map(value_text), strict=True))
    return [
        value_text(glacier) or names.get(value_text(scene), "")
        for scene, glacier in zip(rows["scene"], rows["glacier"], strict=True)
    ]


def latest_corrections(corrections: pd.DataFrame, tasks: pd.DataFrame) -> pd.DataFrame:
    """Return the last correction of each task that is finished, by task.

    The correction of a task that was deleted, or is open or skipped again, does not count.
    """
    finished = tasks.loc[tasks.status.isin(REVIEWED), "task"]
    rows = corrections[corrections.task.isin(finished)]
    return rows.sort_values(["task", "number"]).groupby("task", as_index=False).tail(1)


def lines_of(text: str) -> list[LineString]:
    """Return the lines that `before` or `after` hold as WKT; none of a blank."""
    return line_parts(shapely.from_wkt(text)) if text else []


def text_of(lines: list[LineString]) -> str:
    """Return lines as WKT, with all digits; blank for none."""
    if not lines:
        return ""
    return str(shapely.to_wkt(shapely.MultiLineString(lines), rounding_precision=-1))
