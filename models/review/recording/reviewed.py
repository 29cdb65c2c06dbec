"""A task as a person left it, beside what was predicted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from pyproj import CRS
from shapely import LineString, Polygon

from glacier_qgis.models.fronts.termini.metrics import front_distances
from glacier_qgis.models.raster.metric import Bounds
from glacier_qgis.models.review.recording.layer_errors import mean_layer_error
from glacier_qgis.models.review.recording.lines import Line, transformed
from glacier_qgis.models.vector.local_crs import local_crs
from glacier_qgis.wall.review import ACCEPTED, CORRECTED, NO_FRONT, REJECTED


@dataclass(frozen=True)
class Changes:
    """How many lines of a task a person left as they were, and changed.

    Of the parts of a line that was split, one is edited and the others are added. A line that comes
    from the prediction of another task is added.
    """

    kept: int = 0
    edited: int = 0
    added: int = 0
    deleted: int = 0


@dataclass(frozen=True)
class Reviewed:
    """A finished task.

    Attributes:
        task: The row of the table of tasks.
        footprint: Of its scene or stretch, in `crs`.
        lines: As they are now, without rejected ones.
        predicted: As they were predicted.
        crs: Of the lines.
    """

    task: Mapping[str, Any] = field(repr=False)
    footprint: Polygon
    lines: Sequence[Line]
    predicted: Sequence[Line]
    crs: CRS

    @property
    def number(self) -> int:
        """Of the task."""
        return int(self.task["task"])

    @property
    def is_complete(self) -> bool:
        """Whether its lines are every front of the scene, or every layer of the stretch."""
        return bool(self.task["complete"])

    @property
    def decision(self) -> str:
        """The status that a person chose."""
        return str(self.task["status"])

    @property
    def status(self) -> str:
        """What came of it: `corrected` also if a prediction was accepted and yet changed."""
        if self.decision not in (ACCEPTED, CORRECTED) or not (self.lines or self.predicted):
            return self.decision
        changes = self.changes
        return CORRECTED if changes.edited or changes.added or changes.deleted else ACCEPTED

    @property
    def before(self) -> list[LineString]:
        """The predicted lines."""
        return [part for line in self.predicted for part in line.parts]

    @property
    def after(self) -> list[LineString]:
        """The lines as they are now; none of a scene without a front, or a rejected one."""
        if self.decision in (NO_FRONT, REJECTED):
            return []
        return [part for line in self.lines for part in line.parts]

    @cached_property
    def changes(self) -> Changes:
        """How many lines changed; none of a rejected scene."""
        if self.decision == REJECTED:
            return Changes()
        before = {line.line_id for line in self.predicted}
        now = [] if self.decision == NO_FRONT else self.lines
        present = {line.line_id for line in now} & before
        same = {line.line_id for line in now if self.is_kept(line)}
        return Changes(
            kept=len(same),
            edited=len(present - same),
            added=len(now) - len(present),
            deleted=len(before - present),
        )

    def is_kept(self, line: Line) -> bool:
        """Return whether a line is as it was predicted."""
        return any(line.line_id == other.line_id and line.equals(other) for other in self.predicted)

    @property
    def cell_size_m(self) -> float:
        """Edge of a cell of the scene, or depth of a sample."""
        return float(self.task["cell_size_m"])

    @cached_property
    def metric(self) -> CRS:
        """The metric CRS to measure fronts in, chosen at the footprint; that of layers stays.

        Raises:
            EngineError: The footprint lies outside the area of its CRS.
        """
        if self.crs.is_engineering:
            return self.crs
        return local_crs(_Place(self.crs, self.footprint.bounds), self.crs)

    @cached_property
    def error_m(self) -> float | None:
        """The mean distance between prediction and correction, m, in both directions.

        That of layers is in depth, see `mean_layer_error`. None if one of them has no line, or the
        scene was rejected.
        """
        before, after = self.before, self.after
        if self.decision == REJECTED or not (before and after):
            return None
        if before == after:
            return 0.0
        if self.crs.is_engineering:
            return mean_layer_error(before, after) * self.cell_size_m
        here, there = (transformed(lines, self.crs, self.metric) for lines in (before, after))
        return float(np.mean(front_distances(here, there, self.cell_size_m)))


@dataclass(frozen=True)
class _Place:
    """A scene, to choose a CRS for."""

    crs: CRS
    bounds: Bounds
    role: str = "REVIEW"
    name: str = "a footprint"
