"""What a front line says about its surroundings: glacier on its left, ocean on its right."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import shapely
from shapely import LineString, STRtree

from glacier_qgis.models.fronts.zones import GLACIER, OCEAN
from glacier_qgis.models.raster.grid import Grid
from glacier_qgis.models.training.samples import UNLABELLED
from glacier_qgis.models.vector.lines import merge_lines

Points = npt.NDArray[np.float64]


@dataclass(frozen=True)
class _Segments:
    """The straight pieces of some lines.

    Attributes:
        start: (pieces, 2), m.
        step: From start to end, (pieces, 2), m; none is zero.
        first: Whether a line begins, without being a ring, at the start; (pieces,).
        last: Whether a line ends, without being a ring, at the end; (pieces,).
    """

    start: Points
    step: Points
    first: npt.NDArray[np.bool_]
    last: npt.NDArray[np.bool_]


class LineZones:
    """Front lines of one scene, ready to be asked what lies beside them.

    Args:
        lines: In m, with the glacier on their left.
        reach: How far from a line its sides are known, m.
    """

    def __init__(self, lines: Sequence[LineString], reach: float) -> None:
        self._segments = _segments(merge_lines(lines, directed=True))
        ends = self._segments.start + self._segments.step
        pieces = shapely.linestrings(np.stack([self._segments.start, ends], axis=1))
        self._tree = STRtree(np.asarray(pieces))
        self._reach = reach

    def codes(self, grid: Grid) -> npt.NDArray[np.uint8]:
        """Label the cells whose centre is within reach of a line.

        The nearest piece of line decides. A cell whose nearest point is the open end of a line
        stays unlabelled: what lies beyond the end, the line does not say.

        Args:
            grid: In the lines' CRS.

        Returns:
            (rows, columns).
        """
        if not self._tree.query(shapely.box(*grid.bounds), "dwithin", self._reach).size:
            return np.full(grid.shape, UNLABELLED, np.uint8)
        x, y = np.meshgrid(grid.x, grid.y)
        centres = np.column_stack([x.ravel(), y.ravel()])
        zones = np.full(len(centres), UNLABELLED, np.uint8)
        cells, pieces = self._tree.query_nearest(
            shapely.points(centres), max_distance=self._reach, all_matches=True
        )
        if cells.size:
            cells, side, beyond = self._sides(centres, cells, pieces)
            zones[cells] = np.where(beyond, UNLABELLED, np.where(side >= 0, GLACIER, OCEAN))
        return zones.reshape(grid.shape)

    def _sides(
        self, centres: Points, cells: npt.NDArray[np.intp], pieces: npt.NDArray[np.intp]
    ) -> tuple[npt.NDArray[np.intp], Points, npt.NDArray[np.bool_]]:
        """Return each cell once, its signed distance from its piece, and if it lies beyond an end.

        Two pieces are equally near where their common vertex is the nearest point; of these,
        the one that is seen less edge-on knows the side.
        """
        segments = self._segments
        offset = centres[cells] - segments.start[pieces]
        step = segments.step[pieces]
        length = np.hypot(step[:, 0], step[:, 1])
        side = (step[:, 0] * offset[:, 1] - step[:, 1] * offset[:, 0]) / length
        along = (offset * step).sum(axis=1) / length**2
        beyond = (segments.first[pieces] & (along < 0)) | (segments.last[pieces] & (along > 1))
        order = np.lexsort([-np.abs(side), cells])
        found, place = np.unique(cells[order], return_index=True)
        best = order[place]
        return found, side[best], beyond[best]


def _segments(lines: Sequence[LineString]) -> _Segments:
    starts, steps, firsts, lasts = [], [], [], []
    for line in lines:
        vertices = shapely.get_coordinates(shapely.remove_repeated_points(line))
        step = np.diff(vertices, axis=0)
        number = np.arange(len(step))
        starts.append(vertices[:-1])
        steps.append(step)
        firsts.append((number == 0) & (not line.is_ring))
        lasts.append((number == len(step) - 1) & (not line.is_ring))
    return _Segments(*map(np.concatenate, (starts, steps, firsts, lasts)))
