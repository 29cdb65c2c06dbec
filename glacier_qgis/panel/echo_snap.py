"""Vertices move to the strongest echo near them."""

from __future__ import annotations

import math
from collections.abc import Sequence

from qgis.core import QgsRasterBlock, QgsRasterDataProvider, QgsRectangle

from glacier_qgis.panel.layer_splice import Line, Point, height_at

BLOCK = 512
"""Traces to read at once."""


class EchoSnap:
    """Finds the local maximum of an echogram; of amplitudes, the largest regardless of sign."""

    def __init__(self, provider: QgsRasterDataProvider, values: str) -> None:
        self._provider = provider
        self._signed = values == "amplitude"

    def to_echo(self, point: Point, window: int) -> Point:
        """Return the centre of the strongest sample of a trace within a window.

        Args:
            point: Where a person clicked.
            window: Samples up and down to look at; 0 to leave the point where it is.
        """
        return self.follow([point], window)[0]

    def follow(self, line: Sequence[Point], window: int) -> Line:
        """Return one vertex per trace along a line, each at the strongest echo near it."""
        if window <= 0:
            return list(line)
        wanted = _per_trace(line, self._provider.xSize())
        found: Line = []
        for start in range(0, len(wanted), BLOCK):
            found += self._strongest(wanted[start : start + BLOCK], window)
        return found

    def _strongest(self, wanted: Sequence[Point], window: int) -> Line:
        rows = [math.floor(-y) for _, y in wanted]
        top = max(min(rows) - window, 0)
        bottom = min(max(rows) + window + 1, self._provider.ySize())
        left, right = math.floor(wanted[0][0]), math.floor(wanted[-1][0]) + 1
        if bottom <= top:
            return list(wanted)
        extent = QgsRectangle(left, -bottom, right, -top)
        block = self._provider.block(1, extent, right - left, bottom - top)
        return [
            self._peak(block, point, row, window, left, top)
            for point, row in zip(wanted, rows, strict=True)
        ]

    def _peak(
        self, block: QgsRasterBlock, point: Point, row: int, window: int, left: int, top: int
    ) -> Point:
        column = math.floor(point[0]) - left
        near = range(max(row - window - top, 0), min(row + window + 1 - top, block.height()))
        echoes = [(self._strength(block, at, column), -abs(at + top - row), at) for at in near]
        echoes = [echo for echo in echoes if not math.isnan(echo[0])]
        if not echoes:
            return point
        return math.floor(point[0]) + 0.5, -(max(echoes)[2] + top + 0.5)

    def _strength(self, block: QgsRasterBlock, row: int, column: int) -> float:
        if block.isNoData(row, column):
            return math.nan
        value = block.value(row, column)
        return abs(value) if self._signed else value


def _per_trace(line: Sequence[Point], traces: int) -> Line:
    """Return a point at the centre of each trace from the first vertex to the last."""
    points = sorted(line)
    first = min(max(math.floor(points[0][0]), 0), traces - 1)
    last = min(max(math.floor(points[-1][0]), 0), traces - 1)
    if last == first:
        return [(first + 0.5, points[0][1])]
    return [(trace + 0.5, height_at(points, trace + 0.5)) for trace in range(first, last + 1)]
