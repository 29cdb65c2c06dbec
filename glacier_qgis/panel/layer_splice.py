"""A stretch that is drawn again takes the place of what a layer was there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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


def _rightwards(line: Sequence[Point]) -> Line:
    points = list(line)
    return points if points[0][0] <= points[-1][0] else points[::-1]
