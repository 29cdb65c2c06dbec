"""A task of a review, as a row of its table says it."""

from __future__ import annotations

from dataclasses import dataclass

from qgis.core import QgsFeature, QgsRectangle, QgsVariantUtils
from qgis.PyQt.QtCore import QDateTime

from glacier_qgis.styles.review import TASK_LABELS
from glacier_qgis.translation import tr
from glacier_qgis.wall.review import AUDIT, REVIEWED, TRACE


@dataclass(frozen=True)
class Task:
    """A task as it was when it was shown.

    Attributes:
        fid: Key of its feature.
        number: Of the task.
        title: What a person calls the scene.
        status: Its state.
        audit: Whether it was drawn at random.
        complete: Whether its lines are all fronts of the scene.
        comment: What a person wrote.
        scene: Path of the scene.
        scene_hash: Fingerprint of the scene, blank if unknown.
        assignee: For whom it is, blank for everybody.
        edited_by: Who edited it last.
        edited_at: When.
        extent: Of its footprint, in the CRS of the layer.
        trace: The most doubtful trace of a stretch of an echogram; None for a scene.
    """

    fid: int
    number: int
    title: str
    status: str
    audit: bool
    complete: bool
    comment: str
    scene: str
    scene_hash: str
    assignee: str
    edited_by: str
    edited_at: str
    extent: QgsRectangle
    trace: int | None = None


def is_task(feature: QgsFeature) -> bool:
    """Whether a row is a task; a polygon that somebody drew among them has no number."""
    return not QgsVariantUtils.isNull(feature["task"])


def place_in_queue(feature: QgsFeature) -> int:
    """Return the rank of a task; without one, as in the engine, its number."""
    rank = feature["rank"]
    return int(feature["task"] if QgsVariantUtils.isNull(rank) else rank)


def task_of(feature: QgsFeature) -> Task:
    """Return the task that a row holds."""

    def text(name: str) -> str:
        value = feature[name]
        return "" if QgsVariantUtils.isNull(value) else str(value)

    time = feature["edited_at"]
    return Task(
        fid=feature.id(),
        number=int(feature["task"]),
        title=text("title"),
        status=text("status"),
        audit=text("strategy") == AUDIT,
        complete=bool(feature["complete"]),
        comment=text("comment"),
        scene=text("scene"),
        scene_hash=text("scene_hash"),
        assignee=text("assignee"),
        edited_by=text("edited_by"),
        edited_at=str(time.toMSecsSinceEpoch()) if isinstance(time, QDateTime) else "",
        extent=feature.geometry().boundingBox(),
        trace=_trace(feature),
    )


def _trace(feature: QgsFeature) -> int | None:
    """Return the trace of a task; reviews that an earlier release made have no such field."""
    place = feature.fields().indexOf(TRACE)
    if place < 0 or QgsVariantUtils.isNull(feature.attribute(place)):
        return None
    return int(feature.attribute(place))


def status_in_words(task: Task) -> str:
    """Return what became of a task, and by whom."""
    what = TASK_LABELS.get(task.status, task.status).partition(":")[0]
    done = task.status in REVIEWED and task.edited_by
    return tr("{what}, by {who}").format(what=what, who=task.edited_by) if done else what
