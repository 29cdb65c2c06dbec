"""Direction of flow of a glacier, from the directions of its fronts.

Lines of this software, marked by their field ``software``, have the glacier on their left.
Digitised lines may run either way, but the lines of one series mostly run the same way.
"""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import shapely
from shapely import Polygon

from glacier_qgis.models.compute.arrays import Float64Array
from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.engine.events import Reporter
from glacier_qgis.models.engine.provenance import SOFTWARE
from glacier_qgis.models.vector.lines import clip_lines, line_parts

AGREEMENT = 0.8
"""Length of the vector sum of all fronts divided by the sum of their lengths, from which they count
as parallel."""
MAJORITY = 0.7
"""Share of the fronts, by length, that must run one way for the others to count as reversed."""


def drawn_here(frame: gpd.GeoDataFrame) -> list[bool]:
    """Return for each line whether this software made it, with the glacier on its left."""
    if "software" not in frame:
        return [False] * len(frame)
    return [str(software).startswith(SOFTWARE) for software in frame.software]


def seaward(fronts: gpd.GeoDataFrame, outline: Polygon, reporter: Reporter) -> Float64Array:
    """Return the direction of flow in a box: to the right of its fronts, shape (2,).

    Lines that are known to have the glacier on their left decide, if there are any. Otherwise this
    is assumed of all lines. A line that runs against most of the others counts as reversed.

    Args:
        fronts: Lines with ``date``, ``image_id`` and ``directed``, see `drawn_here`.
        outline: The box.
        reporter: Receives warnings of this assumption and of reversed lines.

    Raises:
        EngineError: The fronts miss the box, or have no common direction.
    """
    chords = np.array([_chord(front, outline) for front in fronts.geometry]).reshape(-1, 2)
    lengths = np.hypot(*chords.T)
    voting = fronts.directed.to_numpy() & (lengths > 0)
    if not voting.any():
        voting = lengths > 0
        reporter.warning(
            "Assuming that the glacier is on the left of the lines, seen in the direction of "
            "drawing, because no attribute says so. If advance and retreat are swapped, give "
            "CENTERLINE, a line from the glacier to the sea."
        )
    axis = _axis(chords)
    votes, along = (chords @ axis)[voting], lengths[voting].sum()
    one_way = votes[votes > 0].sum()
    other_way = -votes[votes < 0].sum()
    crooked = np.abs(chords @ axis).sum() <= AGREEMENT * lengths.sum()
    if crooked or max(one_way, other_way) <= MAJORITY * along:
        raise EngineError(
            "BOX: the lines of TERMINI do not show which end is up-glacier, because they miss the "
            "box or run in different directions. Give CENTERLINE, a line from the glacier to the "
            "sea, or draw the box as a line that is open to the sea."
        )
    front = axis if one_way > other_way else -axis
    reverse = fronts[chords @ front < 0]
    if len(reverse):
        named = [f"{date:%Y-%m-%d} {image}".strip() for date, image in _names(reverse)]
        reporter.warning(
            f"{len(reverse)} of {len(fronts)} lines run in the opposite direction to the others "
            f"and are treated as reversed: {', '.join(named)}. Reverse them if the glacier is on "
            "their right."
        )
    return np.array([front[1], -front[0]])


def _names(fronts: gpd.GeoDataFrame) -> zip[tuple[object, object]]:
    return zip(fronts.date, fronts.image_id, strict=True)


def _chord(front: shapely.Geometry, outline: Polygon) -> Float64Array:
    """Return the vectors from first to last point of a front's parts in a box, summed."""
    ends = [
        shapely.get_coordinates(part)[[0, -1]] for part in clip_lines(line_parts(front), outline)
    ]
    return np.sum([last - first for first, last in ends], axis=0) if ends else np.zeros(2)


def _axis(chords: Float64Array) -> Float64Array:
    """Return the unit vector along which the chords, of either sign, are longest."""
    _, vectors = np.linalg.eigh(chords.T @ chords)
    return np.asarray(vectors[:, -1])
