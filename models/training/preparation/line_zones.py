"""Zones around a front line: glacier on its left, ocean on its right."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import shapely
from shapely import LineString, STRtree

from glacier_qgis.models.raster.grid import Grid
from glacier_qgis.models.training.data.samples import UNLABELLED
from glacier_qgis.models.vector.lines import merge_lines
from glacier_qgis.models.zones.codes import GLACIER, OCEAN

Points = npt.NDArray[np.float64]

POINTS = 1 << 19
"""Number of cells that are processed together; each needs some hundred bytes as a point."""


@dataclass(frozen=True)
class _Segments:
    """The straight pieces of some lines.

    Attributes:
        start: (pieces, 2), m.
        step: From start to end, (pieces, 2), m; none is zero.
        before: The piece that ends where each starts; itself where a line begins; (pieces,).
        after: The piece that starts where each ends; itself where a line ends; (pieces,).
    """

    start: Points
    step: Points
    before: npt.NDArray[np.intp]
    after: npt.NDArray[np.intp]


class LineZones:
    """Front lines of one scene, for labelling cells beside them.

    Args:
        lines: In m, with the glacier on their left.
        reach: Distance from a line within which zones are known, m.
    """

    def __init__(self, lines: Sequence[LineString], reach: float) -> None:
        self._segments = _segments(merge_lines(lines, directed=True))
        ends = self._segments.start + self._segments.step
        pieces = shapely.linestrings(np.stack([self._segments.start, ends], axis=1))
        self._tree = STRtree(np.asarray(pieces))
        self._reach = reach

    def codes(self, grid: Grid) -> npt.NDArray[np.uint8]:
        """Label the cells whose centre is within reach of a line.

        The nearest segment decides. A cell whose nearest point is the open end of a line stays
        unlabelled.

        Args:
            grid: In the lines' CRS.

        Returns:
            (rows, columns).
        """
        zones = np.full(grid.shape, UNLABELLED, np.uint8)
        if self._tree.query(shapely.box(*grid.bounds), "dwithin", self._reach).size:
            rows = max(1, POINTS // grid.width)
            for top in range(0, grid.height, rows):
                x, y = np.meshgrid(grid.x, grid.y[top : top + rows])
                centres = np.column_stack([x.ravel(), y.ravel()])
                zones[top : top + rows] = self._codes_at(centres).reshape(x.shape)
        return zones

    def _codes_at(self, centres: Points) -> npt.NDArray[np.uint8]:
        """Label cells by their centres, (cells, 2) to (cells,)."""
        zones = np.full(len(centres), UNLABELLED, np.uint8)
        cells, pieces = self._tree.query_nearest(
            shapely.points(centres), max_distance=self._reach, all_matches=False
        )
        if cells.size:
            cells, side, beyond = self._sides(centres, cells, pieces)
            zones[cells] = np.where(beyond, UNLABELLED, np.where(side >= 0, GLACIER, OCEAN))
        return zones

    def _sides(
        self, centres: Points, cells: npt.NDArray[np.intp], pieces: npt.NDArray[np.intp]
    ) -> tuple[npt.NDArray[np.intp], Points, npt.NDArray[np.bool_]]:
        """Return each cell once, its signed distance from its segment, and if it is beyond an end.

        If a vertex is the nearest point, both segments there are equally near; the one at the
        larger angle decides.
        """
        segments = self._segments
        along = self._along(centres[cells], pieces)
        neighbour = np.where(along < 0, segments.before[pieces], pieces)
        neighbour = np.where(along > 1, segments.after[pieces], neighbour)
        beyond = (neighbour == pieces) & ((along < 0) | (along > 1))
        sides = [self._side(centres[cells], these) for these in (pieces, neighbour)]
        side = np.where(np.abs(sides[1]) > np.abs(sides[0]), sides[1], sides[0])
        return cells, side, beyond

    def _along(self, points: Points, pieces: npt.NDArray[np.intp]) -> npt.NDArray[np.float64]:
        """Return the position of each point along its segment: 0 at the start, 1 at the end."""
        step = self._segments.step[pieces]
        offset = points - self._segments.start[pieces]
        return np.asarray((offset * step).sum(axis=1) / (step**2).sum(axis=1))

    def _side(self, points: Points, pieces: npt.NDArray[np.intp]) -> npt.NDArray[np.float64]:
        """Return the distance of each point from its extended segment, positive on the left."""
        step = self._segments.step[pieces]
        offset = points - self._segments.start[pieces]
        cross = step[:, 0] * offset[:, 1] - step[:, 1] * offset[:, 0]
        return np.asarray(cross / np.hypot(step[:, 0], step[:, 1]))


def _segments(lines: Sequence[LineString]) -> _Segments:
    starts, steps, befores, afters = [], [], [], []
    count = 0
    for line in lines:
        vertices = shapely.get_coordinates(shapely.remove_repeated_points(line))
        number = np.arange(len(vertices) - 1)
        first, last = (number[-1], 0) if line.is_ring else (0, number[-1])
        starts.append(vertices[:-1])
        steps.append(np.diff(vertices, axis=0))
        befores.append(count + np.concatenate([[first], number[:-1]]))
        afters.append(count + np.concatenate([number[1:], [last]]))
        count += len(number)
    return _Segments(*map(np.concatenate, (starts, steps, befores, afters)))
