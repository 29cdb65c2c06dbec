"""A stretch that is drawn again takes the place of what a layer was there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

Point = tuple[float, float]
Line = list[Point]


class Splice(NamedTuple):
    """What becomes of the pieces of a layer.

    Attributes:
        changed: New vertices by the key of a piece.
        deleted: Keys of pieces that are gone.
        added: A piece that belonged to none.
    """

    changed: dict[int, Line]
    deleted: list[int]
    added: Line | None


def splice(pieces: Mapping[int, Sequence[Point]], drawn: Sequence[Point]) -> Splice:
    """Put a drawn stretch into the pieces of a layer.

    Pieces that reach into the stretch lose what lies within it, and are joined by it.

    Args:
        pieces: Vertices by key, from left to right or back.
        drawn: Vertices of the stretch, likewise.
    """
    stretch = _rightwards(drawn)
    first, last = stretch[0][0], stretch[-1][0]
    lines = {key: _rightwards(line) for key, line in pieces.items() if len(line)}
    touched = sorted(
        (key for key, line in lines.items() if line[0][0] <= last and line[-1][0] >= first),
        key=lambda key: lines[key][0][0],
    )
    if not touched:
        return Splice({}, [], stretch)
    before = [point for key in touched for point in lines[key] if point[0] < first]
    after = [point for key in touched for point in lines[key] if point[0] > last]
    return Splice({touched[0]: before + stretch + after}, touched[1:], None)


def within(line: Sequence[Point], first: float, last: float) -> Line:
    """Return a line from left to right, cut at two places; empty if it lies beside them.

    Args:
        line: Its vertices, at least one.
        first: The left place.
        last: The right one.
    """
    points = _rightwards(line)
    start, end = max(first, points[0][0]), min(last, points[-1][0])
    if (start, end) == (points[0][0], points[-1][0]):
        return points
    if start >= end:
        return []
    inside = [point for point in points if start < point[0] < end]
    return [(start, height_at(points, start)), *inside, (end, height_at(points, end))]


def height_at(points: Sequence[Point], x: float) -> float:
    """Return the height of a line at a place, that of its ends beyond them.

    Args:
        points: Its vertices, from left to right.
        x: The place.
    """
    if x <= points[0][0]:
        return points[0][1]
    for (x1, y1), (x2, y2) in pairwise(points):
        if x <= x2:
            return y1 + (y2 - y1) * (x - x1) / (x2 - x1) if x2 > x1 else y2
    return points[-1][1]


def _rightwards(line: Sequence[Point]) -> Line:
    """Return vertices from left to right, also of a line that goes back: a trace has one depth."""
    points = line if line[0][0] <= line[-1][0] else line[::-1]
    return sorted(points, key=lambda point: point[0])
