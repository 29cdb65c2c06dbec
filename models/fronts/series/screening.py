"""Screening of a series: lines that are inconsistent with neighbouring dates."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import shapely
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.stats import median_abs_deviation, theilslopes
from shapely import LineString, Polygon

from glacier_qgis.models.compute.arrays import Float64Array

NEIGHBOURS = 8
"""Number of scenes next in time with which a line is compared."""
FEWEST = 4
"""Least number of lines to compare with; otherwise a line is not judged."""
FEWEST_OF_A_SIDE = 2
BEYOND = 5.0
"""An outlier is this many robust standard deviations from its expected position."""
LEAST_CELLS = 3.0
"""Lines within this many cells of their expected position are never outliers."""
SAMPLES, MATCH_SAMPLES = 64, 16
"""Number of points along a line for measuring its displacement and matching it."""
MAD_TO_SIGMA = 1.4826
"""Standard deviation of a normal distribution divided by its median absolute deviation."""


@dataclass(frozen=True)
class DatedFronts:
    """The lines of one scene; all coordinates in one metric CRS.

    Attributes:
        date: Day of acquisition.
        extent: The processed part of the scene.
        lines: The fronts, each with the glacier on its left.
    """

    date: datetime.date | None
    extent: Polygon
    lines: Sequence[LineString]


def displacement(line: LineString, other: LineString) -> float:
    """Return the mean distance of `line` seaward of `other`, m; negative if landward.

    This is the mean of the signed distances of each line's points from the other line, in both
    directions. A point counts if its nearest point is not an end of the other line (unless no point
    would count), so that lines of different length are compared where they are side by side.
    """
    return (_one_way(line, other) - _one_way(other, line)) / 2


def _one_way(line: LineString, other: LineString) -> float:
    points = _samples(line, SAMPLES)
    along = shapely.line_locate_point(other, points)
    foot = shapely.line_interpolate_point(other, along)
    step = other.length / SAMPLES
    ahead = shapely.line_interpolate_point(other, np.minimum(along + step, other.length))
    behind = shapely.line_interpolate_point(other, np.maximum(along - step, 0))
    direction = shapely.get_coordinates(ahead) - shapely.get_coordinates(behind)
    offset = shapely.get_coordinates(points) - shapely.get_coordinates(foot)
    right = direction[:, 1] * offset[:, 0] - direction[:, 0] * offset[:, 1]
    signed = np.sign(right) * np.hypot(*offset.T)
    beside = (along > 0) & (along < other.length) | other.is_ring
    return float(signed[beside if beside.any() else slice(None)].mean())


def find_outliers(
    observations: Sequence[DatedFronts], duplicates: Sequence[bool], cell_size: float
) -> list[npt.NDArray[np.bool_]]:
    """Return for each scene which of its lines are inconsistent with neighbouring dates.

    A line is compared with those of the same front in the scenes next in time. Its expected
    position is their median before it, their median after it, or their trend at its date (Theil
    1950, Sen 1968), whichever is closest: both a front that calves in one step and one that moves
    steadily are consistent. An outlier is further away than the front's lines usually are
    (`BEYOND`). A line without a match in its neighbours is an outlier too, if they show its place.

    Args:
        observations: Scenes in any order; those without a date are not judged.
        duplicates: Scenes that are neither used for comparison nor for the usual distance.
        cell_size: Edge of a cell, m.
    """
    series = _Series(observations, duplicates)
    flags = [np.zeros(len(observation.lines), dtype=bool) for observation in observations]
    judged: list[tuple[_Line, float]] = []
    for line in series.lines:
        matches = series.matches(line)
        if not matches:
            flags[line.scene][line.number] = series.witnesses(line) >= FEWEST
        elif len(matches) >= FEWEST:
            days = np.array(
                [series.days[match.scene] - series.days[line.scene] for match in matches]
            )
            moved = np.array([series.displacement(line, match) for match in matches])
            judged.append((line, departure(days, moved)))
    fronts = series.fronts()
    usual: dict[int, list[float]] = {}
    for line, far in judged:
        if not duplicates[line.scene]:
            usual.setdefault(fronts[line], []).append(far)
    for line, far in judged:
        departures = np.array(usual.get(fronts[line], [far]))
        flags[line.scene][line.number] = abs(far) > usual_reach(departures, cell_size)
    return flags


def departure(days: Float64Array, moved: Float64Array) -> float:
    """Return the distance of a line from its expected position, m.

    Args:
        days: From the line to each neighbour.
        moved: Distance of the line seaward of each neighbour, m.
    """
    sides = [moved[side] for side in (days < 0, days > 0) if side.sum() >= FEWEST_OF_A_SIDE]
    return min([_trend(days, moved), *(float(np.median(side)) for side in sides)], key=abs)


def _trend(days: Float64Array, moved: Float64Array) -> float:
    """Return the value at day 0 of the Theil-Sen line; the median if all days are the same."""
    if np.ptp(days) == 0:
        return float(np.median(moved))
    return float(theilslopes(moved, days, method="joint").intercept)


def usual_reach(departures: Float64Array, cell_size: float) -> float:
    """Return the distance beyond which a line of a front is an outlier, m."""
    spread = MAD_TO_SIGMA * median_abs_deviation(departures)
    return float(max(BEYOND * spread, LEAST_CELLS * cell_size))


@dataclass(frozen=True)
class _Line:
    scene: int
    number: int


class _Series:
    """Lines with their neighbours in time."""

    def __init__(self, observations: Sequence[DatedFronts], duplicates: Sequence[bool]) -> None:
        self._observations = observations
        dated = [i for i, seen in enumerate(observations) if seen.date and seen.lines]
        self.days = {i: float(observations[i].date.toordinal()) for i in dated}  # type: ignore[union-attr]
        self.lines = [_Line(i, n) for i in dated for n in range(len(observations[i].lines))]
        self._order = sorted((i for i in dated if not duplicates[i]), key=self.days.__getitem__)
        self._pairs: dict[tuple[int, int], dict[int, int]] = {}

    def neighbours(self, scene: int) -> list[int]:
        """Return the scenes next in time, as many before as after if possible."""
        others = [other for other in self._order if other != scene]
        before = sum(self.days[other] < self.days[scene] for other in others)
        start = max(0, min(before - NEIGHBOURS // 2, len(others) - NEIGHBOURS))
        return others[start : start + NEIGHBOURS]

    def matches(self, line: _Line) -> list[_Line]:
        """Return the lines of the same front in the scenes next in time."""
        found = [(other, self._pair(line.scene, other)) for other in self.neighbours(line.scene)]
        return [_Line(other, pair[line.number]) for other, pair in found if line.number in pair]

    def witnesses(self, line: _Line) -> int:
        """Count the neighbours that cover the place of a line."""
        middle = self._geometry(line).interpolate(0.5, normalized=True)
        near = self.neighbours(line.scene)
        return sum(self._observations[other].extent.contains(middle) for other in near)

    def displacement(self, line: _Line, other: _Line) -> float:
        return displacement(self._geometry(line), self._geometry(other))

    def fronts(self) -> dict[_Line, int]:
        """Number the fronts: lines linked by matches belong to one front.

        A line of a duplicate belongs to the front of its first match, and links no others.
        """
        index = {line: number for number, line in enumerate(self.lines)}
        counted = {*self._order}
        links = [
            (index[line], index[match])
            for line in self.lines
            for match in self.matches(line)[: None if line.scene in counted else 1]
        ]
        rows, columns = np.array(links, dtype=int).reshape(-1, 2).T
        shape = (len(index), len(index))
        graph = coo_array((np.ones(len(rows)), (rows, columns)), shape=shape)
        _, labels = connected_components(graph, directed=False)
        return {line: int(labels[number]) for line, number in index.items()}

    def _geometry(self, line: _Line) -> LineString:
        return self._observations[line.scene].lines[line.number]

    def _pair(self, scene: int, other: int) -> dict[int, int]:
        """Match lines of two scenes: mutually nearest, and closer than their length."""
        if (scene, other) not in self._pairs:
            mine, theirs = self._observations[scene].lines, self._observations[other].lines
            gaps = _gaps(mine, theirs)
            best = [
                (int(row), int(gaps[row].argmin()))
                for row in range(len(mine))
                if gaps[:, gaps[row].argmin()].argmin() == row
            ]
            near = [(a, b) for a, b in best if gaps[a, b] <= max(mine[a].length, theirs[b].length)]
            self._pairs[scene, other] = dict(near)
            self._pairs[other, scene] = {b: a for a, b in near}
        return self._pairs[scene, other]


def _gaps(lines: Sequence[LineString], others: Sequence[LineString]) -> Float64Array:
    """Return the distances between two sets of lines, m, shape (lines, others).

    The distance is the mean over the points of one line to the other, in the direction with the
    lower value, so that a part of a line has distance 0 from the whole.
    """

    def one_way(first: Sequence[LineString], second: Sequence[LineString]) -> Float64Array:
        shapely.prepare(second)
        points = [_samples(line, MATCH_SAMPLES) for line in first]
        distances = shapely.distance(np.array(points)[:, :, None], np.array(second)[None, None, :])
        return np.asarray(distances.mean(axis=1))

    return np.minimum(one_way(lines, others), one_way(others, lines).T)


def _samples(line: LineString, count: int) -> npt.NDArray[np.object_]:
    """Return evenly spread points along a line."""
    shares = (np.arange(count) + 0.5) / count
    return np.asarray(shapely.line_interpolate_point(line, shares, normalized=True))
