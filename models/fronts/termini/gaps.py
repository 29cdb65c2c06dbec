"""Gaps in a front: a few cells of another zone between its pieces.

An isolated cell of rock, of no data or of an area that does not count cuts a front in two. Where
such cells lie near both ocean and glacier, they are assigned to one of the two. The line that is
then traced through them, a bridge, joins two pieces if

* it starts at the end of one piece and ends at the start of another, and
* the gap between them is no wider than GAP.

A bridge that does not reach another piece, as at the wall of a fjord, or that is longer, as along a
wall between ice and water, is dropped.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import shapely
from scipy import ndimage
from shapely import LineString

from glacier_qgis.models.compute.arrays import Mask
from glacier_qgis.models.vector.lines import merge_lines

DEFAULT_GAP_CELLS = 3.0

_TO_CENTRES = math.sqrt(2)
"""A front connects cell centres: on each side of a gap, it reaches half a diagonal into the
cells."""

_DETOUR = math.pi / 2
"""Largest length of a bridge, in widths of the widest gap: a half circle."""


@dataclass(frozen=True)
class GapRule:
    """Which gaps are closed.

    Attributes:
        cells: Largest width in cells; 0 closes none.
    """

    cells: float = DEFAULT_GAP_CELLS

    @property
    def reach(self) -> int:
        """Largest distance of a bridge from ocean and glacier, in cells."""
        return math.ceil(_DETOUR * (self.cells + _TO_CENTRES) / 2) if self.cells > 0 else 0

    def allows(self, bridge: LineString) -> bool:
        """Whether a bridge, with coordinates in cells, is short enough."""
        (first, last), longest = shapely.get_coordinates(bridge)[[0, -1]], self.cells + _TO_CENTRES
        within = math.dist(first, last) <= longest + 1e-6
        return within and bridge.length <= _DETOUR * longest


def nearest_zone(ocean: Mask, glacier: Mask, reach: int) -> tuple[Mask, Mask]:
    """Assign cells within `reach` cells of ocean or glacier to the nearer of the two.

    Returns:
        The cells assigned to the ocean and those assigned to the glacier, which gets ties.
    """
    to_ocean, to_glacier = _distance(ocean), _distance(glacier)
    near = (np.minimum(to_ocean, to_glacier) <= reach) & ~(ocean | glacier)
    return near & (to_ocean < to_glacier), near & (to_ocean >= to_glacier)


def split_at_gaps(
    line: npt.NDArray[np.float64], known: Mask
) -> list[tuple[npt.NDArray[np.float64], bool]]:
    """Cut a contour where it enters or leaves squares of four known cells.

    Args:
        line: Vertices (row, column), in cell centres.
        known: Cells that are ocean or glacier by themselves.

    Returns:
        Pieces in order, and for each whether it lies among known cells.
    """
    squares = known[:-1, :-1] & known[1:, :-1] & known[:-1, 1:] & known[1:, 1:]
    rows, columns = np.floor((line[:-1] + line[1:]) / 2).astype(int).T
    sure = squares[rows, columns]
    cuts = np.flatnonzero(np.diff(sure)) + 1
    starts, stops = [0, *cuts], [*cuts, len(sure)]
    return [
        (line[start : stop + 1], bool(sure[start]))
        for start, stop in zip(starts, stops, strict=True)
    ]


def join_pieces(
    pieces: Sequence[LineString], bridges: Sequence[LineString], rule: GapRule
) -> list[LineString]:
    """Join pieces of fronts by the bridges that the rule allows.

    Args:
        pieces: In cells, in the direction of the front.
        bridges: The same; may be cut anywhere.
        rule: Which bridges to take.
    """
    fronts = merge_lines(pieces, directed=True)
    starts = {front.coords[0] for front in fronts}
    ends = {front.coords[-1] for front in fronts}
    taken = [
        bridge
        for bridge in merge_lines(bridges, directed=True)
        if bridge.coords[0] in ends and bridge.coords[-1] in starts and rule.allows(bridge)
    ]
    return merge_lines([*fronts, *taken], directed=True) if taken else fronts


def _distance(mask: Mask) -> npt.NDArray[np.float64]:
    """Return each cell's distance to a mask, in cells; infinite for an empty mask."""
    if not mask.any():
        return np.full(mask.shape, np.inf)
    return np.asarray(ndimage.distance_transform_edt(~mask))
