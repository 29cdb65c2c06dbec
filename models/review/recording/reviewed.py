"""A task as a person left it, beside what was predicted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import geopandas as gpd
import numpy as np
import shapely
from pyproj import CRS
from shapely import Geometry, LineString, Polygon

from glacier_qgis.models.fronts.termini.metrics import front_distances
from glacier_qgis.models.raster.crs import read_crs
from glacier_qgis.models.review.recording.layer_errors import mean_layer_error
from glacier_qgis.models.review.tables.kinds import kind_of
from glacier_qgis.models.vector.lines import line_parts
from glacier_qgis.models.vector.local_crs import local_crs
from glacier_qgis.models.vector.source import Layer
from glacier_qgis.models.vector.texts import value_text
from glacier_qgis.wall.review import (
    ACCEPTED,
    CORRECTED,
    LINE_REJECTED,
    LINES,
    NO_FRONT,
    PREDICTED,
    REJECTED,
    TASKS,
)

OUTSIDE_CELLS = 1.0
"""Cells by which a line may leave the footprint of its scene."""


@dataclass(frozen=True)
class Changes:
    """How many lines of a task a person left as they were, and changed."""

    kept: int = 0
    edited: int = 0
    added: int = 0
    deleted: int = 0


@dataclass(frozen=True)
class Reviewed:
    """A finished task.

    Attributes:
        task: The row of the table of tasks.
        status: What came of it: `corrected` also if a prediction was accepted and yet changed.
        before: The predicted lines.
        after: The lines as they are now; none of a scene without a front, or a rejected one.
        changes: How many lines changed.
        crs: Of the lines.
    """

    task: Mapping[str, Any] = field(repr=False)
    status: str
    before: Sequence[LineString]
    after: Sequence[LineString]
    changes: Changes
    crs: CRS

    @property
    def cell_size_m(self) -> float:
        """Edge of a cell of the scene."""
        return float(self.task["cell_size_m"])

    def error_m(self) -> float | None:
        """Return the mean distance between prediction and correction, m, in both directions.

        That of layers is in depth, see `mean_layer_error`.

        Returns:
            None if one of them has no line, or the scene was rejected.
        """
        if self.status == REJECTED or not (self.before and self.after):
            return None
        if list(self.before) == list(self.after):
            return 0.0
        if self.crs.is_engineering:
            return mean_layer_error(self.before, self.after) * self.cell_size_m
        before, after = (_in_metres(lines, self.crs) for lines in (self.before, self.after))
        return float(np.mean(front_distances(before, after, self.cell_size_m)))


def reviewed_task(
    task: Mapping[str, Any], lines: gpd.GeoDataFrame, predicted: gpd.GeoDataFrame
) -> Reviewed:
    """Compare the lines of a task with the frozen predictions.

    Args:
        task: The row of the table of tasks.
        lines: Its lines as they are now.
        predicted: Its lines as they were predicted.
    """
    status, crs = str(task["status"]), read_crs(predicted.crs, "The review")
    kept = lines[lines["status"] != LINE_REJECTED]
    if status == NO_FRONT:
        kept = kept.iloc[:0]
    changes = _changes(kept, predicted)
    changed = changes.edited or changes.added or changes.deleted
    if status in (ACCEPTED, CORRECTED) and len(predicted) + len(kept):
        status = CORRECTED if changed else ACCEPTED
    return Reviewed(
        task=task,
        status=status,
        before=_lines(predicted, crs),
        after=[] if status == REJECTED else _lines(kept, crs),
        changes=Changes() if status == REJECTED else changes,
        crs=crs,
    )


def problems(
    task: Mapping[str, Any],
    footprint: Polygon,
    lines: gpd.GeoDataFrame,
    predicted: gpd.GeoDataFrame,
) -> Iterator[str]:
    """Yield why a task cannot be recorded as it is.

    Args:
        task: The row of the table of tasks.
        footprint: Of its scene, in the CRS of the lines.
        lines: As for `reviewed_task`.
        predicted: Likewise.
    """
    kept = lines[lines["status"] != LINE_REJECTED]
    foreign = set(kept.line_id.dropna().astype(int)) - set(predicted.line_id.astype(int))
    if foreign:
        yield (
            f"line {min(foreign)} is not one of its predictions: it comes from another task or "
            f"model. Empty its 'line_id' in the table '{LINES}' to keep it as a line of yours"
        )
    hashes = {value_text(value) for value in predicted.model_hash} - {""}
    if hashes - {value_text(task["model_hash"])}:
        yield (
            f"the lines in '{PREDICTED}' are of model {min(hashes)[:12]}, but the queue was made "
            f"for {value_text(task['model_hash'])[:12] or 'another one'}. Prepare a review of that "
            "model's predictions"
        )
    crs = read_crs(predicted.crs, "The review")
    kind = kind_of(crs)
    if task["status"] in (ACCEPTED, CORRECTED) and kept.empty:
        yield (
            f"it has no line left. Choose 'no_front' if the {kind.image} shows no {kind.line}, "
            f"'rejected' if it cannot be used, or draw the {kind.line}, in the table '{TASKS}'"
        )
    if task["status"] in (ACCEPTED, CORRECTED):
        scene, *shapes = _in_metres([footprint, *kept.geometry], crs)
        cell = 1.0 if crs.is_engineering else float(task["cell_size_m"])
        reach = scene.buffer(OUTSIDE_CELLS * cell)
        count = sum(not reach.covers(shape) for shape in shapes)
        if count:
            lie = "one line lies" if count == 1 else f"{count} lines lie"
            yield (
                f"{lie} outside the footprint of its {kind.image}. Move or delete what is "
                f"outside, or give it the 'task' of its {kind.image}"
            )


def _changes(kept: gpd.GeoDataFrame, predicted: gpd.GeoDataFrame) -> Changes:
    """Count changes; of the parts of a line that was split, one is edited and the others added."""
    before = dict(zip(predicted.line_id.astype(int), predicted.geometry, strict=True))
    own = kept[kept.line_id.notna()]
    alike = [
        before[int(number)].equals_exact(shape, 0) if int(number) in before else False
        for number, shape in zip(own.line_id, own.geometry, strict=True)
    ]
    same = {int(number) for number, equal in zip(own.line_id, alike, strict=True) if equal}
    present = {int(number) for number in own.line_id} & before.keys()
    edited = present - same
    return Changes(
        kept=len(same),
        edited=len(edited),
        added=len(kept) - len(present),
        deleted=len(before.keys() - present),
    )


def _lines(frame: gpd.GeoDataFrame, crs: CRS) -> list[LineString]:
    """Return the single lines of a frame: those of an echogram with the number of the layer as z.

    Others have no heights.
    """
    flat = frame.geometry.force_2d()
    if not crs.is_engineering:
        return [part for shape in flat for part in line_parts(shape)]
    numbers = frame["line"].fillna(0).astype(float)
    return [
        shapely.force_3d(part, number)
        for shape, number in zip(flat, numbers, strict=True)
        for part in line_parts(shape)
    ]


def _in_metres(shapes: Sequence[Geometry], crs: CRS) -> list[Any]:
    """Return shapes of one place in a metric CRS; those of an echogram stay in its own."""
    frame = gpd.GeoDataFrame(geometry=list(shapes), crs=crs)
    if crs.is_engineering:
        return list(frame.geometry)
    return list(frame.to_crs(local_crs(Layer(frame, crs, "REVIEW", ""), crs)).geometry)
